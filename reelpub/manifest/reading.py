"""Reading a manifest: from a file or a stream to rows, one at a time, whatever is in it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from io import TextIOBase
from pathlib import Path
from typing import BinaryIO, Final

from reelpub.errors import ConfigurationError
from reelpub.manifest.csv_records import csv_records
from reelpub.manifest.interpret import Interpreter
from reelpub.manifest.json_records import json_records
from reelpub.manifest.records import Record, Unreadable, file_row
from reelpub.manifest.rows import ManifestRow, Place
from reelpub.manifest.text import Lines, read_lines
from reelpub.manifest.times import TimeRules, zone_problem
from reelpub.manifest.yaml_records import yaml_records
from reelpub.models.problem import Problem
from reelpub.models.when import FoldPolicy, GapPolicy

__all__ = ["FORMATS", "read_manifest"]

_READERS: Final[Mapping[str, Callable[[Lines], Iterator[Record]]]] = {
    "csv": csv_records,
    "tsv": lambda lines: csv_records(lines, "\t"),
    "jsonl": json_records,
    "ndjson": json_records,
    "yaml": yaml_records,
    "yml": yaml_records,
}
FORMATS: Final = tuple(_READERS)
"""What a manifest may be, which is also how its file's name may end."""

_YAML_BEGINS: Final = re.compile(r"---|%YAML|-\s|[A-Za-z_<]+:(?:\s|$)")


def read_manifest(
    source: Path | BinaryIO,
    *,
    format: str | None = None,  # noqa: A002  (what the command's option is called)
    zone: str | None = None,
    gap: GapPolicy = GapPolicy.REFUSE,
    fold: FoldPolicy = FoldPolicy.REFUSE,
) -> Iterator[ManifestRow]:
    """Return the rows of a manifest as they are read; 100,000 of them take no more memory than one.

    *source* is a file, ``-`` for standard input, or an open stream of bytes, which stays open. *format* is one of
    `FORMATS`; without it the file's name tells, or else its beginning. *zone*, *gap* and *fold* are for clock times
    whose row doesn't say.

    What is wrong with the file itself is told by rows with number 0: nothing in a file raises.

    Raises:
        ConfigurationError: *source* is neither, such as a text; no such format or zone; while reading, a library is
            missing.
    """
    if not isinstance(source, Path) and not _is_of_bytes(source):
        raise ConfigurationError(f"source: has to be a Path or an open stream of bytes, not {type(source).__name__}")
    if format is not None and format not in _READERS:
        raise ConfigurationError(f"{format!r} is no format of a manifest; there are {', '.join(FORMATS)}")
    wrong = None if zone is None else zone_problem(zone)
    if wrong is not None:
        raise ConfigurationError(f"the zone {zone!r} {wrong.message}")
    rules = TimeRules(zone=zone, gap=GapPolicy(gap), fold=FoldPolicy(fold))
    return _rows(source, format or _named(source), Interpreter(rules))


def _rows(source: Path | BinaryIO, form: str | None, interpreter: Interpreter) -> Iterator[ManifestRow]:
    has_said_anything = False
    try:
        with _opened(source) as stream:
            lines = read_lines(stream)
            for record in _READERS[form or _sniffed(lines)](lines):
                has_said_anything = True
                yield interpreter.row(record)
    except Unreadable as fault:
        yield file_row(fault.problem, fault.place)
    except OSError as error:
        said = f"can't be read: {error.strerror or error}"
        yield file_row(Problem(field="file", value=str(source), message=said), Place(line=1))
    else:
        if not has_said_anything:
            yield file_row(Problem(field="file", message="has no rows"), Place(line=1))


def _is_of_bytes(source: object) -> bool:
    return hasattr(source, "read") and not isinstance(source, TextIOBase)


def _named(source: Path | BinaryIO) -> str | None:
    suffix = source.suffix.lower().removeprefix(".") if isinstance(source, Path) else ""
    return suffix if suffix in _READERS else None


def _opened(source: Path | BinaryIO) -> AbstractContextManager[BinaryIO]:
    if not isinstance(source, Path):
        return nullcontext(source)
    return nullcontext(sys.stdin.buffer) if str(source) == "-" else source.open("rb")


def _sniffed(lines: Lines) -> str:
    """Return what the lines look like by the first that says anything, and put back what was read of them."""
    seen = []
    text = ""
    for line in lines:
        seen.append(line)
        text = line.text.strip()
        if (text and not text.startswith(("#", "//"))) or len(seen) >= 1000:
            break
    lines.put_back(seen)
    if text.startswith(("{", "[")):
        return "jsonl"
    return "yaml" if _YAML_BEGINS.match(text) else "csv"
