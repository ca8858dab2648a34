"""What an orchestrator takes beside its publishers and its clock, as types; `Orchestrator` says what each does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from reelpub.policies.caps import AccountCap
from reelpub.policies.lateness import Lateness
from reelpub.policies.lifecycle import Rules
from reelpub.policies.polling import PollPolicy
from reelpub.store.base import Store

__all__ = ["OrchestratorOptions"]


class OrchestratorOptions(TypedDict, total=False):
    """The options of `Orchestrator.from_env`, so that a checker finds a misspelt one."""

    concurrency: int
    rules: Rules | None
    poll: PollPolicy | None
    caps: Mapping[str, AccountCap] | None
    shutdown_timeout: float
    keep_settled: int
    store: Store | None
    lease: float
    send_timeout: float
    late: Lateness | None
