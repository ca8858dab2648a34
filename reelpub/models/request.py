"""What a caller asks for: one source, its texts, the accounts it goes to, and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import field, frozen

from reelpub.models.account import Account
from reelpub.models.settings import PlatformSettings
from reelpub.models.source import Source
from reelpub.models.when import LocalTime

__all__ = ["PublishRequest"]


def _tuple(values: object) -> object:
    """Return a list as a tuple; anything else stays as it is, for the checks to name."""
    if isinstance(values, Iterable) and not isinstance(values, (str, bytes, Mapping)):
        return tuple(values)
    return values


def _mapping(values: object) -> object:
    return {str(key): value for key, value in values.items()} if isinstance(values, Mapping) else values


@frozen
class PublishRequest:
    """One thing to publish.

    *accounts* are provider ids, ``platform:username`` texts or `Account` values; left out, a generated post or draft
    goes to the accounts that the provider has for it. *at* is an aware datetime or a `LocalTime`; None means now.
    *settings* maps a platform's name to its settings. *publisher* names the one that is to do it, where several take
    the source. *allow_duplicate* sends even what was sent before. *reference* is the caller's own, and comes back in
    the outcome.

    Making one checks nothing: `Orchestrator.check` and every publishing call tell all problems at once.
    """

    source: Source
    caption: str | None = field(default=None, kw_only=True)
    title: str | None = field(default=None, kw_only=True)
    tags: tuple[str, ...] = field(default=(), kw_only=True, converter=_tuple)
    accounts: tuple[str | Account, ...] = field(default=(), kw_only=True, converter=_tuple)
    # Equal requests have the same hash without it, and a mapping has none.
    settings: Mapping[str, PlatformSettings] = field(factory=dict, kw_only=True, converter=_mapping, hash=False)
    at: datetime | LocalTime | None = field(default=None, kw_only=True)
    publisher: str | None = field(default=None, kw_only=True)
    allow_duplicate: bool = field(default=False, kw_only=True)
    reference: str | None = field(default=None, kw_only=True)

    if TYPE_CHECKING:
        # Any list will do: type checkers other than mypy don't read converters.
        def __init__(
            self,
            source: Source,
            *,
            caption: str | None = None,
            title: str | None = None,
            tags: Iterable[str] = (),
            accounts: Iterable[str | Account] = (),
            settings: Mapping[str, PlatformSettings] = ...,
            at: datetime | LocalTime | None = None,
            publisher: str | None = None,
            allow_duplicate: bool = False,
            reference: str | None = None,
        ) -> None: ...

    def __str__(self) -> str:
        return str(self.reference or self.source)
