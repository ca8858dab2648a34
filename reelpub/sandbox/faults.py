"""Ordered faults: which one applies to a call or to a delivery, decided without I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from typing import Any

from attrs import asdict, define, field, fields_dict, frozen
from attrs.validators import ge, instance_of, optional

from reelpub.sandbox.names import no_such

__all__ = ["DELIVERY_KINDS", "EXECUTED_KINDS", "Fault", "FaultBook", "FaultKind"]


class FaultKind(Enum):
    """What can be ordered to go wrong.

    Connection: LOST_BEFORE and LOST_AFTER close it without an answer, before or after the call took effect.
    HANG_BEFORE and HANG_AFTER answer nothing until the client leaves. LATE closes it, too, and the call takes effect
    only *seconds* afterwards (20 by default), as where it waited in a queue of the provider's. RESET_IN_BODY sends
    headers and part of a body, then a TCP reset. CLOSE_POOLED answers and keeps the connection, then closes it on its
    next use without an answer.
    Answers: RATE_LIMITED (429 with the rate headers), RATE_LIMITED_BARE (429 without), RETRY_AFTER (429 with
    ``Retry-After``: *seconds*, or an HTTP date if *text* is ``"date"``), HTML_500, HTML_502, HTML_502_AFTER (the call
    took effect), SLOW_BODY (over *seconds*, 2 by default), TRUNCATED_JSON, WRONG_CONTENT_TYPE, BIG_BODY (50 MB),
    REDIRECT (302 to *text*, another origin), STALE_LIST (a list without what was made in the last *seconds*, 20 by
    default), PAYMENT_REQUIRED, FORBIDDEN, CONFLICT.
    Deliveries: PLATFORM_FAILS (one account's delivery fails, with *text* where the provider shows it), STUCK (never
    finishes, or only after *seconds*), UNKNOWN_STATUS (the status reads *text*, for ever or for *seconds*, whatever
    really happens meanwhile).
    """

    LOST_BEFORE = "lost_before"
    LOST_AFTER = "lost_after"
    HANG_BEFORE = "hang_before"
    HANG_AFTER = "hang_after"
    LATE = "late"
    RESET_IN_BODY = "reset_in_body"
    CLOSE_POOLED = "close_pooled"
    RATE_LIMITED = "rate_limited"
    RATE_LIMITED_BARE = "rate_limited_bare"
    RETRY_AFTER = "retry_after"
    HTML_500 = "html_500"
    HTML_502 = "html_502"
    HTML_502_AFTER = "html_502_after"
    SLOW_BODY = "slow_body"
    TRUNCATED_JSON = "truncated_json"
    WRONG_CONTENT_TYPE = "wrong_content_type"
    BIG_BODY = "big_body"
    REDIRECT = "redirect"
    STALE_LIST = "stale_list"
    PAYMENT_REQUIRED = "payment_required"
    FORBIDDEN = "forbidden"
    CONFLICT = "conflict"
    UNKNOWN_STATUS = "unknown_status"
    STUCK = "stuck"
    PLATFORM_FAILS = "platform_fails"


DELIVERY_KINDS = frozenset({FaultKind.UNKNOWN_STATUS, FaultKind.STUCK, FaultKind.PLATFORM_FAILS})
"""The kinds that a provider's state asks for; all others belong to the HTTP shell."""

EXECUTED_KINDS = frozenset(
    {
        FaultKind.LOST_AFTER,
        FaultKind.HANG_AFTER,
        FaultKind.RESET_IN_BODY,
        FaultKind.CLOSE_POOLED,
        FaultKind.HTML_502_AFTER,
        FaultKind.SLOW_BODY,
        FaultKind.TRUNCATED_JSON,
        FaultKind.WRONG_CONTENT_TYPE,
        FaultKind.BIG_BODY,
        FaultKind.STALE_LIST,
    }
)
"""The kinds where the call takes effect before it goes wrong."""


@frozen(kw_only=True)
class Fault:
    """One order: *kind* on the calls that match, leaving out the first *after* of them, *times* times (None: always).

    *operation* is an operationId, *provider* ``"reelmirror"`` or ``"reap"``, *key* an API key; None matches all.
    For deliveries *platform* and *account* (its id or ``platform:username``) narrow it, and *operation* is the call
    that sent the delivery. *executed* overrides whether the call takes effect.
    """

    kind: FaultKind = field(kw_only=False, validator=instance_of(FaultKind))
    operation: str | None = None
    provider: str | None = None
    key: str | None = field(default=None, repr=False)
    after: int = field(default=0, validator=ge(0))
    times: int | None = field(default=1, validator=optional(ge(1)))  # type: ignore[arg-type]  # ge isn't generic in None
    platform: str | None = None
    account: str | None = None
    seconds: float | None = field(default=None, validator=optional(ge(0)))
    text: str | None = None
    executed: bool | None = None

    @property
    def takes_effect(self) -> bool:
        """Whether the call is executed before it goes wrong."""
        return self.kind in EXECUTED_KINDS if self.executed is None else self.executed

    @classmethod
    def from_json(cls, members: dict[str, Any]) -> Fault:
        """Return a fault from a JSON object; raises `ValueError` or `TypeError` for what can't be one."""
        kinds, known = {kind.value: kind for kind in FaultKind}, fields_dict(cls)
        rest = {name: value for name, value in members.items() if name != "kind"}
        odd = next((name for name in rest if name not in known), None)
        if odd is not None:
            raise no_such("member", odd, known)
        given = members.get("kind")
        if not isinstance(given, str) or given not in kinds:
            raise no_such("kind", given, kinds)
        return cls(kinds[given], **rest)

    def require_names(self, operations: Mapping[str, Collection[str]]) -> None:
        """Raise `ValueError` if it names a provider or an operation that isn't in *operations*: it would never fire."""
        if self.provider is not None and self.provider not in list(operations):
            raise no_such("provider", self.provider, operations)
        chosen = list(operations) if self.provider is None else [self.provider]
        names = [name for provider in chosen for name in operations[provider]]
        if self.operation is None or self.operation in names:
            return
        other = next((provider for provider, theirs in operations.items() if self.operation in list(theirs)), None)
        if other is not None:
            raise ValueError(f"operation: {self.provider} has no {self.operation!r}, {other} has; say which provider")
        raise no_such("operation", self.operation, names)

    def to_json(self) -> dict[str, Any]:
        """Return the members that are set, without the key."""
        members = asdict(self) | {"kind": self.kind.value, "key": None}
        return {name: value for name, value in members.items() if value is not None}


@define
class _Order:
    """A fault with how often it was passed over and how often it fired."""

    fault: Fault
    seen: int = 0
    fired: int = 0

    def is_spent(self) -> bool:
        return self.fault.times is not None and self.fired >= self.fault.times

    def is_skipped(self) -> bool:
        """Count one matching occasion; True while it is among the first *after*."""
        self.seen += 1
        return self.seen <= self.fault.after


class FaultBook:
    """The orders that are open, first ordered first.

    An occasion that several orders match goes to the first that is due; the others keep theirs for the next one.
    """

    def __init__(self) -> None:
        self._orders: list[_Order] = []

    def order(self, fault: Fault) -> None:
        """Add *fault*."""
        self._orders.append(_Order(fault))

    def clear(self) -> None:
        """Forget all orders."""
        self._orders.clear()

    def open_orders(self) -> list[Fault]:
        """Return the faults that can still fire."""
        return [order.fault for order in self._orders if not order.is_spent()]

    def for_call(self, provider: str, operation: str, key: str) -> Fault | None:
        """Return the fault for a call that has just arrived, and count it; None if it is to go well."""
        return self._take(
            order
            for order in self._orders
            if order.fault.kind not in DELIVERY_KINDS and _matches(order.fault, provider, operation, key)
        )

    def for_delivery(
        self, provider: str, operation: str, key: str, *, platform: str, account_id: str, account_name: str
    ) -> Fault | None:
        """Return the fault for a delivery that is about to be sent, and count it; ask once for each sending.

        *operation* is the call that sends it (for a scheduled post the one that scheduled it), *account_name* is
        ``platform:username``. The kind is one of `DELIVERY_KINDS`.
        """
        return self._take(
            order
            for order in self._orders
            if order.fault.kind in DELIVERY_KINDS
            and _matches(order.fault, provider, operation, key)
            and order.fault.platform in (None, platform)
            and order.fault.account in (None, account_id, account_name)
        )

    @staticmethod
    def _take(orders: Iterable[_Order]) -> Fault | None:
        chosen: _Order | None = None
        for order in orders:
            if order.is_spent() or order.is_skipped() or chosen is not None:
                continue
            chosen = order
            order.fired += 1
        return chosen.fault if chosen is not None else None


def _matches(fault: Fault, provider: str, operation: str, key: str) -> bool:
    return fault.provider in (None, provider) and fault.operation in (None, operation) and fault.key in (None, key)
