"""What the pages say in numbers, names and tables is what the code has: a table can't fall behind unnoticed."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path

import pytest

import reelpub
from reelpub import (
    Lateness,
    Orchestrator,
    PollPolicy,
    ReapPublisher,
    ReelMirrorPublisher,
    RequestKind,
    RetryPolicy,
    Rules,
    SqliteStore,
    sandbox,
)
from reelpub.cli.exits import ExitStatus
from reelpub.clocks import MAX_SCALE
from reelpub.models.capability import Feature
from reelpub.providers import base
from reelpub.sandbox import FaultKind, ReapDialect, ReelMirrorDialect, seed
from reelpub.store import schema

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PACKAGE = Path(reelpub.__file__).parent
"""Where it is imported from, which may be a wheel."""


def page(name):
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def section(text, heading):
    """Return what stands under *heading*, up to the next one of its level or above."""
    level = heading.count("#", 0, heading.index(" "))
    after = text.partition(f"\n{heading}\n")[2]
    assert after, f"there is no {heading!r}"
    return re.split(rf"^#{{1,{level}}} ", after, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text):
    """Return the rows of the tables in *text* as lists of cells, without headers and rules."""
    lines = text.splitlines()
    rules = {number for number, line in enumerate(lines) if re.fullmatch(r"\s*\|( -+ \|)+", line)}
    skipped = rules | {number - 1 for number in rules}
    return [
        [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        for number, line in enumerate(lines)
        if line.lstrip().startswith("|") and number not in skipped
    ]


def code(text):
    return re.findall(r"`([^`]+)`", text)


# ---- README


def test_the_readme_has_every_exit_status_once():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = [int(cells[0]) for cells in rows(section(text, "## A file of posts"))]
    assert found == sorted(int(status) for status in ExitStatus)


def test_the_readme_names_the_extras_that_there_are_for_users():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [name for cells in rows(section(text, "## Install")) for name in code(cells[0])]
    ours = {"lint", "looks", "test"}
    assert set(named) == project["optional-dependencies"].keys() - ours
    (none,) = (cells[1] for cells in rows(section(text, "## Install")) if cells[0] == "none")
    assert re.findall(r"\w+", none.partition("needs ")[2]) == [
        re.match(r"\w+", requirement)[0] for requirement in project["dependencies"]
    ]


def test_the_readme_leads_to_every_page():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in DOCS.glob("*.md") if f"(docs/{path.name})" not in text] == []


# ---- the sandbox


def test_every_key_and_account_of_the_sandbox_is_on_its_page():
    there = section(page("sandbox"), "## What is there")
    keys = {key.key for key in (*seed.REELMIRROR_KEYS, *seed.REAP_KEYS)}
    accounts = {(one.name, one.id) for one in (*seed.REELMIRROR_ACCOUNTS, *seed.REAP_ACCOUNTS)}
    told = rows(there)
    assert {code(cells[1])[0] for cells in told if len(cells) == 3} == keys
    assert {(code(cells[1])[0], code(cells[2])[0]) for cells in told if len(cells) == 4} == accounts
    for name in (
        seed.PERSONA,
        seed.generated_post_id(seed.GENERATED_POSTS),
        seed.UNFINISHED_GENERATED_POST,
        f"demo-media-item-{seed.MEDIA_ITEMS}",
        *seed.REAP_PROJECTS,
        f"demo-clip-{seed.CLIPS_PER_PROJECT}",
        seed.REAP_PROJECT_UNFINISHED,
        seed.REAP_PROJECT_CANCELLED,
    ):
        assert f"`{name}`" in there


def test_every_fault_that_can_be_ordered_is_on_the_page_once():
    told = [name for cells in rows(section(page("sandbox"), "## Faults")) for name in code(cells[0])]
    assert sorted(told) == sorted(kind.name for kind in FaultKind)


def test_the_members_of_a_fault_are_told():
    said = section(page("sandbox"), "## Faults").partition("\n|")[0]
    members = set(inspect.signature(sandbox.Fault).parameters) - {"kind", "executed"}
    assert members <= set(re.findall(r"\*(\w+)\*", said))


def test_the_switches_of_the_dialects_have_the_values_that_the_page_gives():
    classes = {"ReelMirror": ReelMirrorDialect, "Reap": ReapDialect}
    for cells in rows(section(page("sandbox"), "## Dialects")):
        service = cells[0].partition(" ")[0]
        assert tuple(code(cells[1])) == classes[service].options()[code(cells[0])[0]], cells[0]


def test_the_kinds_of_limits_are_told():
    said = section(page("sandbox"), "## Rate limits")
    assert [kind.name for kind in sandbox.LimitKind if f"`{kind.name}`" not in said] == []


# ---- errors and patience


def test_the_page_on_errors_has_the_numbers_of_the_retry_policy():
    said, policy = section(page("errors"), "## What is repeated, and what isn't"), RetryPolicy()
    assert f"at most {policy.attempts} times" in said
    assert f"up to {policy.rate_attempts} times" in said
    assert f"from {policy.base:g} to {policy.cap:g} seconds" in said
    assert f"more than {policy.max_server_delay:g} seconds" in said
    assert policy.outage_patience == 3600
    assert "for an hour" in said
    assert f"`Rules.settle_after` ({Rules().settle_after:g} s)" in said


def test_every_kind_of_request_is_on_the_page_on_errors():
    told = [code(cells[0])[0] for cells in rows(section(page("errors"), "## What is repeated, and what isn't"))]
    assert told == [kind.name for kind in RequestKind]


def test_the_page_on_time_has_the_defaults():
    defaults = {name: one.default for name, one in inspect.signature(Orchestrator).parameters.items()}
    told = {cells[1]: cells[2] for cells in rows(section(page("time"), "## Patience"))}
    for name, value in {
        "*timeout* of a client": 30,
        "*send_timeout* of the orchestrator": defaults["send_timeout"],
        "*shutdown_timeout*": defaults["shutdown_timeout"],
    }.items():
        assert told[name] == f"{value:g} s, real"
    assert told["`PollPolicy.stuck_after`"].startswith(f"{PollPolicy().stuck_after / 60:g} min")
    assert f"## A faster clock\n\n`ScaledClock({MAX_SCALE:g})`" in page("time")


def test_the_page_on_durability_has_the_defaults():
    text = page("durability")
    defaults = {name: one.default for name, one in inspect.signature(Orchestrator).parameters.items()}
    assert f"`lease`, {defaults['lease']:g} s" in text
    assert f"`send_timeout`, {defaults['send_timeout']:g} s" in text
    assert f"`busy_timeout` ({inspect.signature(SqliteStore).parameters['busy_timeout'].default:g} s)" in text
    assert f"`grace` ({Lateness().grace:g} s)" in text
    assert f"`spacing` ({Lateness().spacing:g} s)" in text
    assert f"up to {inspect.signature(Orchestrator.resume).parameters['limit'].default:,} at a time" in text


def test_the_page_on_durability_has_the_tables_of_the_store():
    said = section(page("durability"), "## Runs")
    made = re.findall(r"CREATE TABLE (\w+)", inspect.getsource(schema))
    assert [name for cells in rows(said) for name in code(cells[0])] == made
    assert f"by version {schema.VERSION} of the file" in said


# ---- providers and publishers


@pytest.mark.parametrize(("place", "publisher"), [(1, ReelMirrorPublisher), (2, ReapPublisher)])
def test_the_page_on_providers_says_what_each_can(place, publisher):
    """The rows that are about a feature say yes exactly where it is offered."""
    capabilities = publisher.offline().capabilities
    told = {cells[0]: cells[place] for cells in rows(page("providers").partition("\n## ")[0])}
    named = {
        "schedule": Feature.SCHEDULE,
        "move a scheduled post": Feature.RESCHEDULE,
        "call a scheduled post off": Feature.CANCEL,
        "retry failed accounts": Feature.RETRY_FAILED,
        "look a lost answer up": Feature.FIND_DUPLICATE,
        "write captions": Feature.CAPTIONS,
        "connect and disconnect accounts, buy slots": Feature.CONNECT_ACCOUNT,
    }
    assert {row: told[row].startswith("yes") for row in named} == {
        row: capabilities.can(feature) for row, feature in named.items()
    }
    assert set(code(told["sources"])) == {source.__name__ for source in capabilities.sources}
    assert {name.strip().lower() for name in told["platforms"].split(",")} == set(capabilities.platforms)
    assert told["requests a minute for a key"] == str(publisher.offline().limits.requests)


def test_every_optional_protocol_is_on_the_page_on_publishers_with_its_methods():
    told = {
        code(cells[1])[0]: cells for cells in rows(page("publishers")) if cells[0].startswith("`") and len(cells) == 3
    }
    by_feature = {name: cells for name, cells in told.items() if name.startswith("Supports")}
    assert sorted(code(cells[0])[0] for cells in by_feature.values()) == sorted(feature.name for feature in Feature)
    others = {code(cells[0])[0]: cells for cells in rows(page("publishers")) if cells[0].startswith("`Supports")}
    protocols = {name for name in base.__all__ if name.startswith("Supports")}
    assert by_feature.keys() | others.keys() == protocols
    for name, cells in by_feature.items():
        assert own_members(name) <= set(code(cells[2])), name
    for name, cells in others.items():
        assert own_members(name) <= set(code(cells[1])), name


def own_members(protocol):
    return {name for name in vars(getattr(base, protocol)) if not name.startswith("_")}


# ---- on call

SQLITE_SAYS = {"database is locked", "disk is full"}


def test_what_the_page_on_call_quotes_is_what_is_said():
    sources = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    quoted = re.findall(r"\*([^*]+)\*", section(page("on-call"), "## Nothing goes out"))
    assert len(quoted) > 6
    pieces = {piece for text in quoted for piece in text.split(" … ")} - SQLITE_SAYS
    assert [piece for piece in pieces if piece not in sources] == []


def test_the_page_on_call_names_the_loggers_that_there_are():
    sources = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    logs = section(page("on-call"), "## Logs").partition("\n\n")[0]
    named = {name for name in code(logs.partition(" sets no handler")[0]) if name.startswith("reelpub.")}
    assert named == set(re.findall(r'getLogger\("(reelpub\.\w+)"\)', sources))


# ---- the design, the changes, the pictures


def test_the_tree_of_the_design_is_the_one_on_disk():
    tree = section(page("architecture"), "## The tree").split("```")[1]
    folders, missing = [], []
    for line in tree.splitlines():
        depth = len(line) - len(line.lstrip())
        folders = [folder for folder in folders if folder[0] < depth]
        named = re.match(r" *(\w+)/(\s|$)", line)
        if named:
            folders.append((depth, named[1]))
        names = [name for _, name in folders]
        here = PACKAGE.joinpath(*names[1:]) if names[:1] == ["reelpub"] else ROOT.joinpath(*names)
        missing += [str(here / name) for name in re.findall(r"\b\w+\.py\b", line) if not (here / name).is_file()]
        missing += [str(here)] if folders and not here.is_dir() else []
    assert missing == []
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert packages <= set(re.findall(r"(\w+)/", tree))


def test_the_changelog_keeps_its_form():
    """That of Keep a Changelog: versions from the latest, each with its link, under known headings."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[([^\]]+)\]( - \d{4}-\d\d-\d\d)?$", text, re.MULTILINE)
    assert versions[0] == ("Unreleased", "")
    assert all(date for _, date in versions[1:])
    assert re.findall(r"^\[([^\]]+)\]: ", text, re.MULTILINE) == [name for name, _ in versions]
    known = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Known limits"}
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) <= known


def test_every_picture_is_made_by_the_script_and_shown_on_a_page():
    made = re.findall(
        r'^    \("(report-[\w-]+)", ', (DOCS / "make_screenshots.py").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(made) == sorted(path.stem for path in (DOCS / "images").glob("*.png"))
    assert [name for name in made if f"images/{name}.png" not in page("report")] == []
