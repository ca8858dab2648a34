"""What every test shares: a shim for aioresponses, a judge of all traffic, a stage for whole stories, made-up runs.

The judge is openapi-core, a validator that neither the clients nor the sandbox uses. Requests are judged by the
contracts with every schema closed, answers by the contracts as they are; where a contract leaves the shape of an answer
open, the sandbox's dialect names one.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import signal
from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from unittest.mock import Mock
from urllib.parse import parse_qsl

import aioresponses.core
import attrs
import pytest
import yaml
from aiohttp import ClientResponse
from hypothesis import settings
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

from reelpub import (
    Account,
    BadRequestError,
    Clip,
    Delivery,
    DeliveryStatus,
    GeneratedPost,
    MediaItems,
    Orchestrator,
    Outcome,
    OutcomeStatus,
    Post,
    PostStatus,
    Problem,
    PublishRequest,
    ReapPublisher,
    ReelMirrorPublisher,
    SqliteStore,
    bulk,
)
from reelpub.bulk.record import BudgetSample, Moment, RowRecord, RunRecord
from reelpub.clocks import utc_now
from reelpub.manifest.rows import ManifestRow
from reelpub.sandbox import (
    REAP_ACCOUNTS,
    REAP_KEY,
    REELMIRROR_ACCOUNTS,
    REELMIRROR_KEY,
    Fault,
    FaultKind,
    ReelMirrorDialect,
    Sandbox,
)
from reelpub.sandbox.reelmirror import answer_schemas
from reelpub.testing import run_virtual

# For `.ci/run`, where two runs of one commit have to agree. Elsewhere examples are drawn anew each time.
settings.register_profile("fixed", derandomize=True)


class _ShimmedResponse(ClientResponse):
    """aioresponses 0.7.9 doesn't pass the `stream_writer` that aiohttp 3.14 wants (aioresponses#289)."""

    def __init__(self, *args, stream_writer=None, **kwargs):
        super().__init__(*args, stream_writer=stream_writer or Mock(output_size=0), **kwargs)


aioresponses.core.ClientResponse = _ShimmedResponse

# On Python 3.11 pytest-asyncio asks for a current loop before the first async test, which makes one that nobody closes.
asyncio.set_event_loop(None)

# A shell that starts the tests in the background has them ignore Ctrl-C, and the commands that they start, too.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    # So does nohup with a lost terminal.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Under the profile "fixed", give every test the same luck in every run: what spreads waits is drawn, too."""
    if item.config.getoption("hypothesis_profile") == "fixed":
        random.seed(item.nodeid)


_STATES = count()


@pytest.fixture(autouse=True)
def _own_state(monkeypatch, tmp_path_factory):
    """Give every test a state folder of its own, made when it is used: the user's store is nobody's playground."""
    folder = tmp_path_factory.getbasetemp() / f"state-{next(_STATES)}"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    monkeypatch.delenv("REELPUB_STORE", raising=False)


# ---- the judge

CONTRACTS = Path(__file__).parents[1] / "docs" / "contracts"
ORIGIN = "http://sandbox"
BASE = {"reap": "/api/v1/automation", "reelmirror": "/api"}


class _AsRequest:
    """A recorded request in the form that openapi-core wants. The key itself is never recorded."""

    def __init__(self, exchange):
        # Whether the key was there and right is the sandbox's to say, with 401.
        headers = Headers([*exchange.request_headers.items(), ("Authorization", "Bearer recorded")])
        self.host_url, self.path, self.method = ORIGIN, exchange.path, exchange.method.lower()
        self.content_type, self.body = headers.get("Content-Type", ""), exchange.request_body or None
        query = ImmutableMultiDict(parse_qsl(exchange.query, keep_blank_values=True))
        self.parameters = RequestParameters(query=query, header=headers)


class _AsResponse:
    """A recorded answer in the form that openapi-core wants."""

    def __init__(self, exchange):
        self.status_code, self.data = exchange.status, exchange.response_body
        self.headers = Headers(list(exchange.response_headers.items()))
        self.content_type = self.headers.get("Content-Type", "")


class _Judge:
    """One provider's contract, closed for requests and with the dialect's schemas for answers."""

    def __init__(self, provider, answers):
        document = deepcopy(_contract(provider))
        self.operations = {
            operation["operationId"]: operation for item in document["paths"].values() for operation in item.values()
        }
        self.parameters = document["components"]["parameters"]
        for operation in self.operations.values():
            if "2XX" in operation["responses"]:
                operation["responses"]["204"] = {"description": "Done; nothing to say."}
        for (name, status), schema in answers.items():
            answer = {"description": "As the dialect says.", "content": {"application/json": {"schema": schema}}}
            self.operations[name]["responses"][str(status)] = answer
        self.requests, self.answers = _closed_contract(provider), OpenAPI.from_dict(document)

    def request_problems(self, exchange):
        declared = {self._name(one) for one in self.operations[exchange.operation].get("parameters", [])}
        sent = {name for name, _ in parse_qsl(exchange.query, keep_blank_values=True)}
        unknown = [f"unknown query parameter {name}" for name in sorted(sent - declared)]
        return unknown + [f"{error}" for error in self.requests.iter_request_errors(_AsRequest(exchange))]

    def answer_problems(self, exchange):
        if exchange.status == 204:
            return ["a 204 with a body"] if exchange.response_body else []
        return [f"{error}" for error in self.answers.iter_response_errors(_AsRequest(exchange), _AsResponse(exchange))]

    def _name(self, parameter):
        if "$ref" in parameter:
            parameter = self.parameters[parameter["$ref"].rpartition("/")[2]]
        return parameter["name"]


@cache
def _contract(provider):
    document = yaml.safe_load((CONTRACTS / f"{provider}.openapi.yaml").read_text(encoding="utf-8"))
    document["servers"] = [{"url": ORIGIN + BASE[provider]}]
    return _without_uuids(document)


@cache
def _closed_contract(provider):
    return OpenAPI.from_dict(_closed(_contract(provider)))


_JUDGES = {}


def _judge(provider, dialect):
    answers = answer_schemas(dialect) if provider == "reelmirror" else {}
    # Most switches leave the shapes of the answers alone, and a judge takes long to make.
    key = provider, repr(answers)
    if key not in _JUDGES:
        _JUDGES[key] = _Judge(provider, answers)
    return _JUDGES[key]


def _without_uuids(node):
    """Return *node* without the format "uuid", which the contract marks as only observed: seeded ids are names."""
    if isinstance(node, list):
        return [_without_uuids(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {name: _without_uuids(value) for name, value in node.items() if (name, value) != ("format", "uuid")}


def _closed(node):
    """Return *node* with every object that names its members closed to all others."""
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    copy = {name: _closed(value) for name, value in node.items()}
    if isinstance(node.get("properties"), dict):
        copy.setdefault("additionalProperties", False)
    return copy


NUMBERS_AND_IDS = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{24}|\d+")


def _shape(exchange):
    """Return a request without what tells its like apart: two of one shape are judged alike."""
    text = b"\0".join([exchange.path.encode(), exchange.query.encode(), exchange.request_body])
    return exchange.provider, exchange.operation, NUMBERS_AND_IDS.sub(b"0", text)


def _judged(exchanges, dialect, *, answers):
    """Assert that *exchanges* are what the contracts say: each request, and of each kind the first *answers* answers.

    An ordered fault is no answer of the contract's; where the dialect has no list of posts, its refusal isn't one.
    """
    shapes, seen = set(), Counter()
    judges = {provider: _judge(provider, dialect) for provider in {exchange.provider for exchange in exchanges}}
    for exchange in exchanges:
        assert exchange.operation is not None, exchange.path
        judge = judges[exchange.provider]
        said = (
            f"{exchange.operation} {exchange.status} {exchange.request_body[:300]!r} {exchange.response_body[:300]!r}"
        )
        if _shape(exchange) not in shapes:
            assert not judge.request_problems(exchange), said
            shapes.add(_shape(exchange))
        has_list = exchange.operation != "listOutgoingPosts" or dialect.list_posts == "present"
        kind = (exchange.provider, exchange.operation, exchange.status)
        seen[kind] += 1
        if exchange.fault is None and exchange.status is not None and has_list and seen[kind] <= answers:
            assert not judge.answer_problems(exchange), said


@pytest.fixture(scope="session")
def judged():
    """Call it with recorded exchanges and ReelMirror's dialect: it asserts that they are what the contracts say."""

    def check(exchanges, dialect=None, *, answers=12):
        _judged(exchanges, dialect or ReelMirrorDialect(), answers=answers)

    return check


# ---- the stage


class Stage:
    """A running sandbox and what talks to it, on one clock."""

    NAMES = {account.id: account.name for account in (*REELMIRROR_ACCOUNTS, *REAP_ACCOUNTS)}  # noqa: RUF012

    def __init__(self, sandbox, clock, exchanges):
        self.sandbox, self.clock, self.exchanges = sandbox, clock, exchanges

    def reelmirror(self, key=REELMIRROR_KEY, **options):
        """Return a publisher for the sandbox's ReelMirror."""
        return ReelMirrorPublisher.connect(key, base_url=self.sandbox.reelmirror_url, clock=self.clock, **options)

    def reap(self, key=REAP_KEY, **options):
        """Return a publisher for the sandbox's Reap."""
        return ReapPublisher.connect(key, base_url=self.sandbox.reap_url, clock=self.clock, **options)

    def orchestrator(self, *publishers, **options):
        """Return an orchestrator for *publishers*, by default one for each provider."""
        return Orchestrator(publishers or (self.reelmirror(), self.reap()), clock=self.clock, **options)

    def live(self, provider=None):
        """Return what is live, as sorted pairs of account and source."""
        return sorted((self.NAMES[one.account_id], one.source) for one in self.sandbox.live(provider))

    def sent(self, *operations):
        """Return how many requests of *operations* (all, if none is named) reached the sandbox."""
        return sum(not operations or record.operation in operations for record in self.sandbox.requests())

    def check_truth(self, outcomes):
        """Assert that *outcomes* say of every account what is so, and that nothing is live of which none tells."""
        live = {(record.post_id, record.account_id) for record in self.sandbox.live()}
        told = set()
        for outcome in outcomes:
            accounts = [delivery.account.id for delivery in outcome.deliveries]
            assert len(accounts) == len(set(accounts)), outcome
            posts = {post.id for post in outcome.posts}
            for delivery in outcome.deliveries:
                mine = {one for one in live if one[0] in posts and one[1] == delivery.account.id}
                told |= mine
                if delivery.status is DeliveryStatus.PUBLISHED:
                    assert len(mine) == 1, f"{outcome}: {delivery} isn't live once but {len(mine)} times"
                elif delivery.status not in (DeliveryStatus.UNKNOWN, DeliveryStatus.OTHER):
                    assert not mine, f"{outcome}: {delivery} is live"
        unsure = {d.account.id for outcome in outcomes for d in outcome.unknown}
        assert {one for one in live - told if one[1] not in unsure} == set(), "live, and no outcome says so"


@pytest.fixture(scope="session")
def play(judged):
    """Call it with ``async def story(stage)``: it is played in virtual time, and all its traffic is judged.

    *options* are the sandbox's; *answers* is how many answers of each kind are judged, all requests always are.
    """

    def play(story, *, answers=12, **options):
        exchanges = []

        async def main(clock):
            async with Sandbox(clock=clock, observer=exchanges.append, **options) as sandbox:
                return await story(Stage(sandbox, clock, exchanges))

        result = run_virtual(main)
        assert exchanges or answers == 0, "nothing was sent: there is nothing to judge"
        judged(exchanges, options.get("reelmirror"), answers=answers)
        return result

    return play


# ---- a run with every kind of end

START = datetime(2027, 3, 26, 8, 0, tzinfo=UTC)
"""Two days before the clocks go forward in Europe."""


class RunMaker:
    """Makes records of runs without running anything: rows that end in every way there is, one after the other."""

    PLATFORMS = ("tiktok", "instagram", "youtube")

    def run(self, count=20, *, samples=60, unfinished=0, **values):
        """Return a run of that many rows, the last *unfinished* of which are on their way or not begun."""
        statuses = itertools.cycle(OutcomeStatus)
        made = [self.row(number, next(statuses)) for number in range(1, count + 1 - unfinished)]
        made += [self.unfinished(number) for number in range(count + 1 - unfinished, count + 1)]
        ends = [row.outcome.settled_at for row in made if row.is_settled]
        defaults = {
            "id": "20270326-0800-owl",
            "name": "launch.csv",
            "command": "publish launch.csv",
            "started_at": START,
            "ended_at": max(ends) if ends and not unfinished else None,
            "rows": tuple(made),
            "samples": tuple(self.sample(number) for number in range(samples)),
        }
        return RunRecord(**defaults | values)

    def row(self, number, status, *, caption="Spring is here", url=None, **request):
        """Return a row that ended so, half a minute after it was queued."""
        begun = START + timedelta(seconds=number)
        request.setdefault("at", START + timedelta(days=number % 40) if status is OutcomeStatus.SCHEDULED else None)
        asked = self.request(number, caption=caption, **request)
        deliveries = self.deliveries(number, status, url)
        ended = begun + timedelta(seconds=30)
        outcome = Outcome(
            request=asked,
            job_id=f"job-{number}",
            publisher="reap",
            status=status,
            reason=None if status is OutcomeStatus.PUBLISHED else f"reason of row {number}",
            deliveries=deliveries,
            posts=self.posts(number, deliveries),
            error=BadRequestError(f"words {number}", status=400, operation="publish_clip", provider="reap")
            if status is OutcomeStatus.REFUSED
            else None,
            problems=(Problem(field="caption", message="is too long", value="x" * 90, limit="80"),)
            if status is OutcomeStatus.REFUSED
            else (),
            duplicate_of="job-1" if status is OutcomeStatus.DUPLICATE else None,
            orphans=(f"draft-{number}",) if status is OutcomeStatus.FAILED else (),
            requests=1,
            submitted_at=begun,
            settled_at=ended,
        )
        return RowRecord(
            number=number,
            line=number + 1,
            request=asked,
            job_id=outcome.job_id,
            outcome=outcome,
            moments=self.moments(begun, status),
        )

    def unfinished(self, number):
        """Return a row that isn't over: every second one is held by the limit, the others weren't submitted."""
        begun = START + timedelta(seconds=number)
        asked = self.request(number)
        row = RowRecord(number=number, line=number + 1, request=asked, job_id=f"job-{number}")
        if number % 2:
            return row
        outcome = Outcome(
            request=asked, job_id=row.job_id, publisher="reap", status=OutcomeStatus.PENDING, submitted_at=begun
        )
        return attrs.evolve(row, outcome=outcome, moments=self.moments(begun, OutcomeStatus.PENDING)[:2])

    def request(self, number, **values):
        """Return what row *number* asks for."""
        accounts = tuple(f"{platform}:acme" for platform in self.PLATFORMS[: 1 + number % 3])
        return PublishRequest(
            Clip("project", f"clip-{number}"),
            **{"accounts": accounts, "tags": ("spring",), "reference": f"post-{number}"} | values,
        )

    def deliveries(self, number, status, url):
        """Return what every account got; partly published is the first account only."""
        if status in (OutcomeStatus.DUPLICATE, OutcomeStatus.PENDING):
            return ()
        partly = [DeliveryStatus.PUBLISHED, DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN]
        each = [status] * 3 if status is not OutcomeStatus.PARTLY_PUBLISHED else partly
        platforms = self.PLATFORMS[: 1 + number % 3 if status is not OutcomeStatus.PARTLY_PUBLISHED else 3]
        return tuple(
            self.delivery(number, platform, DeliveryStatus(str(one)), url)
            for platform, one in zip(platforms, each, strict=False)
        )

    def delivery(self, number, platform, status, url):
        """Return what one account got."""
        is_live = status is DeliveryStatus.PUBLISHED
        return Delivery(
            account=Account(id=f"{platform}-1", provider="reap", platform=platform, username="acme"),
            status=status,
            raw_status=str(status).upper(),
            url=(url or f"https://{platform}.example/@acme/{number}?from=share&n=1") if is_live else None,
            platform_post_id=f"{platform[:2]}{number}" if is_live else None,
            error=f"{platform} said no to {number}" if status is DeliveryStatus.FAILED else None,
            published_at=START + timedelta(seconds=number + 29) if is_live else None,
        )

    def posts(self, number, deliveries):
        """Return the provider's post, where there is one."""
        if not any(delivery.status in ("published", "failed", "scheduled") for delivery in deliveries):
            return ()
        post = Post(id=f"p-{number}", provider="reap", publisher="reap", status=PostStatus.OTHER, raw_status="DONE")
        return (attrs.evolve(post, deliveries=deliveries),)

    def moments(self, begun, status):
        """Return what happened on the way, over half a minute."""
        said = [
            Moment(at=begun, kind="queued", text="queued for reap"),
            Moment(at=begun + timedelta(seconds=1), kind="held", text="waits", seconds=9.0, reason="limit"),
            Moment(at=begun + timedelta(seconds=10), kind="sent", text="sent"),
            Moment(at=begun + timedelta(seconds=11), kind="accepted", text="accepted as post p-1"),
            Moment(at=begun + timedelta(seconds=29), kind="delivered", text="live", account="tiktok:acme"),
            Moment(at=begun + timedelta(seconds=30), kind="settled", text=str(status)),
        ]
        if status is OutcomeStatus.UNKNOWN:
            said[3] = attrs.evolve(said[3], kind="unknown", text="the answer was lost")
        return tuple(said)

    def sample(self, number, publisher="reap"):
        """Return how the limit stood that many seconds after the start."""
        return BudgetSample(
            at=START + timedelta(seconds=number),
            publisher=publisher,
            limit=10,
            window=60.0,
            used=min(number, 10),
            waiting=max(0, 12 - number),
            requests=number,
        )


@pytest.fixture(scope="session")
def runs():
    """Make records of runs that end in every way."""
    return RunMaker()


# ---- a run in the sandbox that ends in every way


def _clip(number, *accounts, **members):
    return PublishRequest(
        Clip("demo-project-1", f"demo-clip-{number}"), accounts=accounts, title=f"T{number}", **members
    )


class EveryOutcome:
    """A run over the sandbox in which every kind of end occurs: `record` as its store tells it, `told` as the process
    that carried it out saw it, by the rows' numbers; None for a row that nothing was done about.
    """

    ROWS = {  # noqa: RUF012
        1: OutcomeStatus.PUBLISHED,
        2: OutcomeStatus.PARTLY_PUBLISHED,
        3: OutcomeStatus.SCHEDULED,
        4: OutcomeStatus.REFUSED,
        5: OutcomeStatus.REFUSED,
        6: OutcomeStatus.FAILED,
        7: OutcomeStatus.CANCELLED,
        8: OutcomeStatus.CANCELLED,
        9: OutcomeStatus.NOT_SENT,
        10: OutcomeStatus.DUPLICATE,
        11: OutcomeStatus.PENDING,
        12: OutcomeStatus.UNKNOWN,
        13: OutcomeStatus.PENDING,
        14: OutcomeStatus.PUBLISHED,
    }
    FAULTS = (
        Fault(FaultKind.PLATFORM_FAILS, account="youtube:acme", text="the video is too long"),
        Fault(FaultKind.PLATFORM_FAILS, account="linkedin:acme", text="the member is restricted"),
        Fault(FaultKind.PLATFORM_FAILS, account="tiktok:acme_two", text="try again later"),
        Fault(FaultKind.STUCK, account="5eed0000000000000000a003"),
        Fault(FaultKind.HTML_500, operation="createOutgoingPost", times=None),
        Fault(FaultKind.LOST_AFTER, operation="approveGeneratedPost"),
    )

    def __init__(self, folder):
        self.path, self.told, self.record = folder / "runs.db", {}, None

    @staticmethod
    def requests(now):
        """Return what the rows ask for: a caption of the first tries to be HTML, row 8 and 13 are for nobody here."""
        first = _clip(1, "tiktok:acme", caption="</style></script><script>alert(1)</script>")
        return {
            1: first,
            2: _clip(2, "tiktok:acme", "youtube:acme"),
            3: _clip(3, "x:acme", at=now + timedelta(hours=2)),
            4: _clip(4, "x:acme", at=now - timedelta(hours=2)),
            5: PublishRequest(MediaItems(["demo-media-item-1"]), accounts=["instagram:nobody"]),
            6: _clip(5, "linkedin:acme"),
            7: _clip(6, "x:acme", at=now + timedelta(hours=3)),
            8: _clip(8, "x:acme", publisher="elsewhere"),
            9: PublishRequest(MediaItems(["demo-media-item-2"]), accounts=["tiktok:acme"]),
            10: first,
            11: _clip(9, "instagram:acme"),
            12: PublishRequest(GeneratedPost("demo-generated-post-1", approve=True)),
            13: _clip(10, "x:acme", publisher="elsewhere"),
            14: _clip(11, "tiktok:acme_two"),
        }

    async def story(self, stage):
        """Carry the run out, send row 14 again, call two rows off, and read it all in a store opened anew."""
        stage.sandbox.order(*self.FAULTS)
        now = utc_now(stage.clock)
        rows = [ManifestRow(number=n, line=n + 1, request=asked) for n, asked in self.requests(now).items()]
        store = SqliteStore(self.path)
        handles = {}
        async with bulk.opened(store):
            run = await bulk.begin(store, rows, name="every.csv", command="publish", now=now)
        async with stage.orchestrator(store=store) as pub:
            await bulk.carry_out(pub, store, run, on_rows=handles.update)
            await bulk.retry_failed(pub, store, run, rows=[14], on_rows=handles.update)
            await bulk.cancel(pub, store, run, rows=[7, 8])
            self.told = {number: handle.outcome() for number, handle in handles.items()}
        async with bulk.opened(SqliteStore(self.path)) as anew:
            self.record = await bulk.load(anew, run)


@pytest.fixture(scope="session")
def every_outcome_run(play, tmp_path_factory):
    """A run over both providers' sandboxes with every kind of end, carried out once."""
    made = EveryOutcome(tmp_path_factory.mktemp("every-outcome"))
    play(made.story)
    return made
