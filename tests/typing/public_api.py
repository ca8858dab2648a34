"""What type checkers see of the facade. Checked by mypy and pyright, never run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, assert_never, assert_type

from reelpub import (
    Account,
    AccountDelivered,
    AccountFailed,
    CancelResult,
    Clip,
    Delivery,
    DeliveryStatus,
    Draft,
    EventsMissed,
    EventStream,
    GeneratedPost,
    Handle,
    JobAccepted,
    JobHeld,
    JobQueued,
    JobSent,
    JobSettled,
    JobStatusChanged,
    JobStuck,
    JobUnknown,
    LocalTime,
    MediaItem,
    MediaItems,
    Orchestrator,
    Outcome,
    OutcomeStatus,
    Post,
    PostStatus,
    Problem,
    Publisher,
    PublishRequest,
    ReapPublisher,
    ReelMirrorPublisher,
    Report,
    Source,
    TikTokSettings,
    YouTubeSettings,
)


def requests(account: Account) -> list[PublishRequest]:
    """Every natural way to write a request is accepted."""
    at = datetime(2027, 1, 1, tzinfo=UTC)
    return [
        PublishRequest(GeneratedPost("p")),
        PublishRequest(GeneratedPost("p", approve=True)),
        PublishRequest(Draft("d"), caption="text", publisher="other", allow_duplicate=True, reference="line 1"),
        PublishRequest(MediaItems(("a", MediaItem("b", use_voice_converted=True)), persona_id="x"), accounts=[account]),
        PublishRequest(Clip("p", "c"), title="t", tags=["a", "b"], accounts=["tiktok:acme", account], at=at),
        PublishRequest(Clip("p", "c"), at=LocalTime("2027-03-01 09:00", "Europe/Oslo")),
        PublishRequest(Clip("p", "c"), settings={"tiktok": TikTokSettings(privacy="friends"), "x": {"any": 1}}),
    ]


def values(request: PublishRequest) -> None:
    """What a request holds is what the checks and publishers read."""
    assert_type(request.source, Source)
    assert_type(request.caption, str | None)
    assert_type(request.tags, tuple[str, ...])
    assert_type(request.accounts, tuple[str | Account, ...])
    assert_type(request.at, datetime | LocalTime | None)


async def publishing(pub: Orchestrator, wanted: list[PublishRequest]) -> None:
    """One call gives one outcome, many give a report."""
    assert_type(pub.check(wanted), list[tuple[Problem, ...]])
    assert_type(pub.submit(wanted[0]), Handle)
    assert_type(pub.submit_many(wanted, timeout=3), list[Handle])
    assert_type(await pub.publish(wanted[0]), Outcome)
    assert_type(await pub.publish_many(request for request in wanted), Report)
    assert_type(await pub.schedule(wanted[0], at=datetime.now(UTC)), Outcome)
    assert_type(await pub.schedule_many(wanted), Report)


async def afterwards(pub: Orchestrator, handle: Handle, outcome: Outcome, report: Report) -> None:
    """Handles, outcomes, ids and reports go wherever a job is named."""
    assert_type(await handle, Outcome)
    assert_type(handle.outcome(), Outcome)
    assert_type(await pub.wait(handle, timeout=1.5), Outcome)
    assert_type(await pub.wait_many([handle, outcome, "job"]), Report)
    assert_type(await pub.wait_many(report), Report)
    assert_type(await pub.retry_failed(outcome), Outcome)
    assert_type(await pub.retry_failed_many(report, in_place=False), Report)
    assert_type(await pub.cancel("job"), CancelResult)
    assert_type(await pub.cancel_many(report), list[CancelResult])
    assert_type(await pub.reschedule(outcome, datetime.now(UTC)), Outcome)
    assert_type(pub.job("job"), Handle)
    assert_type(await pub.outcome("job"), Outcome)
    assert_type(await pub.resume(), list[Handle])


async def looking(pub: Orchestrator) -> None:
    """Reads and numbers."""
    assert_type(await pub.fetch("post", publisher="reap"), Post)
    assert_type(await pub.accounts(refresh=True), list[Account])
    assert_type(await pub.accounts(publisher="reap"), list[Account])
    assert_type(await pub.generate_caption(["item"]), str)
    assert_type(pub.usage(), dict[str, dict[str, int]])
    assert_type(pub.publishers, Mapping[str, Publisher])


def a_report(report: Report) -> None:
    """A report is a sequence of outcomes."""
    assert_type(report[0], Outcome)
    assert_type(len(report), int)
    assert_type(list(report), list[Outcome])
    assert_type(report.of(OutcomeStatus.FAILED, OutcomeStatus.UNKNOWN), tuple[Outcome, ...])
    assert_type(report.counts, dict[OutcomeStatus, int])
    assert_type(report.is_success, bool)


def the_words_of_settings_are_closed(youtube: YouTubeSettings, tiktok: TikTokSettings) -> None:
    """A checker tells a misspelt word."""
    assert_type(youtube.privacy, Literal["public", "unlisted", "private"] | None)
    assert_type(tiktok.privacy, Literal["public", "unlisted", "followers", "friends", "private"] | None)


def an_outcome(outcome: Outcome) -> None:
    """An outcome tells everything by account."""
    assert_type(outcome.status, OutcomeStatus)
    assert_type(outcome.deliveries, tuple[Delivery, ...])
    assert_type(outcome.posts, tuple[Post, ...])
    assert_type(outcome.problems, tuple[Problem, ...])
    assert_type(outcome.deliveries[0].status, DeliveryStatus)
    assert_type(outcome.deliveries[0].account, Account)
    assert_type(outcome.posts[0].status, PostStatus)
    assert_type(outcome.settled_at, datetime | None)


def the_set_of_ends_is_closed(status: OutcomeStatus) -> str:
    """A match over all of them is exhaustive: a new one is an error here."""
    match status:
        case OutcomeStatus.PUBLISHED | OutcomeStatus.SCHEDULED:
            return "done"
        case OutcomeStatus.PARTLY_PUBLISHED | OutcomeStatus.FAILED | OutcomeStatus.NOT_SENT:
            return "retry"
        case OutcomeStatus.REFUSED | OutcomeStatus.CANCELLED | OutcomeStatus.DUPLICATE:
            return "nothing is live"
        case OutcomeStatus.PENDING:
            return "wait"
        case OutcomeStatus.UNKNOWN:
            return "look"
        case _:
            assert_never(status)


async def events(pub: Orchestrator, handles: list[Handle]) -> None:
    """A match over the events is exhaustive, too, and narrows."""
    async with pub.stream(handles, buffer=10) as stream:
        assert_type(stream, EventStream)
        async for event in stream:
            match event:
                case JobHeld():
                    assert_type(event.seconds, float)
                    assert_type(event.reason, Literal["limit", "cap", "time"])
                case JobAccepted() | JobStuck():
                    assert_type(event.post, Post)
                case JobStatusChanged():
                    assert_type(event.before, PostStatus)
                case AccountDelivered() | AccountFailed():
                    assert_type(event.delivery, Delivery)
                case JobSettled():
                    assert_type(event.outcome, Outcome)
                case EventsMissed():
                    assert_type(event.count, int)
                case JobQueued() | JobSent() | JobUnknown():
                    assert_type(event.job_id, str)
                case _:
                    assert_never(event)


async def from_the_environment() -> None:
    """`async with` gives the orchestrator itself."""
    async with Orchestrator.from_env(shutdown_timeout=1.0, concurrency=4) as pub:
        assert_type(pub, Orchestrator)


def misspelt_options() -> None:
    """A checker finds them, and a value of another type."""
    Orchestrator.from_env(concurency=4)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Orchestrator.from_env(lease="long")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ReapPublisher.connect("key", timeuot=1.0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    ReelMirrorPublisher.from_env(base_url="http://localhost", retries=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def publishers() -> list[Publisher]:
    """Both publishers are `Publisher`s to a checker."""
    return [ReapPublisher.connect("key", name="a"), ReelMirrorPublisher.connect("key", base_url="http://localhost")]
