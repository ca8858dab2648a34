"""Publishers by name, from entry points and from the environment."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from reelpub.errors import ConfigurationError
from reelpub.providers import registry
from reelpub.providers.base import Publisher, require
from reelpub.providers.reap.publisher import ReapPublisher
from reelpub.providers.reelmirror.publisher import ReelMirrorPublisher


@pytest.fixture
def keys(monkeypatch):
    monkeypatch.setenv("REELMIRROR_API_KEY", "rm_test_key")
    monkeypatch.setenv("REAP_API_KEY", "reap_test_key")


def test_both_providers_are_known():
    assert {"reap", "reelmirror"} <= set(registry.known())
    assert registry.known() == sorted(registry.known())


def test_loads_a_publisher_class_by_its_name():
    assert registry.load("reap") is ReapPublisher
    assert registry.load("reelmirror") is ReelMirrorPublisher


@pytest.mark.parametrize("name", ["", "Reap", "nobody", None, 5])
def test_an_unknown_name_says_which_there_are(name):
    with pytest.raises(ConfigurationError, match=r"publisher .* isn't installed; there are .*reap, reelmirror"):
        registry.load(name)


async def test_makes_a_publisher_for_each_key(keys):
    made = registry.from_env()
    assert [publisher.provider for publisher in made] == ["reap", "reelmirror"]
    assert all(isinstance(publisher, Publisher) for publisher in made)
    assert "test_key" not in repr(made)
    for publisher in made:
        await publisher.close()


async def test_leaves_out_providers_without_a_key(keys, monkeypatch):
    monkeypatch.setenv("REELMIRROR_API_KEY", "")
    (made,) = registry.from_env()
    assert made.provider == "reap"
    await made.close()


def test_without_any_key_says_which_would_do(monkeypatch):
    with pytest.raises(ConfigurationError, match=r"no API key found: set .*REAP_API_KEY or REELMIRROR_API_KEY"):
        registry.from_env(environ={})


@pytest.mark.parametrize("ask", [registry.from_env, lambda: registry.load("reap")])
def test_a_copy_that_isnt_installed_says_so(ask, monkeypatch):
    """As in an image into which the sources were only copied: there are no names to tell."""
    monkeypatch.setattr(registry, "entry_points", lambda **_: ())
    with pytest.raises(ConfigurationError, match="no publisher is installed: reelpub is imported from a folder"):
        ask()


def test_asking_for_what_a_provider_lacks_names_who_can():
    from reelpub.errors import UnsupportedOperation
    from reelpub.models.capability import Feature
    from reelpub.testing import InMemoryPublisher

    memory = InMemoryPublisher()
    able = SimpleNamespace(provider="able", capabilities=SimpleNamespace(can=lambda _: True))
    require(memory, Feature.CANCEL)
    with pytest.raises(UnsupportedOperation) as caught:
        require(memory, Feature.CAPTIONS, [memory, able])
    assert (caught.value.supported_by, caught.value.capability) == (("able",), "generate_captions")
