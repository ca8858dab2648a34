"""ReelMirror: the publisher, the typed client and its schemas."""

from __future__ import annotations

from reelpub.providers.reelmirror import schemas
from reelpub.providers.reelmirror.client import ReelMirrorClient
from reelpub.providers.reelmirror.decode import Page
from reelpub.providers.reelmirror.publisher import ReelMirrorPublisher

__all__ = ["Page", "ReelMirrorClient", "ReelMirrorPublisher", "schemas"]
