"""What is wrong with a request before anything is sent: every problem at once, each with field, value and limit.

Three layers: `static` needs nothing but the request; `resolve` needs the provider's accounts; the last one, the
provider's window for times, is asked again at the moment a token is there (`scheduling.window_problem`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import orjson

from reelpub.models.account import Account, AccountRef
from reelpub.models.capability import Capabilities, ProviderLimits, TextLimit
from reelpub.models.problem import Problem, Severity
from reelpub.models.request import PublishRequest
from reelpub.models.settings import InstagramSettings, LinkedInSettings, TikTokSettings, YouTubeSettings
from reelpub.models.source import Clip, Draft, GeneratedPost, MediaItem, MediaItems
from reelpub.policies.lateness import is_kept_here
from reelpub.policies.scheduling import instant, window_problem

__all__ = ["errors_in", "request_problems", "resolve", "source_problems", "static"]

_SETTINGS = (YouTubeSettings, TikTokSettings, InstagramSettings, LinkedInSettings)
_HALF = re.compile("[\ud800-\udfff]")
_HALF_PAIR = "holds half a surrogate pair, which can't be sent"


def errors_in(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems that stop a request."""
    return [problem for problem in problems if problem.is_error]


def static(
    request: PublishRequest, *, now: datetime, capabilities: Capabilities, limits: ProviderLimits, provider: str
) -> list[Problem]:
    """Return what can be known to be wrong offline, for one provider."""
    problems = [*request_problems(request), *_offered(request, capabilities, provider)]
    problems += _texts(request, limits)
    problems += _time(request, now, limits)
    return problems


def request_problems(request: PublishRequest) -> list[Problem]:
    """Return what is wrong with *request* whoever publishes it: types, emptiness, repeated names."""
    return [
        *source_problems(request.source),
        *_accounts(request.accounts),
        *_text(request.caption, "caption"),
        *_text(request.title, "title"),
        *_tags(request.tags),
        *_settings(request.settings),
        *_when(request.at),
        *_text(request.publisher, "publisher"),
        *_flag(request.allow_duplicate, "allow_duplicate"),
        *_text(request.reference, "reference"),
    ]


def source_problems(source: object) -> list[Problem]:
    """Return what is wrong with a source."""
    if source is None:
        return [Problem(field="source", message="is missing")]
    if isinstance(source, (GeneratedPost, Draft)):
        return _id(source.id, "source.id")
    if isinstance(source, Clip):
        return [*_id(source.project_id, "source.project_id"), *_id(source.clip_id, "source.clip_id")]
    if isinstance(source, MediaItems):
        return _items(source.items)
    return [
        Problem(
            field="source", value=source, message="is no source; give a GeneratedPost, MediaItems, a Draft or a Clip"
        )
    ]


def _id(value: object, field: str) -> list[Problem]:
    if isinstance(value, str) and value.strip():
        return _half_pairs(value, field)
    return [Problem(field=field, value=value, message="has to be an id, a text that isn't empty")]


def _items(items: object) -> list[Problem]:
    if not isinstance(items, tuple):
        return [Problem(field="source.items", value=items, message="has to be a list of media items")]
    if not items:
        return [Problem(field="source.items", value=[], message="is empty; give at least one media item")]
    problems: list[Problem] = []
    for index, item in enumerate(items):
        field = f"source.items[{index}]"
        problems += _id(item.id, f"{field}.id") if isinstance(item, MediaItem) else _id(item, field)
    return problems


def _accounts(accounts: object) -> list[Problem]:
    if not isinstance(accounts, tuple):
        return [
            Problem(field="accounts", value=accounts, message='has to be a list, such as ["tiktok:acme"], not one text')
        ]
    problems: list[Problem] = []
    seen: set[str] = set()
    for index, account in enumerate(accounts):
        field = f"accounts[{index}]"
        if isinstance(account, Account):
            name = account.id
        elif isinstance(account, str) and account.strip():
            name = account.strip()
        else:
            problems.append(
                Problem(field=field, value=account, message="has to be an Account, an id or a platform:username")
            )
            continue
        problems += _half_pairs(name, field)
        if name in seen:
            problems.append(Problem(field=field, value=str(account), message="is named twice"))
        seen.add(name)
    return problems


def _half_pairs(text: str, field: str) -> list[Problem]:
    return [] if text.isascii() or not _HALF.search(text) else [Problem(field=field, message=_HALF_PAIR)]


def _text(value: object, field: str) -> list[Problem]:
    if value is None:
        return []
    if isinstance(value, str):
        return _half_pairs(value, field)
    return [Problem(field=field, value=value, message=f"has to be text, not {type(value).__name__}")]


def _tags(tags: object) -> list[Problem]:
    if not isinstance(tags, tuple):
        return [Problem(field="tags", value=tags, message='has to be a list, such as ["launch"], not one text')]
    problems: list[Problem] = []
    for index, tag in enumerate(tags):
        field = f"tags[{index}]"
        if isinstance(tag, str) and tag.strip():
            problems += _half_pairs(tag, field)
        else:
            problems.append(Problem(field=field, value=tag, message="has to be a text that isn't empty"))
    return problems


def _settings(settings: object) -> list[Problem]:
    if not isinstance(settings, Mapping):
        return [Problem(field="settings", value=settings, message="has to map platform names to settings")]
    problems: list[Problem] = []
    for platform, value in settings.items():
        field = f"settings.{platform}"
        if isinstance(value, Mapping):
            problems += _json(value, field)
        elif not isinstance(value, _SETTINGS):
            message = "has to be settings of that platform or a mapping"
            problems.append(Problem(field=field, value=value, message=message))
    return problems


def _json(value: Mapping[object, object], field: str) -> list[Problem]:
    try:
        orjson.dumps(dict(value))
    except TypeError as error:
        return [Problem(field=field, message=f"can't be written as JSON: {error}")]
    return []


def _when(at: object) -> list[Problem]:
    moment = None if at is None else instant(at)
    return [moment] if isinstance(moment, Problem) else []


def _flag(value: object, field: str) -> list[Problem]:
    if isinstance(value, bool):
        return []
    return [Problem(field=field, value=value, message="has to be True or False")]


def _offered(request: PublishRequest, capabilities: Capabilities, provider: str) -> list[Problem]:
    problems: list[Problem] = []
    is_source = isinstance(request.source, (GeneratedPost, MediaItems, Draft, Clip))
    if is_source and not isinstance(request.source, capabilities.sources):
        takes = ", ".join(source.__name__ for source in capabilities.sources)
        problems.append(
            Problem(
                field="source",
                value=type(request.source).__name__,
                message=f"isn't something {provider} publishes",
                limit=takes,
            )
        )
    problems += [
        Problem(field=field, value=value, message=f"{provider} has no {field}; put it into the caption")
        for field, value in (("title", request.title), ("tags", request.tags))
        if value and field not in capabilities.text_fields
    ]
    return problems


def _texts(request: PublishRequest, limits: ProviderLimits) -> list[Problem]:
    problems = _tag_count(request.tags, limits.max_tags)
    for field, text, limit in (("title", request.title, limits.title), ("caption", request.caption, limits.caption)):
        problems += _length(field, text, limit)
    return problems


def _tag_count(tags: object, maximum: int | None) -> list[Problem]:
    if maximum is None or not isinstance(tags, tuple) or len(tags) <= maximum:
        return []
    return [Problem(field="tags", value=len(tags), message=f"has {len(tags)} tags", limit=f"at most {maximum}")]


def _length(field: str, text: object, limit: TextLimit | None) -> list[Problem]:
    if limit is None or not isinstance(text, str) or len(text) <= limit.maximum:
        return []
    severity = Severity.ERROR if limit.is_documented else Severity.WARNING
    return [
        Problem(
            field=field,
            value=text,
            message=f"has {len(text)} characters",
            limit=f"at most {limit.maximum}{f' ({limit.source})' if limit.source else ''}",
            severity=severity,
        )
    ]


def _time(request: PublishRequest, now: datetime, limits: ProviderLimits) -> list[Problem]:
    if request.at is None:
        return []
    at = instant(request.at)
    if isinstance(at, Problem):
        return []  # told with the types
    if at > now and is_kept_here(at, now, limits):
        minutes = limits.schedule_min_lead / 60
        return [
            Problem(
                field="at",
                value=at.isoformat(),
                message="is sooner than the provider schedules; it is kept here and published when it is due",
                limit=f"at least {minutes:g} minutes ahead",
                severity=Severity.WARNING,
            )
        ]
    problem = window_problem(at, now, limits)
    return [problem] if problem else []


def resolve(
    request: PublishRequest, known: Sequence[Account], *, platforms: frozenset[str], provider: str
) -> tuple[tuple[Account, ...], list[Problem]]:
    """Return the accounts that *request* names out of *known*, and what is wrong with those that can't be used."""
    accounts: list[Account] = []
    problems: list[Problem] = []
    for index, wanted in enumerate(request.accounts):
        found = _find(wanted, known, f"accounts[{index}]", provider)
        problem = found if isinstance(found, Problem) else _usable(found, f"accounts[{index}]", platforms, provider)
        if problem is not None:
            problems.append(problem)
        elif isinstance(found, Account):
            accounts.append(found)
    problems += _repeated(accounts)
    return tuple(accounts), problems


def _find(wanted: str | Account, known: Sequence[Account], field: str, provider: str) -> Account | Problem:
    ref = AccountRef(wanted.id if isinstance(wanted, Account) else wanted.strip())
    matches = [account for account in known if ref.matches(account)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        ids = ", ".join(account.id for account in matches)
        return Problem(field=field, value=str(wanted), message=f"names {len(matches)} accounts; give one id of {ids}")
    elsewhere = [a for a in known if ref.username and a.username and a.username.lower() == ref.username.lower()]
    if elsewhere:
        on = ", ".join(sorted(str(account) for account in elsewhere))
        return Problem(field=field, value=str(wanted), message=f"is of another platform; {provider} has {on}")
    names = ", ".join(str(account) for account in known if account.is_active) or "none"
    return Problem(field=field, value=str(wanted), message=f"is no account at {provider}; connected are {names}")


def _usable(account: Account, field: str, platforms: frozenset[str], provider: str) -> Problem | None:
    if not account.is_active:
        state = account.status or "inactive"
        return Problem(field=field, value=str(account), message=f"is {state} at {provider}; connect it again")
    if account.platform not in platforms:
        offered = ", ".join(sorted(platforms))
        return Problem(
            field=field, value=str(account), message=f"is on a platform {provider} doesn't publish to", limit=offered
        )
    return None


def _repeated(accounts: Sequence[Account]) -> list[Problem]:
    seen: set[str] = set()
    problems = []
    for account in accounts:
        if account.id in seen:
            problems.append(Problem(field="accounts", value=str(account), message="is named twice"))
        seen.add(account.id)
    return problems
