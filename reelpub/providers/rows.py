"""Remembering what the rows of a list were read as, so that a row that is the same as before isn't read again.

A poll of a page mostly shows what the last one showed. A row counts as the same only where its whole JSON is, so that
nothing is overlooked; its value is then the very same object.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

import orjson

from reelpub.errors import DecodeError

__all__ = ["RowMemory"]

T = TypeVar("T")

ROWS_KEPT = 2_000
"""Twenty pages; a row takes about 1 KB beside its value."""

PAGES_KEPT = 5


class RowMemory(Generic[T]):
    """Values by the id and the JSON of their rows, the latest *keep*."""

    def __init__(self, keep: int = ROWS_KEPT) -> None:
        self._keep = keep
        self._version = 0
        self._known: dict[str, tuple[bytes, T]] = {}
        self._pages: dict[int, tuple[bytes, int, Any]] = {}

    def forget(self, row_id: str) -> None:
        """Read the row with this id anew."""
        self._known.pop(row_id, None)
        self._pages.clear()

    def page(self, number: int, body: bytes, *, version: int) -> Any:
        """Return what page *number* was read as when its whole answer was the same, None where it wasn't."""
        known = self._pages.get(number)
        return known[2] if known is not None and known[1] == version and known[0] == body else None

    def keep_page(self, number: int, body: bytes, value: object, *, version: int) -> None:
        """Remember what page *number* was read as; the first few pages only, which is where a poll looks."""
        if number < PAGES_KEPT:
            self._pages[number] = (body, version, value)

    async def read(
        self, rows: Sequence[Any], make: Callable[[list[Any]], Awaitable[Sequence[T]]], *, version: int
    ) -> list[T]:
        """Return the values of *rows*, in order; *make* is called once with those that aren't known as they are.

        *version* changes with whatever else *make* goes by; then everything is made anew. An error of *make* names
        rows by their place among all *rows*.
        """
        if version != self._version:
            self._known.clear()
            self._version = version
        raws = [orjson.dumps(row) for row in rows]
        found = [self._find(row, raw) for row, raw in zip(rows, raws, strict=True)]
        places = [place for place, value in enumerate(found) if value is None]
        if places:
            values = await self._make(rows, places, make)
            for place, value in zip(places, values, strict=True):
                found[place] = value
                self._keep_row(rows[place], raws[place], value)
        return [value for value in found if value is not None]

    async def _make(
        self, rows: Sequence[Any], places: list[int], make: Callable[[list[Any]], Awaitable[Sequence[T]]]
    ) -> Sequence[T]:
        try:
            return await make([rows[place] for place in places])
        except DecodeError:
            if len(places) < len(rows):
                await make(list(rows))
            raise

    def _find(self, row: Any, raw: bytes) -> T | None:
        known = self._known.get(str(row.get("id"))) if isinstance(row, dict) else None
        return known[1] if known is not None and known[0] == raw else None

    def _keep_row(self, row: Any, raw: bytes, value: T) -> None:
        row_id = row.get("id") if isinstance(row, dict) else None
        if not isinstance(row_id, str):
            return
        self._known.pop(row_id, None)
        self._known[row_id] = (raw, value)
        if len(self._known) > self._keep:
            del self._known[next(iter(self._known))]
