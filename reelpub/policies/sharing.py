"""How much of a limit to use when others use the same key: told from the headers alone.

Nobody coordinates the processes that share a key; each sees what is left of the window only in its own answers. So
each owns a number of *slots* of every window, such that all of them together stay within the limit, and changes
that number slowly: it keeps what it had when it noticed the others, claims a part of what stays unused over a whole
window, and gives way when it was refused or holds more than an even part.
"""

from __future__ import annotations

import math
from collections import deque

from attrs import Factory, define, field

from reelpub.policies.rolling import Rolling
from reelpub.policies.sighting import Sighting

__all__ = ["Share"]

PATIENCE = 1.5
"""Windows between two changes of the own number of slots: long enough for the others' answers to show the last."""

FIRST_PATIENCE = 2.0
"""Windows between two claims, at first; every refusal doubles it."""

LONGEST_PATIENCE = 32.0

RESERVE = 0.05
"""The part of the limit that is to stay unused, for two who claim the same at the same time."""

LEAST_RESERVE = 1.0
"""Slots that are to stay unused whatever the limit."""

LEAST_SIGHTINGS = 2
"""Sightings, at least half a window apart, before anything is changed."""

CLAIM = 0.7
"""The part of what seems unused that is claimed at a time: the others see it, too."""

CONTENTION = 0.4
"""The part of the limit that is left when the others' use begins to matter."""

LEAST_PART = 0.2
"""The part of the limit that headers alone don't take away: a process that was just started again sees its own earlier
use as that of others, and some servers' numbers say less than they seem to. Refusals take it."""

LONELY = 1.0
"""Windows without a sign of others after which the whole limit is used again."""

MEMORY = 2.0
"""Windows for which a sighting of foreign use counts."""


@define
class Share:
    """The own part of a limit. `slots` is None while nobody else is seen to use the key.

    `times_left` counts how often the others were gone again, `rolling` is what is known of the server's counting.
    """

    window: float
    slots: int | None = None
    times_left: int = 0
    rolling: Rolling = Factory(lambda self: Rolling(self.window), takes_self=True)
    _settled_until: float = -math.inf
    _claims_from: float = -math.inf
    _patience: float = FIRST_PATIENCE
    _floor: int = 1
    _alone_since: float | None = None
    _first: tuple[float, int] | None = None
    _seen: deque[tuple[float, float, float]] = field(factory=deque)

    @property
    def may_be_shared(self) -> bool:
        """Whether others use the key now, or did before our first answer."""
        return self.slots is not None or (self._first is not None and self._first[1] > 0)

    def observe(self, now: float, sighting: Sighting, random: float) -> None:
        """Take in what an answer shows; *random* is drawn evenly from 0 to 1."""
        self.rolling.observe(now, sighting)
        if sighting.is_refusal:
            # Whatever was used before the first answer, there is not enough for all now.
            self._first = (-math.inf, 0)
        if self.slots is None:
            left = sighting.limit - sighting.used
            # While there is plenty left, the others' use is no reason to slow down: it may have been one command.
            if self._is_shared(now, sighting) and left <= CONTENTION * sighting.limit:
                self._enter(now, sighting)
            return
        foreign = self._foreign(sighting)
        if foreign:
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = now
        if sighting.elapsed >= self.window / 3:
            self._seen.append((now, foreign, sighting.elapsed))
        while self._seen and self._seen[0][0] < now - MEMORY * self.window:
            self._seen.popleft()
        if now >= self._settled_until and self._is_informed():
            self._adjust(now, sighting.limit, random)

    def _is_shared(self, now: float, sighting: Sighting) -> bool:
        """Tell whether others use the key now.

        What was used before the first answer is over, as after a command that was run just before this one: within the
        window that it counts in, only more than that tells of others.
        """
        foreign = sighting.used - max(sighting.own_most, self.rolling.most(sighting))
        if self._first is None:
            self._first = (now, max(0, foreign))
        began, before = self._first
        return foreign >= sighting.doubt + (before if now < began + self.window else 0)

    def _foreign(self, sighting: Sighting) -> float:
        """Return how much of the use is the others'."""
        own = self.rolling.shown(sighting) + 1.0 if self.rolling.is_proven else sighting.own_counted
        return max(0.0, sighting.used - own)

    def refused(self, now: float) -> None:
        """Give a slot back after a refusal, and be slower to claim another."""
        if self.slots is None:
            return
        self._floor = max(1, self._floor // 2)
        self.slots = max(1, self.slots - max(1, self.slots // 10))
        self._patience = min(LONGEST_PATIENCE, self._patience * 2)
        self._settled_until = now + PATIENCE * self.window
        self._claims_from = now + self._patience * self.window

    def _is_informed(self) -> bool:
        """Tell whether the sightings cover enough of a window: all may pause at once, as after a common start."""
        seen = self._seen
        return len(seen) >= LEAST_SIGHTINGS and seen[-1][0] - seen[0][0] >= self.window / 2

    def _enter(self, now: float, sighting: Sighting) -> None:
        self._floor = max(1, int(sighting.limit * LEAST_PART))
        self.slots = max(self._floor, sighting.own_slots)
        self._settled_until = self._claims_from = now + PATIENCE * self.window
        self._alone_since = None
        self._seen.clear()

    def _adjust(self, now: float, limit: int, random: float) -> None:
        own = self.slots or 1
        if self._alone_since is not None and now - self._alone_since >= LONELY * self.window:
            self.slots = None
            self.times_left += 1
            return
        most = max(foreign * self.window / elapsed for _, foreign, elapsed in self._seen)
        # All that was seen over all the time it was seen in: short looks count for little.
        mean = sum(foreign for _, foreign, _ in self._seen) * self.window / sum(elapsed for *_, elapsed in self._seen)
        room = limit - own - max(LEAST_RESERVE, RESERVE * limit)
        likely = (most + mean) / 2
        spare, lack = room - likely, mean - room
        part = own / (own + likely)
        change = 0
        if spare > 0 and now >= self._claims_from:
            change = int(CLAIM * spare * part + random)
            self._claims_from = now + self._patience * self.window
        elif lack > 0:
            # Where nothing is left at all, who holds most gives most: newcomers can't be seen, only refused.
            excess = max(lack, own / 4 if 2 * own > limit else 0.0)
            change = -int(excess * part + random)
        self.slots = max(self._floor, own + change)
        self._settled_until = now + PATIENCE * self.window
