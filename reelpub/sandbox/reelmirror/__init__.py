"""The sandbox's ReelMirror."""

from __future__ import annotations

from reelpub.sandbox.reelmirror.answers import answer_schemas
from reelpub.sandbox.reelmirror.provider import ReelMirrorProvider

__all__ = ["ReelMirrorProvider", "answer_schemas"]
