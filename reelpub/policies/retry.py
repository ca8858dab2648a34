"""Whether a failed request is worth sending again, and when: a pure decision.

What is *safe* to repeat is `policies.safety`; this adds what is *worth while*, how long to wait, and when to stop.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from reelpub.errors import APIStatusError, DecodeError, RateLimitError, ReelPubError, TransportError
from reelpub.models.setting_checks import above_zero, at_least_one, not_negative
from reelpub.policies.safety import RequestKind, is_repeatable

__all__ = ["GiveUp", "Outage", "RetryAfter", "RetryPolicy", "TruncatedBody", "is_about_rate"]

LONGEST_OUTAGE_DELAY = 60.0
"""Seconds between two tries to reach a provider that is out of reach."""

_PASSING = frozenset({500, 502, 503, 504})


class TruncatedBody(DecodeError):
    """A success whose JSON ends too early. Told apart here because reading again may well give the whole of it."""


@frozen(kw_only=True)
class RetryAfter:
    """Send it again after `delay` seconds."""

    delay: float


@frozen(kw_only=True)
class Outage:
    """How long a call has been unable to connect, in seconds, and how often it tried."""

    lasted: float
    failures: int


@frozen(kw_only=True)
class GiveUp:
    """Don't send it again; `reason` is for the log."""

    reason: str


def is_about_rate(kind: RequestKind, operation: str, headers: Mapping[str, str]) -> bool:
    """Return whether a 429 with these *headers* (lower-case names) speaks of the rate of requests.

    Reap's ``create-*`` answer 429 for too many projects at once, too, and only the words differ. So the headers
    decide: such an operation refused while the window isn't exhausted was refused for something else.
    """
    if kind is not RequestKind.OTHER_WRITE or not operation.startswith("create_"):
        return True
    return headers.get("x-ratelimit-remaining", "").strip() == "0"


@frozen(kw_only=True)
class RetryPolicy:
    """How often and how fast to repeat.

    *attempts* is the number of times a request is sent at most, *rate_attempts* how many of its refusals with 429
    are borne (they provably did nothing, so there may be more of them). The backoff before repeat *n* is drawn
    evenly from 0 to ``base * 2**(n - 1)`` seconds, *cap* at most. A server that asks for a wait is obeyed, unless
    it asks for more than *max_server_delay* seconds.

    A provider that was reached before and can't be connected to any more is waited for: for *outage_patience* seconds
    such a failure, which provably sent nothing, counts as no attempt. A batch would otherwise be used up within the
    first minute without a network. The waits double up to a minute.

    Raises:
        ConfigurationError: a number of attempts is below 1, *max_server_delay* isn't above 0, or another is negative.
    """

    attempts: int = field(default=4, validator=at_least_one)
    base: float = field(default=0.5, validator=not_negative)
    cap: float = field(default=30.0, validator=not_negative)
    max_server_delay: float = field(default=120.0, validator=above_zero)
    rate_attempts: int = field(default=10, validator=at_least_one)
    outage_patience: float = field(default=3600.0, validator=not_negative)

    def decide(
        self,
        kind: RequestKind,
        error: ReelPubError,
        attempt: int,
        *,
        refused: int = 0,
        server_delay: float | None = None,
        deadline_left: float | None = None,
        outage: Outage | None = None,
        random: float,
    ) -> RetryAfter | GiveUp:
        """Return what to do after *error*.

        *attempt* counts the times the request was sent, this one included; *refused* how many of them were answered
        with 429, this one included. *server_delay* is the wait that the answer asked for, *deadline_left* the time
        the caller still has, both in seconds. *outage* is given where the provider was reached before and can't be
        connected to now. *random* is drawn evenly from 0 to 1.
        """
        if not is_repeatable(kind, error):
            return GiveUp(reason=f"a {kind.value} request that may have taken effect isn't repeated")
        if not _is_worth_while(kind, error):
            return GiveUp(reason=f"a repeat of the request wouldn't cure {type(error).__name__}")
        if server_delay is not None and server_delay > self.max_server_delay:
            return GiveUp(reason=f"the server asks for {server_delay:.0f} s, more than {self.max_server_delay:.0f}")
        if outage is not None and outage.lasted >= self.outage_patience > 0:
            return GiveUp(reason=f"the provider has been out of reach for {outage.lasted:.0f} s")
        if outage is not None and self.outage_patience > 0:
            delay = (0.5 + random / 2) * min(LONGEST_OUTAGE_DELAY, 2.0 ** min(outage.failures - 1, 60))
        else:
            spent, allowed = self._spent(error, attempt, refused)
            if spent >= allowed:
                return GiveUp(reason=f"{spent} of {allowed} attempts are used")
            delay = self.backoff(spent, random) if server_delay is None else server_delay
        if deadline_left is not None and delay >= deadline_left:
            return GiveUp(reason=f"the next attempt in {delay:.1f} s would be after the deadline")
        return RetryAfter(delay=delay)

    def backoff(self, failures: int, random: float) -> float:
        """Return the wait in seconds after that many failures: full jitter under a doubling ceiling."""
        # 2**60 overflows no float and is far above any cap.
        return random * min(self.cap, self.base * 2.0 ** min(failures - 1, 60))

    def _spent(self, error: ReelPubError, attempt: int, refused: int) -> tuple[int, int]:
        if isinstance(error, RateLimitError):
            return refused, self.rate_attempts
        return attempt - refused, self.attempts


def _is_worth_while(kind: RequestKind, error: ReelPubError) -> bool:
    if isinstance(error, RateLimitError):
        return is_about_rate(kind, error.operation, error.headers)
    if isinstance(error, TransportError):
        return True
    if isinstance(error, TruncatedBody):
        return kind is RequestKind.READ
    return isinstance(error, APIStatusError) and error.status in _PASSING
