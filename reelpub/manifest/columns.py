"""The columns of a manifest: the one table that reading, the JSON Schema, the templates and the docs are made from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache
from typing import Final

from attrs import frozen

from reelpub.models.problem import Problem
from reelpub.models.settings import InstagramSettings, LinkedInSettings, TikTokSettings, YouTubeSettings
from reelpub.models.when import FoldPolicy, GapPolicy

__all__ = ["COLUMNS", "SETTINGS", "SOURCES", "Column", "Kind", "canonical", "find", "is_private", "suggest", "unknown"]


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    """Any text, kept as it is."""
    NAME = "name"
    """A text that isn't empty, such as an id."""
    FLAG = "yes or no"
    LIST = "list"
    """Texts that aren't empty."""
    ITEMS = "list of media items"
    CLIP = "clip"
    TIME = "time"
    ZONE = "time zone"
    CHOICE = "one of"
    SETTINGS = "settings"
    RAW = "raw settings"
    VALUE = "value"
    """A setting of a platform that isn't known here: passed on as it is."""


@frozen(kw_only=True)
class Column:
    """One column. *example* is as in a cell of CSV; a result column is written after a run and says how it went."""

    name: str
    kind: Kind
    doc: str
    example: str = ""
    choices: tuple[str, ...] = ()
    is_result: bool = False


SETTINGS: Final[Mapping[str, type[InstagramSettings | LinkedInSettings | TikTokSettings | YouTubeSettings]]] = {
    "instagram": InstagramSettings,
    "linkedin": LinkedInSettings,
    "tiktok": TikTokSettings,
    "youtube": YouTubeSettings,
}
"""The platforms whose settings are known."""

SOURCES: Final = ("generated_post", "media_items", "draft", "clip")
"""The columns of which each row fills exactly one."""

_FIELDS = (
    Column(
        name="reference", kind=Kind.TEXT, doc="Your own name for the row; it comes back in the results.", example="k-17"
    ),
    Column(
        name="publisher",
        kind=Kind.NAME,
        doc="The service that is to do it, where more than one could.",
        example="reap",
    ),
    Column(
        name="generated_post",
        kind=Kind.NAME,
        doc="A source: the id of a generated post at ReelMirror.",
        example="demo-generated-post-1",
    ),
    Column(
        name="approve",
        kind=Kind.FLAG,
        doc="Whether the generated post goes out in ReelMirror's one-call way, at once and as it is.",
        example="no",
    ),
    Column(
        name="media_items",
        kind=Kind.ITEMS,
        doc="A source: ids of generated media items at ReelMirror, in their order.",
        example="demo-media-item-1;demo-media-item-2",
    ),
    Column(name="persona", kind=Kind.NAME, doc="The persona of the media items.", example="demo-persona-1"),
    Column(
        name="draft",
        kind=Kind.NAME,
        doc="A source: the id of a draft that exists at ReelMirror.",
        example="5d1f0c9e-0000-4000-8000-000000000001",
    ),
    Column(
        name="clip",
        kind=Kind.CLIP,
        doc="A source: a finished clip at Reap, as PROJECT/CLIP.",
        example="demo-project-1/demo-clip-1",
    ),
    Column(name="caption", kind=Kind.TEXT, doc="The caption; it may have line breaks.", example="Launch day"),
    Column(name="title", kind=Kind.TEXT, doc="The title, where the service has one.", example="Launch day"),
    Column(name="tags", kind=Kind.LIST, doc="Tags, where the service has them.", example="launch;news"),
    Column(
        name="accounts",
        kind=Kind.LIST,
        doc="Where it goes, each as platform:username or an id; empty: the accounts the service has for it.",
        example="tiktok:acme;youtube:acme",
    ),
    Column(
        name="at",
        kind=Kind.TIME,
        doc="When it goes out; empty: now. With an offset, or as a clock time in the zone.",
        example="2027-03-28 14:30",
    ),
    Column(
        name="zone", kind=Kind.ZONE, doc="The IANA time zone of a clock time without an offset.", example="Europe/Oslo"
    ),
    Column(
        name="gap",
        kind=Kind.CHOICE,
        doc="What to do with a clock time that is skipped when the clocks go forward.",
        example="later",
        choices=tuple(GapPolicy),
    ),
    Column(
        name="fold",
        kind=Kind.CHOICE,
        doc="What to do with a clock time that comes twice when the clocks go back.",
        example="first",
        choices=tuple(FoldPolicy),
    ),
    Column(
        name="allow_duplicate",
        kind=Kind.FLAG,
        doc="Whether it is sent even if the same was sent before.",
        example="no",
    ),
    Column(
        name="settings",
        kind=Kind.SETTINGS,
        doc="All settings in one cell: an object from platform to settings, named as in the columns below.",
        example='{"tiktok": {"privacy": "friends"}}',
    ),
    Column(
        name="raw_settings",
        kind=Kind.RAW,
        doc="Settings in the service's own words: an object from platform to members, sent as they are.",
        example='{"tiktok": {"disableDuet": true}}',
    ),
)


def _switch(name: str, doc: str) -> Column:
    return Column(name=name, kind=Kind.FLAG, doc=doc, example="yes")


def _privacy(platform: str, words: str) -> Column:
    return Column(name=f"{platform}.privacy", kind=Kind.NAME, doc=f"One of {words}.", example="public")


_PLATFORM = (
    _switch("instagram.share_to_feed", "Whether the reel also shows in the feed."),
    _privacy("linkedin", "public, connections, logged_in"),
    _privacy("tiktok", "public, unlisted, followers, friends, private"),
    _switch("tiktok.disable_comments", "Whether nobody may comment."),
    _switch("tiktok.disable_duet", "Whether nobody may make a duet."),
    _switch("tiktok.disable_stitch", "Whether nobody may stitch it."),
    _switch("tiktok.brand_content", "Whether it is disclosed as a paid partnership."),
    _switch("tiktok.brand_organic", "Whether it is disclosed as about the own brand."),
    _privacy("youtube", "public, unlisted, private"),
    _switch("youtube.embeddable", "Whether other sites may embed it."),
    _switch("youtube.public_stats", "Whether its numbers are public."),
    _switch("youtube.made_for_kids", "Whether it is made for children."),
)


def _result(name: str, doc: str, kind: Kind = Kind.TEXT) -> Column:
    return Column(name=f"result_{name}", kind=kind, doc=doc, is_result=True)


_RESULTS = (
    _result(
        "status",
        "How the row ended, such as failed. Run again, a row that failed, was refused or wasn't sent is sent, one that "
        "is partly published to result_retry_accounts alone, and all others are skipped. Emptied, the whole row is "
        "sent; what the store has as live or on its way ends as a duplicate even then, unless allow_duplicate is yes.",
    ),
    _result("reason", "Why, in the service's own words where it gave any."),
    _result("publisher", "The service that had it."),
    _result("run", "The run."),
    _result("job", "The job that the row became."),
    _result("row", "The number of the row in the manifest that was run."),
    _result("line", "Its line there."),
    _result("posts", "The ids of its posts at the service.", Kind.LIST),
    _result("links", "The addresses of what is live, where the service gives them.", Kind.LIST),
    _result("live_accounts", "The accounts that it is live on.", Kind.LIST),
    _result("retry_accounts", "The accounts that it provably isn't live on, where it is on others.", Kind.LIST),
    _result("at", "When the row ended."),
    _result("guarded", "CSV only: yes, if texts of this row carry the guard against formulas.", Kind.FLAG),
)

COLUMNS: Final[tuple[Column, ...]] = (*_FIELDS, *_PLATFORM, *_RESULTS)
"""Every column with a fixed name, in the order in which they are written."""

_BY_NAME: Final = {column.name: column for column in COLUMNS}
_RESULT_NAMES: Final = tuple(column.name for column in COLUMNS if column.is_result)
_OWN_NAMES: Final = tuple(column.name for column in COLUMNS if not column.is_result)
_DOTTED = re.compile(r"([a-z][a-z0-9_]*)\.(\S(?:.*\S)?)")
_NEAR = 0.8
"""How alike two words have to be for one to count as a slip of the pen: ``tictok`` is, ``youtube_kids`` isn't."""
_ALIKE = 0.7
"""How alike they have to be for one to be asked about: ``tilte`` is like ``title``, ``konten`` isn't like ``zone``."""
_PART = 4
"""Letters that make a word: ``media`` is a part of ``media_items``, ``id`` isn't one of any name."""


def is_private(name: str) -> bool:
    """Return whether the column is the writer's own: its name begins with an underscore, and it means nothing here."""
    return name.startswith("_")


def canonical(header: str) -> str:
    """Return a CSV header's name as the table has it: case, spaces and hyphens don't matter."""
    name = header.strip()
    head, dot, setting = name.partition(".")
    head = re.sub(r"[\s-]+", "_", head.strip().lower())
    if head in SETTINGS or not dot:
        return head + dot + re.sub(r"[\s-]+", "_", setting.strip().lower())
    return f"{head}.{setting.strip()}"


def _is_result(name: str) -> bool:
    return name.startswith("result")


@lru_cache(maxsize=1024)
def find(name: str) -> Column | None:
    """Return the column of that name; any setting of a platform that isn't known here counts as one."""
    known = _BY_NAME.get(name)
    if known is not None:
        return known
    dotted = _DOTTED.fullmatch(name)
    if dotted is None or dotted[1] in SETTINGS or get_close_matches(dotted[1], SETTINGS, cutoff=_NEAR):
        return None
    return Column(name=name, kind=Kind.VALUE, doc="A setting of another platform.")


def suggest(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean …?`` for a known word that is like *word*, or nothing."""
    spellings = {name.lower(): name for name in known}
    word = word.lower()[:100]
    near = get_close_matches(word, spellings, n=1, cutoff=_ALIKE) or _akin(word, spellings)
    return f"; did you mean {spellings[near[0]]}?" if near else ""


def _akin(word: str, names: Iterable[str]) -> list[str]:
    """Return the name of which *word* is a part, or that *word* begins or ends with, where there is exactly one."""
    found = [name for name in names if _is_part(word, name) or _is_end(name, word)]
    return found if len(found) == 1 else []


def _is_part(word: str, name: str) -> bool:
    return len(word) >= _PART and word in re.split(r"[_./]", name)


def _is_end(name: str, word: str) -> bool:
    return len(name) >= _PART and (word.startswith(name) or word.endswith(name))


def unknown(name: str) -> Problem:
    """Return the problem with a column that isn't in the table, with what may have been meant."""
    platform, dot, setting = name.partition(".")
    if dot and platform in SETTINGS:
        known = [column.name.partition(".")[2] for column in COLUMNS if column.name.startswith(f"{platform}.")]
        return Problem(
            field=name, message=f"isn't a known setting of {platform}{suggest(setting, known)}", limit=", ".join(known)
        )
    guess = suggest(platform, SETTINGS) if dot else suggest(name, _RESULT_NAMES if _is_result(name) else _OWN_NAMES)
    advice = "" if guess else "; `reelpub schema --example csv` shows all, and a name that begins with _ is left alone"
    return Problem(field=name, message=f"isn't a column of a manifest{guess}{advice}")
