"""What ReelMirror's own rules say about a request, offline and all at once. Pure.

What every provider asks for, such as an aware time in the future, is checked by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping

from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.models.source import Draft, GeneratedPost, MediaItem, MediaItems
from reelpub.providers.reelmirror.capabilities import SETTINGS
from reelpub.providers.reelmirror.checks import Checks

__all__ = ["check_request"]

_NOT_TAKEN = {
    "title": "a post at ReelMirror has no title; put it into the caption",
    "tags": "a post at ReelMirror has no tags; put them into the caption as hashtags",
}


def check_request(request: PublishRequest) -> tuple[Problem, ...]:
    """Return everything that is wrong with *request* at ReelMirror."""
    checks = Checks()
    _check_source(checks, request)
    _check_texts(checks, request)
    _check_settings(checks, request.settings)
    return tuple(checks.problems)


def _check_source(checks: Checks, request: PublishRequest) -> None:
    source = request.source
    if isinstance(source, GeneratedPost):
        checks.identifier("source.id", source.id)
        _check_approve(checks, request, source)
    elif isinstance(source, Draft):
        checks.identifier("source.id", source.id)
    elif isinstance(source, MediaItems):
        _check_media(checks, source)
        # What a post without accounts does isn't stated, so it isn't tried.
        checks.require(bool(request.accounts), "accounts", "media items need at least one account", limit="at least 1")
    else:
        taken = "GeneratedPost, MediaItems or Draft"
        checks.add("source", "isn't a source that ReelMirror takes", source, limit=taken)


def _check_approve(checks: Checks, request: PublishRequest, source: GeneratedPost) -> None:
    checks.require(isinstance(source.approve, bool), "source.approve", "has to be True or False", source.approve)
    if source.approve is not True:
        return
    given = {"caption": request.caption, "accounts": request.accounts or None, "settings": request.settings or None}
    for field, value in (*given.items(), ("at", request.at)):
        if value is not None:
            message = "approve publishes a post at once and as it is; leave approve out to send it through a draft"
            checks.add(field, message, value, limit="nothing beside approve=True")


def _check_media(checks: Checks, source: MediaItems) -> None:
    checks.optional_identifier("source.persona_id", source.persona_id)
    checks.required("source.items", source.items)
    for field, item in checks.entries("source.items", source.items, "media items or their ids", least=1):
        _check_item(checks, field, item)


def _check_item(checks: Checks, field: str, item: object) -> None:
    if not isinstance(item, MediaItem):
        checks.add(field, "has to be a MediaItem or its id", item)
        return
    checks.identifier(f"{field}.id", item.id)
    checks.flag(f"{field}.use_voice_converted", item.use_voice_converted)


def _check_texts(checks: Checks, request: PublishRequest) -> None:
    for field, message in _NOT_TAKEN.items():
        value = getattr(request, field)
        checks.require(not value, field, message, value, limit="caption only")


def _check_settings(checks: Checks, settings: object) -> None:
    if not isinstance(settings, Mapping):
        checks.add("settings", "has to be a mapping from platform to settings", settings)
        return
    for platform, values in settings.items():
        _check_platform_settings(checks, platform, values)


def _check_platform_settings(checks: Checks, platform: str, values: object) -> None:
    field = f"settings.{platform}"
    fitting = SETTINGS.get(platform)
    if fitting is None:
        checks.add(field, "ReelMirror doesn't publish to this platform", limit=", ".join(sorted(SETTINGS)))
    elif isinstance(values, Mapping):
        checks.json_object(field, values)
    else:
        wanted = f"{fitting.__name__} or a mapping"
        checks.require(isinstance(values, fitting), field, f"has to be {wanted}", values, limit=wanted)
