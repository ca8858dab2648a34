"""Web services: they answer at once, publish behind, stop in time with all told, and share a key by the headers."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from contextlib import asynccontextmanager
from random import Random

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from fastapi import FastAPI, HTTPException, Request
from httpx import ASGITransport, AsyncClient

from reelpub import (
    Clip,
    ConfigurationError,
    GeneratedPost,
    Handle,
    JobSent,
    Orchestrator,
    OutcomeStatus,
    PublishRequest,
    RateLimiter,
    ReapPublisher,
    ReelMirrorPublisher,
)
from reelpub.sandbox import REAP_KEY, REELMIRROR_KEY, Fault, FaultKind, LimitKind, RateLimit, Sandbox
from reelpub.testing import run_virtual

SHUTDOWN = 8.0
PUBLISHER = web.AppKey("PUBLISHER", Orchestrator)
HANDLES = web.AppKey("HANDLES", list[Handle])


def posts(count, first=1):
    return [PublishRequest(GeneratedPost(f"demo-generated-post-{number}")) for number in range(first, first + count)]


def clips(count, first=0):
    return [
        PublishRequest(
            Clip(f"demo-project-{1 + number // 40}", f"demo-clip-{1 + number % 40}"), accounts=["tiktok:acme"]
        )
        for number in range(first, first + count)
    ]


def batch_of(body):
    return posts(body["posts"]) + clips(body["clips"])


def shown(outcome):
    return {"status": outcome.status, "settled": outcome.is_settled}


def aiohttp_service(clock):
    """A service whose orchestrator lives in `cleanup_ctx`."""

    async def publishing(app):
        async with Orchestrator.from_env(clock=clock, shutdown_timeout=SHUTDOWN) as pub:
            app[PUBLISHER] = pub
            yield

    async def submit(request):
        handles = request.app[PUBLISHER].submit_many(batch_of(await request.json()))
        request.app[HANDLES].extend(handles)
        return web.json_response([handle.id for handle in handles], status=202)

    async def look(request):
        try:
            handle = request.app[PUBLISHER].job(request.match_info["id"])
        except ConfigurationError:
            raise web.HTTPNotFound from None
        return web.json_response(shown(handle.outcome()))

    app = web.Application()
    app[HANDLES] = []
    app.cleanup_ctx.append(publishing)
    app.add_routes([web.post("/batches", submit), web.get("/jobs/{id}", look)])
    return app


class AiohttpCaller:
    """Calls the aiohttp service over a socket."""

    @asynccontextmanager
    async def serve(self, clock):
        app = aiohttp_service(clock)
        self.handles = app[HANDLES]
        async with TestClient(TestServer(app)) as self.client:
            yield self

    async def post(self, body):
        async with self.client.post("/batches", json=body) as answer:
            return answer.status, await answer.json()

    async def get(self, job):
        async with self.client.get(f"/jobs/{job}") as answer:
            return answer.status, await answer.json() if answer.status == 200 else None


def fastapi_service(clock):
    """A service whose orchestrator lives in the lifespan."""

    @asynccontextmanager
    async def lifespan(app):
        async with Orchestrator.from_env(clock=clock, shutdown_timeout=SHUTDOWN) as pub:
            app.state.pub = pub
            yield

    app = FastAPI(lifespan=lifespan)
    app.state.handles = []

    async def submit(body: dict[str, int], http: Request):
        handles = http.app.state.pub.submit_many(batch_of(body))
        http.app.state.handles.extend(handles)
        return [handle.id for handle in handles]

    async def look(job_id: str, http: Request):
        try:
            return shown(http.app.state.pub.job(job_id).outcome())
        except ConfigurationError:
            raise HTTPException(404) from None

    app.add_api_route("/batches", submit, methods=["POST"], status_code=202)
    app.add_api_route("/jobs/{job_id}", look, methods=["GET"])
    return app


class FastApiCaller:
    """Calls the FastAPI service in the loop."""

    @asynccontextmanager
    async def serve(self, clock):
        app = fastapi_service(clock)
        self.handles = app.state.handles
        async with (
            app.router.lifespan_context(app),
            AsyncClient(transport=ASGITransport(app), base_url="http://service") as self.client,
        ):
            yield self

    async def post(self, body):
        answer = await self.client.post("/batches", json=body)
        return answer.status_code, answer.json()

    async def get(self, job):
        answer = await self.client.get(f"/jobs/{job}")
        return answer.status_code, answer.json()


SERVICES = pytest.mark.parametrize("caller", [AiohttpCaller, FastApiCaller], ids=["aiohttp", "fastapi"])


@pytest.fixture
def environment(monkeypatch):
    def set_all(sandbox):
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        assert os.environ["REAP_API_KEY"] == REAP_KEY

    return set_all


@SERVICES
def test_it_answers_at_once_and_publishes_behind(caller, environment):
    async def scenario(clock):
        async with Sandbox(clock=clock) as sandbox:
            environment(sandbox)
            async with caller().serve(clock) as service:
                began = clock.monotonic()
                status, jobs = await service.post({"posts": 3, "clips": 3})
                assert status == 202
                assert len(set(jobs)) == 6
                assert clock.monotonic() - began < 1.0, "the answer doesn't wait for the publishing"
                assert [(await service.get(job))[1]["settled"] for job in jobs] == [False] * 6
                await asyncio.sleep(300)
                seen = [(await service.get(job))[1] for job in jobs]
                assert seen == [{"status": "published", "settled": True}] * 6
                assert (await service.get("job-of-nobody"))[0] == 404
            assert len(sandbox.live()) == 3 * 2 + 3
            assert sandbox.duplicates() == []

    run_virtual(scenario)


@pytest.mark.parametrize("seconds", [0.0, 3.0, 30.0, 61.0, 130.0])
@SERVICES
def test_a_shutdown_in_the_middle_of_a_batch_leaves_every_outcome_told(caller, seconds, environment):
    """What is told as sent is live once, what is told as not sent isn't, and nothing is left open."""

    async def scenario(clock):
        async with Sandbox(clock=clock) as sandbox:
            environment(sandbox)
            service = caller()
            async with service.serve(clock):
                status, jobs = await service.post({"posts": 40, "clips": 40})
                assert status == 202
                await asyncio.sleep(seconds)
                closing = clock.monotonic()
            assert clock.monotonic() - closing <= SHUTDOWN + 1.0
            outcomes = [handle.outcome() for handle in service.handles]
            requests = len(sandbox.requests())
            await asyncio.sleep(600)
            assert len(sandbox.requests()) == requests, "nothing goes on behind"
            assert len(outcomes) == len(jobs) == 80
            assert all(outcome.is_settled for outcome in outcomes)
            told = Counter(outcome.status for outcome in outcomes)
            assert set(told) <= {OutcomeStatus.PUBLISHED, OutcomeStatus.PENDING, OutcomeStatus.NOT_SENT}, told
            assert told[OutcomeStatus.NOT_SENT] > 0, "it was to be in the middle"
            assert len(sandbox.live()) == accounts_sent(outcomes)
            assert sandbox.duplicates() == []

    run_virtual(scenario)


def accounts_sent(outcomes):
    """The accounts that posts went to by what is told; a generated post without accounts goes to its persona's two."""
    sent = [o for o in outcomes if o.status not in (OutcomeStatus.NOT_SENT, OutcomeStatus.REFUSED)]
    return sum(2 if isinstance(outcome.request.source, GeneratedPost) else 1 for outcome in sent)


@pytest.mark.parametrize(("kind", "lives"), [(FaultKind.HANG_AFTER, 1), (FaultKind.HANG_BEFORE, 0)])
@SERVICES
def test_a_request_that_hangs_is_cut_at_the_timeout_and_told_as_unknown(caller, kind, lives, environment):
    """Each of the two hanging publishes may be live; that is what its outcome says, whichever is true."""

    async def scenario(clock):
        async with Sandbox(clock=clock) as sandbox:
            environment(sandbox)
            sandbox.order(Fault(kind, operation="publishClip"), Fault(kind, operation="publishOutgoingPost"))
            service = caller()
            async with service.serve(clock):
                await service.post({"posts": 8, "clips": 8})
                await asyncio.sleep(5.0)
                closing = clock.monotonic()
            assert SHUTDOWN - 1.0 <= clock.monotonic() - closing <= SHUTDOWN + 1.0
            outcomes = [handle.outcome() for handle in service.handles]
            await asyncio.sleep(600)
            assert all(outcome.is_settled for outcome in outcomes)
            unknown = [outcome for outcome in outcomes if outcome.status is OutcomeStatus.UNKNOWN]
            assert {type(outcome.request.source) for outcome in unknown} == {GeneratedPost, Clip}
            assert len(unknown) == 2
            certain = [outcome for outcome in outcomes if outcome.status is not OutcomeStatus.UNKNOWN]
            assert len(sandbox.live()) == accounts_sent(certain) + lives * accounts_sent(unknown)
            assert sandbox.duplicates() == []

    run_virtual(scenario)


async def test_closing_takes_no_longer_than_the_timeout_in_real_seconds():
    """Without virtual time: a hanging request ends with the time-out, not with its own of 30 s."""
    async with Sandbox() as sandbox:
        sandbox.order(Fault(FaultKind.HANG_AFTER, operation="publishClip"))
        publisher = ReapPublisher.connect(REAP_KEY, base_url=sandbox.reap_url)
        pub = Orchestrator([publisher], shutdown_timeout=0.05)
        async with pub:
            async with pub.stream() as events:
                handle = pub.submit(clips(1)[0])
                async for event in events:
                    if isinstance(event, JobSent):
                        break
            await asyncio.sleep(0.02)
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 2.0
        assert handle.is_settled
        assert handle.outcome().status is OutcomeStatus.UNKNOWN


WORKERS = 4
EPOCH = 1_800_000_000.0
"""A full minute, so that fixed windows begin here."""


def one_worker(provider, number, sandbox, clock):
    """Return a publisher with a limiter of its own, and a quarter of the work."""
    limiter = RateLimiter(10 if provider == "reap" else 60, clock=clock, random=Random(number).random)
    if provider == "reap":
        publisher = ReapPublisher.connect(REAP_KEY, base_url=sandbox.reap_url, clock=clock, limiter=limiter)
        return publisher, clips(12, first=12 * number)
    publisher = ReelMirrorPublisher.connect(
        REELMIRROR_KEY, base_url=sandbox.reelmirror_url, clock=clock, limiter=limiter
    )
    return publisher, posts(10, first=1 + 10 * number)


def rejections_of_four(provider, kind, *, phase, apart):
    """Have four workers publish their batches; return how many requests the limit refused, once all else is right.

    They begin *phase* seconds into the minute, *apart* seconds after one another.
    """

    async def scenario(clock):
        limits = {provider: RateLimit(limit=10 if provider == "reap" else 60, kind=kind)}
        async with Sandbox(clock=clock, limits=limits) as sandbox:

            async def work(number):
                publisher, requests = one_worker(provider, number, sandbox, clock)
                await asyncio.sleep(apart * number)
                async with Orchestrator([publisher], clock=clock) as pub:
                    return await pub.publish_many(requests)

            reports = await asyncio.gather(*(work(number) for number in range(WORKERS)))
            assert [str(report) for report in reports] == [f"{len(reports[0])} published"] * WORKERS
            assert sandbox.duplicates() == []
            accounts = 1 if provider == "reap" else 2
            assert len(sandbox.live()) == sum(map(len, reports)) * accounts
            return sandbox.rejections()

    return run_virtual(scenario, epoch=EPOCH + phase)


KINDS = pytest.mark.parametrize("kind", [LimitKind.FIXED, LimitKind.SLIDING_LOG], ids=lambda kind: kind.value)


@pytest.mark.parametrize("phase", [0.0, 45.0])
@pytest.mark.parametrize("apart", [0.0, 7.0])
@KINDS
def test_four_workers_on_a_key_of_reelmirror_are_never_refused(kind, apart, phase):
    """Four orchestrators with four limiters share nothing but the key; the headers are enough."""
    assert rejections_of_four("reelmirror", kind, phase=phase, apart=apart) == 0


@pytest.mark.parametrize("phase", [0.0, 15.0, 45.0])
@KINDS
def test_four_workers_on_a_key_of_reap_are_never_refused(kind, phase):
    """Ten a minute among four leave little to learn from, and are enough."""
    assert rejections_of_four("reap", kind, phase=phase, apart=0.0) == 0


@pytest.mark.parametrize(("phase", "apart"), [(58.0, 0.0), (0.0, 7.0)])
@KINDS
def test_a_worker_that_comes_to_a_used_up_minute_is_refused_once_without_harm(kind, phase, apart):
    """Its first request can't know what the others used. Refused requests did nothing; all is published, once."""
    assert rejections_of_four("reap", kind, phase=phase, apart=apart) <= WORKERS - 1
