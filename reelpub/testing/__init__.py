"""Aids for your own tests: an in-memory publisher, virtual time, the contract that every publisher keeps."""

from __future__ import annotations

from reelpub.testing.memory import InMemoryPublisher, Script
from reelpub.testing.virtual import VirtualLoop, run_virtual

__all__ = ["InMemoryPublisher", "Script", "VirtualLoop", "run_virtual"]
