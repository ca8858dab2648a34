"""Two processes on one file, one of them stopped and continued after the other took its job over: each post once.

The stopped one is a process of its own that SIGSTOP hits exactly at one of four points of a request; the other is
this one. It holds as long as a request takes effect within its send deadline and grace (docs/durability.md).
"""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from reelpub import (
    Clip,
    MediaItems,
    Orchestrator,
    OutcomeStatus,
    PublishRequest,
    ReapPublisher,
    ReelMirrorPublisher,
    ScaledClock,
    SqliteStore,
)
from reelpub.sandbox import Sandbox
from reelpub.store import codec

SCALE = 30.0
LEASE = 60.0
"""Of the clock's seconds: two real ones."""
SEND_TIMEOUT = 15.0
"""Half a real second, within which a process that shares its cores with others has to come to its request."""
AT_ONCE = 4

REQUESTS = {
    "reap": PublishRequest(Clip("demo-project-1", "demo-clip-1"), title="T", accounts=["tiktok:acme", "youtube:acme"]),
    "reelmirror": PublishRequest(MediaItems(["demo-media-item-1"]), accounts=["instagram:acme", "tiktok:acme"]),
}
OPERATIONS = {"reap": "publishClip", "reelmirror": "publishOutgoingPost"}
POINTS = ("before connect", "before the write", "after the body", "after the answer")

STOPPED = """
import asyncio, json, os, signal, sys
from reelpub import *
from reelpub.policies.lifecycle import Stage
from reelpub.store import codec
from reelpub.transport import faults

order = json.loads(sys.argv[1])
lost = []
connected = faults._connected

def stop(point):
    if order["point"] == point:
        order["point"] = None
        print("stopped", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)

async def watching(session, context, params):
    await connected(session, context, params)
    if context.trace_request_ctx.operation in ("publish_clip", "publish_outgoing_post"):
        stop("before the write")

faults._connected = watching

class Watched(SqliteStore):
    async def put(self, parts, *, owner):
        stages = {codec.load_part(part.state).stage for part in parts}
        if Stage.ACCEPTED in stages:
            stop("after the answer")
        try:
            await super().put(parts, owner=owner)
        except LeaseLost as error:
            lost.append(str(error))
            raise
        if Stage.SENDING in stages:
            stop("before connect")

    async def renew(self, *, owner, lease_until):
        # One that is stopped in the middle of a commit keeps the file locked, and nobody can take over.
        if order["point"] is None:
            await super().renew(owner=owner, lease_until=lease_until)

async def main():
    clock = ScaledClock(order["scale"], origin=order["origin"])
    env = order["environment"]
    publishers = [
        ReelMirrorPublisher.connect(env["REELMIRROR_API_KEY"], base_url=env["REELMIRROR_BASE_URL"], clock=clock),
        ReapPublisher.connect(env["REAP_API_KEY"], base_url=env["REAP_BASE_URL"], clock=clock),
    ]
    store = Watched(order["path"])
    options = {"clock": clock, "store": store, "lease": order["lease"], "send_timeout": order["send_timeout"]}
    async with Orchestrator(publishers, **options) as publishing:
        outcome = await publishing.publish(codec.load_request(order["request"].encode()))
    print(json.dumps({"status": outcome.status, "reason": outcome.reason, "lost": lost}), flush=True)

asyncio.run(main())
"""


class Cell:
    """One story: a point, a provider, and whether the stopped process goes on at once or when all is over."""

    def __init__(self, folder, provider, point, *, early):
        self.provider, self.point, self.early = provider, point, early
        self.path = folder / f"{provider}-{point}-{early}.db"
        self.clock = ScaledClock(SCALE)
        self.process = None

    def stop_after_body(self, exchange):
        """Stop the process once its request has taken effect, before its answer is written."""
        if self.point == "after the body" and exchange.operation == OPERATIONS[self.provider] and exchange.status:
            self.process.send_signal(signal.SIGSTOP)

    async def play(self):
        async with Sandbox(clock=self.clock, observer=self.stop_after_body) as sandbox:
            order = {
                "point": self.point,
                "scale": SCALE,
                "origin": self.clock.origin,
                "environment": sandbox.environment(),
                "path": str(self.path),
                "lease": LEASE,
                "send_timeout": SEND_TIMEOUT,
                "request": codec.dump_request(REQUESTS[self.provider]).decode(),
            }
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", STOPPED, json.dumps(order), stdout=asyncio.subprocess.PIPE
            )
            try:
                report = await self.take_over(sandbox)
                if not self.early:
                    self.process.send_signal(signal.SIGCONT)
                said = await asyncio.wait_for(self.process.stdout.read(), 60)
            finally:
                if self.process.returncode is None:
                    self.process.kill()
                await self.process.wait()
            # Whatever it still had in hand would be live by now.
            await self.clock.sleep(75)
            return report, json.loads(said.splitlines()[-1]), sandbox

    async def take_over(self, sandbox):
        """Wait for the stop, take the job over once its lease has ended, and end it."""
        await self.stopped()
        held_until = self.held_until()
        publishers = [
            ReelMirrorPublisher.connect(
                sandbox.environment()["REELMIRROR_API_KEY"], base_url=sandbox.reelmirror_url, clock=self.clock
            ),
            ReapPublisher.connect(sandbox.environment()["REAP_API_KEY"], base_url=sandbox.reap_url, clock=self.clock),
        ]
        store = SqliteStore(self.path)
        async with Orchestrator(
            publishers, clock=self.clock, store=store, lease=LEASE, send_timeout=SEND_TIMEOUT
        ) as other:
            while not (taken := await other.resume()):
                await self.clock.sleep(1.0)
            assert self.clock.time() >= held_until, "it was held still"
            if self.early:
                self.process.send_signal(signal.SIGCONT)
            return await other.wait_many(await other.wait_many(taken))

    async def stopped(self):
        """Wait until the process has been stopped by the kernel."""
        stat = Path(f"/proc/{self.process.pid}/stat")
        while (state := stat.read_text(encoding="ascii").rpartition(")")[2].split()[0]) != "T":  # noqa: ASYNC240
            assert state != "Z", f"it ended instead: {await self.process.stdout.read()}"
            await self.clock.sleep(0.3)

    def held_until(self):
        """Return when the lease of the stopped process ends, which can't make it longer now."""
        with closing(sqlite3.connect(self.path)) as db:
            return db.execute("SELECT lease_until FROM jobs").fetchone()[0]

    def check(self, report, said, sandbox):
        (outcome,) = report
        assert outcome.status is OutcomeStatus.PUBLISHED, outcome
        assert sandbox.duplicates() == []
        assert len(sandbox.live()) == 2
        assert said["lost"], "it was told that it lost the lease"
        assert (said["status"], said["reason"]) == ("pending", "another process carries it out now")
        sent = sum(record.operation == OPERATIONS[self.provider] for record in sandbox.requests())
        assert sent == 1, f"{sent} requests that go live"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.timeout(300)
async def test_a_stopped_process_that_goes_on_after_a_take_over_posts_nothing_twice(tmp_path):
    """At each of four points of a request: live once, by one request, and the stopped one is told who has the job."""
    when = [("reap", True), ("reelmirror", True), ("reap", False)]
    cells = [Cell(tmp_path, provider, point, early=early) for provider, early in when for point in POINTS]
    few = asyncio.Semaphore(AT_ONCE)

    async def played(cell):
        async with few:
            cell.check(*await cell.play())

    async with asyncio.TaskGroup() as group:
        for cell in cells:
            group.create_task(played(cell))
