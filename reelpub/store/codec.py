"""Jobs as JSON values and back: what a store keeps, and nothing secret.

A request, a part and an outcome hold no key and no presigned address, so neither does the store. Of an error are kept
its type, its words and its plain members, such as a status: enough to decide and to report by. What a provider sent
along with it isn't.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, get_origin

import cattrs
import orjson
from attrs import evolve

from reelpub import errors
from reelpub.errors import APIStatusError, ReelPubError, StoreError, ValidationError
from reelpub.models.account import Account
from reelpub.models.job import Part, Prepared
from reelpub.models.outcome import Outcome
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.models.settings import InstagramSettings, LinkedInSettings, TikTokSettings, YouTubeSettings
from reelpub.models.source import Clip, Draft, GeneratedPost, MediaItems
from reelpub.models.when import FoldPolicy, GapPolicy, LocalTime
from reelpub.policies.lifecycle import PartState

__all__ = [
    "dump_outcome",
    "dump_part",
    "dump_request",
    "dump_warnings",
    "load_outcome",
    "load_part",
    "load_request",
    "load_warnings",
    "outcome_values",
    "request_values",
]

_SOURCES: dict[str, type] = {kind.__name__: kind for kind in (GeneratedPost, MediaItems, Draft, Clip)}
_SETTINGS: dict[str, type] = {
    kind.__name__: kind for kind in (YouTubeSettings, TikTokSettings, InstagramSettings, LinkedInSettings)
}
_ERRORS: dict[str, type[ReelPubError]] = {
    kind.__name__: kind
    for kind in vars(errors).values()
    # A DeliveryFailed is nothing without its post.
    if isinstance(kind, type) and issubclass(kind, ReelPubError) and kind is not errors.DeliveryFailed
}
_SPELT_OUT = b"\n"
"""Begins what orjson doesn't take: half a surrogate pair, or a number of more than 64 bits."""


def _make_converter() -> cattrs.Converter:
    # A member at its default isn't written, so a default that changes needs a migration.
    converter = cattrs.Converter(omit_if_default=True)
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
    converter.register_unstructure_hook(PublishRequest, request_values)
    converter.register_structure_hook(PublishRequest, lambda value, _: _request_from(value))
    converter.register_unstructure_hook_func(_is_error, _error_values)
    converter.register_structure_hook_func(_is_error, lambda value, _: _error_from(value))
    converter.register_structure_hook(BaseException | None, lambda value, _: _error_from(value))
    converter.register_structure_hook(ReelPubError | None, lambda value, _: _error_from(value))
    # Kept is what was asked for, also a word that isn't among those known, which the provider's checks tell.
    converter.register_structure_hook_func(_is_literal, lambda value, _: value)
    # What was given is reported in words; its type needn't come back.
    converter.register_unstructure_hook_func(lambda kind: kind is object, _plain)
    converter.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)
    return converter


def _is_literal(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is Literal


def _is_error(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseException)


def _plain(value: object) -> object:
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


def request_values(request: PublishRequest) -> dict[str, Any]:
    """Return *request* as JSON values, without the members that weren't given."""
    values: dict[str, Any] = {
        "source": {"kind": type(request.source).__name__, **_converter.unstructure(request.source)}
    }
    for name in ("caption", "title", "publisher", "reference"):
        if getattr(request, name) is not None:
            values[name] = getattr(request, name)
    if request.tags:
        values["tags"] = list(request.tags)
    if request.accounts:
        values["accounts"] = [_converter.unstructure(a) if isinstance(a, Account) else a for a in request.accounts]
    if request.settings:
        values["settings"] = {platform: _settings_values(given) for platform, given in request.settings.items()}
    if request.at is not None:
        values["at"] = _at_values(request.at)
    if request.allow_duplicate:
        values["allow_duplicate"] = True
    return values


def _request_from(values: Mapping[str, Any]) -> PublishRequest:
    source = dict(values["source"])
    kind = _SOURCES[source.pop("kind")]
    return PublishRequest(
        _converter.structure(source, kind),
        caption=values.get("caption"),
        title=values.get("title"),
        tags=tuple(values.get("tags", ())),
        accounts=tuple(
            a if isinstance(a, str) else _converter.structure(a, Account) for a in values.get("accounts", ())
        ),
        settings={platform: _settings_from(given) for platform, given in values.get("settings", {}).items()},
        at=_at_from(values.get("at")),
        publisher=values.get("publisher"),
        allow_duplicate=values.get("allow_duplicate", False),
        reference=values.get("reference"),
    )


def _settings_values(given: Any) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return {"kind": "mapping", "members": dict(given)}
    return {"kind": type(given).__name__, "members": _converter.unstructure(given)}


def _settings_from(values: Mapping[str, Any]) -> Any:
    kind = _SETTINGS.get(values["kind"])
    return values["members"] if kind is None else _converter.structure(values["members"], kind)


def _at_values(at: datetime | LocalTime) -> Any:
    if isinstance(at, datetime):
        return at.isoformat()
    clock = at.clock.isoformat() if isinstance(at.clock, datetime) else at.clock
    return {"clock": clock, "zone": at.zone, "gap": at.gap.value, "fold": at.fold.value}


def _at_from(values: Any) -> datetime | LocalTime | None:
    if values is None:
        return None
    if isinstance(values, str):
        return datetime.fromisoformat(values)
    gap, fold = GapPolicy(values["gap"]), FoldPolicy(values["fold"])
    return LocalTime(values["clock"], values["zone"], gap=gap, fold=fold)


def _error_values(error: BaseException) -> dict[str, Any]:
    members = {name: value if _is_plain(value) else None for name, value in vars(error).items()}
    values: dict[str, Any] = {"type": type(error).__name__, "message": str(error), "members": members}
    if isinstance(error, ValidationError):
        values["problems"] = [_converter.unstructure(problem) for problem in error.problems]
    return values


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple):
        return all(isinstance(member, str) for member in value)
    return value is None or isinstance(value, (str, int, float))


def _error_from(values: Mapping[str, Any] | None) -> BaseException | None:
    if values is None:
        return None
    if "problems" in values:
        return ValidationError([_converter.structure(problem, Problem) for problem in values["problems"]])
    kind = _ERRORS.get(values["type"], ReelPubError)
    # Not its constructor, which would put the words together anew: they are kept whole.
    error: ReelPubError = kind.__new__(kind)
    error.args = (values["message"],)
    for name, value in values["members"].items() if kind is not ReelPubError else ():
        setattr(error, name, tuple(value) if isinstance(value, list) else value)
    if isinstance(error, APIStatusError):
        error.headers = {}
    return error


_converter = _make_converter()


def _to_json(values: object) -> bytes:
    try:
        return orjson.dumps(values, default=str)
    except TypeError:
        try:
            return _SPELT_OUT + json.dumps(values, default=str).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise StoreError(f"it can't be noted: {error}") from error


def _from_json(data: bytes) -> Any:
    return json.loads(data) if data.startswith(_SPELT_OUT) else orjson.loads(data)


def dump_request(request: PublishRequest) -> bytes:
    """Return *request* as JSON."""
    return _to_json(request_values(request))


def load_request(data: bytes) -> PublishRequest:
    """Return the request that `dump_request` made *data* of."""
    return _request_from(_from_json(data))


def dump_part(state: PartState) -> bytes:
    """Return a part as JSON; what was prepared speaks of the same part, which stands in it once."""
    values = _converter.unstructure(evolve(state, prepared=None))
    if state.prepared is not None:
        values["prepared"] = _prepared_values(state.prepared)
    return _to_json(values)


def load_part(data: bytes) -> PartState:
    """Return the part that `dump_part` made *data* of."""
    values = _from_json(data)
    prepared = values.pop("prepared", None)
    state = _converter.structure(values, PartState)
    return state if prepared is None else evolve(state, prepared=_prepared_from(prepared, state.part))


def _prepared_values(prepared: Prepared) -> dict[str, Any]:
    values: dict[str, Any] = {"post_id": prepared.post_id}
    if prepared.orphans:
        values["orphans"] = prepared.orphans
    if prepared.warnings:
        values["warnings"] = _converter.unstructure(prepared.warnings)
    return values


def _prepared_from(values: Mapping[str, Any], part: Part) -> Prepared:
    warnings = _converter.structure(values.get("warnings", ()), tuple[Problem, ...])
    return Prepared(
        part=part, post_id=values.get("post_id"), orphans=tuple(values.get("orphans", ())), warnings=warnings
    )


def outcome_values(outcome: Outcome) -> dict[str, Any]:
    """Return *outcome* as JSON values."""
    values: dict[str, Any] = _converter.unstructure(outcome)
    return values


def dump_outcome(outcome: Outcome) -> bytes:
    """Return *outcome* as JSON."""
    return _to_json(outcome_values(outcome))


def load_outcome(data: bytes) -> Outcome:
    """Return the outcome that `dump_outcome` made *data* of."""
    return _converter.structure(_from_json(data), Outcome)


def dump_warnings(warnings: tuple[Problem, ...]) -> bytes | None:
    """Return *warnings* as JSON, or None where there are none."""
    return _to_json(_converter.unstructure(warnings)) if warnings else None


def load_warnings(data: bytes | None) -> tuple[Problem, ...]:
    """Return the warnings that `dump_warnings` made *data* of."""
    return () if data is None else _converter.structure(_from_json(data), tuple[Problem, ...])
