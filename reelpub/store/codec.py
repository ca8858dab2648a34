"""Jobs as JSON values and back: what a store keeps, and nothing secret.

A request, a part and an outcome hold no key and no presigned address, so neither does the store. An error is kept as
its type's name, its words and its status: enough to decide and to report by.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import cattrs
import orjson
from attrs import evolve

from reelpub.errors import ReelPubError, ValidationError, status_error
from reelpub.models.account import Account
from reelpub.models.job import Part
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
    "load_outcome",
    "load_part",
    "load_request",
    "outcome_values",
    "request_values",
]

_SOURCES: dict[str, type] = {kind.__name__: kind for kind in (GeneratedPost, MediaItems, Draft, Clip)}
_SETTINGS: dict[str, type] = {
    kind.__name__: kind for kind in (YouTubeSettings, TikTokSettings, InstagramSettings, LinkedInSettings)
}
_NO_REQUEST = PublishRequest(Draft(""))


def _make_converter() -> cattrs.Converter:
    converter = cattrs.Converter()
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
    converter.register_unstructure_hook(PublishRequest, request_values)
    converter.register_structure_hook(PublishRequest, lambda value, _: _request_from(value))
    converter.register_unstructure_hook_func(_is_error, _error_values)
    converter.register_structure_hook_func(_is_error, lambda value, _: _error_from(value))
    converter.register_structure_hook(BaseException | None, lambda value, _: _error_from(value))
    converter.register_structure_hook(ReelPubError | None, lambda value, _: _error_from(value))
    # What was given is reported in words; its type needn't come back.
    converter.register_unstructure_hook_func(lambda kind: kind is object, _plain)
    converter.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)
    return converter


def _is_error(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseException)


def _plain(value: object) -> object:
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
    values: dict[str, Any] = {"type": type(error).__name__, "message": str(error)}
    for name in ("status", "code", "operation", "provider", "retry_after"):
        member = getattr(error, name, None)
        if isinstance(member, (str, int, float)):
            values[name] = member
    if isinstance(error, ValidationError):
        values["problems"] = [_converter.unstructure(problem) for problem in error.problems]
    return values


def _error_from(values: Mapping[str, Any] | None) -> BaseException | None:
    if values is None:
        return None
    if "problems" in values:
        return ValidationError([_converter.structure(problem, Problem) for problem in values["problems"]])
    if "status" in values and "operation" in values:
        label = f"{values['provider']} {values['operation']}: {values['status']} "
        words = values["message"].removeprefix(label).removeprefix(f"{values.get('code')}").removeprefix(": ")
        return status_error(
            values["status"],
            words,
            operation=values["operation"],
            provider=values["provider"],
            code=values.get("code"),
            retry_after=values.get("retry_after"),
        )
    return ReelPubError(values["message"])


_converter = _make_converter()


def dump_request(request: PublishRequest) -> bytes:
    """Return *request* as JSON."""
    return orjson.dumps(request_values(request), default=str)


def load_request(data: bytes) -> PublishRequest:
    """Return the request that `dump_request` made *data* of."""
    return _request_from(orjson.loads(data))


def dump_part(state: PartState) -> bytes:
    """Return a part as JSON, without its request, which is the job's."""
    bare = evolve(state, part=_without_request(state.part))
    if bare.prepared is not None:
        bare = evolve(bare, prepared=evolve(bare.prepared, part=bare.part))
    values = _converter.unstructure(bare)
    own = None if state.part.request is _NO_REQUEST else request_values(state.part.request)
    return orjson.dumps({"state": values, "request": own}, default=str)


def load_part(data: bytes) -> PartState:
    """Return the part that `dump_part` made *data* of."""
    values = orjson.loads(data)
    state = _converter.structure(values["state"], PartState)
    request = _request_from(values["request"])
    part = evolve(state.part, request=request)
    prepared = evolve(state.prepared, part=part) if state.prepared is not None else None
    return evolve(state, part=part, prepared=prepared)


def _without_request(part: Part) -> Part:
    return evolve(part, request=_NO_REQUEST)


def outcome_values(outcome: Outcome) -> dict[str, Any]:
    """Return *outcome* as JSON values."""
    values: dict[str, Any] = _converter.unstructure(outcome)
    return values


def dump_outcome(outcome: Outcome) -> bytes:
    """Return *outcome* as JSON."""
    return orjson.dumps(outcome_values(outcome), default=str)


def load_outcome(data: bytes) -> Outcome:
    """Return the outcome that `dump_outcome` made *data* of."""
    return _converter.structure(orjson.loads(data), Outcome)
