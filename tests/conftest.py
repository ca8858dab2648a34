"""What every test shares: a shim for aioresponses, a judge of all traffic, and a stage for whole stories.

The judge is openapi-core, a validator that neither the clients nor the sandbox uses. Requests are judged by the
contracts with every schema closed, answers by the contracts as they are; where a contract leaves the shape of an answer
open, the sandbox's dialect names one.
"""

from __future__ import annotations

import asyncio
import re
import signal
from collections import Counter
from copy import deepcopy
from functools import cache
from pathlib import Path
from unittest.mock import Mock
from urllib.parse import parse_qsl

import aioresponses.core
import pytest
import yaml
from aiohttp import ClientResponse
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

from reelpub import (
    DeliveryStatus,
    Orchestrator,
    ReapPublisher,
    ReelMirrorPublisher,
)
from reelpub.sandbox import (
    REAP_ACCOUNTS,
    REAP_KEY,
    REELMIRROR_ACCOUNTS,
    REELMIRROR_KEY,
    ReelMirrorDialect,
    Sandbox,
)
from reelpub.sandbox.reelmirror import answer_schemas
from reelpub.testing import run_virtual


class _ShimmedResponse(ClientResponse):
    """aioresponses 0.7.9 doesn't pass the `stream_writer` that aiohttp 3.14 wants (aioresponses#289)."""

    def __init__(self, *args, stream_writer=None, **kwargs):
        super().__init__(*args, stream_writer=stream_writer or Mock(output_size=0), **kwargs)


aioresponses.core.ClientResponse = _ShimmedResponse

# On Python 3.11 pytest-asyncio asks for a current loop before the first async test, which makes one that nobody closes.
asyncio.set_event_loop(None)

# A shell that starts the tests in the background has them ignore Ctrl-C, and the commands that they start, too.
signal.signal(signal.SIGINT, signal.default_int_handler)


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
