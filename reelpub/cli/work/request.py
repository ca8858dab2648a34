"""From the options of `reelpub publish` to a request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click
from attrs import fields

from reelpub.manifest.columns import SETTINGS
from reelpub.manifest.times import as_written, clock_text
from reelpub.models.problem import Problem
from reelpub.models.settings import PlatformSettings
from reelpub.models.source import Clip, Draft, GeneratedPost, MediaItems, Source
from reelpub.models.when import LocalTime

__all__ = ["settings_from", "source_from", "when_from"]

_NEEDS_ONE = "name one source: --generated-post ID, --media-item ID, --draft ID or --clip PROJECT/CLIP"
_NEEDS_SOMETHING = f"give FILE, such as posts.csv; or, for a single post, {_NEEDS_ONE}"


def source_from(
    *,
    generated_post: str | None,
    approve: bool,
    media_items: Sequence[str],
    persona: str | None,
    draft: str | None,
    clip: Clip | None,
) -> Source:
    """Return the one source that the options name.

    Raises:
        click.UsageError: none or several are named, or an option belongs to another source.
    """
    named: list[Source] = []
    if generated_post is not None:
        named.append(GeneratedPost(generated_post, approve=approve))
    if media_items:
        named.append(MediaItems(media_items, persona_id=persona))
    if draft is not None:
        named.append(Draft(draft))
    if clip is not None:
        named.append(clip)
    if len(named) != 1:
        raise click.UsageError(_NEEDS_SOMETHING if not named else f"{_NEEDS_ONE}, not {len(named)} of them")
    if approve and generated_post is None:
        raise click.UsageError("--approve goes with --generated-post")
    if persona is not None and not media_items:
        raise click.UsageError("--persona goes with --media-item")
    return named[0]


def when_from(at: str | None, zone: str | None, *, option: str = "--at") -> datetime | LocalTime | None:
    """Return when the post is to go out: an instant for a time with an offset, else a clock time in *zone*.

    *option* is the one that *at* was given with.

    Raises:
        click.UsageError: it is no time, or says neither or both of an offset and a zone.
    """
    if at is None:
        if zone is not None:
            raise click.UsageError(f"--zone goes with {option}")
        return None
    moment = as_written(at)
    if isinstance(moment, Problem):
        raise click.UsageError(f"{option}: {at!r} {moment.message}")
    if moment.tzinfo is None:
        if zone is None:
            raise click.UsageError(f"{option}: {at!r} has no offset; add one, such as +02:00, or --zone Europe/Oslo")
        return LocalTime(clock_text(at, moment), zone)
    if zone is not None:
        raise click.UsageError(f"{option}: {at!r} has an offset already; leave --zone out")
    return moment


def settings_from(given: Iterable[tuple[str, str, bool | str]]) -> dict[str, PlatformSettings]:
    """Return the settings by platform; those of a platform without known ones are passed on as they are.

    Raises:
        click.UsageError: a known platform has no such setting.
    """
    collected: dict[str, dict[str, Any]] = {}
    for platform, name, value in given:
        known = SETTINGS.get(platform)
        names = [member.name for member in fields(known)] if known is not None else [name]
        if name not in names:
            raise click.UsageError(f"--setting: {platform} has no {name!r}; it has {', '.join(names)}")
        collected.setdefault(platform, {})[name] = value
    return {platform: _typed(platform, members) for platform, members in collected.items()}


def _typed(platform: str, members: dict[str, Any]) -> PlatformSettings:
    known = SETTINGS.get(platform)
    return members if known is None else known(**members)
