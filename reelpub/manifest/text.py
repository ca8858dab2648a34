"""From bytes to lines: encodings and their marks, what isn't text at all, and lines of any length in bounded memory."""

from __future__ import annotations

import codecs
import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final, NamedTuple

from reelpub.manifest.records import Unreadable
from reelpub.models.problem import Problem

__all__ = ["MAX_LINE", "Line", "Lines", "damage", "read_lines"]

MAX_LINE: Final = 4 * 2**20
"""The most characters that a line may have; of a longer one the rest is dropped and the problem told."""

_CHUNK: Final = 64 * 1024
_LINE_END = re.compile(r"\r\n|\n|\r(?=[^\n])")
_DAMAGED = re.compile("[\x00\ud800-\udfff]")
_SIGNATURES: Final = (
    (b"PK\x03\x04", "an Excel workbook or another zip file; save it as CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save it as CSV UTF-8"),
    (b"\x1f\x8b", "compressed with gzip; unpack it first"),
    (b"%PDF", "a PDF"),
)


class Line(NamedTuple):
    """One line: its number from 1, its text with the line's end, and what is wrong with it as a line."""

    number: int
    text: str
    problem: Problem | None = None


class Lines(Iterator[Line]):
    """Lines that can be put back."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = iter(lines)
        self._returned: deque[Line] = deque()

    def __next__(self) -> Line:
        return self._returned.popleft() if self._returned else next(self._lines)

    def put_back(self, lines: Iterable[Line]) -> None:
        """Give *lines* out again, before all others."""
        self._returned.extendleft(reversed(list(lines)))


def read_lines(stream: BinaryIO) -> Lines:
    """Return the lines of *stream*, in UTF-8, or in UTF-16 with its mark.

    A byte that doesn't fit the encoding becomes half a surrogate pair, which `damage` finds.

    Raises:
        Unreadable: it is empty, or no text.
    """
    chunks = _chunks(stream)
    head = next(chunks, b"")
    if not head:
        raise Unreadable(Problem(field="file", message="is empty"))
    decoder = _decoder(head)

    def texts() -> Iterator[str]:
        yield decoder.decode(head)
        for chunk in chunks:
            yield decoder.decode(chunk)
        yield _last(decoder)

    return Lines(_split(texts()))


def damage(text: str) -> Problem | None:
    """Return what is wrong with the characters of *text*: one that its encoding doesn't have, or a NUL."""
    found = None if text.isascii() and "\0" not in text else _DAMAGED.search(text)
    if found is None:
        return None
    code = ord(found[0])
    if code == 0:
        return Problem(field="file", message="holds a NUL character, which no text has")
    if 0xDC80 <= code <= 0xDCFF:
        said = f"isn't UTF-8: the byte {code - 0xDC00:#04x}; save the file as UTF-8 (Excel: CSV UTF-8)"
        return Problem(field="file", message=said)
    return Problem(field="file", message="holds half a surrogate pair: the file is damaged UTF-16; save it as UTF-8")


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    # A pipe gives what it has, so that the first row is read before the last one is written.
    read = getattr(stream, "read1", stream.read)
    pending = b""
    while chunk := read(_CHUNK):
        pending += chunk
        if len(pending) >= 4:  # enough for a mark or a signature
            yield pending
            pending = b""
    if pending:
        yield pending


def _decoder(head: bytes) -> codecs.IncrementalDecoder:
    for signature, what in _SIGNATURES:
        if head.startswith(signature):
            raise Unreadable(Problem(field="file", message=f"isn't a manifest but {what}"))
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return codecs.getincrementaldecoder("utf-16")("surrogatepass")
    if b"\0" in head[:4096]:
        said = "isn't text: it has NUL bytes; save it as UTF-8 (UTF-16 needs its mark)"
        raise Unreadable(Problem(field="file", message=said))
    return codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")


def _last(decoder: codecs.IncrementalDecoder) -> str:
    try:
        return decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        # Half a character at the very end, which UTF-16 can't pass on.
        return "\ud800"


def _split(texts: Iterable[str]) -> Iterator[Line]:
    number, rest, is_cut = 0, "", False
    for text in texts:
        whole = rest + text
        start = 0
        # What is left of the text before has no line's end, unless its last character is the half of one.
        for found in _LINE_END.finditer(whole, max(0, len(rest) - 1)):
            begun, start = start, found.end()
            if is_cut:
                is_cut = False
                continue
            number += 1
            yield _line(number, whole[begun:start])
        rest = whole[start:]
        if len(rest) > MAX_LINE and not is_cut:
            number, is_cut = number + 1, True
            yield _line(number, rest)
        if is_cut:
            # A carriage return has to stay: a line feed may follow it.
            rest = rest[-1:]
    if rest and not is_cut:
        yield _line(number + 1, rest)


def _line(number: int, text: str) -> Line:
    if len(text) <= MAX_LINE:
        return Line(number, text)
    problem = Problem(field="file", message="is longer than a line may be", limit=f"at most {MAX_LINE:,} characters")
    return Line(number, text[:MAX_LINE], problem)
