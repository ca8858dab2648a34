"""Manifests: files with one row for each post, read as requests with every mistake told at its place."""

from __future__ import annotations

from reelpub.manifest.reading import FORMATS, read_manifest
from reelpub.manifest.results import RESULT_FORMATS, ResultRow, write_results
from reelpub.manifest.rows import ManifestRow, Place, RowProblem

__all__ = [
    "FORMATS",
    "RESULT_FORMATS",
    "ManifestRow",
    "Place",
    "ResultRow",
    "RowProblem",
    "read_manifest",
    "write_results",
]
