"""Which post at Reap is which of ours: after a lost answer, and in the answer to a scheduling call. Pure.

Reap has no reference of the caller's, so a post is known by project, clip, accounts, texts and time
(docs/contracts/reap.md, De-duplication).
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from attrs import frozen

from reelpub.models.job import Part
from reelpub.models.source import Clip
from reelpub.providers.reap.rules import whole_second
from reelpub.providers.reap.schemas import Post, ScheduleFailure, ScheduleResult, ScheduleType

__all__ = ["Candidates", "Slot", "candidates", "clip_of", "match", "same_title", "tell_apart"]

_CUT_FROM: Final = 80
"""Characters: the shortest documented limit of a title; a shorter text isn't taken for a title that was cut."""


def clip_of(part: Part) -> Clip:
    """Return the clip of *part*."""
    source = part.request.source
    if not isinstance(source, Clip):
        raise TypeError(f"reap publishes clips, not {type(source).__name__}")
    return source


# ---- after a lost answer


@frozen(kw_only=True)
class Candidates:
    """Posts that agree with a part in all that they show: `sure` show everything, `doubtful` don't."""

    sure: tuple[Post, ...]
    doubtful: tuple[Post, ...]


def candidates(posts: Iterable[Post], part: Part, *, not_before: float, taken: frozenset[str]) -> Candidates:
    """Return the posts that an attempt for *part* may have made, without those in *taken*.

    *not_before* is the earliest `createdAt`, in Unix seconds, that counts.
    """
    found = [(post, match(post, part, not_before=not_before)) for post in posts if post.id not in taken]
    return Candidates(
        sure=tuple(post for post, verdict in found if verdict),
        doubtful=tuple(post for post, verdict in found if verdict is None),
    )


def match(post: Post, part: Part, *, not_before: float) -> bool | None:
    """Return whether *post* is what *part* asks for; None where nothing speaks against it, but not all is shown."""
    clip = clip_of(part)
    verdicts = (
        _equal(post.project_id, clip.project_id),
        _equal(post.clip_id, clip.clip_id),
        _same_accounts(part, post),
        same_title(part.request.title, post.title),
        # Another description leaves it open: it may be another part's post, or have been changed by the service.
        same_title(part.request.caption, post.description) or None,
        None if post.created_at is None else post.created_at >= not_before,
        _same_time(part, post),
    )
    if False in verdicts:
        return False
    return None if None in verdicts else True


def same_title(sent: str | None, seen: str | None) -> bool | None:
    """Return whether a post titled *seen* can have been sent as *sent*; the clip's own title fills an omitted one.

    Spaces, character forms and HTML entities don't count: a false difference would end in a second post. A title that
    looks cut off leaves it open.
    """
    if sent is None:
        return True
    if seen is None:
        return None
    asked, shown = _plain(sent), _plain(seen)
    if asked == shown:
        return True
    shown = shown.rstrip("…. ")
    return None if len(shown) >= _CUT_FROM and asked.startswith(shown) else False


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", html.unescape(text)).split())


def _equal(seen: str | None, asked: str) -> bool | None:
    return None if seen is None else seen == asked


def _same_accounts(part: Part, post: Post) -> bool | None:
    """Return whether *post* goes to the accounts of *part*; some of them alone leave it open.

    What becomes of an account that was disconnected meanwhile isn't documented: it may be left out of the post.
    """
    asked, shown = {account.id for account in part.accounts}, set(post.integrations)
    if shown == asked:
        return True
    return None if shown < asked else False


def _same_time(part: Part, post: Post) -> bool | None:
    if part.at is None:
        if post.schedule_type == ScheduleType.SCHEDULED:
            return False
        return None if post.schedule_date and post.schedule_type is None else True
    if post.schedule_type == ScheduleType.IMMEDIATE:
        return False
    # Another time leaves it open: whether clips move up where one before them was refused isn't documented.
    return True if post.schedule_date == whole_second(part.at) else None


# ---- the answer to schedule-clips


@frozen(kw_only=True)
class Slot:
    """One clip of a scheduling call, its date in Unix seconds, and its title where one was sent."""

    project_id: str
    clip_id: str
    date: int
    title: str | None = None


_Told = list[Post | ScheduleFailure | None]


def tell_apart(slots: Sequence[Slot], answer: ScheduleResult) -> _Told:
    """Return what *answer* says of each of *slots*, in order; None where that can't be told.

    Posts go by clip, title and date. Refusals go by their index, if that slot has no post and the same clip. What is
    left goes by its order where the numbers add up: posts, since clips may move up in time where one before them was
    refused, and refusals.
    """
    told: _Told = [None] * len(slots)
    _place_by_date(told, slots, answer.posts)
    vague = _place_refusals(told, slots, answer.failed)
    placed = {result.id for result in told if isinstance(result, Post)}
    left = [post for post in answer.posts if post.id not in placed]
    open_ = [index for index, result in enumerate(told) if result is None]
    rest: Sequence[Post | ScheduleFailure] = left or vague
    if not (left and vague) and len(rest) == len(open_):
        pairs = list(zip(open_, rest, strict=True))
        if all(_fits(found, slots[index]) for index, found in pairs):
            for index, found in pairs:
                told[index] = found
    return told


def _place_by_date(told: _Told, slots: Sequence[Slot], posts: Sequence[Post]) -> None:
    for index, slot in enumerate(slots):
        found = [post for post in posts if post.schedule_date == slot.date and _fits(post, slot)]
        if len(found) == 1:
            told[index] = found[0]


def _place_refusals(told: _Told, slots: Sequence[Slot], failures: Sequence[ScheduleFailure]) -> list[ScheduleFailure]:
    """Put each of *failures* at its slot; return those whose slot isn't clear."""
    vague = []
    for failure in failures:
        places = [index for index, slot in enumerate(slots) if told[index] is None and _fits(failure, slot)]
        if failure.index in places:
            told[failure.index] = failure
        elif len(places) == 1:
            told[places[0]] = failure
        else:
            vague.append(failure)
    return vague


def _fits(found: Post | ScheduleFailure, slot: Slot) -> bool:
    if isinstance(found, ScheduleFailure):
        return found.clip_id in (None, slot.clip_id)
    is_clip = found.project_id in (None, slot.project_id) and found.clip_id in (None, slot.clip_id)
    return is_clip and same_title(slot.title, found.title) is not False
