"""Names of runs, and of the jobs that their rows become."""

from __future__ import annotations

import secrets
from datetime import datetime

__all__ = ["job_id", "new_run_id", "place_of"]

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without what is taken for another when it is read out or typed over: 0 and o, 1, i and l."""
_LENGTH = 4


def new_run_id(now: datetime) -> str:
    """Return a short id such as ``261122-k3f9``: the day of *now*, so that ids sort by it, and four drawn characters.

    A day has 900,000 of them; `begin` draws again where one is taken.
    """
    return f"{now:%y%m%d}-{''.join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))}"


def job_id(run: str, number: int, again: int = 0) -> str:
    """Return the id of row *number*'s first job, or, where it was submitted *again* without ever being stored, of that.

    ``261122-k3f9.17``, then ``261122-k3f9.17.r1``.
    """
    return f"{run}.{number}.r{again}" if again else f"{run}.{number}"


def place_of(job: str, run: str) -> tuple[int, int] | None:
    """Return the row's number and how many times it was submitted again, None for a job that isn't named by its row."""
    head, dot, rest = job.partition(".")
    number, _, again = rest.partition(".r")
    if head != run or not dot or not number.isdecimal() or not (again or "0").isdecimal():
        return None
    return int(number), int(again or 0)
