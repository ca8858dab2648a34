"""Words that form closed sets: what a type checker is told is what is taken, sent and documented."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from reelpub import Clip, PublishRequest
from reelpub.manifest.columns import find
from reelpub.models.event import JobHeld
from reelpub.models.settings import LinkedInSettings, TikTokSettings, YouTubeSettings
from reelpub.providers.reap.schemas import LinkedInPrivacy, TikTokPrivacy, YouTubePrivacy
from reelpub.sandbox import ReapDialect, ReelMirrorDialect
from reelpub.store.codec import dump_request, load_request
from reelpub.transport.limiter import Hold


@pytest.mark.parametrize("dialect", [ReelMirrorDialect, ReapDialect])
def test_a_switch_is_annotated_with_the_values_that_it_takes(dialect):
    hints = get_type_hints(dialect)
    annotated = {name: (True, False) if hints[name] is bool else get_args(hints[name]) for name in dialect.options()}

    assert {name: set(values) for name, values in annotated.items()} == {
        name: set(values) for name, values in dialect.options().items()
    }


@pytest.mark.parametrize(
    ("platform", "settings", "at_reap"),
    [
        ("linkedin", LinkedInSettings, LinkedInPrivacy),
        ("tiktok", TikTokSettings, TikTokPrivacy),
        ("youtube", YouTubeSettings, YouTubePrivacy),
    ],
)
def test_a_privacy_is_annotated_with_the_words_that_are_documented(platform, settings, at_reap):
    words, _ = get_args(get_type_hints(settings)["privacy"])

    assert set(get_args(words)) == set(at_reap)
    assert find(f"{platform}.privacy").doc == f"One of {', '.join(get_args(words))}."


def test_a_word_that_is_not_known_comes_back_from_a_store():
    request = PublishRequest(Clip("p1", "c1"), settings={"tiktok": TikTokSettings(privacy="everybody")})

    assert load_request(dump_request(request)) == request


@pytest.mark.parametrize("kind", [JobHeld, Hold])
def test_each_reason_to_wait_stands_in_the_documentation_of_its_type(kind):
    reasons = get_args(get_type_hints(kind)["reason"])

    assert len(reasons) == 3
    assert all(f"``{reason}``" in kind.__doc__ for reason in reasons)
