"""Reap: the publisher, and below it the typed client of its Automation API with its wire shapes."""

from __future__ import annotations

from reelpub.providers.reap import schemas
from reelpub.providers.reap.client import ReapClient
from reelpub.providers.reap.decode import read_webhook
from reelpub.providers.reap.publisher import ReapPublisher

__all__ = ["ReapClient", "ReapPublisher", "read_webhook", "schemas"]
