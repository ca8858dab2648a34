"""Whoever made publishers for a run leaves none of them open, wherever the run's work stops."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reelpub.bulk import beginning
from reelpub.bulk.record import RunRecord
from reelpub.cli import stores
from reelpub.cli.progress import runviews
from reelpub.cli.setup import Setup
from reelpub.cli.work.undertaking import Case, undertake
from reelpub.errors import StoreError
from reelpub.manifest.rows import ManifestRow
from reelpub.models.request import PublishRequest
from reelpub.models.source import MediaItems
from reelpub.store import SqliteStore
from reelpub.testing import InMemoryPublisher


class Counted(InMemoryPublisher):
    """Counts how often it is closed."""

    closings = 0

    async def close(self):
        self.closings += 1
        await super().close()


@pytest.fixture
async def case(tmp_path):
    row = ManifestRow(number=1, line=2, request=PublishRequest(MediaItems(["m"]), accounts=["tiktok:acme"]))
    path = stores.prepared(tmp_path / "posts.db")
    async with stores.opened(path) as store:
        now = datetime(2027, 3, 1, tzinfo=UTC)
        run = await beginning.begin(store, [row], name="posts.csv", command="publish", now=now)
    view = runviews.choose(as_json=False)
    return Case(setup=Setup(), store=path, run=run, view=view, publishers=[Counted()])


async def nothing(floor):
    return None


@pytest.mark.parametrize("opening", [0, 1], ids=["reading the run", "the orchestrator"])
async def test_a_store_that_cant_be_opened_leaves_no_publisher_open(case, monkeypatch, opening):
    """As on a disk that is full: the orchestrator never had them to close."""
    openings = iter(range(9))
    opens = SqliteStore.open

    async def fails(store):
        if next(openings) == opening:
            raise StoreError("database or disk is full")
        await opens(store)

    monkeypatch.setattr(SqliteStore, "open", fails)
    with pytest.raises(StoreError, match="full"):
        await undertake(case, nothing)
    assert case.publishers[0].closings == 1


async def test_work_that_ends_closes_each_once(case, capsys):
    assert isinstance(await undertake(case, nothing), RunRecord)
    assert case.publishers[0].closings == 1
