"""The life of one part of a job as a pure state machine: an event and the time in, the next state and a command out.

::

    PLANNED ── Begin ──> PREPARING ── ReadyToSend ──> READY ── Sending ──> SENDING ── Accepted ──> ACCEPTED
                             │                          ^ ^──── Unsent ───────│                       │
                             │ Failed                   │ LookedAbsent x2     │ Failed, effect open   │ Observed
                             v                          │                     v                       v
                          SETTLED <── LookedUndecided x2 ───────────────── LOOKING                 SETTLED

Every runtime executes this one machine. What a command needs (a token, a request, a read) is the runtime's business;
what may be done next is decided here and nowhere else.

The one rule that all of it serves: `Send` is commanded a second time only after the failure proved that nothing
happened, or after two looks, far enough apart, showed that nothing is there.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import evolve, field, frozen

from reelpub.errors import APIStatusError, OutcomeUnknown, RateLimitError, ServerError, TransportError
from reelpub.models.job import Attempt, Part, Prepared
from reelpub.models.post import Delivery, DeliveryStatus, Post, PostStatus
from reelpub.models.setting_checks import at_least_one, not_negative
from reelpub.policies.safety import Effect, effect_of
from reelpub.policies.settlement import deliveries_of_post, failure_status, same_for_all

__all__ = [
    "Accepted",
    "Begin",
    "Command",
    "Failed",
    "GaveUp",
    "Interrupted",
    "Look",
    "Looked",
    "LookedAbsent",
    "LookedUndecided",
    "Observed",
    "PartEvent",
    "PartState",
    "Prepare",
    "ReadyToSend",
    "Rules",
    "Send",
    "Sending",
    "Settle",
    "Stage",
    "TakenOver",
    "Unsent",
    "Watch",
    "Withdrawn",
    "deliveries_of",
    "step",
]


class Stage(StrEnum):
    """Where a part stands."""

    PLANNED = "planned"
    PREPARING = "preparing"
    READY = "ready"
    SENDING = "sending"
    LOOKING = "looking"
    """The answer was lost; what became of it is being looked up."""
    ACCEPTED = "accepted"
    """The provider has it; its deliveries are being followed."""
    SETTLED = "settled"


_LONGEST_LOOK = 3
"""How often the wait for the next look doubles, while looks fail."""


@frozen(kw_only=True)
class Rules:
    """How patient reconciliation is. Durations are seconds.

    `settle_after` is how long the provider's view gets before an absence counts, and passes twice; `max_attempts`
    bounds how often a part is sent at all; `max_look_failures` how many looks may fail before the end is *unknown*. A
    look that fails since the provider is out of reach or out of order isn't held against it for `look_patience` seconds
    after the answer was lost: the one after that may tell.

    Raises:
        ConfigurationError: a number is negative, or a count below 1.
    """

    settle_after: float = field(default=30.0, validator=not_negative)
    max_attempts: int = field(default=3, validator=at_least_one)
    max_look_failures: int = field(default=5, validator=at_least_one)
    look_patience: float = field(default=3600.0, validator=not_negative)


@frozen(kw_only=True)
class PartState:
    """All that is known of one part. `attempts` are the tries to make it live, the last one current."""

    part: Part
    stage: Stage = Stage.PLANNED
    prepared: Prepared | None = None
    attempts: tuple[Attempt, ...] = ()
    post: Post | None = None
    is_reconciled: bool = False
    absences: int = 0
    doubts: int = 0
    look_failures: int = 0
    error: BaseException | None = field(default=None)
    reason: str | None = None
    end: DeliveryStatus | None = None

    @property
    def attempt(self) -> Attempt | None:
        """The current attempt."""
        return self.attempts[-1] if self.attempts else None

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is done for this part."""
        return self.stage is Stage.SETTLED


# ---- events


@frozen
class Begin:
    """Its turn has come."""


@frozen
class ReadyToSend:
    """What has to exist before it goes live exists."""

    prepared: Prepared


@frozen
class Sending:
    """The token is there and the request leaves now."""

    attempt: Attempt


@frozen
class Unsent:
    """The request provably did nothing, and waits to leave again; until then it can be called off."""


@frozen
class Accepted:
    """The provider answered with the post."""

    post: Post


@frozen
class Failed:
    """Preparing or sending failed."""

    error: BaseException


@frozen
class Looked:
    """A look found exactly one post that can only be this one."""

    post: Post


@frozen
class LookedAbsent:
    """A look showed that the provider hasn't got it."""


@frozen
class LookedUndecided:
    """A look decided nothing; or couldn't be made, where `error` is given."""

    reason: str
    error: BaseException | None = None


@frozen
class Observed:
    """A read showed the post as it is now."""

    post: Post


@frozen
class GaveUp:
    """It isn't followed any further: stuck, out of reach, or the process ends."""

    reason: str
    is_unknown: bool = False


@frozen
class Interrupted:
    """The process that carried it out ended; another takes it up from what was noted."""


@frozen
class TakenOver:
    """Another process carries it out now; this one only lets go."""


@frozen
class Withdrawn:
    """It isn't wanted any more: called off by the caller, or its time to start has passed."""

    reason: str
    is_cancel: bool = False


PartEvent = (
    Begin
    | ReadyToSend
    | Sending
    | Unsent
    | Accepted
    | Failed
    | Looked
    | LookedAbsent
    | LookedUndecided
    | Observed
    | GaveUp
    | Interrupted
    | TakenOver
    | Withdrawn
)

# ---- commands


@frozen
class Prepare:
    """Make what has to exist before the part goes live."""


@frozen
class Send:
    """Get a token, note the intent, and send the request that goes live."""


@frozen
class Look:
    """Look whether the lost attempt took effect, not before `at` (the clock's Unix seconds)."""

    at: float


@frozen
class Watch:
    """Follow the post until it ends."""


@frozen
class Settle:
    """The part has ended."""


Command = Prepare | Send | Look | Watch | Settle


def step(  # noqa: C901, PLR0912 (one arm for each event)
    state: PartState, event: PartEvent, now: float, rules: Rules
) -> tuple[PartState, Command | None]:
    """Return the state after *event* at *now* (Unix seconds), and what to do next; None means: go on waiting.

    A settled part stays as it is, whatever comes late.
    """
    if state.is_settled:
        return state, None
    match event:
        case Begin():
            return evolve(state, stage=Stage.PREPARING), Prepare()
        case ReadyToSend(prepared):
            return evolve(state, stage=Stage.READY, prepared=prepared), Send()
        case Sending(attempt):
            # A request that leaves again within one sending replaces its attempt: the earlier one provably did nothing.
            earlier = state.attempts[:-1] if state.stage is Stage.SENDING else state.attempts
            return evolve(state, stage=Stage.SENDING, attempts=(*earlier, attempt)), None
        case Unsent():
            is_sending = state.stage is Stage.SENDING
            return (evolve(state, stage=Stage.READY, attempts=state.attempts[:-1]) if is_sending else state), None
        case Accepted(post):
            return _accepted(state, post, is_reconciled=False)
        case Looked(post):
            return _accepted(state, post, is_reconciled=True)
        case Failed(error):
            return _failed(state, error, now)
        case LookedAbsent():
            return _absent(state, now, rules)
        case LookedUndecided(reason, error):
            return _undecided(state, reason, error, now, rules)
        case Observed(post):
            return _observed(state, post)
        case GaveUp(reason, is_unknown):
            return _gave_up(state, reason, is_unknown=is_unknown)
        case Interrupted():
            return _interrupted(state, now, rules)
        case TakenOver():
            return _settle(state, DeliveryStatus.PENDING, "another process carries it out now")
        case Withdrawn(reason, is_cancel):
            return _withdrawn(state, reason, is_cancel=is_cancel)


def _settle(state: PartState, end: DeliveryStatus | None, reason: str | None = None) -> tuple[PartState, Command]:
    return evolve(state, stage=Stage.SETTLED, end=end, reason=reason or state.reason), Settle()


def _accepted(state: PartState, post: Post, *, is_reconciled: bool) -> tuple[PartState, Command]:
    attempts = state.attempts
    if attempts:
        attempts = (*attempts[:-1], evolve(attempts[-1], post_id=post.id))
    state = evolve(
        state, stage=Stage.ACCEPTED, post=post, attempts=attempts, is_reconciled=is_reconciled, error=None, reason=None
    )
    if post.is_terminal or (state.part.at is not None and post.status is PostStatus.SCHEDULED):
        return _settle(state, None)
    return state, Watch()


def _failed(state: PartState, error: BaseException, now: float) -> tuple[PartState, Command]:
    state = evolve(state, error=error)
    if state.stage is not Stage.SENDING or effect_of(error) is Effect.NONE:
        return _settle(state, failure_status(error), str(error))
    if state.attempts:
        state = evolve(state, attempts=(*state.attempts[:-1], evolve(state.attempts[-1], ended_at=now)))
    # A look right away can't prove an absence, but it finds most lost answers a minute earlier.
    return evolve(state, stage=Stage.LOOKING, absences=0, doubts=0, look_failures=0), Look(now)


def _interrupted(state: PartState, now: float, rules: Rules) -> tuple[PartState, Command]:
    """Go on from what was noted; what may have been sent is looked up once it can't be on its way any more."""
    match state.stage:
        case Stage.SENDING | Stage.LOOKING:
            error = state.error or OutcomeUnknown(
                "the process ended before the answer was noted", operation="publish", provider="the provider"
            )
            looking = evolve(state, stage=Stage.LOOKING, error=error, absences=0, doubts=0, look_failures=0)
            return looking, Look(max(now, _quiet_since(state, now) + rules.settle_after))
        case Stage.ACCEPTED:
            return state, Watch()
        case Stage.READY:
            return state, Send()
        case _:
            return evolve(state, stage=Stage.PREPARING), Prepare()


def _quiet_since(state: PartState, now: float) -> float:
    """Return since when nothing of the current attempt can be on its way: it ended, or its send deadline passed."""
    attempt = state.attempt
    if attempt is None:
        return now
    if attempt.ended_at is not None:
        return attempt.ended_at
    return attempt.send_deadline if attempt.send_deadline is not None else attempt.started_at


def _absent(state: PartState, now: float, rules: Rules) -> tuple[PartState, Command]:
    quiet_since = _quiet_since(state, now)
    absences = state.absences + 1 if now - quiet_since >= rules.settle_after else 0
    if absences < 2:
        return evolve(state, absences=absences), Look(max(now, quiet_since) + rules.settle_after)
    if isinstance(state.error, APIStatusError) and state.error.status < 500:
        return _settle(state, DeliveryStatus.REFUSED, str(state.error))
    if len(state.attempts) >= rules.max_attempts:
        reason = f"sent {len(state.attempts)} times without taking effect: {state.error}"
        return _settle(state, DeliveryStatus.NOT_SENT, reason)
    return evolve(state, stage=Stage.READY, absences=0), Send()


def _undecided(
    state: PartState, reason: str, error: BaseException | None, now: float, rules: Rules
) -> tuple[PartState, Command]:
    if error is not None:
        failures = state.look_failures + 1
        is_outage = isinstance(error, (TransportError, RateLimitError, ServerError))
        is_worth_it = is_outage and now - _quiet_since(state, now) < rules.look_patience
        if failures < rules.max_look_failures or is_worth_it:
            growth = min(max(0, failures - rules.max_look_failures), _LONGEST_LOOK)
            return evolve(state, look_failures=failures), Look(now + rules.settle_after * 2.0**growth)
        return _settle(state, DeliveryStatus.UNKNOWN, f"{state.error}; it can't be looked up: {reason}")
    if state.doubts == 0:
        return evolve(state, doubts=1), Look(now + rules.settle_after)
    return _settle(state, DeliveryStatus.UNKNOWN, f"{state.error}; {reason}")


def _observed(state: PartState, post: Post) -> tuple[PartState, Command | None]:
    # One that is followed to its end was scheduled before; one that an unclear answer accepted becomes so only now.
    was_scheduled = state.post is not None and state.post.status is PostStatus.SCHEDULED
    is_kept = state.part.at is not None and post.status is PostStatus.SCHEDULED and not was_scheduled
    state = evolve(state, post=post)
    return _settle(state, None) if post.is_terminal or is_kept else (state, None)


def _gave_up(state: PartState, reason: str, *, is_unknown: bool) -> tuple[PartState, Command]:
    match state.stage:
        case Stage.ACCEPTED:
            return _settle(state, DeliveryStatus.UNKNOWN if is_unknown else None, reason)
        case Stage.SENDING | Stage.LOOKING:
            return _settle(state, DeliveryStatus.UNKNOWN, reason)
        case _:
            return _settle(state, DeliveryStatus.NOT_SENT, reason)


def _withdrawn(state: PartState, reason: str, *, is_cancel: bool) -> tuple[PartState, Command | None]:
    if state.stage not in (Stage.PLANNED, Stage.PREPARING, Stage.READY) or state.attempts:
        return state, None
    return _settle(state, DeliveryStatus.CANCELLED if is_cancel else DeliveryStatus.NOT_SENT, reason)


def deliveries_of(state: PartState) -> tuple[Delivery, ...]:
    """Return what is so on each account of the part, as far as it is known now."""
    accounts = state.part.accounts
    if state.post is not None:
        deliveries = deliveries_of_post(state.post, accounts)
        if state.end is None:
            return deliveries
        return tuple(d if d.status.is_terminal else evolve(d, status=state.end, error=state.reason) for d in deliveries)
    if state.end is not None:
        return same_for_all(accounts, state.end, error=state.reason)
    if state.stage is Stage.LOOKING:
        return same_for_all(accounts, DeliveryStatus.UNKNOWN, error=str(state.error))
    return same_for_all(accounts, DeliveryStatus.PENDING)
