"""The report of a run: one HTML file that needs nothing beside it."""

from __future__ import annotations
