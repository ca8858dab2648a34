"""How long posts take to end, learned from those that did: it decides when a post is worth a read of its own.

What is known of a post are two ages: the last one at which it was still going on, and the one at which its end was
seen. In between lies the end. Counted at each age are the posts known to have ended by then, among all of which it is
known whether they had.
"""

from __future__ import annotations

from bisect import bisect_left

from attrs import define, field

__all__ = ["Settling"]

AGES = (*range(5, 125, 5), 150, 180, 240, 300, 450, 600, 900, 1800)
"""Seconds from acceptance at which is counted."""

PRIOR = 5.0
"""Posts that the assumption counts as, until more is known."""

LEAST = 5
"""Posts that must have ended before what they took is believed."""


def _assumed(earliest: float, latest: float) -> list[float]:
    return [min(1.0, max(0.0, (age - earliest) / (latest - earliest))) for age in AGES]


def _point(shares: list[float], index: int) -> tuple[float, float]:
    return (shares[index], float(AGES[index])) if index >= 0 else (0.0, 0.0)


@define
class Settling:
    """The share of posts that have ended by each age, in seconds from acceptance.

    Until posts have ended, they are assumed to take *earliest* to *latest* seconds, any of them as likely: ReelMirror's
    guide says 10 to 60 (https://reelmirror.com/docs/guides/publishing).
    """

    earliest: float = 10.0
    latest: float = 60.0
    ended: int = 0
    _done: list[float] = field(init=False)
    _open: list[float] = field(init=False)
    _shares: list[float] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        shares = _assumed(self.earliest, self.latest)
        self._done = [PRIOR * share for share in shares]
        self._open = [PRIOR * (1.0 - share) for share in shares]

    def note(self, open_at: float, done_at: float) -> None:
        """Count a post that was still going on at the age of *open_at* (0: never looked at) and had ended at *done_at*.

        *open_at* is below *done_at*.
        """
        self.ended += 1
        for index in range(bisect_left(AGES, done_at), len(AGES)):
            self._done[index] += 1.0
        for index in range(bisect_left(AGES, open_at + 1e-9)):
            self._open[index] += 1.0
        self._shares = []

    def share_ended(self, age: float) -> float:
        """Return the share of posts that have ended by *age*."""
        shares = self._known()
        index = bisect_left(AGES, age)
        if index == len(AGES):
            return shares[-1]
        before, since = _point(shares, index - 1)
        share: float = before + (shares[index] - before) * max(0.0, age - since) / (AGES[index] - since)
        return share

    def age_at(self, share: float) -> float:
        """Return the age by which *share* of the posts have ended, as far as that is known."""
        shares = self._known()
        index = bisect_left(shares, share)
        if index == len(shares):
            return float(AGES[-1])
        before, since = _point(shares, index - 1)
        age: float = since + (AGES[index] - since) * (share - before) / max(1e-9, shares[index] - before)
        return age

    def chance(self, seen_at: float | None, age: float) -> float:
        """Return how likely a post of *age* has ended that was still going on at the age of *seen_at*, if looked at."""
        before = 0.0 if seen_at is None else self.share_ended(seen_at)
        return (self.share_ended(age) - before) / (1.0 - before) if before < 1.0 else 0.0

    def _known(self) -> list[float]:
        if not self._shares:
            highest = 0.0
            for done, still in zip(self._done, self._open, strict=True):
                # More can't have ended earlier than later, whichever posts were looked at when.
                highest = max(highest, done / max(1e-9, done + still))
                self._shares.append(highest)
        return self._shares
