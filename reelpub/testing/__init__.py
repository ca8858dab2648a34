"""Aids for your own tests: an in-memory publisher, virtual time, the contract that every publisher keeps.

`reelpub.testing.plugin` has fixtures for pytest.
"""

from __future__ import annotations

from reelpub.testing.contract import PublisherContract
from reelpub.testing.memory import InMemoryPublisher, Script
from reelpub.testing.virtual import VirtualLoop, run_virtual

__all__ = ["InMemoryPublisher", "PublisherContract", "Script", "VirtualLoop", "run_virtual"]
