"""The rows of the fault matrix: each a call of a provider, and the story that leads to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve, field, frozen

from reelpub import (
    CancelResult,
    Clip,
    GeneratedPost,
    MediaItems,
    Orchestrator,
    Outcome,
    PublishRequest,
)
from reelpub.sandbox import Fault, FaultKind, ReelMirrorDialect

__all__ = ["HOUR", "OPERATIONS", "Operation", "move"]

HOUR = timedelta(hours=1)


@frozen(kw_only=True)
class Operation:
    """One row: the call that the fault strikes, and the story that leads to it.

    `call` is the client's method. `requests` are what is asked for; `setting` are faults that belong to the story
    itself. `after` is what is asked of the finished outcome, where the call belongs to something that comes later.
    """

    provider: str
    name: str
    call: str
    requests: Callable[[datetime], Sequence[PublishRequest]]
    after: Callable[[Orchestrator, Outcome], Awaitable[Outcome | CancelResult]] | None = None
    setting: tuple[Fault, ...] = ()
    dialect: ReelMirrorDialect = field(factory=ReelMirrorDialect)

    @property
    def wire_call(self) -> str:
        """The call as the sandbox names it: ``publishClip``."""
        first, *rest = self.call.split("_")
        return first + "".join(word.title() for word in rest)

    @property
    def is_noted(self) -> bool:
        """Whether the call belongs to a job of the store's, so that another process takes it up."""
        return self.after is None or self.after is _retry


def _items(now: datetime) -> list[PublishRequest]:
    del now
    return [
        PublishRequest(MediaItems(["demo-media-item-1"]), caption="One", accounts=["instagram:acme", "tiktok:acme"])
    ]


def _generated(now: datetime) -> list[PublishRequest]:
    del now
    return [PublishRequest(GeneratedPost("demo-generated-post-1"))]


def _edited(now: datetime) -> list[PublishRequest]:
    del now
    return [PublishRequest(GeneratedPost("demo-generated-post-1"), caption="Another", accounts=["tiktok:acme"])]


def _approved(now: datetime) -> list[PublishRequest]:
    del now
    return [PublishRequest(GeneratedPost("demo-generated-post-1", approve=True))]


def _items_later(now: datetime) -> list[PublishRequest]:
    return [evolve(request, at=now + 2 * HOUR) for request in _items(now)]


def _clip(now: datetime) -> list[PublishRequest]:
    del now
    clip = Clip("demo-project-1", "demo-clip-1")
    return [PublishRequest(clip, title="One", accounts=["tiktok:acme", "youtube:acme"])]


def _clip_twice(now: datetime) -> list[PublishRequest]:
    return [*_clip(now), *(evolve(request, allow_duplicate=True) for request in _clip(now))]


def _clip_later(now: datetime) -> list[PublishRequest]:
    return [evolve(request, at=now + 2 * HOUR) for request in _clip(now)]


def _clips_later(now: datetime) -> list[PublishRequest]:
    clips = [Clip(f"demo-project-{1 + number // 40}", f"demo-clip-{1 + number % 40}") for number in range(50)]
    at = now + 2 * HOUR
    return [
        PublishRequest(clip, title=f"No. {number}", accounts=["tiktok:acme"], at=at + number * timedelta(minutes=10))
        for number, clip in enumerate(clips)
    ]


async def _cancel(publishing: Orchestrator, outcome: Outcome) -> CancelResult:
    return await publishing.cancel(outcome)


async def move(publishing: Orchestrator, outcome: Outcome) -> Outcome:
    """Move a scheduled post an hour on."""
    at = outcome.posts[0].scheduled_at
    first = outcome.request.at
    if at is None or not isinstance(first, datetime):
        raise TypeError("only a scheduled post can be moved")
    return await publishing.reschedule(outcome, first + HOUR)


async def _retry(publishing: Orchestrator, outcome: Outcome) -> Outcome:
    return await publishing.retry_failed(outcome)


_BOTH_FAIL = (Fault(FaultKind.PLATFORM_FAILS), Fault(FaultKind.PLATFORM_FAILS))
_NO_LIST = ReelMirrorDialect(list_posts="absent")
_SAME_TARGETS = ReelMirrorDialect(patch_targets="ignores")


def _row(provider: str, name: str, call: str, requests: Callable[..., Any], **more: Any) -> Operation:
    return Operation(provider=provider, name=name, call=call, requests=requests, **more)


OPERATIONS = {
    (row.provider, row.name): row
    for row in (
        _row("reelmirror", "compose", "send_generated_post_to_compose", _generated),
        _row("reelmirror", "create", "create_outgoing_post", _items),
        _row("reelmirror", "update", "update_outgoing_post", _edited),
        _row("reelmirror", "publish", "publish_outgoing_post", _items),
        _row("reelmirror", "approve", "approve_generated_post", _approved, dialect=_NO_LIST),
        _row("reelmirror", "schedule", "schedule_outgoing_post", _items_later),
        _row("reelmirror", "cancel", "cancel_outgoing_post", _items_later, after=_cancel),
        _row("reelmirror", "retry", "retry_outgoing_post", _items, after=_retry, setting=_BOTH_FAIL),
        # An edit that ignores its accounts has the draft made anew, and the first one deleted.
        _row("reelmirror", "delete", "delete_outgoing_post", _edited, dialect=_SAME_TARGETS),
        _row("reap", "publish-clip", "publish_clip", _clip),
        _row("reap", "publish-clip, twice", "publish_clip", _clip_twice),
        _row("reap", "schedule-clips, 1", "schedule_clips", _clip_later),
        _row("reap", "schedule-clips, 50", "schedule_clips", _clips_later),
        _row("reap", "update-post", "update_post", _clip_later, after=move),
        _row("reap", "delete-post", "delete_post", _clip_later, after=_cancel),
    )
}
