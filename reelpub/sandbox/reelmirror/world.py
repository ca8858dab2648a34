"""All that ReelMirror keeps, how records are found, and what is due when."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from random import Random
from typing import TypeVar

from reelpub.sandbox.dialect import ReelMirrorDialect
from reelpub.sandbox.faults import FaultBook
from reelpub.sandbox.keys import KeyRing
from reelpub.sandbox.ledger import Ledger
from reelpub.sandbox.reelmirror.records import (
    Account,
    GeneratedPost,
    MediaItem,
    OutgoingPost,
    Persona,
    Source,
    SourcePost,
    SyncJob,
    Wallet,
)
from reelpub.sandbox.seed import new_uuid
from reelpub.sandbox.wire import Refusal

__all__ = ["World"]

T = TypeVar("T")
SIGNUPS_PER_DAY = 5


class World:
    """The records of one ReelMirror account; every API key sees the same ones.

    `now` is the Unix time up to which everything due has happened. `has_card` tells whether a payment card is on file:
    it is from the first setup intent on, since nobody can finish one here. `paid_slots` is how many account slots are
    paid for, beside the free one.
    """

    def __init__(
        self, dialect: ReelMirrorDialect, rng: Random, ledger: Ledger, faults: FaultBook, keys: KeyRing
    ) -> None:
        self.dialect, self.rng, self.ledger, self.faults, self.keys = dialect, rng, ledger, faults, keys
        self.accounts: dict[str, Account] = {}
        self.personas: dict[str, Persona] = {}
        self.sources: dict[str, Source] = {}
        self.source_posts: dict[str, SourcePost] = {}
        self.sync_jobs: dict[str, SyncJob] = {}
        self.media_items: dict[str, MediaItem] = {}
        self.generated_posts: dict[str, GeneratedPost] = {}
        self.posts: dict[str, OutgoingPost] = {}
        self.wallet = Wallet(balance_cents=10_000)
        self.empty_wallet = Wallet(balance_cents=0)
        self.signups: dict[str, float] = {}
        self.has_card = False
        self.paid_slots = 4
        self.origin = "http://127.0.0.1"
        self.now = 0.0
        self._agenda: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = count()

    def new_id(self) -> str:
        """Return a new id in the form of a UUID."""
        return new_uuid(self.rng)

    def at(self, when: float, action: Callable[[float], None]) -> None:
        """Call *action* with *when* once that Unix time has come; of one instant, in the order of asking."""
        heapq.heappush(self._agenda, (when, next(self._numbers), action))

    def advance(self, now: float) -> None:
        """Let everything happen that is due by *now*, in the order of its time; time never goes back."""
        while self._agenda and self._agenda[0][0] <= now:
            when, _, action = heapq.heappop(self._agenda)
            self.now = max(self.now, when)
            action(when)
        self.now = max(self.now, now)

    def ill_timed(self, message: str) -> Refusal:
        """Return the refusal of a call that the present state doesn't allow."""
        return Refusal(self.dialect.ill_timed, message)

    def account(self, account_id: str) -> Account:
        """Return a connected account; raises `Refusal` 404."""
        return _found(self.accounts, account_id, "connected account")

    def persona(self, persona_id: str) -> Persona:
        """Return a persona; raises `Refusal` 404."""
        return _found(self.personas, persona_id, "persona")

    def media_item(self, item_id: str) -> MediaItem:
        """Return a generated media item; raises `Refusal` 404."""
        return _found(self.media_items, item_id, "generated media item")

    def generated_post(self, post_id: str) -> GeneratedPost:
        """Return a generated post; raises `Refusal` 404."""
        return _found(self.generated_posts, post_id, "generated post")

    def post(self, post_id: str) -> OutgoingPost:
        """Return an outgoing post; raises `Refusal` 404."""
        return _found(self.posts, post_id, "outgoing post")

    def sync_job(self, job_id: str) -> SyncJob:
        """Return a sync job; raises `Refusal` 404."""
        return _found(self.sync_jobs, job_id, "sync job")

    def source_post(self, post_id: str) -> SourcePost:
        """Return a source post; raises `Refusal` 404."""
        return _found(self.source_posts, post_id, "source post")

    def sources_of(self, persona_id: str) -> list[Source]:
        """Return a persona's sources, oldest first."""
        return [source for source in self.sources.values() if source.persona_id == persona_id]

    def active_accounts_of(self, persona_id: str) -> list[Account]:
        """Return the accounts that a persona's posts can go to."""
        linked = (self.accounts.get(account_id) for account_id in self.persona(persona_id).account_ids)
        return [account for account in linked if account is not None and account.is_active]

    def wallet_of(self, key: str) -> Wallet:
        """Return the wallet that *key* pays from: the account's, or the empty one of the key without balance."""
        credential = self.keys.find(key)
        return self.wallet if credential is None or credential.balance_cents > 0 else self.empty_wallet


def _found(records: dict[str, T], record_id: str, noun: str) -> T:
    record = records.get(record_id)
    if record is None:
        raise Refusal(404, f"There is no {noun} with this id.")
    return record
