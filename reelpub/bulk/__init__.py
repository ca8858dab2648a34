"""Many posts from one file: plan it, run it, go on with it after a crash, and tell what became of each row.

What tells beforehand is public, too, in modules of its own: `reelpub.bulk.plan` what a file comes to, and
`reelpub.bulk.rehearsal` what it would send. `plan` isn't a name of this package, where it would hide its module.
"""

from __future__ import annotations

from reelpub.bulk.beginning import begin
from reelpub.bulk.cancelling import cancel
from reelpub.bulk.history import find, latest, load, opened
from reelpub.bulk.record import BudgetSample, Moment, RowRecord, RunRecord
from reelpub.bulk.rescheduling import reschedule
from reelpub.bulk.retrying import retry_failed
from reelpub.bulk.running import carry_out
from reelpub.bulk.watching import watch

__all__ = [
    "BudgetSample",
    "Moment",
    "RowRecord",
    "RunRecord",
    "begin",
    "cancel",
    "carry_out",
    "find",
    "latest",
    "load",
    "opened",
    "reschedule",
    "retry_failed",
    "watch",
]
