"""The error of an outcome is kept for as long as the outcome is, so it keeps nothing else alive."""

from __future__ import annotations

import gc
import weakref

import pytest

from reelpub import BadRequestError, Clip, Outcome, OutcomeStatus, PublishRequest
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.testing import InMemoryPublisher, run_virtual

WANTED = PublishRequest(Clip("p", "c"), accounts=["tiktok:acme"])


def refused():
    return BadRequestError("no", status=400, operation="publish", provider="memory")


class Answer:
    """What a publisher has in hand when it finds that it was refused."""


@pytest.mark.parametrize("call", ["accounts", "prepare", "publish"])
def test_it_doesnt_keep_what_the_publisher_had_in_hand(call):
    """A response, the headers with the key: 16 KB for each of the jobs that are remembered."""
    answers = []

    async def refuse(*_args, **_options):
        answer = Answer()
        answers.append(weakref.ref(answer))
        raise refused()

    async def story(clock):
        memory = InMemoryPublisher(clock=clock)
        setattr(memory, call, refuse)
        async with Orchestrator([memory], clock=clock) as pub:
            outcome = await pub.publish(WANTED)
            assert outcome.status is OutcomeStatus.REFUSED
            assert isinstance(outcome.error, BadRequestError)
            assert outcome.error.__traceback__ is None
            gc.collect()
            assert [answer() for answer in answers] == [None]

    run_virtual(story)


def test_raising_it_again_and_again_keeps_nobody_who_did():
    """A service raises it in each request that asks for the job."""
    found = Outcome(request=WANTED, job_id="j", publisher="m", status=OutcomeStatus.REFUSED, error=refused())
    found.error.__cause__ = cause = OSError("behind it")

    def handler():
        request = Answer()
        kept.append(weakref.ref(request))
        with pytest.raises(BadRequestError, match="400: no") as caught:
            found.raise_for_status()
        assert caught.value is not found.error
        assert caught.value.__cause__ is cause
        assert (caught.value.status, caught.value.operation) == (400, "publish")

    kept = []
    handler()
    gc.collect()
    assert kept[0]() is None
    assert found.error.__traceback__ is None
