"""What callers of either client are told about a wrong argument: the same mistake in the same words."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime

import pytest

from reelpub.errors import ValidationError
from reelpub.providers.arguments import MAX_INTEGER, Checks
from reelpub.providers.reap import endpoints as reap
from reelpub.providers.reap.schemas import ScheduleClip
from reelpub.providers.reelmirror import endpoints as reelmirror
from reelpub.providers.reelmirror.schemas import OutgoingPostItemInput
from reelpub.providers.structure import UNSET

ITEM = OutgoingPostItemInput("m1")


def compose(**changes):
    return reelmirror.create_outgoing_post(**{"items": [ITEM], **changes})


def publish(**changes):
    return reap.publish_clip(**{"project_id": "p1", "clip_id": "c1", "integrations": ["i1"], **changes})


def told(build):
    with pytest.raises(ValidationError) as caught:
        build()
    (problem,) = caught.value.problems
    return problem.message, problem.value, problem.limit


SAME = {
    "no text": (lambda: compose(caption=5), lambda: publish(description=5)),
    "half a character": (lambda: compose(caption="\ud83d"), lambda: publish(description="\ud83d")),
    "an empty id": (lambda: reelmirror.get_outgoing_post(" "), lambda: reap.get_post_details(post_id=" ")),
    "half a character in an id": (
        lambda: reelmirror.get_outgoing_post("\udc00"),
        lambda: reap.get_post_details(post_id="\udc00"),
    ),
    "an id that is no text": (lambda: reelmirror.get_outgoing_post(7), lambda: reap.get_post_details(post_id=7)),
    "one text for a list": (lambda: compose(target_account_ids="a"), lambda: publish(integrations="a")),
    "an entry that is no text": (lambda: compose(target_account_ids=[7]), lambda: publish(integrations=[7])),
    "no list at all": (lambda: compose(items=None), lambda: publish(integrations=None)),
    "an empty list": (lambda: reelmirror.generate_caption([]), lambda: publish(integrations=[])),
    "no whole number": (
        lambda: reelmirror.list_personas(limit=1.5, offset=0),
        lambda: reap.get_all_posts(page_size=1.5),
    ),
    "too many rows": (lambda: reelmirror.list_personas(limit=101, offset=0), lambda: reap.get_all_posts(page_size=101)),
    "no switch": (
        lambda: compose(items=[OutgoingPostItemInput("m1", use_voice_converted=1)]),
        lambda: reap.create_reframe(upload_id="u1", center_stage=1),
    ),
    "no JSON": (
        lambda: compose(platform_settings={"newest": {1, 2}}),
        lambda: publish(platform_settings={"tiktok": {"newest": {1, 2}}}),
    ),
}


@pytest.mark.parametrize("mistake", sorted(SAME))
def test_the_same_mistake_is_told_in_the_same_words(mistake):
    at_reelmirror, at_reap = SAME[mistake]

    assert told(at_reelmirror) == told(at_reap)


@pytest.mark.parametrize("value", [2**70, MAX_INTEGER + 1, -(2**70)])
def test_a_number_that_not_every_reader_keeps_exact_is_refused(value):
    message, shown, limit = told(lambda: reelmirror.create_topup(value))

    assert message == ("is too large" if value > 0 else "is too small")
    assert shown == value
    assert limit.endswith(str(MAX_INTEGER))


@pytest.mark.parametrize("value", [{"address": "https://a.example/v?sig=hunter2"}, b"sig=hunter2", "sig=hunter2\ud800"])
def test_an_address_to_fetch_a_file_from_is_never_quoted_since_it_may_be_signed(value):
    with pytest.raises(ValidationError) as caught:
        reelmirror.upload_file(url=value, category="avatar", persona_id="p1")

    assert "hunter2" not in str(caught.value) + repr(caught.value.problems)


def test_any_sequence_is_a_list_at_both():
    clip = ScheduleClip(project_id="p1", clip_id="c1", tags=deque(["x"]))
    at = int(datetime(2027, 1, 15, tzinfo=UTC).timestamp())

    assert compose(target_account_ids=deque(["a"])).json["target_account_ids"] == ["a"]
    assert publish(integrations=deque(["a"])).json["integrations"] == ["a"]
    assert reap.schedule_clips(clips=[clip], integrations=["i"], schedule_date=at).json["clips"][0]["tags"] == ["x"]
    assert reap.get_all_posts(status=deque(["completed"])).query[-1] == ("status", "completed")


def test_what_is_not_given_is_never_sent_as_a_word():
    assert "tags" not in publish(tags=UNSET).json
    assert "search" not in dict(reap.get_all_projects(search=UNSET).query)
    assert told(lambda: compose(caption=UNSET))[0] == "has to be a text"


def test_everything_that_is_wrong_is_raised_at_once():
    checks = Checks()
    checks.whole("limit", "5")
    checks.text("caption", "abc", most=2)
    with pytest.raises(ValidationError) as caught:
        checks.finish()

    assert [str(problem) for problem in caught.value.problems] == [
        "limit: has to be a whole number (given: '5')",
        "caption: has 3 characters (given: 'abc') [limit: at most 2]",
    ]
    Checks().finish()
