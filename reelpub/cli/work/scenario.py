"""The demonstration's posts, what is ordered to go wrong, and what is looked at afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from reelpub.cli.show.board import Board
from reelpub.cli.show.encode import record
from reelpub.cli.show.listing import Listing, Span
from reelpub.cli.show.words import spaced
from reelpub.models.outcome import Outcome
from reelpub.models.request import PublishRequest
from reelpub.models.source import Clip, GeneratedPost

if TYPE_CHECKING:
    from reelpub.sandbox import Fault, RecordedExchange, Sandbox

__all__ = ["Verdict", "costs", "faults", "judge", "repairs", "requests", "told"]

GENERATED_POSTS = 15
CLIPS = 9
STORM = 4
"""How many publishing requests are answered 429."""

_REELMIRROR_ACCOUNTS = (("instagram:acme", "tiktok:acme"), ("instagram:acme",), ("tiktok:acme",))
_REAP_ACCOUNTS = (("tiktok:acme", "youtube:acme"), ("instagram:acme", "x:acme"), ("linkedin:acme", "tiktok:acme_two"))
_UNLUCKY = 5
"""The generated post that alone goes to the account that fails."""

_UNLUCKY_ACCOUNTS = ("tiktok:acme", "instagram:acme_two")


def requests() -> list[PublishRequest]:
    """Return 24 requests: 15 generated posts for ReelMirror and 9 clips for Reap."""
    return [_generated_post(number) for number in range(1, GENERATED_POSTS + 1)] + [
        _clip(number) for number in range(1, CLIPS + 1)
    ]


def _generated_post(number: int) -> PublishRequest:
    accounts = _UNLUCKY_ACCOUNTS if number == _UNLUCKY else _REELMIRROR_ACCOUNTS[number % 3]
    return PublishRequest(
        GeneratedPost(f"demo-generated-post-{number}"),
        caption=f"Launch day, part {number}",
        accounts=accounts,
        reference=f"generated-post-{number}",
    )


def _clip(number: int) -> PublishRequest:
    return PublishRequest(
        Clip("demo-project-1", f"demo-clip-{number}"),
        title=f"Launch day, clip {number}",
        accounts=_REAP_ACCOUNTS[number % 3],
        reference=f"clip-{number}",
    )


def faults() -> list[Fault]:
    """Return the three things that go wrong: a lost answer, a storm of 429, and an account that fails once."""
    from reelpub.sandbox import Fault, FaultKind  # noqa: PLC0415  (it needs jsonschema, which only the extra brings)

    return [
        Fault(FaultKind.LOST_AFTER, provider="reap", operation="publishClip", after=2),
        Fault(FaultKind.RATE_LIMITED, provider="reelmirror", operation="publishOutgoingPost", after=3, times=STORM),
        Fault(
            FaultKind.PLATFORM_FAILS,
            provider="reelmirror",
            account="instagram:acme_two",
            text="Instagram was unavailable",
        ),
    ]


def told(exchange: RecordedExchange) -> str | None:
    """Return what to say of an exchange on the wire in which an ordered fault struck; None for all others."""
    if exchange.fault is None:
        return None
    if exchange.status is None:
        return f"{exchange.provider}: {exchange.operation} took effect, and its answer was lost (ordered)"
    return f"{exchange.provider}: {exchange.operation} was answered {exchange.status} (ordered)"


@frozen(kw_only=True)
class Verdict:
    """What the sandbox saw: the judge isn't the library itself.

    `live` counts what reached an account and `duplicates` how much of it twice; `expected` is what was asked for.
    The other members are by provider: `requests` sent, `ordered` answers of 429, `rejections` by the limit itself.
    """

    expected: int
    live: int
    duplicates: int
    posts: Mapping[str, int]
    deliveries: Mapping[str, int]
    requests: Mapping[str, int]
    ordered: Mapping[str, int]
    rejections: Mapping[str, int]

    @property
    def is_good(self) -> bool:
        """Whether each video is live exactly once where it should be, and no limit was ever exceeded."""
        return self.live == self.expected and not self.duplicates and not any(self.rejections.values())

    def __str__(self) -> str:
        twice = "nothing is live twice" if not self.duplicates else f"{self.duplicates} are live TWICE"
        over = sum(self.rejections.values())
        limit = "the rate limits were never exceeded" if not over else f"the rate limits were exceeded {over} times"
        return f"{self.live} of {self.expected} deliveries are live, {twice}, and {limit}."


def judge(sandbox: Sandbox, outcomes: Sequence[Outcome]) -> Verdict:
    """Return what *sandbox* saw of *outcomes*' requests."""
    names = ("reelmirror", "reap")
    live = sandbox.live()
    return Verdict(
        expected=sum(len(outcome.request.accounts) for outcome in outcomes),
        live=len(live),
        duplicates=len(sandbox.duplicates()),
        posts=Counter(outcome.publisher or "" for outcome in outcomes),
        deliveries=Counter(one.provider for one in live),
        requests={name: len(sandbox.requests(name)) for name in names},
        ordered={name: sum(one.status == 429 and not one.limited for one in sandbox.requests(name)) for name in names},
        rejections={name: sandbox.rejections(name) for name in names},
    )


def repairs(board: Board, verdict: Verdict) -> list[str]:
    """Return what went wrong and how it ended, a line for each request and each provider that it happened to."""
    told = [f"{row.label}: {', '.join([*row.story, spaced(row.state)])}" for row in board.rows if row.story]
    for name, number in verdict.ordered.items():
        if number:
            is_done = all(row.state == "published" for row in board.rows if row.publisher == name)
            more = "; each waited for the reset and was sent again" if is_done else ""
            told.append(f"{name}: {number} requests were told 429{more}")
    return told


def costs(verdict: Verdict) -> Listing:
    """Return what it cost, by provider."""
    columns = ("Provider", "Posts", "Live", "Requests", "A delivery", "429 ordered", "429 by limit")
    rows = tuple(tuple((Span(text),) for text in _cost_row(verdict, name)) for name in verdict.requests)
    return Listing(columns=columns, rows=rows, records=(_record(verdict),))


def _cost_row(verdict: Verdict, name: str) -> tuple[str, ...]:
    live = verdict.deliveries.get(name, 0)
    each = f"{verdict.requests[name] / live:.1f}" if live else "-"
    numbers = (verdict.posts.get(name, 0), live, verdict.requests[name], each, verdict.ordered[name])
    return (name, *map(str, numbers), str(verdict.rejections[name]))


def _record(verdict: Verdict) -> dict[str, Any]:
    return record("verdict", verdict, is_good=verdict.is_good)
