"""How each publisher's limit was used over a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from attrs import evolve, frozen

from reelpub.bulk.record import BudgetSample
from reelpub.bulk.recorder import sample_interval

__all__ = ["BudgetUse", "budget_uses"]

MOST_SAMPLES = 1000
"""Samples that a chart gets: more can't be told apart on a screen."""


@frozen(kw_only=True)
class BudgetUse:
    """How the limit of `publisher` was used: `samples` for drawing, and what is so of all of them.

    `mean_share` is how much of the limit was spoken for on average, 0 to 1, pauses left out: a sample counts for no
    longer than it can be true. `requests` is how many requests were sent while samples were taken, by every process
    that took some.
    """

    publisher: str
    samples: tuple[BudgetSample, ...]
    most_used: int
    most_waiting: int
    mean_share: float
    requests: int

    @property
    def limits(self) -> tuple[tuple[int, float], ...]:
        """The limits that held, each with its window in seconds, in their order."""
        return tuple(dict.fromkeys((sample.limit, sample.window) for sample in self.samples))

    def until(self, end: datetime) -> list[BudgetSample]:
        """Return the samples with how the limit stood at *end*: no longer as the last one says, if that is too old."""
        first, last = self.samples[0], self.samples[-1]
        if _is_pause(last, end, first) and not _is_idle(last):
            rest = _rest(last, first)
            return [*self.samples, rest, evolve(rest, at=end)]
        return [*self.samples, evolve(last, at=max(end, last.at))]


def budget_uses(samples: Iterable[BudgetSample]) -> tuple[BudgetUse, ...]:
    """Return the use of each publisher's limit, sorted by name."""
    found: dict[str, list[BudgetSample]] = {}
    for sample in sorted(samples, key=lambda sample: sample.at):
        found.setdefault(sample.publisher, []).append(sample)
    return tuple(_use(name, found[name]) for name in sorted(found))


def _use(publisher: str, samples: Sequence[BudgetSample]) -> BudgetUse:
    return BudgetUse(
        publisher=publisher,
        samples=_thinned(_with_rests(samples)),
        most_used=max(sample.used for sample in samples),
        most_waiting=max(sample.waiting for sample in samples),
        mean_share=_mean_share(samples),
        requests=_requests(samples),
    )


def _share(sample: BudgetSample) -> float:
    return sample.used / sample.limit if sample.limit else 0.0


def _is_pause(sample: BudgetSample, until: datetime, first: BudgetSample) -> bool:
    """Return whether nobody can have been at work from *sample* until *until*, or the next sample had come before."""
    return until - sample.at > _holds(sample, first) + 2 * _apart(sample, first)


def _holds(sample: BudgetSample, first: BudgetSample) -> timedelta:
    """Return how long *sample* can be true: what was used is free again after a window.

    In a run so long that samples are further apart than that, each holds until the next is due.
    """
    return max(timedelta(seconds=sample.window), 2 * _apart(sample, first))


def _apart(sample: BudgetSample, first: BudgetSample) -> timedelta:
    return timedelta(seconds=sample_interval((sample.at - first.at).total_seconds()))


def _rest(sample: BudgetSample, first: BudgetSample) -> BudgetSample:
    """Return how the limit stood once *sample* couldn't be true any longer."""
    return evolve(sample, at=sample.at + _holds(sample, first), used=0, waiting=0)


def _is_idle(sample: BudgetSample) -> bool:
    return not (sample.used or sample.waiting)


def _with_rests(samples: Sequence[BudgetSample]) -> list[BudgetSample]:
    """Return *samples* with one more where nobody took any for so long that the last one can't have held."""
    found = [samples[0]]
    for before, after in pairwise(samples):
        if _is_pause(before, after.at, samples[0]) and not _is_idle(before):
            found.append(_rest(before, samples[0]))
        found.append(after)
    return found


def _mean_share(samples: Sequence[BudgetSample]) -> float:
    steps = [(_seconds(before, after.at, samples[0]), _share(before)) for before, after in pairwise(samples)]
    time = sum(seconds for seconds, _ in steps)
    return sum(seconds * share for seconds, share in steps) / time if time else _share(samples[0])


def _seconds(sample: BudgetSample, until: datetime, first: BudgetSample) -> float:
    """Return how long *sample* counts, if the next one came at *until*."""
    held = _holds(sample, first) if _is_pause(sample, until, first) else until - sample.at
    return held.total_seconds()


def _requests(samples: Sequence[BudgetSample]) -> int:
    # The count begins anew with each process that goes on with the run.
    counts = [0, *(sample.requests for sample in samples)]
    return sum(after - before if after >= before else after for before, after in pairwise(counts))


def _thinned(samples: Sequence[BudgetSample]) -> tuple[BudgetSample, ...]:
    """Return about `MOST_SAMPLES` samples: of each stretch its first, with the most that was used and waited.

    A pause ends its stretch, and is there itself, so that there are a few more with each.
    """
    if len(samples) <= MOST_SAMPLES:
        return tuple(samples)
    bounds = {len(samples) * place // MOST_SAMPLES for place in range(1, MOST_SAMPLES + 1)}
    found: list[BudgetSample] = []
    stretch: list[BudgetSample] = []
    for place, sample in enumerate(samples, start=1):
        stretch.append(sample)
        is_pause = place < len(samples) and _is_idle(sample) and _is_pause(sample, samples[place].at, samples[0])
        if is_pause or place in bounds:
            found.append(_most(stretch))
            found += [sample] if is_pause and len(stretch) > 1 else []
            stretch = []
    return tuple(found)


def _most(stretch: Sequence[BudgetSample]) -> BudgetSample:
    used, waiting = max(sample.used for sample in stretch), max(sample.waiting for sample in stretch)
    return evolve(stretch[0], used=used, waiting=waiting)
