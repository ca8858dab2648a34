"""The plan of a manifest: problems, duplicates, requests, times; rows are made by hand, and nothing is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from reelpub import (
    Account,
    Clip,
    Draft,
    GeneratedPost,
    LocalTime,
    MediaItems,
    PublishRequest,
)
from reelpub.bulk.calendar import days, zone_name
from reelpub.bulk.plan import plan
from reelpub.errors import AuthenticationError, ConfigurationError, ConnectError, ServerError
from reelpub.manifest.rows import ManifestRow, Place, RowProblem
from reelpub.models.problem import Problem, Severity
from reelpub.policies.content import content_key
from reelpub.providers import registry
from reelpub.providers.base import Cost, Queue, QueuedPost, SupportsForecast, SupportsQueue
from reelpub.providers.reap import ReapPublisher
from reelpub.providers.reelmirror import ReelMirrorPublisher
from reelpub.store import MemoryStore, StoredJob
from reelpub.testing import InMemoryPublisher

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def clip(number=1, *, accounts=("tiktok:acme",), **options):
    return PublishRequest(Clip("project", f"clip-{number}"), accounts=accounts, **options)


def rows_of(*requests):
    return [ManifestRow(number=n, line=n + 1, request=one) for n, one in enumerate(requests, start=1)]


class Told(list):
    """The findings, as lines with their messages."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __call__(self, problem):
        self.found.append(problem)
        self.append((problem.place.line, problem.problem.field, problem.problem.message))

    @property
    def messages(self):
        return [message for _, _, message in self]


async def planned(rows, publishers=None, **options):
    told = Told()
    if publishers is None:
        publishers = registry.offline()
        options = {"is_offline": True, **options}
    made = await plan(rows, {one.name: one for one in publishers}, now=NOW, found=told, **options)
    for one in publishers:
        await one.close()
    return made, told


class Shelf(InMemoryPublisher):
    """A publisher in memory that shows a queue, and may fail to show accounts or the queue."""

    def __init__(self, *, queue=None, fails=None):
        super().__init__(accounts=("tiktok:acme", "youtube:acme"))
        self.shown, self.fails, self.reads = queue, fails, []

    async def accounts(self, *, refresh=False):
        self.reads.append("accounts")
        if isinstance(self.fails, BaseException):
            raise self.fails
        return await super().accounts(refresh=refresh)

    async def queue(self, *, max_reads):
        self.reads.append(f"queue {max_reads}")
        if isinstance(self.shown, BaseException):
            raise self.shown
        return self.shown or Queue()


# ---- what is wrong


async def test_every_problem_of_every_row_is_told_at_once():
    """A row's mistakes in its texts, accounts, time and settings don't hide each other, nor those of other rows."""
    made, told = await planned(
        rows_of(
            clip(
                accounts=("facebook:acme", "tiktok:acme", "tiktok:acme"),
                tags=["a"] * 11,
                settings={"tiktok": {"privacy": "nobody"}},
                at=NOW - timedelta(hours=1),
            ),
            clip(2),
            PublishRequest(GeneratedPost("g"), title="t", tags=["x"], at=LocalTime("2027-03-28 02:30", "Europe/Oslo")),
        )
    )
    assert {(line, field) for line, field, _ in told} == {
        (2, "accounts[0]"),
        (2, "accounts[2]"),
        (2, "tags"),
        (2, "settings.tiktok.privacy"),
        (2, "at"),
        (4, "title"),
        (4, "tags"),
        (4, "at"),
    }
    assert (made.rows, made.sound, made.errors) == (3, 1, len(told))
    assert not made.is_sound


async def test_a_problem_stands_where_the_manifest_says():
    row = ManifestRow(
        number=7,
        line=30,
        request=clip(accounts=["tiktok:acme", "facebook:acme"]),
        places={"accounts": Place(line=31, column="accounts", position=4)},
    )
    _, told = await planned([row])
    assert told.found[0] == RowProblem(
        row=7,
        place=Place(line=31, column="accounts", position=4),
        problem=told.found[0].problem,
    )
    assert told.found[0].problem.limit == "instagram, linkedin, tiktok, x, youtube"


async def test_what_reading_told_is_told_once():
    """The reader finds a bad time at its cell; the check that finds it again doesn't repeat it."""
    at = datetime(2027, 5, 1)  # noqa: DTZ001 - the mistake
    request = clip(at=at)
    (problem,) = [p for p in registry_check(request) if p.field == "at"]
    found = RowProblem(row=1, place=Place(line=9, column="at", position=3), problem=problem)
    made, told = await planned([ManifestRow(number=1, line=9, request=request, problems=(found,))])
    assert told.found == [found]
    assert made.errors == 1


async def test_that_a_field_is_missing_isnt_told_where_what_stood_there_couldnt_be_read():
    """But whatever else is wrong with the row is, and with what could be read of that field."""

    def unread(number, path, **members):
        found = Problem(field=path, message="looks like more than one")
        place = Place(line=number, column="accounts")
        return ManifestRow(
            number=number,
            line=number,
            request=clip(number, **members),
            problems=(RowProblem(row=number, place=place, problem=found),),
        )

    rows = [
        unread(1, "accounts", accounts=[], caption="x" * 5000),
        unread(2, "accounts[1]", accounts=["tiktok:acme", "facebook:acme"]),
    ]
    _, told = await planned(rows)
    assert [(found.row, found.problem.field) for found in told.found] == [
        (1, "accounts"),
        (1, "caption"),
        (2, "accounts[1]"),
        (2, "accounts[1]"),
    ]


async def test_a_row_that_fills_a_column_nobody_knows_isnt_told_what_it_lacks():
    """What is missing may stand in that column, which is told once; what else is wrong is told all the same."""

    def blocked(number, request):
        return ManifestRow(number=number, line=number + 1, request=request, is_blocked=True)

    rows = [blocked(1, clip(1, accounts=[])), blocked(2, clip(2, accounts=[], caption="x" * 5000)), *rows_of(clip(3))]
    made, told = await planned(rows)
    assert [(line, field) for line, field, _ in told] == [(3, "caption")]
    assert (made.rows, made.sound) == (3, 1)


def registry_check(request):
    from reelpub.policies.checks import request_problems

    return request_problems(request)


async def test_a_row_that_cant_be_read_keeps_its_problems_and_the_others_go_on():
    broken = RowProblem(row=1, place=Place(line=2, column="clip"), problem=Problem(field="clip", message="is odd"))
    file = RowProblem(row=0, place=Place(line=1), problem=Problem(field="file", message="w", severity=Severity.WARNING))
    made, told = await planned(
        [
            ManifestRow(number=0, line=1, request=None, problems=(file,)),
            ManifestRow(number=1, line=2, request=None, problems=(broken,)),
            *rows_of(clip())[:1],
        ]
    )
    assert told.messages == ["w", "is odd"]
    assert (made.rows, made.sound, made.errors, made.warnings) == (2, 1, 1, 1)


async def test_rows_that_went_out_before_are_left_out():
    done = ManifestRow(number=1, line=2, request=clip(at=NOW - timedelta(days=3)), skip="it is live")
    made, told = await planned([done, *rows_of(clip(2))])
    assert (made.rows, made.sound, made.skipped, told) == (2, 1, 1, [])
    assert made.is_sound


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (PublishRequest(Clip("p", "c"), accounts=["tiktok:acme"], publisher="other"), "isn't one of the publishers"),
        (PublishRequest(None), "is missing"),
        (PublishRequest(Clip("p", "c")), "is empty"),
        (PublishRequest(Clip("p", "c"), accounts="tiktok:acme"), "has to be a list"),
        (PublishRequest(Clip("p", "c"), accounts=[5]), "has to be an Account"),
        (PublishRequest(Clip("p", "c"), accounts=[" "]), "has to be an Account"),
    ],
)
async def test_odd_requests_are_problems_and_never_faults(request_, message):
    made, told = await planned(rows_of(request_))
    assert any(message in text for text in told.messages)
    assert made.sound == 0


async def test_a_publisher_with_a_bug_spoils_its_rows_alone(caplog):
    class Odd(Shelf):
        def plan(self, request, accounts):
            if request.caption == "bug":
                raise RuntimeError("oops")
            return super().plan(request, accounts)

    made, told = await planned(rows_of(clip(1, caption="bug"), clip(2)), [Odd()])
    assert told.messages == ["memory couldn't plan it: it raised RuntimeError: oops"]
    assert made.sound == 1


async def test_rules_that_count_on_right_types_arent_a_fault_where_those_are_wrong(caplog):
    class Picky(Shelf):
        def check(self, request):
            return [Problem(field="caption", message="shouts")] if request.caption.isupper() else []

    _, told = await planned(rows_of(clip(1, caption=5), clip(2, caption="HEAR"), clip(3, caption="hear")), [Picky()])
    assert told.messages == ["has to be text, not int", "shouts"]
    assert caplog.records == []


# ---- accounts


async def test_accounts_and_queue_are_read_once_however_many_rows():
    shelf = Shelf()
    made, told = await planned(rows_of(*[clip(n) for n in range(50)]), [shelf], queue_reads=3)
    assert shelf.reads == ["accounts", "queue 3"]
    assert (told, made.sound) == ([], 50)


async def test_an_account_that_isnt_connected_is_told_with_those_that_are():
    made, told = await planned(rows_of(clip(accounts=["tiktok:other", "tiktok:acme"])), [Shelf()])
    assert told == [(2, "accounts[0]", "is no account at memory; connected are tiktok:acme, youtube:acme")]
    assert made.sound == 0


async def test_the_same_account_by_id_and_by_name_is_told():
    _, told = await planned(rows_of(clip(accounts=["tiktok:acme", "tiktok-acme"])), [Shelf()])
    assert told == [(2, "accounts", "is named twice")]


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationError("no", status=401, operation="accounts", provider="memory"),
        ConnectError("refused", operation="accounts", provider="memory"),
        RuntimeError("a bug"),
    ],
)
async def test_accounts_that_cant_be_read_leave_the_plan_open_and_the_rest_checked(error, caplog):
    shelf = Shelf(fails=error)
    made, told = await planned(
        rows_of(clip(1), clip(2, accounts=["facebook:acme"]), clip(3, at=NOW - timedelta(1))), [shelf]
    )
    assert shelf.reads == ["accounts"], "asked once, and the queue of the same key not at all"
    assert {line for line, _, _ in told} == {3, 4}
    assert list(made.unread) == ["memory"]
    assert not made.is_sound
    assert made.sound == 1


async def test_offline_nothing_is_asked_and_names_are_checked_as_far_as_they_tell():
    shelf = Shelf()
    made, told = await planned(
        rows_of(clip(1, accounts=["0a1b", "facebook:acme", "TikTok:@Acme", "tiktok:acme"])), [shelf], is_offline=True
    )
    assert shelf.reads == []
    assert [(field, message) for _, field, message in told] == [
        ("accounts[1]", "is on a platform memory doesn't publish to"),
        ("accounts", "is named twice"),
    ]
    assert made.reads == {}


async def test_offline_an_account_that_was_read_before_is_taken_as_it_is():
    account = Account(id="7", provider="memory", platform="tiktok", username="acme")
    made, told = await planned(
        rows_of(clip(1, accounts=[account]), clip(1, accounts=[account])), [Shelf()], is_offline=True
    )
    assert told.messages == ["is the same post as in line 2"]
    assert made.sound == 1


async def test_offline_publishers_refuse_to_send(tmp_path):
    for publisher in registry.offline():
        with pytest.raises(ConfigurationError, match="offline and sends nothing"):
            await publisher.accounts()
        with pytest.raises(ConfigurationError, match="offline and sends nothing"):
            await publisher.client.transport.put_file("https://x.example/?s", tmp_path / "f.mp4", content_type="v")
        await publisher.close()


def test_offline_publishers_need_no_key(monkeypatch):
    for name in ("REAP_API_KEY", "REELMIRROR_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert [one.name for one in registry.offline()] == ["reap", "reelmirror"]
    assert [one.name for one in registry.offline(name="reap")] == ["reap"]
    with pytest.raises(ConfigurationError, match="isn't installed"):
        registry.offline(name="nobody")


def test_a_publisher_that_cant_do_without_a_key_is_made_only_with_one(monkeypatch):
    made = []

    class Keyed:
        env_key = "KEYED_API_KEY"

        @classmethod
        def from_env(cls, *, name=None, clock=None):
            made.append("keyed")
            return Shelf()

    monkeypatch.setattr(registry, "known", lambda: ["keyed"])
    monkeypatch.setattr(registry, "load", lambda name: Keyed)
    assert registry.offline(environ={}) == []
    assert len(registry.offline(environ={"KEYED_API_KEY": "k"})) == 1
    assert len(registry.offline(environ={}, name="keyed")) == 1


# ---- duplicates


async def test_the_same_post_twice_in_the_file_is_an_error_that_names_the_line():
    made, told = await planned(rows_of(clip(1), clip(2), clip(1), clip(1, accounts=["TikTok:@ACME"]), clip(1)))
    assert told == [
        (4, "source.clip_id", "is the same post as in line 2"),
        (5, "source.clip_id", "is the same post as in line 2"),
        (6, "source.clip_id", "is the same post as in line 2"),
    ]
    assert (made.sound, made.errors) == (2, 3)


async def test_the_same_post_by_an_accounts_id_is_the_same_once_accounts_are_known():
    _, told = await planned(rows_of(clip(1), clip(1, accounts=["tiktok-acme"])), [Shelf()])
    assert told.messages == ["is the same post as in line 2"]


async def test_what_may_repeat_isnt_told():
    made, told = await planned(rows_of(clip(1), clip(1, allow_duplicate=True), clip(1, caption="other")))
    assert told == []
    assert made.sound == 3


@pytest.mark.parametrize(
    ("source", "field"),
    [(Clip("p", "c"), "source.clip_id"), (MediaItems(["m"]), "source.items"), (Draft("d"), "source.id")],
)
async def test_a_duplicate_stands_at_its_source(source, field):
    accounts = ["tiktok:acme"]
    _, told = await planned(
        rows_of(PublishRequest(source, accounts=accounts), PublishRequest(source, accounts=accounts))
    )
    assert [(line, where) for line, where, _ in told] == [(3, field)]


async def test_an_account_with_two_posts_in_one_minute_is_a_warning():
    at = LATER.replace(second=5)
    made, told = await planned(
        rows_of(
            clip(1, at=at, accounts=["tiktok:acme", "youtube:acme"]),
            clip(2, at=at + timedelta(seconds=50)),
            clip(3, at=at + timedelta(seconds=60)),
            clip(4, at=at, accounts=["x:acme"]),
        )
    )
    assert told == [(3, "at", "tiktok:acme has a post in the same minute in line 2")]
    assert (made.sound, made.warnings, made.is_sound) == (4, 1, True)


async def having(*requests):
    """Return a store that has *requests* already, as jobs that are called by their clips."""
    store = MemoryStore()
    jobs = [
        StoredJob(
            id=f"job-{one.source.clip_id}",
            publisher="memory",
            request=b"{}",
            submitted_at=0.0,
            content_key=content_key(one, "memory"),
        )
        for one in requests
    ]
    await store.add(jobs, owner="me", lease_until=1.0)
    return store


def again(number):
    return f"was asked for before, as job job-clip-{number}; it isn't sent again"


async def test_what_the_store_has_is_a_warning_with_the_job():
    requests = [clip(n) for n in range(1, 701)]
    requests[4] = clip(1, allow_duplicate=True)
    made, told = await planned(rows_of(*requests), [Shelf()], store=await having(clip(1), clip(600)))
    assert told == [(2, "source.clip_id", again(1)), (601, "source.clip_id", again(600))]
    assert (made.warnings, made.is_sound) == (2, True)


async def test_what_the_store_has_is_neither_counted_nor_in_the_calendar():
    """It isn't sent again, so that it takes no requests and no time; whoever asks is told of which job it is."""
    requests = [clip(n) for n in range(1, 1_201)]
    store, seen, recalled = await having(*requests[:1_199]), [], {}
    made, _ = await planned(
        rows_of(*requests), [Shelf()], store=store, planned=seen.append, recalled=recalled.__setitem__
    )
    assert (made.rows, made.sound, made.new, made.remembered) == (1_200, 1_200, 1, 1_199)
    assert [row.number for row in made.calendar] == [row.number for row in seen] == [1_200]
    assert (made.posts, [one.rows for one in made.publishers], made.calendar[0].at) == (1, [1], NOW)
    assert recalled == {number: f"job-clip-{number}" for number in range(1, 1_200)}


async def test_where_the_store_has_all_of_it_nothing_is_left_to_do():
    made, _ = await planned(rows_of(clip(1), clip(2)), [Shelf()], store=await having(clip(1), clip(2)))
    assert (made.sound, made.new, made.requests, made.seconds, made.calendar) == (2, 0, 0, 0.0, ())


async def test_warnings_come_in_the_order_of_rows():
    """Rows wait for the store together; what is told of them then, and of a late one that it has, keeps their order."""
    late = clip(4, at=NOW - timedelta(hours=1))
    rows = rows_of(clip(1, at=LATER), clip(2, at=LATER), clip(3), late, clip(5, at=LATER))
    _, told = await planned(rows, [Shelf()], store=await having(clip(1, at=LATER), clip(3), late))
    assert told == [
        (2, "source.clip_id", again(1)),
        (3, "at", "tiktok:acme has a post in the same minute in line 2"),
        (4, "source.clip_id", again(3)),
        (5, "source.clip_id", again(4)),
        (6, "at", "tiktok:acme has a post in the same minute in line 2"),
    ]


async def test_what_isnt_sent_again_is_itself_what_the_provider_has_scheduled():
    done = clip(1, at=LATER)
    _, told = await planned(rows_of(done), [Shelf(queue=QUEUED)], store=await having(done))
    assert told.messages == [again(1)]


QUEUED = Queue(
    posts=(
        QueuedPost(id="p1", at=LATER, accounts=frozenset({"tiktok-acme"}), sources=(Clip("project", "clip-1"),)),
        QueuedPost(id="p2", at=LATER, accounts=frozenset({"youtube-acme"})),
        QueuedPost(id="p3", sources=(MediaItems(["m1", "m2"]),)),
    ),
    note="and more can't be known",
)


async def test_what_the_provider_has_scheduled_is_a_warning_with_the_posts_id():
    made, told = await planned(
        rows_of(
            clip(1),  # the same clip on the same account
            clip(1, accounts=["youtube:acme"], at=LATER),  # another account: only the minute
            clip(2, at=LATER),
            clip(3, at=LATER + timedelta(minutes=1)),
            PublishRequest(MediaItems(["m1", "m2"], persona_id="p"), accounts=["tiktok:acme"]),
            PublishRequest(MediaItems(["m2", "m1"]), accounts=["tiktok:acme"]),
        ),
        [Shelf(queue=QUEUED)],
    )
    assert told == [
        (2, "source.clip_id", "is scheduled there already for 2027-03-02T12:00+00:00, as post p1"),
        (3, "at", "youtube:acme has post p2 scheduled in the same minute"),
        (4, "at", "tiktok:acme has post p1 scheduled in the same minute"),
        (6, "source.items", "is scheduled there already, as post p3"),
    ]
    assert made.notes == ("and more can't be known",)
    assert made.is_sound


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ServerError("down", status=503, operation="queue", provider="memory"), "couldn't be read: memory queue: 503"),
        (RuntimeError("a bug"), "it raised RuntimeError"),
    ],
)
async def test_a_queue_that_cant_be_read_is_a_note(error, said, caplog):
    made, told = await planned(rows_of(clip(1), clip(2)), [Shelf(queue=error)])
    assert (told, made.is_sound, len(made.notes)) == ([], True, 1)
    assert said in made.notes[0]


async def test_a_publisher_without_a_queue_says_that_it_cant_be_known():
    memory = InMemoryPublisher(accounts=["tiktok:acme"])
    assert not isinstance(memory, SupportsQueue)
    made, _ = await planned(rows_of(clip(1)), [memory])
    assert made.notes == ("what memory has scheduled can't be known",)


async def test_no_queue_is_read_where_none_is_wanted():
    shelf = Shelf(queue=QUEUED)
    made, told = await planned(rows_of(clip(1)), [shelf], queue_reads=0)
    assert (shelf.reads, told, made.notes) == (["accounts"], [], ())


# ---- requests and time


def groups_of(*accounts):
    return [tuple(Account(id=name, provider="p", platform=name.split(":")[0]) for name in accounts)]


@pytest.mark.parametrize(
    ("request_", "cost"),
    [
        (PublishRequest(GeneratedPost("g", approve=True)), Cost(writes=1)),
        (PublishRequest(GeneratedPost("g")), Cost(writes=2)),
        (PublishRequest(GeneratedPost("g"), caption="c"), Cost(writes=3)),
        (PublishRequest(Draft("d")), Cost(writes=1, reads=1)),
        (PublishRequest(Draft("d"), caption="c"), Cost(writes=2, reads=1)),
    ],
)
async def test_what_a_post_takes_at_reelmirror(request_, cost):
    publisher = ReelMirrorPublisher.offline()
    assert isinstance(publisher, SupportsForecast)
    assert publisher.requests_for(request_, [()], at=None) == cost
    assert publisher.requests_for(request_, [()], at=LATER) == cost
    await publisher.close()


async def test_what_a_post_to_named_accounts_takes_at_reelmirror():
    publisher, groups = ReelMirrorPublisher.offline(), groups_of("tiktok:acme")
    costs = {GeneratedPost("g"): (3, 1), MediaItems(["m"]): (2, 0), Draft("d"): (2, 2)}
    for source, (writes, reads) in costs.items():
        cost = publisher.requests_for(PublishRequest(source), groups, at=None)
        assert (cost.writes, cost.reads) == (writes, reads), source
    await publisher.close()


async def test_what_a_clip_takes_at_reap():
    """One call for each post; a scheduled one has a share in a call, and a project's reads serve all of its clips."""
    publisher = ReapPublisher.offline()
    groups = [*groups_of("tiktok:a", "youtube:a"), *groups_of("tiktok:b")]
    once = {"project project": 2}
    assert publisher.requests_for(clip(), groups, at=None) == Cost(writes=2, once=once)
    at = LATER + timedelta(milliseconds=1)
    shared = publisher.requests_for(clip(), groups, at=at)
    assert (shared.writes, shared.reads, shared.once) == (0, 0, once)
    assert [date for _, date in shared.shares] == [int(LATER.timestamp()) + 1] * 2
    assert len({key for key, _ in shared.shares}) == 2
    await publisher.close()


async def test_the_forecasts_groups_are_those_of_the_calls():
    """100 clips every 10 minutes are 2 scheduling calls; another account's are calls of their own."""
    spaced = [clip(n, at=LATER + timedelta(minutes=10 * n)) for n in range(100)]
    others = [clip(n, accounts=["x:acme"], at=LATER + timedelta(minutes=10 * n)) for n in range(30)]
    made, _ = await planned(rows_of(*spaced, *others))
    (reap,) = made.publishers
    assert (reap.posts, reap.scheduled, reap.writes) == (130, 130, 3)
    # The accounts, and one look at the project with one page of its clips.
    assert reap.reads == 3
    assert (reap.following, reap.seconds) == (0, 0.0)


async def test_two_accounts_of_one_platform_are_two_posts_at_reap():
    made, _ = await planned(rows_of(clip(accounts=["tiktok:a", "tiktok:b", "x:a"])))
    (reap,) = made.publishers
    assert (reap.rows, reap.posts, reap.writes) == (1, 2, 2)


async def test_a_time_too_near_for_the_provider_is_kept_here_and_counted():
    near = NOW + timedelta(minutes=30)
    made, told = await planned(rows_of(clip(1, at=near), clip(2)))
    assert [problem.is_error for problem in told.found] == [False]
    (reap,) = made.publishers
    assert (reap.posts, reap.kept_here, reap.scheduled, reap.writes) == (2, 1, 0, 2)
    assert reap.seconds == 30 * 60 + 60
    assert [row.is_kept_here for row in made.calendar] == [True, False]
    assert made.seconds == reap.seconds


async def test_the_plan_counts_each_publisher_by_itself():
    generated = PublishRequest(GeneratedPost("g"), accounts=["instagram:acme"])
    made, _ = await planned(rows_of(clip(1), generated, clip(2)))
    assert [(one.publisher, one.rows, one.limit) for one in made.publishers] == [
        ("reap", 2, 10),
        ("reelmirror", 1, 60),
    ]
    assert made.posts == 3
    assert made.requests == sum(one.requests for one in made.publishers)
    assert any("reelmirror has a list of posts isn't known" in note for note in made.notes)


async def test_a_publisher_without_a_forecast_counts_one_request_for_each_post():
    made, _ = await planned(rows_of(clip(1), clip(2)), [Shelf()])
    assert [one.writes for one in made.publishers] == [2]


async def test_nothing_to_plan():
    made, told = await planned([])
    assert (made.rows, made.publishers, made.seconds, made.first_at, made.last_at) == (0, (), 0.0, None, None)
    assert made.is_sound
    assert told == []


# ---- when


async def test_each_row_has_its_instant_and_the_zone_it_was_written_in():
    made, _ = await planned(
        rows_of(
            clip(1, at=LocalTime("2027-03-28 03:30", "Europe/Oslo")),
            clip(2, at=datetime(2027, 3, 28, 3, 30, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))),
            clip(3),
        )
    )
    oslo, stjohns, now = made.calendar
    assert (oslo.at, zone_name(oslo.local())) == (datetime(2027, 3, 28, 1, 30, tzinfo=UTC), "Europe/Oslo")
    assert (stjohns.at.hour, zone_name(stjohns.local())) == (7, "-03:30")
    assert stjohns.local().hour == 3
    assert (now.at, now.is_timed, zone_name(now.local())) == (NOW, False, "UTC")
    assert zone_name(now.local(ZoneInfo("Asia/Kolkata"))) == "Asia/Kolkata"
    assert (made.first_at, made.last_at) == (NOW, stjohns.at)


async def test_what_goes_out_at_once_goes_out_as_the_limit_allows():
    made, _ = await planned(rows_of(*[clip(n) for n in range(25)]))
    waits = [(row.at - NOW).total_seconds() for row in made.calendar]
    assert waits == sorted(waits)
    assert waits[0] == 0.0
    assert waits[-1] == 120.0


async def test_the_calendar_is_by_day_of_the_zone_asked_for():
    made, _ = await planned(
        rows_of(
            clip(1, at=datetime(2027, 3, 5, 23, 30, tzinfo=UTC)),
            clip(2, at=datetime(2027, 3, 4, 12, tzinfo=UTC)),
            clip(3, at=datetime(2027, 3, 5, 22, tzinfo=UTC)),
        )
    )
    assert [(day.day, [row.number for row in rows]) for day, rows in days(made.calendar)] == [(4, [2]), (5, [3, 1])]
    oslo = days(made.calendar, ZoneInfo("Europe/Oslo"))
    assert [(day.day, [row.number for row in rows]) for day, rows in oslo] == [(4, [2]), (5, [3]), (6, [1])]


async def test_rows_are_told_as_they_are_planned():
    seen = []
    made, _ = await planned(rows_of(clip(1), clip(2, at=LATER)), planned=seen.append)
    assert tuple(seen) == made.calendar
    assert [(row.requests, row.accounts) for row in seen] == [(1, ("tiktok:acme",)), (None, ("tiktok:acme",))]
