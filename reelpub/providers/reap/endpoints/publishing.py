"""Requests about accounts and posts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reelpub.policies.safety import RequestKind
from reelpub.providers.arguments import is_list
from reelpub.providers.reap import limits
from reelpub.providers.reap.checks import Checks
from reelpub.providers.reap.endpoints.build import delete, get, post
from reelpub.providers.reap.schemas import PlatformSettings, PostStatus, ScheduleClip
from reelpub.providers.structure import UNSET, Unset
from reelpub.transport.message import Request

__all__ = [
    "Settings",
    "delete_post",
    "get_all_posts",
    "get_integrations",
    "get_post_details",
    "publish_clip",
    "schedule_clips",
    "update_post",
]

Settings = PlatformSettings | Mapping[str, Any]
"""Settings by platform: typed, or a mapping that is sent as it is."""


def get_integrations() -> Request:
    """Return the request for all connected accounts."""
    return get("get_integrations")


def publish_clip(
    *,
    project_id: str,
    clip_id: str,
    integrations: Sequence[str],
    title: str | None = None,
    description: str | None = None,
    tags: Sequence[str] | None = None,
    platform_settings: Settings | None = None,
) -> Request:
    """Return the request that publishes one clip now."""
    check = Checks()
    check.identifier("project_id", project_id)
    check.identifier("clip_id", clip_id)
    _accounts(check, integrations)
    check.text("title", title)
    check.text("description", description)
    check.texts("tags", tags, most=limits.TAGS_MOST)
    check.settings(platform_settings)
    check.finish()
    members = {
        "project_id": project_id,
        "clip_id": clip_id,
        "integrations": integrations,
        "title": title,
        "description": description,
        "tags": tags,
        "platform_settings": platform_settings,
    }
    return post("publish_clip", RequestKind.GO_LIVE, members)


def schedule_clips(
    *,
    clips: Sequence[ScheduleClip],
    integrations: Sequence[str],
    schedule_date: int,
    interval_seconds: int | None = None,
    platform_settings: Settings | None = None,
    now: float | None = None,
) -> Request:
    """Return the request that schedules clips; *now*, Unix seconds, is what the lead is measured from."""
    check = Checks()
    _clips(check, clips)
    _accounts(check, integrations)
    check.required("schedule_date", schedule_date)
    check.schedule_date(schedule_date, now, most=limits.SCHEDULE_LEAD_MOST)
    check.whole("interval_seconds", interval_seconds, least=limits.INTERVAL_SECONDS_LEAST)
    check.settings(platform_settings)
    check.finish()
    members = {
        "clips": clips,
        "integrations": integrations,
        "schedule_date": schedule_date,
        "interval_seconds": interval_seconds,
        "platform_settings": platform_settings,
    }
    return post("schedule_clips", RequestKind.GO_LIVE, members)


def get_all_posts(
    *,
    page: int = 1,
    page_size: int = limits.PAGE_SIZE_MOST,
    status: Sequence[PostStatus | str] | None = None,
    created_after: int | None = None,
    created_before: int | None = None,
) -> Request:
    """Return the request for one page of posts."""
    check = Checks()
    check.whole("page", page, least=1)
    check.whole("page_size", page_size, least=1, most=limits.PAGE_SIZE_MOST)
    check.many_of("status", status, PostStatus)
    if is_list(status) and PostStatus.SCHEDULED in status:
        check.add("status", "can't filter by scheduled: the provider's filter doesn't have it", status)
    check.unix_seconds("created_after", created_after)
    check.unix_seconds("created_before", created_before)
    check.finish()
    return get(
        "get_all_posts",
        page=page,
        page_size=page_size,
        status=status,
        created_after=created_after,
        created_before=created_before,
    )


def get_post_details(*, post_id: str) -> Request:
    """Return the request for one post."""
    _post_id(post_id)
    return get("get_post_details", post_id=post_id)


def update_post(
    *,
    post_id: str,
    title: str | Unset | None = UNSET,
    description: str | Unset | None = UNSET,
    tags: Sequence[str] | Unset | None = UNSET,
    schedule_date: int | Unset | None = UNSET,
    platform_settings: Settings | Unset | None = UNSET,
    now: float | None = None,
) -> Request:
    """Return the request that changes a waiting post; *now*, Unix seconds, is what the lead is measured from."""
    check = Checks()
    check.identifier("post_id", post_id)
    check.text("title", title, limits.POST_TITLE_LENGTH)
    check.text("description", description, limits.POST_DESCRIPTION_LENGTH)
    check.texts("tags", tags, most=limits.TAGS_MOST)
    check.schedule_date(schedule_date, now)
    check.settings(platform_settings)
    check.finish()
    nullable = {
        "title": title,
        "description": description,
        "tags": tags,
        "schedule_date": schedule_date,
        "platform_settings": platform_settings,
    }
    return post("update_post", RequestKind.IDEMPOTENT, {"post_id": post_id}, nullable=nullable)


def delete_post(*, post_id: str) -> Request:
    """Return the request that deletes a post."""
    _post_id(post_id)
    return delete("delete_post", post_id=post_id)


def _post_id(post_id: str) -> None:
    check = Checks()
    check.identifier("post_id", post_id)
    check.finish()


def _accounts(check: Checks, integrations: Sequence[str]) -> None:
    check.required("integrations", integrations)
    check.texts("integrations", integrations, least=1)


def _clips(check: Checks, clips: object) -> None:
    check.required("clips", clips)
    for place, clip in check.entries("clips", clips, "ScheduleClip", least=1, most=limits.SCHEDULE_CLIPS_MOST):
        _clip(check, place, clip)


def _clip(check: Checks, field: str, clip: object) -> None:
    if not isinstance(clip, ScheduleClip):
        check.add(field, "has to be a ScheduleClip", clip)
        return
    check.identifier(f"{field}.project_id", clip.project_id)
    check.identifier(f"{field}.clip_id", clip.clip_id)
    check.text(f"{field}.title", clip.title)
    check.text(f"{field}.description", clip.description)
    check.texts(f"{field}.tags", clip.tags, most=limits.TAGS_MOST)
