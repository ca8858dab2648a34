"""Many posts from one file: plan it, run it, go on with it after a crash, and tell what became of each row."""

from __future__ import annotations
