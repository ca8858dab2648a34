"""What of `reelpub.bulk` is public: its own names, and two modules that are named for what they tell beforehand."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest

from reelpub import bulk

PAGES = Path(__file__).parents[2] / "docs"
BEFOREHAND = {"plan": {"plan", "Plan", "QUEUE_READS"}, "rehearsal": {"rehearse", "Rehearsal"}}


@pytest.mark.parametrize("name", sorted(BEFOREHAND))
def test_what_tells_beforehand_is_public_by_the_name_of_its_module(name):
    module = importlib.import_module(f"reelpub.bulk.{name}")

    assert inspect.ismodule(getattr(bulk, name)), "a name of the package would hide the module"
    assert set(module.__all__) == BEFOREHAND[name]
    assert f"`reelpub.bulk.{name}`" in bulk.__doc__
    assert f"reelpub.bulk.{name}" in (PAGES / "plan.md").read_text()


def test_programs_in_the_docs_import_only_what_is_public():
    found = set()
    for page in PAGES.glob("*.md"):
        for module, names in re.findall(r"^from (reelpub\.bulk[\w.]*) import (.+)$", page.read_text(), re.MULTILINE):
            found |= {(module, name.strip()) for name in names.split(",")}

    assert found
    for module, name in found:
        assert module.removeprefix("reelpub.bulk").lstrip(".") in ("", *BEFOREHAND)
        assert name in importlib.import_module(module).__all__, (module, name)
