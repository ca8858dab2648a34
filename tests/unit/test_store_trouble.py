"""A store that can't be written to for a while: told once, with what to do, and once when it can be again."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

import pytest

from reelpub import Clip, Orchestrator, OutcomeStatus, ProviderLimits, PublishRequest, bulk
from reelpub.errors import StoreError
from reelpub.manifest.rows import ManifestRow
from reelpub.store import MemoryStore, SqliteStore, StoredRun
from reelpub.store.trouble import Trouble
from reelpub.testing import InMemoryPublisher, run_virtual

NOW = datetime.fromtimestamp(1_800_000_000, UTC)
ROWS = 200


class FillingUp(MemoryStore):
    """Takes nothing of a run while it `is_full`."""

    is_full = False

    def _require_room(self):
        if self.is_full:
            raise StoreError("database or disk is full")

    async def add(self, *arguments, **options):
        self._require_room()
        return await super().add(*arguments, **options)

    async def put(self, *arguments, **options):
        self._require_room()
        await super().put(*arguments, **options)

    async def settle(self, *arguments, **options):
        self._require_room()
        await super().settle(*arguments, **options)

    async def renew(self, *arguments, **options):
        self._require_room()
        await super().renew(*arguments, **options)

    async def settle_rows(self, *arguments, **options):
        self._require_room()
        await super().settle_rows(*arguments, **options)

    async def add_events(self, *arguments, **options):
        self._require_room()
        await super().add_events(*arguments, **options)


def told(caplog):
    return [entry.getMessage() for entry in caplog.records if entry.levelno >= logging.WARNING]


def test_a_disk_that_is_full_for_minutes_isnt_told_for_each_row_and_second(caplog):
    async def main(clock):
        store = FillingUp()
        limits = ProviderLimits(requests=60, max_tags=10)
        async with Orchestrator([InMemoryPublisher(clock=clock, limits=limits)], clock=clock, store=store) as pub:
            rows = [
                ManifestRow(number=n, line=n + 1, request=PublishRequest(Clip("p", f"c{n}"), accounts=["tiktok:acme"]))
                for n in range(1, ROWS + 1)
            ]
            run = await bulk.begin(store, rows, name="posts.csv", command="publish", now=NOW)
            working = asyncio.create_task(bulk.carry_out(pub, store, run))
            await clock.sleep(90)
            store.is_full = True
            await clock.sleep(300)
            during = told(caplog)
            store.is_full = False
            await working
            await bulk.carry_out(pub, store, run)
            record = await bulk.retry_failed(pub, store, run)
        assert {row.status for row in record.rows} == {OutcomeStatus.PUBLISHED}
        return during, told(caplog)

    with caplog.at_level(logging.WARNING, "reelpub"):
        during, whole = run_virtual(main)
    assert 1 <= len(during) <= 5, during
    assert any("disk is full" in message for message in during)
    assert 1 <= sum("noted again" in message for message in whole) <= 4, whole


def test_the_others_of_a_row_of_failures_can_be_had_for_looking_into_it(caplog):
    trouble = Trouble(logging.getLogger("reelpub.test"))
    with caplog.at_level(logging.DEBUG, "reelpub.test"):
        trouble.is_over("fine")
        for number in (1, 2, 3):
            trouble.tell("failed %d", number)
        trouble.is_over("fine")
        trouble.is_over("fine")
        trouble.tell("failed %d", 4)
    assert [(entry.levelname, entry.getMessage()) for entry in caplog.records] == [
        ("WARNING", "failed 1"),
        ("DEBUG", "failed 2"),
        ("DEBUG", "failed 3"),
        ("WARNING", "fine"),
        ("WARNING", "failed 4"),
    ]


async def test_a_full_disk_says_what_to_do(tmp_path):
    store = SqliteStore(tmp_path / "runs.db")
    async with bulk.opened(store):
        store._db.execute("PRAGMA max_page_count=1")
        with pytest.raises(StoreError, match="disk is full; make room"):
            await store.add_run(StoredRun(id="r", name="n" * 100_000, command="publish", started_at=0.0), [])
