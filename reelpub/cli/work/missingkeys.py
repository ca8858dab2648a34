"""Keys that aren't set, named where a row needs the service that they are for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Final

from attrs import evolve, field, frozen

from reelpub.manifest.rows import RowProblem
from reelpub.models.source import Clip, Draft, GeneratedPost, MediaItems
from reelpub.orchestrator.choice import is_not_taken
from reelpub.providers import registry
from reelpub.providers.base import Publisher

__all__ = ["MissingKeys", "missing_keys"]

_SOURCES: Final[Mapping[str, type]] = {
    "clip": Clip,
    "draft": Draft,
    "generated_post": GeneratedPost,
    "media_items": MediaItems,
}
"""The columns that name a source, and what they become."""


@frozen
class MissingKeys:
    """The publishers that are left out as their keys aren't set: their variables, and the sources that they take."""

    variables: Mapping[str, str] = field(factory=dict)
    takers: Mapping[type, str] = field(factory=dict)

    def named(self, found: RowProblem) -> RowProblem:
        """Return *found*; where a publisher that is left out would have the row, it says which key to set."""
        problem = found.problem
        if is_not_taken(problem):
            name = self.takers.get(_SOURCES.get(found.place.column or "", object))
            more = None if name is None else f"; {name} takes it: set {self.variables[name]}"
        else:
            key = self.variables.get(str(problem.value)) if problem.field == "publisher" else None
            more = None if key is None else f"; set {key} to have it"
        return found if more is None else evolve(found, problem=evolve(problem, message=f"{problem.message}{more}"))


async def missing_keys(made: Iterable[Publisher]) -> MissingKeys:
    """Return which installed publishers aren't among *made* and have no key in the environment."""
    present = {publisher.name for publisher in made}
    variables: dict[str, str] = {}
    takers: dict[type, str] = {}
    for name in registry.known():
        cls = registry.load(name)
        if name in present or os.environ.get(cls.env_key):
            continue
        variables[name] = cls.env_key
        if isinstance(cls, registry.OfflineType):
            publisher = cls.offline()
            takers |= {source: name for source in publisher.capabilities.sources if source not in takers}
            await publisher.close()
    return MissingKeys(variables, takers)
