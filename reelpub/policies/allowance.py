"""How many slots of a window writes leave to reads: pure arithmetic over what is still to be written.

A read that goes out while something waits to be published may cost nothing, where slots would be left over at the end,
or a whole window, where it pushes the last write into another one. So it depends on how the writes fit the windows:

- Where everything gets out soon, reads take what is left over, even if that is nothing until then.
- In a longer batch they take what is left over where that is enough to follow its posts; where it isn't, the batch is
  given a window more, and reads share it out.
- In a long one, and where nobody knows how much is to come, a fixed share of each window is theirs.
"""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["PUT_OFF", "is_tight", "kept_for_owed", "kept_for_reads", "spare_slots"]

LONG = 12.0
"""Windows from which a batch is long: the share of its reads then costs it no more than that share of its time."""

PUT_OFF = 150.0
"""Seconds within which all has to be written for reads to go without, by default."""

SAME_TIME = 0.1
"""Windows by which two requests may be apart that count as going out together."""


def kept_for_reads(
    now: float,
    *,
    most: int,
    writes: int,
    since: float,
    limit: int,
    window: float,
    put_off: float,
    slot_at: Callable[[int], float],
) -> float:
    """Return how many requests of a window are the reads', *most* at the most; a part of one means not in every window.

    *writes* are to come, of a batch that began at *since*; *slot_at* tells when request number n from now, from 0, may
    go out if nothing is kept from it. Where all is written within *put_off* seconds, reads may go without.
    """
    if writes <= 0 or most <= 0:
        return most
    last = slot_at(writes - 1)
    if last - since > LONG * window:
        return most
    spare = spare_slots(writes, limit=limit, slot_at=slot_at, tolerance=SAME_TIME * window)
    bursts = 1 + math.ceil((last - now) / window - SAME_TIME)
    each = spare / bursts
    if last - now > put_off and math.ceil(each) < max(1, most // 3):
        each = (spare + limit) / (bursts + 1)
    return min(most, each, limit - 1)


def kept_for_owed(
    now: float, *, owed: int, writes: int, limit: int, window: float, slot_at: Callable[[int], float]
) -> float:
    """Return the same where *owed* reads have to be made in any case, as each post takes one of its own.

    Then it makes no difference to the end which goes first, as long as the last write leaves a window for its post to
    end in; so that reads get what is left over until then.
    """
    latest = slot_at(writes + owed - 1) - window * (1.0 - SAME_TIME)
    if slot_at(writes - 1) > latest:
        return 0.0
    spare = _more_until(latest, after=writes - 1, most=owed, slot_at=slot_at)
    return min(limit - 1, spare / (1 + math.ceil((latest - now) / window - SAME_TIME)))


def is_tight(writes: int, *, since: float, limit: int, window: float, slot_at: Callable[[int], float]) -> bool:
    """Return whether a batch of *writes* more, which began at *since*, is over soon and has hardly a slot to spare."""
    if slot_at(writes - 1) - since > 2 * LONG * window:
        return False
    return spare_slots(writes, limit=limit, slot_at=slot_at, tolerance=SAME_TIME * window) <= limit // 20


def spare_slots(writes: int, *, limit: int, slot_at: Callable[[int], float], tolerance: float) -> int:
    """Return how many more requests than *writes* may go out before the last of them goes noticeably later."""
    return _more_until(slot_at(writes - 1) + tolerance, after=writes - 1, most=limit, slot_at=slot_at)


def _more_until(latest: float, *, after: int, most: int, slot_at: Callable[[int], float]) -> int:
    """Return how many requests, *most* at the most, go after number *after* and no later than *latest*."""
    least = 0
    while least < most:
        middle = (least + most + 1) // 2
        if slot_at(after + middle) <= latest:
            least = middle
        else:
            most = middle - 1
    return least
