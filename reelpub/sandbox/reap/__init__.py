"""The sandbox's Reap."""

from __future__ import annotations

from reelpub.sandbox.reap.provider import ReapProvider

__all__ = ["ReapProvider"]
