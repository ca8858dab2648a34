"""The report of a run: one HTML file that needs nothing beside it."""

from __future__ import annotations

from reelpub.report.page import render, write

__all__ = ["render", "write"]
