"""The life of one part: rows of the transition table, and a machine that tries to make it publish twice."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from reelpub.errors import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    ConnectError,
    DecodeError,
    OutcomeUnknown,
    RateLimitError,
    RateLimitWouldBlock,
    RequestTimeout,
    ServerError,
    StoreError,
    ValidationError,
)
from reelpub.models.account import Account
from reelpub.models.job import Attempt, Part, Prepared
from reelpub.models.post import Delivery, DeliveryStatus, Post, PostStatus
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.models.source import Clip
from reelpub.policies.lifecycle import (
    Accepted,
    Begin,
    Failed,
    GaveUp,
    Interrupted,
    Look,
    Looked,
    LookedAbsent,
    LookedUndecided,
    Observed,
    PartState,
    Prepare,
    ReadyToSend,
    Rules,
    Send,
    Sending,
    Settle,
    Stage,
    TakenOver,
    Unsent,
    Watch,
    Withdrawn,
    deliveries_of,
    step,
)

ACCOUNTS = tuple(Account(id=f"a{n}", provider="p", platform="tiktok", username=f"u{n}") for n in (1, 2))
PART = Part(id="j.1", job_id="j", request=PublishRequest(Clip("p", "c")), accounts=ACCOUNTS)
LATER = evolve(PART, at=datetime(2027, 6, 1, tzinfo=UTC))
RULES = Rules(settle_after=30.0, max_attempts=3, max_look_failures=3)
SAID = {"operation": "publish", "provider": "p"}
NOW = 1000.0

LOST = [
    RequestTimeout("slow", sent=True, **SAID),
    RequestTimeout("reset", sent=None, **SAID),
    ServerError("oops", status=502, **SAID),
    DecodeError("cut off", status=200, **SAID),
    OutcomeUnknown("raised", **SAID),
    ValueError("a publisher with a bug"),
]
HARMLESS = [
    (BadRequestError("bad", status=422, **SAID), DeliveryStatus.REFUSED),
    (AuthenticationError("who", status=401, **SAID), DeliveryStatus.REFUSED),
    (ValidationError([Problem(field="at", message="is too soon")]), DeliveryStatus.REFUSED),
    (RateLimitError("slow down", status=429, **SAID), DeliveryStatus.NOT_SENT),
    (ConnectError("refused", **SAID), DeliveryStatus.NOT_SENT),
    (RateLimitWouldBlock(60, **SAID), DeliveryStatus.NOT_SENT),
    (ConfigurationError("closed"), DeliveryStatus.NOT_SENT),
    (StoreError("disk full"), DeliveryStatus.NOT_SENT),
]
CONFLICT = ConflictError("published already", status=409, **SAID)


def post(status=PostStatus.PUBLISHING, *statuses, **members):
    deliveries = tuple(Delivery(account=a, status=s) for a, s in zip(ACCOUNTS, statuses, strict=False))
    return Post(id="p1", provider="p", publisher="pub", status=status, deliveries=deliveries, **members)


def attempt(number=1, at=NOW, part=PART):
    return Attempt(id=f"j.1.{number}", part_id=part.id, number=number, started_at=at, send_deadline=at + 30)


def life(*events, part=PART, now=NOW, rules=RULES):
    """Return the state and the last command after *events*; a number moves the time on."""
    state, command = PartState(part=part), None
    for event in events:
        if isinstance(event, (int, float)):
            now += event
        else:
            state, command = step(state, event, now, rules)
    return state, command


READY = (Begin(), ReadyToSend(Prepared(part=PART)))
SENT = (*READY, Sending(attempt()))
LOOKING = (*SENT, Failed(LOST[0]))


class TestOnTheWay:
    def test_the_plain_course(self):
        assert life(Begin()) == (PartState(part=PART, stage=Stage.PREPARING), Prepare())
        state, command = life(*READY)
        assert (state.stage, command) == (Stage.READY, Send())
        state, command = life(*SENT)
        assert (state.stage, command, state.attempt) == (Stage.SENDING, None, attempt())
        state, command = life(*SENT, Accepted(post()))
        assert (state.stage, command, state.attempt.post_id) == (Stage.ACCEPTED, Watch(), "p1")
        state, command = life(*SENT, Accepted(post()), Observed(post(PostStatus.PUBLISHED)))
        assert (state.stage, command, state.end) == (Stage.SETTLED, Settle(), None)

    def test_a_post_that_has_ended_needs_no_watching(self):
        state, command = life(*SENT, Accepted(post(PostStatus.PUBLISHED)))
        assert (state.is_settled, command) == (True, Settle())

    def test_a_view_without_news_goes_on(self):
        state, command = life(*SENT, Accepted(post()), Observed(post(raw_status="rendering")))
        assert (state.stage, command, state.post.raw_status) == (Stage.ACCEPTED, None, "rendering")

    def test_a_request_that_leaves_again_within_one_sending_replaces_its_attempt(self):
        state, _ = life(*SENT, Sending(attempt(1, NOW + 5)))
        assert state.attempts == (attempt(1, NOW + 5),)

    def test_one_that_provably_did_nothing_can_be_called_off_until_it_leaves_again(self):
        state, command = life(*SENT, Unsent())
        assert (state.stage, state.attempts, command) == (Stage.READY, (), None)
        assert step(state, Sending(attempt(1, NOW + 5)), NOW, RULES)[0].attempts == (attempt(1, NOW + 5),)
        assert step(state, Withdrawn("enough", is_cancel=True), NOW, RULES)[0].end is DeliveryStatus.CANCELLED
        assert step(state, GaveUp("closed"), NOW, RULES)[0].end is DeliveryStatus.NOT_SENT

    def test_one_that_is_looked_up_goes_on_being_looked_up(self):
        looking, _ = life(*SENT, Interrupted())
        assert step(looking, Unsent(), NOW, RULES) == (looking, None)

    def test_one_that_was_sent_before_and_looked_up_cant(self):
        absent = (30.0, LookedAbsent(), 30.0, LookedAbsent(), Sending(attempt(2, NOW + 60)), Unsent())
        state, _ = life(*LOOKING, *absent)
        assert (state.stage, len(state.attempts)) == (Stage.READY, 1)
        assert step(state, Withdrawn("enough", is_cancel=True), NOW, RULES) == (state, None)

    def test_a_publisher_that_never_says_that_it_sends_may_still_have_the_post_accepted(self):
        state, command = life(*READY, Accepted(post()))
        assert (state.stage, command, state.attempts) == (Stage.ACCEPTED, Watch(), ())


class TestScheduled:
    READY = (Begin(), ReadyToSend(Prepared(part=LATER)), Sending(attempt()))

    def test_is_settled_once_the_provider_has_it(self):
        state, command = life(*self.READY, Accepted(post(PostStatus.SCHEDULED)), part=LATER)
        assert (state.is_settled, command, state.end) == (True, Settle(), None)
        assert {d.status for d in deliveries_of(state)} == {DeliveryStatus.SCHEDULED}

    def test_what_goes_out_now_is_followed_even_if_the_provider_calls_it_scheduled(self):
        _, command = life(*SENT, Accepted(post(PostStatus.SCHEDULED)))
        assert command == Watch()

    def test_is_settled_when_a_later_look_shows_that_the_provider_has_it(self):
        state, command = life(*self.READY, Accepted(post(PostStatus.OTHER)), part=LATER)
        assert (state.stage, command) == (Stage.ACCEPTED, Watch())
        state, command = step(state, Observed(post(PostStatus.SCHEDULED)), NOW, RULES)
        assert (state.is_settled, command) == (True, Settle())

    def test_followed_to_its_end_it_is_not_settled_by_being_scheduled_still(self):
        state, _ = life(*self.READY, Accepted(post(PostStatus.SCHEDULED)), part=LATER)
        followed = evolve(state, stage=Stage.ACCEPTED)
        state, command = step(followed, Observed(post(PostStatus.SCHEDULED, raw_status="due")), NOW, RULES)
        assert (state.stage, command) == (Stage.ACCEPTED, None)
        state, command = step(state, Observed(post(PostStatus.PUBLISHED)), NOW, RULES)
        assert (state.is_settled, command) == (True, Settle())


class TestFailures:
    @pytest.mark.parametrize(("error", "end"), HARMLESS)
    @pytest.mark.parametrize("before", [(Begin(),), READY, SENT])
    def test_what_provably_did_nothing_ends_it(self, before, error, end):
        state, command = life(*before, Failed(error))
        assert (state.end, command, state.error) == (end, Settle(), error)
        assert state.reason == str(error)
        assert {d.status for d in deliveries_of(state)} == {end}

    @pytest.mark.parametrize("error", [*LOST, CONFLICT])
    def test_before_anything_left_every_failure_did_nothing(self, error):
        for before in ((Begin(),), READY):
            state, command = life(*before, Failed(error))
            assert (state.is_settled, command, state.end.is_provably_not_live) == (True, Settle(), True)

    @pytest.mark.parametrize("error", [*LOST, CONFLICT])
    def test_a_lost_answer_is_looked_up_at_once(self, error):
        state, command = life(*SENT, 7.0, Failed(error))
        assert (state.stage, command) == (Stage.LOOKING, Look(NOW + 7))
        assert state.attempt.ended_at == NOW + 7
        assert {d.status for d in deliveries_of(state)} == {DeliveryStatus.UNKNOWN}
        assert {d.error for d in deliveries_of(state)} == {str(error)}


class TestLooking:
    def test_what_is_found_is_adopted(self):
        state, command = life(*LOOKING, Looked(post()))
        assert (state.stage, command, state.is_reconciled) == (Stage.ACCEPTED, Watch(), True)
        assert (state.error, state.reason, state.attempt.post_id) == (None, None, "p1")

    def test_an_early_absence_proves_nothing(self):
        state, command = life(*LOOKING, LookedAbsent())
        assert (state.absences, command) == (0, Look(NOW + 30))

    def test_two_late_absences_far_apart_prove_it(self):
        state, command = life(*LOOKING, 0.0, LookedAbsent(), 30.0, LookedAbsent())
        assert (state.stage, state.absences, command) == (Stage.LOOKING, 1, Look(NOW + 60))
        state, command = life(*LOOKING, LookedAbsent(), 30.0, LookedAbsent(), 30.0, LookedAbsent())
        assert (state.stage, command, state.absences) == (Stage.READY, Send(), 0)

    def test_absence_counts_from_the_end_of_the_attempt_and_not_from_its_start(self):
        state, command = life(*SENT, 29.0, Failed(LOST[0]), 2.0, LookedAbsent())
        assert (state.absences, command) == (0, Look(NOW + 31 + 30))

    def test_a_conflict_about_something_that_is_not_there_is_a_refusal(self):
        looks = (LookedAbsent(), 30.0, LookedAbsent(), 30.0, LookedAbsent())
        state, command = life(*SENT, Failed(CONFLICT), *looks)
        assert (state.end, command, state.reason) == (DeliveryStatus.REFUSED, Settle(), str(CONFLICT))

    def test_no_more_than_so_many_attempts(self):
        events = [*READY]
        for number in range(1, RULES.max_attempts + 1):
            events += [Sending(attempt(number)), Failed(LOST[2])]
            events += [30.0, LookedAbsent(), 30.0, LookedAbsent()]
        state, command = life(*events)
        assert (state.end, command, len(state.attempts)) == (DeliveryStatus.NOT_SENT, Settle(), 3)
        assert state.reason == f"sent 3 times without taking effect: {LOST[2]}"

    def test_a_second_doubt_ends_as_unknown(self):
        state, command = life(*LOOKING, LookedUndecided("two posts"))
        assert (state.stage, command) == (Stage.LOOKING, Look(NOW + 30))
        state, command = life(*LOOKING, LookedUndecided("two posts"), 30.0, LookedUndecided("two posts"))
        assert (state.end, command) == (DeliveryStatus.UNKNOWN, Settle())
        assert state.reason == f"{LOST[0]}; two posts"

    def test_looks_that_fail_are_made_again_so_many_times(self):
        failed = LookedUndecided("down", AuthenticationError("down", status=401, **SAID))
        state, command = life(*LOOKING, failed, failed)
        assert (state.stage, command) == (Stage.LOOKING, Look(NOW + 30))
        state, command = life(*LOOKING, failed, failed, failed)
        assert (state.end, command) == (DeliveryStatus.UNKNOWN, Settle())
        assert state.reason == f"{LOST[0]}; it can't be looked up: down"

    @pytest.mark.parametrize(
        "error",
        [
            ServerError("down", status=503, **SAID),
            ConnectError("refused", **SAID),
            RequestTimeout("slow", sent=True, **SAID),
            RateLimitError("slow down", status=429, **SAID),
        ],
    )
    def test_looks_that_fail_in_an_outage_are_made_for_an_hour_ever_less_often(self, error):
        """What became of it can be known as soon as the provider answers again."""
        failed = LookedUndecided("down", error)
        state, now, waits = life(*LOOKING)[0], NOW, []
        while not state.is_settled:
            state, command = step(state, failed, now, RULES)
            if isinstance(command, Look):
                waits.append(command.at - now)
                now = command.at
        assert waits[:7] == [30, 30, 30, 60, 120, 240, 240]
        assert waits[7:] == [240] * len(waits[7:])
        assert 3600 <= now - NOW < 3600 + 240
        assert state.end is DeliveryStatus.UNKNOWN

    def test_a_later_loss_starts_its_looks_anew(self):
        again = (30.0, LookedAbsent(), 30.0, LookedAbsent(), Sending(attempt(2, NOW + 60)), Failed(LOST[1]))
        state, _ = life(*LOOKING, LookedUndecided("hm"), *again)
        assert (state.absences, state.doubts, state.look_failures) == (0, 0, 0)


class TestLettingGo:
    @pytest.mark.parametrize(
        ("before", "end"),
        [
            ((), DeliveryStatus.NOT_SENT),
            ((Begin(),), DeliveryStatus.NOT_SENT),
            (READY, DeliveryStatus.NOT_SENT),
            (SENT, DeliveryStatus.UNKNOWN),
            (LOOKING, DeliveryStatus.UNKNOWN),
            ((*SENT, Accepted(post())), None),
        ],
    )
    def test_giving_up_says_what_is_known(self, before, end):
        state, command = life(*before, GaveUp("closing"))
        assert (state.end, state.reason, command) == (end, "closing", Settle())

    def test_an_accepted_post_that_is_gone_is_unknown_where_it_had_not_ended(self):
        shown = post(PostStatus.PUBLISHING, DeliveryStatus.PUBLISHED, DeliveryStatus.PUBLISHING)
        state, _ = life(*SENT, Accepted(shown), GaveUp("it is gone", is_unknown=True))
        ends = [(d.status, d.error) for d in deliveries_of(state)]
        assert ends == [(DeliveryStatus.PUBLISHED, None), (DeliveryStatus.UNKNOWN, "it is gone")]

    @pytest.mark.parametrize("before", [(), (Begin(),), READY])
    @pytest.mark.parametrize(("is_cancel", "end"), [(True, DeliveryStatus.CANCELLED), (False, DeliveryStatus.NOT_SENT)])
    def test_what_has_not_left_can_be_withdrawn(self, before, is_cancel, end):
        state, command = life(*before, Withdrawn("enough", is_cancel=is_cancel))
        assert (state.end, state.reason, command) == (end, "enough", Settle())

    @pytest.mark.parametrize("before", [SENT, LOOKING, (*SENT, Accepted(post()))])
    def test_what_may_have_left_can_not(self, before):
        state, _ = life(*before)
        assert step(state, Withdrawn("enough", is_cancel=True), NOW, RULES) == (state, None)

    @pytest.mark.parametrize("before", [(), (Begin(),), READY, SENT, LOOKING, (*SENT, Accepted(post()))])
    def test_what_another_process_carries_out_is_pending_here(self, before):
        state, command = life(*before, TakenOver())
        assert (state.is_settled, command) == (True, Settle())
        assert {d.status for d in deliveries_of(state)} == {DeliveryStatus.PENDING}

    @pytest.mark.parametrize(
        "late",
        [
            Begin(),
            ReadyToSend(Prepared(part=PART)),
            Sending(attempt(2)),
            Accepted(post()),
            Failed(LOST[0]),
            Looked(post()),
            LookedAbsent(),
            LookedUndecided("?"),
            Observed(post()),
            GaveUp("late", is_unknown=True),
            Interrupted(),
            TakenOver(),
            Withdrawn("late", is_cancel=True),
        ],
    )
    def test_an_end_is_final_whatever_comes_late(self, late):
        state, _ = life(*SENT, Failed(HARMLESS[0][0]))
        assert step(state, late, NOW + 99, RULES) == (state, None)


class TestInterrupted:
    def test_what_had_not_left_starts_over_or_goes_on(self):
        assert life(Interrupted())[1] == Prepare()
        assert life(Begin(), Interrupted())[1] == Prepare()
        state, command = life(*READY, Interrupted())
        assert (state.stage, command, state.prepared) == (Stage.READY, Send(), Prepared(part=PART))

    def test_what_the_provider_has_is_followed(self):
        assert life(*SENT, Accepted(post()), Interrupted())[1] == Watch()

    def test_what_may_be_on_its_way_is_looked_up_after_its_deadline(self):
        state, command = life(*SENT, 5.0, Interrupted())
        assert (state.stage, command) == (Stage.LOOKING, Look(NOW + 30 + 30))
        assert "the process ended before the answer was noted" in str(state.error)

    def test_an_absence_before_the_deadline_proves_nothing(self):
        state, command = life(*SENT, 5.0, Interrupted(), LookedAbsent())
        assert (state.absences, command) == (0, Look(NOW + 60))

    def test_what_was_being_looked_up_is_looked_up_anew(self):
        state, command = life(*LOOKING, 30.0, LookedAbsent(), Interrupted())
        assert (state.absences, command, state.error) == (0, Look(NOW + 30), LOST[0])


class TestDeliveries:
    def test_are_pending_until_something_is_known(self):
        for events in ((), (Begin(),), READY, SENT):
            assert {d.status for d in deliveries_of(life(*events)[0])} == {DeliveryStatus.PENDING}

    def test_come_from_the_post_once_there_is_one(self):
        shown = post(PostStatus.PUBLISHING, DeliveryStatus.PUBLISHED, DeliveryStatus.FAILED)
        assert deliveries_of(life(*SENT, Accepted(shown))[0]) == shown.deliveries

    def test_are_one_for_each_account(self):
        shown = post(PostStatus.PUBLISHING, DeliveryStatus.PUBLISHED)
        assert [d.account for d in deliveries_of(life(*SENT, Accepted(shown))[0])] == list(ACCOUNTS)


ERRORS = st.sampled_from([*LOST, CONFLICT])
NOTHING_DONE = st.sampled_from([error for error, _ in HARMLESS])
GRACE = RULES.settle_after - 1
"""The provider's view lags by less than the patience that absences are given."""


class PartLife(RuleBasedStateMachine):
    """A part against a provider whose truth is hidden, shows late, and can't always be asked.

    `effects` holds, for each post that is or will be made, when a look begins to show it; it is the oracle, and
    neither the part nor its runtime sees it.
    """

    def __init__(self):
        super().__init__()
        self.now = NOW
        self.state = PartState(part=PART)
        self.command = None
        self.effects = []
        self.flying = None
        self.end = None

    def apply(self, event):
        before = self.state
        self.state, command = step(before, event, self.now, RULES)
        if before.is_settled:
            assert (self.state, command) == (before, None)
            return
        assert not (isinstance(command, Send) and self.effects), "Send, although an attempt is or will be live"
        assert self.state.is_settled == isinstance(command, Settle), "told to settle exactly at the end"
        if command is not None or isinstance(event, Interrupted):
            self.command = command

    def send(self, *, takes):
        number = len(self.state.attempts) + 1
        self.command = None
        self.apply(Sending(attempt(number, self.now)))
        self.flying = takes, self.now + 30
        if takes:
            self.effects.append(float("inf"))

    def land(self, shows_at):
        takes, _ = self.flying
        self.flying = None
        if takes:
            self.effects[-1] = shows_at

    def look(self):
        self.now = max(self.now, self.command.at)
        self.command = None
        shown = [at for at in self.effects if at <= self.now]
        self.apply(Looked(post()) if shown else LookedAbsent())

    @precondition(lambda self: self.state.stage is Stage.PLANNED)
    @rule()
    def begin(self):
        self.apply(Begin())

    @precondition(lambda self: isinstance(self.command, Prepare))
    @rule(error=st.none() | st.none() | ERRORS)
    def prepare(self, error):
        self.command = None
        self.apply(ReadyToSend(Prepared(part=PART)) if error is None else Failed(error))

    @precondition(lambda self: isinstance(self.command, Send))
    @rule(takes=st.booleans())
    def leave(self, takes):
        self.send(takes=takes)

    @precondition(lambda self: isinstance(self.command, Send))
    @rule(error=NOTHING_DONE)
    def no_token(self, error):
        self.command = None
        self.apply(Failed(error))

    @precondition(lambda self: self.flying is not None)
    @rule(lag=st.floats(0, GRACE))
    def answered(self, lag):
        if self.flying[0]:
            self.land(self.now + lag)
            self.apply(Accepted(post()))

    @precondition(lambda self: self.flying is not None)
    @rule(lag=st.floats(0, GRACE), error=ERRORS)
    def answer_lost(self, lag, error):
        self.land(self.now + lag)
        self.apply(Failed(error))

    @precondition(lambda self: self.flying is not None and not self.flying[0])
    @rule(error=NOTHING_DONE)
    def refused(self, error):
        self.land(self.now)
        self.apply(Failed(error))

    @precondition(lambda self: self.flying is not None and not self.flying[0])
    @rule()
    def leaves_again_after_a_429(self):
        self.apply(Sending(attempt(len(self.state.attempts), self.now)))
        self.flying = False, self.now + 30

    @precondition(lambda self: self.flying is not None and not self.flying[0])
    @rule()
    def waits_to_leave_again(self):
        self.flying = None
        self.apply(Unsent())
        self.command = None if self.state.is_settled else Send()

    @precondition(lambda self: isinstance(self.command, Look))
    @rule()
    def look_answered(self):
        self.look()

    @precondition(lambda self: isinstance(self.command, Look))
    @rule(error=st.none() | ERRORS)
    def look_unanswered(self, error):
        self.now = max(self.now, self.command.at)
        self.command = None
        self.apply(LookedUndecided("can't tell", error))

    @precondition(lambda self: isinstance(self.command, Watch))
    @rule(status=st.sampled_from([PostStatus.PUBLISHING, PostStatus.PUBLISHED, PostStatus.OTHER]))
    def observe(self, status):
        self.apply(Observed(post(status)))

    @rule(seconds=st.floats(0, 100))
    def time_passes(self, seconds):
        latest = self.flying[1] if self.flying else float("inf")
        self.now = min(self.now + seconds, latest)

    @precondition(lambda self: self.state.stage is not Stage.SETTLED)
    @rule(share=st.floats(0, 1), lag=st.floats(0, GRACE))
    def crash(self, share, lag):
        """What was on its way may go on until its deadline; another process takes over from what was noted."""
        if self.flying:
            self.land(self.now + share * (self.flying[1] - self.now) + lag)
        self.apply(Interrupted())

    @rule(is_cancel=st.booleans())
    def withdraw(self, is_cancel):
        self.apply(Withdrawn("enough", is_cancel=is_cancel))

    @precondition(lambda self: self.state.stage in (Stage.ACCEPTED, Stage.SETTLED))
    @rule(is_unknown=st.booleans())
    def give_up(self, is_unknown):
        self.apply(GaveUp("enough", is_unknown=is_unknown))

    @invariant()
    def no_account_gets_it_twice(self):
        assert len(self.effects) <= 1

    @invariant()
    def never_too_many_attempts(self):
        assert len(self.state.attempts) <= RULES.max_attempts

    @invariant()
    def an_end_is_true_and_final(self):
        if not self.state.is_settled:
            return
        shown = deliveries_of(self.state)
        assert self.end in (None, shown)
        self.end = shown
        assert [d.account for d in shown] == list(ACCOUNTS)
        statuses = {d.status for d in shown}
        assert len(statuses) == 1
        status = statuses.pop()
        if status.is_provably_not_live or status is DeliveryStatus.CANCELLED:
            assert self.effects == [], f"{status}, although it is live"
        elif status is not DeliveryStatus.UNKNOWN:
            assert len(self.effects) == 1, f"{status}, although nothing is there"

    def teardown(self):
        """From wherever it stands, a runtime that does as it is told comes to an end."""
        for _ in range(100):
            if self.state.is_settled:
                break
            if self.flying:
                self.answer_lost(1.0, LOST[0])
            elif self.state.stage is Stage.PLANNED:
                self.apply(Begin())
            elif isinstance(self.command, Prepare):
                self.prepare(None)
            elif isinstance(self.command, Send):
                self.send(takes=False)
            elif isinstance(self.command, Look):
                self.look()
            else:
                assert isinstance(self.command, Watch), "nothing to do, and no end"
                self.apply(Observed(post(PostStatus.PUBLISHED)))
            self.no_account_gets_it_twice()
        assert self.state.is_settled
        self.an_end_is_true_and_final()


TestPartLife = PartLife.TestCase
TestPartLife.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
