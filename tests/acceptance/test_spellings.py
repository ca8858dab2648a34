"""The same post asked for twice in other words goes out once: how a row is spelt makes no other post of it."""

from __future__ import annotations

import pytest

from reelpub import OutcomeStatus, SqliteStore, bulk
from reelpub.bulk.plan import plan
from reelpub.clocks import utc_now
from reelpub.manifest import read_manifest

HEADER = "clip,caption,accounts\n"
CLIP = "demo-project-1/demo-clip-1"
PAIRS = {
    "an account by its id": (f"{CLIP},c,tiktok:acme", f"{CLIP},c,5eed0000000000000000a001"),
    "its id first": (f"{CLIP},c,5eed0000000000000000a001;x:acme", f"{CLIP},c,x:acme;tiktok:acme"),
    "line ends of another system": (f'{CLIP},"a\nb",tiktok:acme', f'{CLIP},"a\r\nb",tiktok:acme'),
    "letters put together otherwise": (f"{CLIP},Caf\u00e9,tiktok:acme", f"{CLIP},Cafe\u0301,tiktok:acme"),
}


@pytest.mark.parametrize("rows", PAIRS.values(), ids=PAIRS)
def test_one_post_in_two_spellings_goes_out_once(play, tmp_path, rows):
    path = tmp_path / "posts.csv"
    path.write_bytes((HEADER + "\n".join(rows) + "\n").encode())

    async def story(stage):
        store = SqliteStore(tmp_path / "runs.db")
        async with bulk.opened(store):
            now = utc_now(stage.clock)
            run = await bulk.begin(store, list(read_manifest(path)), name="posts.csv", command="publish", now=now)
        async with stage.orchestrator(store=store) as publishing:
            record = await bulk.carry_out(publishing, store, run)
        assert stage.sandbox.duplicates() == []
        assert [row.status for row in record.rows] == [OutcomeStatus.PUBLISHED, OutcomeStatus.DUPLICATE]

    play(story)


@pytest.mark.parametrize("rows", PAIRS.values(), ids=PAIRS)
def test_one_post_in_two_files_in_two_spellings_goes_out_once(play, tmp_path, rows):
    """Each file is a run of its own, in a process of its own, and the plan of the second says so beforehand."""
    files = [tmp_path / f"{number}.csv" for number in (1, 2)]
    for file, row in zip(files, rows, strict=True):
        file.write_bytes(f"{HEADER}{row}\n".encode())

    async def story(stage):
        statuses = []
        for file in files:
            store, asked, now = SqliteStore(tmp_path / "runs.db"), list(read_manifest(file)), utc_now(stage.clock)
            async with bulk.opened(store), stage.orchestrator(store=store) as publishing:
                made = await plan(asked, publishing.publishers, now=now, found=lambda _: None, store=store)
                run = await bulk.begin(store, asked, name=file.name, command="publish", now=now)
                record = await bulk.carry_out(publishing, store, run)
            statuses += [(made.remembered, row.status) for row in record.rows]
        assert stage.sandbox.duplicates() == []
        assert statuses == [(0, OutcomeStatus.PUBLISHED), (1, OutcomeStatus.DUPLICATE)]

    play(story)
