"""From a row's values to what it asks for: every problem at once, and the request as far as it can be read."""

from __future__ import annotations

from datetime import datetime

from attrs import evolve

from reelpub.manifest.cells import Cells
from reelpub.manifest.places import Places
from reelpub.manifest.records import Record
from reelpub.manifest.rerun import again, origin
from reelpub.manifest.rows import ManifestRow, Place, RowProblem
from reelpub.manifest.settings import settings_of
from reelpub.manifest.sources import source_column, source_of
from reelpub.manifest.times import TimeRules, advice, moment, zone_problem
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.models.when import FoldPolicy, GapPolicy, LocalTime

__all__ = ["Interpreter"]


class Interpreter:
    """Reads the rows of one file; *rules* are for clock times whose row has no zone or policy of its own."""

    def __init__(self, rules: TimeRules) -> None:
        self._rules = rules
        self._told: set[tuple[Place, str]] = set()

    def row(self, record: Record) -> ManifestRow:
        """Return *record* as a row."""
        if any(told.is_error for told in record.problems) and not record.values:
            return ManifestRow(number=record.number, line=record.line, request=None, problems=record.problems)
        cells = Cells(record, list(record.problems))
        request, skip = again(cells, self._request(cells))
        return ManifestRow(
            number=record.number,
            line=record.line,
            request=request,
            problems=(*cells.told, *self._new(cells.shared)) if skip is None else _about_the_result(cells.told),
            places=Places(record.line, record.spots, source_column(cells)),
            skip=skip,
            origin=origin(cells),
            is_blocked=record.is_blocked or bool(cells.shared),
            own=record.own,
        )

    def _new(self, shared: list[RowProblem]) -> list[RowProblem]:
        """Return what hasn't been told of another row: a wrong default is one fault, however many rows have it."""
        new = [told for told in shared if (told.place, told.problem.message) not in self._told]
        if len(self._told) < 10_000:
            self._told.update((told.place, told.problem.message) for told in new)
        return new

    def _request(self, cells: Cells) -> PublishRequest | None:
        source = source_of(cells)
        members = {
            "caption": cells.text("caption"),
            "title": cells.text("title"),
            "tags": cells.names("tags"),
            "accounts": cells.names("accounts"),
            "settings": settings_of(cells),
            "at": self._at(cells),
            "publisher": cells.name("publisher"),
            "allow_duplicate": cells.flag("allow_duplicate") or False,
            "reference": cells.text("reference"),
        }
        return None if source is None else PublishRequest(source, **members)  # type: ignore[arg-type]

    def _at(self, cells: Cells) -> datetime | LocalTime | None:
        zone, gap, fold = cells.name("zone"), cells.choice("gap"), cells.choice("fold")
        wrong_zone = None if zone is None else zone_problem(zone)
        if wrong_zone is not None:
            cells.note(("zone",), wrong_zone)
        text = self._time_text(cells)
        if text is None:
            return None
        rules = TimeRules(
            # With a zone that isn't known the time can still be looked at for itself.
            zone=zone or self._rules.zone if wrong_zone is None else "UTC",
            gap=GapPolicy(gap) if gap else self._rules.gap,
            fold=FoldPolicy(fold) if fold else self._rules.fold,
        )
        found = moment(text, rules, has_own_zone=zone is not None)
        if isinstance(found, Problem):
            cells.note(("at",), evolve(found, field="at"))
            return None
        return found if wrong_zone is None else None

    def _time_text(self, cells: Cells) -> str | None:
        value = cells.value("at")
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            # A spreadsheet's number, or Unix time: it is told what that would be.
            cells.refuse(("at",), f"has to be text; as a number it {advice(str(value))}", value)
            return None
        return cells.name("at")


def _about_the_result(told: list[RowProblem]) -> tuple[RowProblem, ...]:
    """Return what of *told* may be why a row is left out; the rest is wrong with what nobody sends."""
    return tuple(one for one in told if one.problem.field.startswith("result_"))
