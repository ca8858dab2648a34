"""A small manifest in each format, to begin with: its ids and accounts are those of the sandbox."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from reelpub.manifest.csv_cells import quoted
from reelpub.manifest.csv_values import as_cell

__all__ = ["EXAMPLE_FORMATS", "example"]

EXAMPLE_FORMATS: Final = ("csv", "jsonl", "yaml")
_COLUMNS: Final = (
    "reference",
    "generated_post",
    "media_items",
    "persona",
    "clip",
    "caption",
    "title",
    "tags",
    "accounts",
    "at",
    "zone",
    "tiktok.privacy",
    "youtube.made_for_kids",
    "_note",
)
_YAML: Final = """\
# Your own columns begin with an underscore. Every column: reelpub schema
defaults:
  zone: Europe/Oslo
posts:
  - reference: launch-1
    clip: demo-project-1/demo-clip-1
    caption: |
      The launch, in 30 seconds.
      All of it is in the link.
    title: Launch day
    tags: [launch, news]
    accounts: [tiktok:acme, youtube:acme]
    tiktok.privacy: friends
    youtube.made_for_kids: no
    _note: A clip of Reap, now
  - reference: launch-2
    clip: demo-project-1/demo-clip-2
    title: The day after
    tags: [launch]
    accounts: [youtube:acme]
    at: {day} 14:30
    _note: A clip of Reap, later
  - reference: launch-3
    generated_post: demo-generated-post-1
    caption: Launch day
    _note: A generated post of ReelMirror, for the accounts of its persona
  - reference: launch-4
    media_items: [demo-media-item-1, demo-media-item-2]
    persona: demo-persona-1
    caption: Two in one
    accounts: [instagram:acme]
    _note: Media items of ReelMirror
"""


def example(form: str, day: date) -> str:
    """Return a manifest of four rows as one of `EXAMPLE_FORMATS`; what is scheduled goes out on *day*."""
    if form == "yaml":
        return _YAML.format(day=day.isoformat())
    rows = _rows(day)
    if form == "jsonl":
        return "".join(json.dumps(row) + "\n" for row in rows)
    lines = [",".join(_COLUMNS), *(",".join(_cell(row, column) for column in _COLUMNS) for row in rows)]
    return "".join(f"{line}\r\n" for line in lines)


def _cell(row: Mapping[str, Any], column: str) -> str:
    return quoted(as_cell(row[column])) if column in row else ""


def _rows(day: date) -> list[dict[str, Any]]:
    return [
        {
            "reference": "launch-1",
            "clip": "demo-project-1/demo-clip-1",
            "caption": "The launch, in 30 seconds.\nAll of it is in the link.\n",
            "title": "Launch day",
            "tags": ["launch", "news"],
            "accounts": ["tiktok:acme", "youtube:acme"],
            "tiktok.privacy": "friends",
            "youtube.made_for_kids": False,
            "_note": "A clip of Reap, now",
        },
        {
            "reference": "launch-2",
            "clip": "demo-project-1/demo-clip-2",
            "title": "The day after",
            "tags": ["launch"],
            "accounts": ["youtube:acme"],
            "at": f"{day.isoformat()} 14:30",
            "zone": "Europe/Oslo",
            "_note": "A clip of Reap, later",
        },
        {
            "reference": "launch-3",
            "generated_post": "demo-generated-post-1",
            "caption": "Launch day",
            "_note": "A generated post of ReelMirror, for the accounts of its persona",
        },
        {
            "reference": "launch-4",
            "media_items": ["demo-media-item-1", "demo-media-item-2"],
            "persona": "demo-persona-1",
            "caption": "Two in one",
            "accounts": ["instagram:acme"],
            "_note": "Media items of ReelMirror",
        },
    ]
