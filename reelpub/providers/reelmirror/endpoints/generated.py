"""Requests about generated posts; see https://reelmirror.com/docs/guides/review-queue."""

from __future__ import annotations

from reelpub.policies.safety import RequestKind
from reelpub.providers.reelmirror.checks import Checks
from reelpub.providers.reelmirror.endpoints.build import item_request
from reelpub.transport.message import Request

__all__ = [
    "approve_generated_post",
    "generate",
    "get_generated_media_item",
    "get_generated_post",
    "reject_generated_media_item",
    "reject_generated_post",
    "send_generated_post_to_compose",
]

_POST = "/v1/generated-posts/{}"
_ITEM = "/v1/generated-media-items/{}"


def get_generated_post(post_id: str) -> Request:
    """Build `getGeneratedPost`."""
    return item_request("get_generated_post", "GET", _POST, "post_id", post_id, kind=RequestKind.READ)


def approve_generated_post(post_id: str) -> Request:
    """Build `approveGeneratedPost`: it publishes at once."""
    path, kind = f"{_POST}/approve", RequestKind.GO_LIVE
    return item_request("approve_generated_post", "POST", path, "post_id", post_id, kind=kind)


def reject_generated_post(post_id: str) -> Request:
    """Build `rejectGeneratedPost`."""
    path, kind = f"{_POST}/reject", RequestKind.IDEMPOTENT
    return item_request("reject_generated_post", "POST", path, "post_id", post_id, kind=kind)


def send_generated_post_to_compose(post_id: str) -> Request:
    """Build `sendGeneratedPostToCompose`: it makes a draft."""
    path, kind = f"{_POST}/send-to-compose", RequestKind.CREATE_DRAFT
    return item_request("send_generated_post_to_compose", "POST", path, "post_id", post_id, kind=kind)


def get_generated_media_item(item_id: str) -> Request:
    """Build `getGeneratedMediaItem`."""
    return item_request("get_generated_media_item", "GET", _ITEM, "item_id", item_id, kind=RequestKind.READ)


def reject_generated_media_item(item_id: str) -> Request:
    """Build `rejectGeneratedMediaItem`; its path is inferred."""
    path, kind = f"{_ITEM}/reject", RequestKind.IDEMPOTENT
    return item_request("reject_generated_media_item", "POST", path, "item_id", item_id, kind=kind)


def generate(*, source_post_id: str, persona_id: str) -> Request:
    """Build `generate`: it costs credit."""
    checks = Checks()
    checks.identifier("source_post_id", source_post_id)
    checks.identifier("persona_id", persona_id)
    checks.finish()
    body = {"source_post_id": source_post_id, "persona_id": persona_id}
    return Request(operation="generate", method="POST", path="/v1/generate", kind=RequestKind.OTHER_WRITE, json=body)
