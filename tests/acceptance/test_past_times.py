"""A retry of what had a time that has passed goes out now; what went out at that time in another run does not."""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve

from reelpub import Clip, OutcomeStatus, PublishRequest, SqliteStore, bulk
from reelpub.clocks import utc_now
from reelpub.manifest.rows import ManifestRow
from reelpub.sandbox import REAP_ACCOUNTS

X = REAP_ACCOUNTS[4]


def test_what_another_run_has_published_at_its_time_isnt_sent_again_later(play, tmp_path):
    """Refused while its account was away, published by the file's next run, and then retried in the first one."""
    path = tmp_path / "runs.db"

    async def story(stage):
        at = utc_now(stage.clock) + timedelta(hours=2)
        asked = PublishRequest(Clip("demo-project-1", "demo-clip-1"), title="T", accounts=[X.name], at=at)

        async def begun():
            async with bulk.opened(SqliteStore(path)) as store:
                row = ManifestRow(number=1, line=2, request=asked)
                return await bulk.begin(store, [row], name="posts.csv", command="publish", now=utc_now(stage.clock))

        async def done(call, run):
            store = SqliteStore(path)
            async with stage.orchestrator(store=store) as publishing:
                return (await call(publishing, store, run)).rows[0]

        stage.sandbox.connect_account("reap", evolve(X, status="inactive"))
        old = await begun()
        assert (await done(bulk.carry_out, old)).status is OutcomeStatus.REFUSED
        stage.sandbox.connect_account("reap", X)
        new = await begun()
        await done(bulk.carry_out, new)
        assert (await done(bulk.watch, new)).status is OutcomeStatus.PUBLISHED
        row = await done(bulk.retry_failed, old)
        assert stage.sandbox.duplicates() == []
        assert row.status is OutcomeStatus.DUPLICATE

    play(story)
