"""The report of a run that really was carried out says what the run's store says, row by row, account by account."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

from reelpub import (
    Clip,
    GeneratedPost,
    MemoryStore,
    OutcomeStatus,
    PublishRequest,
    report,
)
from reelpub.bulk import begin, cancel, carry_out, load
from reelpub.clocks import utc_now
from reelpub.manifest.rows import ManifestRow
from reelpub.sandbox import Fault, FaultKind, ReapDialect
from reelpub.store import codec


def requests(now):
    """Yield requests that end in every way in which a sandbox can end them."""
    for number in range(1, 4):
        yield PublishRequest(Clip("demo-project-1", f"demo-clip-{number}"), title="Part", accounts=("youtube:acme",))
    yield PublishRequest(Clip("demo-project-1", "demo-clip-1"), title="Part", accounts=("youtube:acme",))
    yield PublishRequest(Clip("demo-project-1", "demo-clip-4"), title="Part", accounts=("youtube:nobody",))
    yield PublishRequest(Clip("demo-project-1", "demo-clip-5"), title="Part", accounts=("linkedin:acme",))
    yield PublishRequest(Clip("demo-project-1", "demo-clip-6"), title="Part", accounts=("linkedin:acme", "x:acme"))
    yield PublishRequest(GeneratedPost("demo-generated-post-1", approve=True))
    yield PublishRequest(GeneratedPost("demo-generated-post-2"), accounts=("tiktok:acme", "instagram:acme"))
    for number in (3, 4):
        yield PublishRequest(
            GeneratedPost(f"demo-generated-post-{number}"), accounts=("tiktok:acme",), at=now + timedelta(days=number)
        )
    yield PublishRequest(GeneratedPost("demo-generated-post-5"), accounts=("instagram:acme_two",))


FAULTS = (
    Fault(FaultKind.PLATFORM_FAILS, provider="reap", account="linkedin:acme", times=2),
    Fault(FaultKind.LOST_AFTER, provider="reelmirror", operation="approveGeneratedPost"),
    Fault(FaultKind.STUCK, provider="reelmirror", account="instagram:acme_two"),
)
CALLED_OFF = 11


def test_a_report_says_what_the_store_says(play):
    async def story(stage):
        stage.sandbox.order(*FAULTS)
        now, store = utc_now(stage.clock), MemoryStore()
        async with stage.orchestrator(store=store) as pub:
            rows = [
                ManifestRow(number=number, line=number + 1, request=request)
                for number, request in enumerate(requests(now), start=1)
            ]
            run = await begin(store, rows, name="spring.csv", command="publish spring.csv", now=now)
            await carry_out(pub, store, run, timeout=600)
            await cancel(pub, store, run, rows=[CALLED_OFF])
            record = await load(store, run)
            stored = {job.id: job for job in await store.jobs(run)}, await store.rows(run), await store.events(run)
        return record, stored, stage.live()

    record, (jobs, rows, events), live = play(story, reap=ReapDialect(urls_by="platform"))
    page = report.render(record, generated_at=datetime(2027, 1, 1, tzinfo=UTC))
    told = json.loads(re.search(r'<script type="application/json" id="record">(.*?)</script>', page).group(1))
    assert told["run"] == record.id
    assert [row["number"] for row in told["rows"]] == [row.number for row in rows]

    for row, values in zip(rows, told["rows"], strict=True):
        job = jobs.get(dict(values["facts"])["Job"])
        kept = job.outcome if job is not None else row.outcome
        if kept is None:
            assert values["status"] == "pending"
            continue
        outcome = codec.load_outcome(kept)
        assert values["status"] == str(outcome.status)
        accounts = [
            (one["name"], one.get("status"), one.get("url"), one.get("words")) for one in values.get("accounts", ())
        ]
        delivered = [(str(one.account), str(one.status), one.url, one.error) for one in outcome.deliveries]
        assert accounts == delivered or not delivered
        assert values["sends"] == outcome.requests
        assert outcome.reason is None or any(outcome.reason in words for words in values["words"])

    counts = {status: sum(row["status"] == status for row in told["rows"]) for status in OutcomeStatus}
    assert {status for status, count in counts.items() if count} >= {
        *("published", "partly_published", "scheduled", "refused", "failed", "cancelled", "duplicate", "unknown"),
        "pending",
    }
    assert len(live) >= sum(one.get("status") == "published" for row in told["rows"] for one in row.get("accounts", ()))
    of_jobs = [event for _, event in events if event.job_id is not None]
    assert sum(len(row.get("moments", ())) for row in told["rows"]) == len(of_jobs) > 20
    assert "demo-generated-post-5" in page
