"""Per-platform settings: which members Reap knows, what is wrong with given ones, and how they look on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

from reelpub.models.problem import Problem, Severity
from reelpub.models.settings import PlatformSettings
from reelpub.providers.reap import schemas
from reelpub.providers.structure import camel_case

__all__ = ["settings_problems", "wire_settings"]

_SCHEMAS: Final[Mapping[str, type]] = {
    "instagram": schemas.InstagramSettings,
    "linkedin": schemas.LinkedInSettings,
    "tiktok": schemas.TikTokSettings,
    "youtube": schemas.YouTubeSettings,
}
_MEMBERS: Final = {
    platform: tuple(camel_case(a.name) for a in attrs.fields(schema)) for platform, schema in _SCHEMAS.items()
}
_PRIVACY: Final[Mapping[str, tuple[str, ...]]] = {
    "linkedin": tuple(schemas.LinkedInPrivacy),
    "tiktok": tuple(schemas.TikTokPrivacy),
    "youtube": tuple(schemas.YouTubePrivacy),
}
_DISPUTED: Final = frozenset({("linkedin", "logged_in"), ("tiktok", "followers"), ("tiktok", "unlisted")})
"""In the vendor's OpenAPI, but not in its pages: contradiction 13 of docs/contracts/reap.md."""


def wire_settings(settings: Mapping[str, PlatformSettings], platforms: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return *settings* as Reap's `platformSettings`, only for those of *platforms*, without what is left to Reap.

    A mapping's members are the provider's own and are kept as they are.
    """
    wanted = {platform.casefold() for platform in platforms}
    blocks = {name.casefold(): _members(block) for name, block in settings.items() if name.casefold() in wanted}
    return {name: members for name, members in blocks.items() if members}


def settings_problems(settings: Mapping[str, PlatformSettings]) -> list[Problem]:
    """Return what is wrong with *settings*: unknown platforms and members, values of another type or not listed.

    That a block is no settings at all is told by `policies.checks`, for every provider.
    """
    problems: list[Problem] = []
    for name, block in settings.items():
        known = _MEMBERS.get(name.casefold())
        if known is None:
            limit = ", ".join(_MEMBERS)
            problems.append(Problem(field=f"settings.{name}", message="reap has no settings for it", limit=limit))
            continue
        for member, value in _members(block).items():
            problem = _problem(name, member, value, known)
            if problem is not None:
                problems.append(problem)
    return problems


def _members(block: PlatformSettings) -> dict[str, Any]:
    if isinstance(block, Mapping):
        return dict(block)
    if not attrs.has(type(block)):
        return {}
    given = ((a.name, getattr(block, a.name)) for a in attrs.fields(type(block)))
    return {camel_case(name): value for name, value in given if value is not None}


def _problem(name: str, member: str, value: object, known: tuple[str, ...]) -> Problem | None:
    platform, field = name.casefold(), f"settings.{name}.{member}"
    if member not in known:
        message = f"reap has no such setting for {platform}"
        return Problem(field=field, value=value, message=message, limit=", ".join(known))
    if member == "privacy":
        return _privacy_problem(platform, field, value)
    if not isinstance(value, bool):
        return Problem(field=field, value=value, message="has to be True or False")
    return None


def _privacy_problem(platform: str, field: str, value: object) -> Problem | None:
    listed = _PRIVACY[platform]
    if value not in listed:
        return Problem(field=field, value=value, message="isn't a documented value", limit=", ".join(listed))
    if (platform, value) in _DISPUTED:
        message = "is in one of Reap's documents and not in another; it may be refused"
        return Problem(field=field, value=value, message=message, severity=Severity.WARNING)
    return None
