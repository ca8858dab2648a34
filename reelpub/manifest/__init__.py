"""Manifests: files with one row for each post, read as requests with every mistake told at its place."""

from __future__ import annotations
