"""A network that is gone for a while: what waits is sent when it is back, once, and nothing is used up meanwhile."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from reelpub import (
    CancelResult,
    Clip,
    ConnectError,
    GeneratedPost,
    Orchestrator,
    OutcomeStatus,
    PublishRequest,
    ReapClient,
    ReapPublisher,
    ReelMirrorPublisher,
    RetryPolicy,
)
from reelpub.sandbox import REAP_KEY, REELMIRROR_KEY
from reelpub.store import SqliteStore

FIRST = PublishRequest(Clip("demo-project-1", "demo-clip-30"), accounts=["x:acme"])
"""Published before the line is cut, so that what has to be read of the project is known."""


class Line:
    """A line to a server on this machine that can be cut and mended; its address stays."""

    def __init__(self, url):
        parts = urlsplit(url)
        self._to, self._path, self._port = (parts.hostname, parts.port), parts.path, 0
        self._server, self._writers = None, set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}{self._path}"

    async def mend(self):
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def cut(self):
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _carry(self, reader, writer):
        there, back = await asyncio.open_connection(*self._to)
        self._writers |= {writer, back}
        await asyncio.gather(_pour(reader, back), _pour(there, writer))
        self._writers -= {writer, back}


async def _pour(reader, writer):
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


def test_an_outage_uses_nothing_up(play, caplog):
    """Ten minutes without a network in the middle of a batch: every post goes out, once, when it is back."""

    async def story(stage):
        reap, mirror = Line(stage.sandbox.reap_url), Line(stage.sandbox.reelmirror_url)
        for line in (reap, mirror):
            await line.mend()
        requests = [
            *(PublishRequest(Clip("demo-project-1", f"demo-clip-{n}"), accounts=["x:acme"]) for n in range(1, 26)),
            *(PublishRequest(GeneratedPost(f"demo-generated-post-{n}")) for n in range(1, 26)),
        ]
        publishers = [
            ReapPublisher.connect(REAP_KEY, base_url=reap.url, clock=stage.clock),
            ReelMirrorPublisher.connect(REELMIRROR_KEY, base_url=mirror.url, clock=stage.clock),
        ]
        async with Orchestrator(publishers, clock=stage.clock) as publishing:
            handles = publishing.submit_many(requests)
            await stage.clock.sleep(25)
            for line in (reap, mirror):
                await line.cut()
            await stage.clock.sleep(600)
            assert not any(handle.outcome().status is OutcomeStatus.NOT_SENT for handle in handles)
            assert all(500 < publisher.unreached_for <= 600 for publisher in publishers)
            for line in (reap, mirror):
                await line.mend()
            report = await publishing.wait_many(handles)
            assert [publisher.unreached_for for publisher in publishers] == [None, None]
        assert report.is_success, report
        stage.check_truth(report)
        assert stage.sandbox.duplicates() == []
        for line in (reap, mirror):
            await line.cut()
        told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        assert sum("reap can't be reached" in text for text in told) == 1, "told once, not for each request"
        assert sum(bool(re.match(r"reap is reached again, after [56]\d\d s", text)) for text in told) == 1

    play(story, answers=3)


def test_a_deadline_ends_the_waiting(play):
    """Who gave a time-out isn't kept waiting for the network: what hasn't left isn't sent."""

    async def story(stage):
        line = await Line(stage.sandbox.reap_url).mend()
        publisher = ReapPublisher.connect(REAP_KEY, base_url=line.url, clock=stage.clock)
        async with Orchestrator([publisher], clock=stage.clock) as publishing:
            await publishing.accounts()
            await line.cut()
            requests = [PublishRequest(Clip("demo-project-1", f"demo-clip-{n}"), accounts=["x:acme"]) for n in (1, 2)]
            began = stage.clock.monotonic()
            report = await publishing.publish_many(requests, timeout=120)
            assert stage.clock.monotonic() - began < 125
            assert not any(outcome.is_success for outcome in report)
        ends = [handle.outcome().status for handle in publishing.jobs]
        assert ends == [OutcomeStatus.NOT_SENT] * 2
        assert stage.live() == []

    play(story)


def test_what_waits_for_a_provider_can_be_called_off_and_left(play, tmp_path):
    """It provably never left: called off it is cancelled, closing tells it as not sent, and resuming sends the rest."""

    async def story(stage):
        line = await Line(stage.sandbox.reap_url).mend()
        requests = [PublishRequest(Clip("demo-project-1", f"demo-clip-{n}"), accounts=["x:acme"]) for n in (1, 2, 3)]

        def orchestrator():
            publisher = ReapPublisher.connect(REAP_KEY, base_url=line.url, clock=stage.clock)
            return Orchestrator([publisher], clock=stage.clock, store=SqliteStore(tmp_path / "jobs.db"))

        async with orchestrator() as publishing:
            await publishing.publish(FIRST)
            await line.cut()
            handles = publishing.submit_many(requests)
            await stage.clock.sleep(100)
            assert all(handle.outcome().requests > 1 for handle in handles), "it has been tried"
            assert await publishing.cancel(handles[0]) is CancelResult.CANCELLED
            closing = stage.clock.monotonic()
        assert stage.clock.monotonic() - closing < 5, "nothing was on the wire that had to be waited for"
        ends = [handle.outcome().status for handle in handles]
        assert ends == [OutcomeStatus.CANCELLED, OutcomeStatus.NOT_SENT, OutcomeStatus.NOT_SENT]

        await line.mend()
        async with orchestrator() as publishing:
            report = await publishing.wait_many(await publishing.resume())
        assert report.is_success
        assert [source[-2:] for _, source in stage.live()] == ["-2", "-3", "30"]
        assert stage.sandbox.duplicates() == []
        await line.cut()

    play(story, answers=3)


def test_what_is_scheduled_with_one_that_is_called_off_goes_out_without_it(play):
    """Where several share a request that waits for the provider, the others are put together anew."""

    async def story(stage):
        line = await Line(stage.sandbox.reap_url).mend()
        publisher = ReapPublisher.connect(REAP_KEY, base_url=line.url, clock=stage.clock)
        start = datetime.fromtimestamp(stage.clock.time(), UTC) + timedelta(days=1)
        requests = [
            PublishRequest(
                Clip("demo-project-1", f"demo-clip-{n}"), accounts=["x:acme"], at=start + timedelta(minutes=10 * n)
            )
            for n in (1, 2, 3)
        ]
        async with Orchestrator([publisher], clock=stage.clock) as publishing:
            await publishing.publish(FIRST)
            await line.cut()
            handles = publishing.submit_many(requests)
            await stage.clock.sleep(100)
            assert all(handle.outcome().requests > 1 for handle in handles), "it has been tried"
            assert await publishing.cancel(handles[1]) is CancelResult.CANCELLED
            await line.mend()
            await stage.clock.sleep(120)
        ends = [handle.outcome().status for handle in handles]
        assert ends == [OutcomeStatus.SCHEDULED, OutcomeStatus.CANCELLED, OutcomeStatus.SCHEDULED]
        await line.cut()

    play(story, answers=2)


def test_a_provider_that_was_never_reached_is_told_at_once(play):
    """A wrong address or no network from the start is no outage: it is told after the usual few tries."""

    async def story(stage):
        line = await Line(stage.sandbox.reap_url).mend()
        await line.cut()
        async with ReapClient(REAP_KEY, base_url=line.url, clock=stage.clock) as client:
            began = stage.clock.monotonic()
            with_error = await asyncio.gather(client.get_integrations(), return_exceptions=True)
            assert isinstance(with_error[0], ConnectError)
            assert stage.clock.monotonic() - began < 10

    play(story, answers=0)


def test_patience_ends_and_can_be_none(play):
    """*outage_patience* bounds the waiting of each call; 0 counts a lost connection as any other failure."""

    async def story(stage):
        for patience, least, most in ((300.0, 240, 361), (0.0, 0, 10)):
            line = await Line(stage.sandbox.reap_url).mend()
            retry = RetryPolicy(outage_patience=patience)
            async with ReapClient(REAP_KEY, base_url=line.url, clock=stage.clock, retry=retry) as client:
                await client.get_integrations()
                await line.cut()
                began = stage.clock.monotonic()
                [error] = await asyncio.gather(client.get_integrations(), return_exceptions=True)
                assert isinstance(error, ConnectError), error
                assert least <= stage.clock.monotonic() - began <= most

    play(story)
