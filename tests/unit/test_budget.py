"""What writes leave to reads: nothing where it would cost a short batch a window, a share where the batch is long."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelpub.policies.allowance import is_tight, kept_for_owed, kept_for_reads, spare_slots
from reelpub.policies.budget import Backlog, Budget, ReadUse
from reelpub.policies.headers import Quota
from reelpub.policies.pacing import Pacer

W = 60.0


def idle(limit):
    """Return the slots of a limit of which nothing was used: *limit* at once every window."""
    return lambda number: number // limit * W


def kept(writes, *, limit=60, most=6, now=0.0, since=0.0, put_off=150.0):
    return kept_for_reads(
        now, most=most, writes=writes, since=since, limit=limit, window=W, put_off=put_off, slot_at=idle(limit)
    )


class TestShare:
    @pytest.mark.parametrize("writes", [60, 120, 180])
    def test_reads_give_way_where_all_is_out_within_a_while_and_fills_its_windows(self, writes):
        assert kept(writes) == 0

    @pytest.mark.parametrize(("writes", "each"), [(59, 1), (50, 6), (119, 0.5), (200, 6), (100, 6)])
    def test_what_is_left_over_of_the_last_window_is_the_reads(self, writes, each):
        assert kept(writes) == each

    def test_a_longer_batch_that_fills_its_windows_is_given_one_more_and_shares_it_out(self):
        assert kept(600) == pytest.approx(60 / 11)
        assert kept(600, put_off=600.0) == 0

    def test_a_longer_batch_with_enough_left_over_isnt(self):
        assert kept(400) == pytest.approx(20 / 7)

    def test_a_long_batch_leaves_the_whole_share_and_goes_on_doing_so(self):
        assert kept(1000) == 6
        assert kept(60, since=-900.0) == 6

    def test_nothing_is_kept_where_there_is_no_share_and_the_share_where_nobody_knows(self):
        assert kept(100, most=0) == 0
        assert kept(0) == 6

    def test_a_limit_of_one_leaves_nothing(self):
        assert kept(1000, limit=1, most=1, since=-1e6) == 1
        assert kept(3, limit=1, most=1) == 0

    @given(st.integers(1, 700), st.integers(1, 60), st.integers(0, 6))
    def test_a_short_batch_ends_no_later_for_its_reads(self, writes, limit, most):
        """As many reads as that, in every window of it, leave the last write where it was."""
        each = kept(writes, limit=limit, most=min(most, limit), put_off=1e9)
        bursts = math.ceil(writes / limit)
        if (bursts - 1) * W <= 12 * W:
            assert idle(limit)(writes - 1 + math.floor(each * bursts + 1e-9)) == idle(limit)(writes - 1)


class TestSpare:
    @given(st.integers(1, 500), st.integers(1, 60), st.integers(0, 59), st.integers(0, 5))
    def test_so_many_more_fit_and_not_one_beyond_them(self, writes, limit, used, in_flight):
        pacer = Pacer(limit)
        for number in range(min(used, limit)):
            pacer.sent(-30.0 + number / 10)
            if number >= in_flight:
                pacer.answered(-30.0 + number / 10, None, None, sent_at=-30.0)

        def slot_at(number):
            return pacer.slot_at(0.0, number)

        spare = spare_slots(writes, limit=limit, slot_at=slot_at, tolerance=6.0)
        assert slot_at(writes - 1 + spare) <= slot_at(writes - 1) + 6.0
        assert spare == limit or slot_at(writes + spare) > slot_at(writes - 1) + 6.0

    def test_a_batch_is_tight_where_it_fills_its_windows_and_is_soon_over(self):
        def tight(writes, **options):
            return is_tight(writes, **{"since": 0.0, "limit": 10, "window": W, "slot_at": idle(10)} | options)

        assert tight(200)
        assert not tight(199)
        assert not tight(1000)
        assert not tight(10, since=-2000.0)


class TestOwed:
    """Where each post takes a read of its own."""

    def owed(self, writes, owed, limit=60):
        return kept_for_owed(0.0, owed=owed, writes=writes, limit=limit, window=W, slot_at=idle(limit))

    def test_reads_get_what_is_left_over_until_a_window_before_the_end(self):
        assert self.owed(400, 200) == pytest.approx(140 / 10, abs=2)

    def test_they_wait_where_that_would_put_off_the_last_write(self):
        assert self.owed(120, 60) == 0
        assert self.owed(60, 10) == 0

    def test_they_never_get_everything(self):
        assert self.owed(1, 10_000) <= 59


def paced(limit=60):
    """Return a pacer that knows its server's windows."""
    pacer = Pacer(limit)
    pacer.sent(0.0)
    pacer.answered(0.0, Quota(limit=limit, remaining=limit - 1, reset_in=60.0), 200, sent_at=0.0)
    return pacer


class TestBudget:
    def test_nothing_is_kept_before_reads_are_expected_or_after(self):
        budget = Budget(6, W, 150.0)
        assert budget.keep(0.0, paced(), 0) == (0, math.inf)
        budget.expect_reads(100.0, 0)
        assert budget.keep(0.0, paced(), 0) == (6, 100.0)
        assert budget.keep(100.0, paced(), 0) == (0, math.inf)

    def test_reads_of_the_last_window_count(self):
        budget = Budget(6, W, 150.0)
        budget.expect_reads(1000.0, 0)
        budget.reads.in_flight += 2
        budget.reads.answered(10.0)
        assert budget.keep(11.0, paced(), 0)[0] == 4
        assert budget.keep(71.0, paced(), 0)[0] == 5

    def test_what_is_to_be_written_decides_where_slots_can_be_planned_with(self):
        budget = Budget(6, W, 150.0)
        budget.expect_reads(1000.0, 0)
        budget.writes.expect(1, 119, 0.0)
        assert budget.keep(0.0, paced(), 0)[0] == 0
        assert budget.keep(0.0, Pacer(60), 0)[0] == 6, "it isn't known whether there are windows"
        assert budget.is_pressed(0.0, paced())

    def test_more_that_waits_than_was_said_counts(self):
        budget = Budget(6, W, 150.0)
        budget.expect_reads(1000.0, 0)
        budget.writes.expect(1, 5, 0.0)
        assert budget.kept(0.0, paced(), 0) > 0
        assert budget.kept(0.0, paced(), 59) == 0

    def test_owed_reads_are_planned_with_the_writes(self):
        budget = Budget(6, W, 150.0)
        budget.expect_reads(1000.0, 200)
        budget.writes.expect(1, 400, 0.0)
        assert budget.kept(0.0, paced(), 0) > 6


def test_a_backlog_counts_what_its_owners_said_until_it_goes_out():
    backlog = Backlog()
    backlog.granted()
    backlog.returned()
    assert backlog.total == 0
    backlog.expect(1, 2, 10.0)
    backlog.expect(2, 1, 20.0)
    assert (backlog.total, backlog.since) == (3, 10.0)
    backlog.granted()
    backlog.granted()
    backlog.returned()
    assert backlog.total == 2
    backlog.forget(1)
    backlog.forget(1)
    assert backlog.total == 1
    backlog.forget(2)
    assert backlog.total == 0
    backlog.expect(2, 1, 30.0)
    assert backlog.since == 30.0


def test_the_slot_of_a_read_is_the_reads_for_a_window_after_its_answer():
    use = ReadUse(W)
    use.in_flight = 1
    assert use.recent(0.0) == 1
    use.answered(5.0)
    assert (use.recent(64.9), use.recent(65.0)) == (1, 0)
