"""What callers without a type checker may hand over: told as errors of this library before anything happens."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence

from reelpub.errors import ConfigurationError, ValidationError
from reelpub.models.outcome import Outcome
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.orchestrator.handle import Handle
from reelpub.policies.caps import AccountCap
from reelpub.providers.base import Publisher

__all__ = [
    "Item",
    "checked_caps",
    "checked_id",
    "checked_ids",
    "checked_items",
    "checked_job_ids",
    "checked_kind",
    "checked_publishers",
    "checked_requests",
    "checked_run",
    "checked_seconds",
    "checked_whole",
]

Item = Handle | Outcome | str
"""What names a job: its handle, its outcome, or its id."""

_SINGLE = (str, bytes, Mapping, PublishRequest, Handle, Outcome)


def _entries(name: str, values: object, kind: str) -> list[object]:
    if not isinstance(values, Iterable) or isinstance(values, _SINGLE):
        raise ConfigurationError(f"{name}: has to be a list of {kind}, not {type(values).__name__}")
    return list(values)


def checked_requests(requests: Iterable[PublishRequest]) -> list[PublishRequest]:
    """Return *requests* as a list.

    Raises:
        ConfigurationError: it is no list, or something in it is no `PublishRequest`.
    """
    wanted: list[PublishRequest] = []
    for index, request in enumerate(_entries("requests", requests, "PublishRequest")):
        if not isinstance(request, PublishRequest):
            raise ConfigurationError(f"requests[{index}]: has to be a PublishRequest, not {type(request).__name__}")
        wanted.append(request)
    return wanted


def checked_items(items: Iterable[Item]) -> list[Item]:
    """Return *items* as a list.

    Raises:
        ConfigurationError: it is no list, or something in it names no job.
    """
    wanted: list[Item] = []
    for index, item in enumerate(_entries("items", items, "handles, outcomes or job ids")):
        if not isinstance(item, (Handle, Outcome, str)):
            kind = type(item).__name__
            raise ConfigurationError(f"items[{index}]: has to be a handle, an outcome or a job id, not {kind}")
        wanted.append(item)
    return wanted


def checked_job_ids(job_ids: Iterable[str] | None, count: int) -> list[str] | None:
    """Return *job_ids* as a list of *count* ids, no two alike; None where none are given.

    Raises:
        ConfigurationError: they aren't that.
    """
    if job_ids is None:
        return None
    wanted = [_checked_name(f"job_ids[{n}]", value) for n, value in enumerate(_entries("job_ids", job_ids, "ids"))]
    if len(wanted) != count:
        raise ConfigurationError(f"job_ids: there are {len(wanted)} for {count} requests; give one for each")
    seen: set[str] = set()
    for index, job_id in enumerate(wanted):
        if job_id in seen:
            raise ConfigurationError(f"job_ids[{index}]: {job_id!r} is there twice")
        seen.add(job_id)
    return wanted


def checked_run(run: str | None) -> None:
    """Check the id of a run, where one is given.

    Raises:
        ConfigurationError: it is no text, or empty.
    """
    if run is not None:
        _checked_name("run", run)


def _checked_name(name: str, value: object) -> str:
    """Return *value* if it is a text that can be the name of something in a store."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ConfigurationError(f"{name}: {value!r} has to be an id, a text that isn't empty and can be printed")
    return value


def checked_publishers(publishers: Iterable[Publisher]) -> list[Publisher]:
    """Return *publishers* as a list of at least one, with names of their own.

    Raises:
        ConfigurationError: they aren't.
    """
    found: dict[str, Publisher] = {}
    for index, publisher in enumerate(_entries("publishers", publishers, "publishers")):
        if not isinstance(publisher, Publisher):
            raise ConfigurationError(f"publishers[{index}]: has to be a publisher, not {type(publisher).__name__}")
        if publisher.name in found:
            raise ConfigurationError(f"publishers: two are named {publisher.name!r}; give each a name of its own")
        found[publisher.name] = publisher
    if not found:
        raise ConfigurationError("publishers: give at least one")
    return list(found.values())


def checked_caps(caps: Mapping[str, AccountCap] | None) -> Mapping[str, AccountCap]:
    """Return *caps*, which map accounts to their caps.

    Raises:
        ConfigurationError: they don't.
    """
    given: object = {} if caps is None else caps
    if not isinstance(given, Mapping) or not all(isinstance(cap, AccountCap) for cap in given.values()):
        raise ConfigurationError(f"caps: {given!r} has to map accounts to AccountCap")
    return given


def checked_kind(name: str, value: object, kinds: type | tuple[type, ...]) -> None:
    """Check that *value*, where given, is of one of *kinds*.

    Raises:
        ConfigurationError: it isn't.
    """
    if value is not None and not isinstance(value, kinds):
        names = " or ".join(kind.__name__ for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))
        raise ConfigurationError(f"{name}: {value!r} has to be a {names}")


def checked_whole(name: str, value: object, *, least: int) -> None:
    """Check a whole number.

    Raises:
        ConfigurationError: it isn't one, or less than *least*.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigurationError(f"{name}: {value!r} has to be a whole number of at least {least}")


def checked_seconds(name: str, value: object, *, above_zero: bool = False) -> None:
    """Check a number of seconds, 0 or more unless *above_zero*.

    Raises:
        ConfigurationError: it isn't one.
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= sys.float_info.max or (above_zero and value == 0):  # type: ignore[operator]  # a number
        least = "above 0" if above_zero else "0 or more"
        raise ConfigurationError(f"{name}: {value!r} has to be a number of seconds, {least}")


def checked_id(field: str, value: object) -> None:
    """Check an id.

    Raises:
        ValidationError: it is no text, or empty.
    """
    if not isinstance(value, str) or not value.strip():
        raise ValidationError([Problem(field=field, value=value, message="has to be an id, a text that isn't empty")])


def checked_ids(field: str, values: object) -> None:
    """Check a list of ids.

    Raises:
        ValidationError: it is none, or something in it is no id; every problem at once.
    """
    message = "has to be an id, a text that isn't empty"
    if not isinstance(values, Sequence) or isinstance(values, (str, bytes)):
        raise ValidationError([Problem(field=field, value=values, message="has to be a list of ids, not one text")])
    problems = [
        Problem(field=f"{field}[{index}]", value=value, message=message)
        for index, value in enumerate(values)
        if not isinstance(value, str) or not value.strip()
    ]
    if not values:
        problems = [Problem(field=field, value=[], message="is empty; give at least one id")]
    if problems:
        raise ValidationError(problems)
