"""The public surface is complete and described: names, docstrings, errors."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import reelpub
from reelpub import errors

ROOT = Path(__file__).parents[2]
PACKAGES = ["reelpub", "reelpub.sandbox", "reelpub.testing"]
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(reelpub.__path__, "reelpub.")
    if not module.name.endswith("__main__")
)
ALL = ["reelpub", *MODULES]


def public_names(module):
    """Return what a module shows without an underscore, other modules left out."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not inspect.ismodule(value) and name != "annotations"
    }


def by_case(name):
    """Sort as ruff does (RUF022): constants, then classes, then functions."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


@pytest.mark.parametrize("name", PACKAGES)
def test_all_is_sorted_and_is_what_the_package_shows(name):
    module = importlib.import_module(name)
    assert list(module.__all__) == sorted(module.__all__, key=by_case)
    assert set(module.__all__) == public_names(module)


@pytest.mark.parametrize("name", ALL)
def test_every_name_in_all_exists_once(name):
    module = importlib.import_module(name)
    names = list(getattr(module, "__all__", []))
    assert len(set(names)) == len(names)
    assert [one for one in names if not hasattr(module, one)] == []


@pytest.mark.parametrize("name", ALL)
def test_every_module_says_what_it_is(name):
    assert len(inspect.getdoc(importlib.import_module(name)).split()) > 2


def own(module):
    """Yield the public classes and functions that a module defines itself."""
    for name in sorted(public_names(module)):
        value = getattr(module, name)
        is_thing = inspect.isclass(value) or inspect.isfunction(value)
        if is_thing and value.__module__ == module.__name__:
            yield name, value


@pytest.mark.parametrize("name", ALL)
def test_what_a_module_shows_of_its_own_is_in_its_all(name):
    """What only the module itself needs begins with an underscore."""
    module = importlib.import_module(name)
    assert {name for name, _ in own(module)} <= set(getattr(module, "__all__", ()))


def protocol_words():
    """The names that a documented protocol describes: whoever implements it inherits its words."""
    found = set()
    for module_name in (
        "reelpub.clocks",
        "reelpub.providers.base",
        "reelpub.store.base",
        "reelpub.store.runs",
        "reelpub.transport.message",
    ):
        for _, value in own(importlib.import_module(module_name)):
            if getattr(value, "_is_protocol", False):
                found |= {name for name, member in vars(value).items() if inspect.getdoc(member)}
    return found


@pytest.mark.parametrize("name", ALL)
def test_every_public_class_and_function_has_a_docstring(name):
    bare = [name for name, value in own(importlib.import_module(name)) if not value.__doc__]
    assert bare == []


@pytest.mark.parametrize("name", sorted(reelpub.__all__))
def test_every_public_member_of_a_public_class_has_a_docstring(name):
    value = getattr(reelpub, name)
    if not inspect.isclass(value):
        return
    words = protocol_words()
    bare = [
        f"{cls.__name__}.{member}"
        for cls in value.__mro__
        if cls.__module__.startswith("reelpub.")
        for member, thing in vars(cls).items()
        if not member.startswith("_") and member not in words
        if isinstance(thing, (property, classmethod, staticmethod)) or inspect.isfunction(thing)
        if not inspect.getdoc(thing)
    ]
    assert bare == []


ERRORS = [name for name in errors.__all__ if inspect.isclass(getattr(errors, name))]


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_is_exported_drawn_and_documented(name):
    assert name in reelpub.__all__
    assert re.search(rf"\b{name}\b", errors.__doc__)
    page = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    tree, _, rest = page.partition("## Where they turn up")
    assert re.search(rf"^[│├└─ ]*{name}\b", tree, re.MULTILINE), "it isn't in the page's tree"
    if name != "ReelPubError":
        assert f"| `{name}` |" in rest, "the page doesn't say what it means"


def test_the_tree_of_the_page_is_the_one_of_the_module():
    drawn = [line.strip() for line in errors.__doc__.splitlines() if "──" in line]
    page = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    assert [line for line in drawn if line not in page] == []


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_comes_from_one_base_and_shadows_no_builtin(name):
    import builtins

    assert issubclass(getattr(errors, name), reelpub.ReelPubError)
    assert not hasattr(builtins, name)


def test_the_version_is_in_the_changelog():
    from importlib.metadata import version

    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(version('reelpub'))}\]", text, re.MULTILINE)
