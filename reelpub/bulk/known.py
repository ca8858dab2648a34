"""What a plan knows of one publisher: its accounts and its queue, each read once, when a row first needs it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from attrs import define, evolve, field

from reelpub.bulk.duplicates import QueueDuplicates
from reelpub.errors import ReelPubError
from reelpub.models.account import Account, AccountRef
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.orchestrator.strangers import strange
from reelpub.policies.checks import resolve
from reelpub.providers.base import Cost, Publisher, Queue, SupportsForecast, SupportsQueue

__all__ = ["Known"]

log = logging.getLogger("reelpub.bulk")

_NOTHING = QueueDuplicates.of(Queue())


@define(eq=False)
class Known:
    """Reads what a plan needs, unless it is offline. `error` is why the accounts couldn't be read.

    `notes` say what can't be known. The queue is read with at most *queue_reads* requests, and not at all with 0.
    """

    publisher: Publisher
    is_offline: bool
    queue_reads: int
    error: ReelPubError | None = None
    notes: list[str] = field(factory=list)
    _accounts: Sequence[Account] | None = None
    _queue: QueueDuplicates | None = None
    _guesses: dict[str, Account | None] = field(factory=dict)
    _forecasts: SupportsForecast | None = field(init=False)

    def __attrs_post_init__(self) -> None:
        # Asked once: looking a protocol up costs more than all else that a row takes here.
        self._forecasts = self.publisher if isinstance(self.publisher, SupportsForecast) else None

    def cost(self, request: PublishRequest, groups: Sequence[tuple[Account, ...]], at: datetime | None) -> Cost:
        """Return what *request* takes; one call for each post where the publisher doesn't say."""
        if self._forecasts is None:
            return Cost(writes=len(groups))
        return self._forecasts.requests_for(request, groups, at=at)

    async def resolve(self, request: PublishRequest) -> tuple[tuple[Account, ...], list[Problem]]:
        """Return the accounts that *request* names, and what is wrong with them, as far as that can be known."""
        if not request.accounts:
            return (), []
        if self._accounts is None and not self.is_offline and self.error is None:
            await self._read_accounts()
        if self._accounts is None:
            return self._guess(request)
        return resolve(
            request,
            self._accounts,
            platforms=self.publisher.capabilities.platforms,
            provider=self.publisher.provider,
        )

    async def queue(self) -> QueueDuplicates:
        """Return what is scheduled at the provider, as far as that can be known."""
        if self._queue is None:
            self._queue = await self._read_queue()
        return self._queue

    async def _read_accounts(self) -> None:
        try:
            self._accounts = await self.publisher.accounts()
        except ReelPubError as error:
            self.error = error
        except Exception as error:  # a publisher with a bug must not keep the other rows from being checked
            log.exception("%s: reading the accounts raised", self.publisher.name)
            self.error = strange(error, self.publisher, "accounts")

    async def _read_queue(self) -> QueueDuplicates:
        name = self.publisher.name
        if self.is_offline or self.queue_reads < 1 or self.error is not None:
            return _NOTHING
        if not isinstance(self.publisher, SupportsQueue):
            self.notes.append(f"what {name} has scheduled can't be known")
            return _NOTHING
        try:
            found = await self.publisher.queue(max_reads=self.queue_reads)
        except ReelPubError as error:
            self.notes.append(f"what {name} has scheduled couldn't be read: {error}")
            return _NOTHING
        except Exception as error:
            log.exception("%s: reading the queue raised", name)
            self.notes.append(f"what {name} has scheduled couldn't be read: it raised {type(error).__name__}")
            return _NOTHING
        if found.note is not None:
            self.notes.append(found.note)
        return QueueDuplicates.of(found)

    def _guess(self, request: PublishRequest) -> tuple[tuple[Account, ...], list[Problem]]:
        """Return accounts as their names tell them, without asking: an id is taken to be right, on a platform alone."""
        named = [self._named(text) for text in request.accounts]
        places = [index for index, account in enumerate(named) if account is not None]
        known = {account.id: account for account in named if account is not None}
        accounts, problems = resolve(
            evolve(request, accounts=[request.accounts[index] for index in places]),
            list(known.values()),
            platforms=self.publisher.capabilities.platforms,
            provider=self.publisher.provider,
        )
        ids = [str(text).strip() for text, account in zip(request.accounts, named, strict=True) if account is None]
        strangers = [Account(id=text, provider=self.publisher.provider, platform=f"of {text}") for text in ids]
        return (*accounts, *strangers), [_moved(problem, places) for problem in problems]

    def _named(self, text: str | Account) -> Account | None:
        """Return the account that a ``platform:username`` names; None for an id."""
        if isinstance(text, Account):
            return text
        if text not in self._guesses:
            ref = AccountRef(text.strip())
            self._guesses[text] = _account(ref, self.publisher.provider)
        return self._guesses[text]


def _account(ref: AccountRef, provider: str) -> Account | None:
    if ref.platform is None or ref.username is None:
        return None
    name = f"{ref.platform}:{ref.username.lower()}"
    return Account(id=name, provider=provider, platform=ref.platform, username=ref.username)


def _moved(problem: Problem, places: Sequence[int]) -> Problem:
    """Return *problem* of ``accounts[n]`` with the place that the account has among all that were named."""
    index = problem.field.removeprefix("accounts[").removesuffix("]")
    return evolve(problem, field=f"accounts[{places[int(index)]}]") if index.isdigit() else problem
