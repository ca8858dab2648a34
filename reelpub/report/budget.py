"""How each publisher's limit was used over a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from attrs import evolve, frozen

from reelpub.bulk.record import BudgetSample

__all__ = ["BudgetUse", "budget_uses"]

MOST_SAMPLES = 1000
"""Samples that a chart gets: more can't be told apart on a screen."""


@frozen(kw_only=True)
class BudgetUse:
    """How the limit of `publisher` was used: `samples` for drawing, and what is so of all of them.

    `mean_share` is how much of the limit was spoken for on average over the time, 0 to 1. `requests` is how many
    requests were sent while samples were taken, by every process that took some.
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


def budget_uses(samples: Iterable[BudgetSample]) -> tuple[BudgetUse, ...]:
    """Return the use of each publisher's limit, sorted by name."""
    found: dict[str, list[BudgetSample]] = {}
    for sample in sorted(samples, key=lambda sample: sample.at):
        found.setdefault(sample.publisher, []).append(sample)
    return tuple(_use(name, found[name]) for name in sorted(found))


def _use(publisher: str, samples: Sequence[BudgetSample]) -> BudgetUse:
    return BudgetUse(
        publisher=publisher,
        samples=_thinned(samples),
        most_used=max(sample.used for sample in samples),
        most_waiting=max(sample.waiting for sample in samples),
        mean_share=_mean_share(samples),
        requests=_requests(samples),
    )


def _share(sample: BudgetSample) -> float:
    return sample.used / sample.limit if sample.limit else 0.0


def _mean_share(samples: Sequence[BudgetSample]) -> float:
    steps = [((after.at - before.at).total_seconds(), _share(before)) for before, after in pairwise(samples)]
    time = sum(seconds for seconds, _ in steps)
    return sum(seconds * share for seconds, share in steps) / time if time else _share(samples[0])


def _requests(samples: Sequence[BudgetSample]) -> int:
    # The count begins anew with each process that goes on with the run.
    counts = [0, *(sample.requests for sample in samples)]
    return sum(after - before if after >= before else after for before, after in pairwise(counts))


def _thinned(samples: Sequence[BudgetSample]) -> tuple[BudgetSample, ...]:
    """Return at most `MOST_SAMPLES` samples: of each stretch its first, with the most that was used and waited."""
    if len(samples) <= MOST_SAMPLES:
        return tuple(samples)
    bounds = [len(samples) * place // MOST_SAMPLES for place in range(MOST_SAMPLES + 1)]
    stretches = [samples[begin:end] for begin, end in pairwise(bounds)]
    return tuple(
        evolve(
            stretch[0],
            used=max(sample.used for sample in stretch),
            waiting=max(sample.waiting for sample in stretch),
        )
        for stretch in stretches
    )
