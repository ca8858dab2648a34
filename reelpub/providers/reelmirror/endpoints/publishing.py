"""Requests about outgoing posts and captions; see https://reelmirror.com/docs/guides/publishing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from reelpub.policies.safety import RequestKind
from reelpub.providers.reelmirror.checks import Checks
from reelpub.providers.reelmirror.endpoints.build import given, instant_text, item_request, page_request
from reelpub.providers.reelmirror.schemas import OutgoingPostItemInput
from reelpub.transport.message import Request

__all__ = [
    "cancel_outgoing_post",
    "create_outgoing_post",
    "delete_outgoing_post",
    "generate_caption",
    "get_outgoing_post",
    "list_outgoing_posts",
    "publish_outgoing_post",
    "retry_outgoing_post",
    "schedule_outgoing_post",
    "update_outgoing_post",
]

_POSTS = "/v1/publishing/posts"
_POST = "/v1/publishing/posts/{}"
_ID = "outgoing_post_id"


def create_outgoing_post(
    *,
    items: Sequence[OutgoingPostItemInput],
    persona_id: str | None = None,
    caption: str | None = None,
    target_account_ids: Sequence[str] | None = None,
    platform_settings: Mapping[str, Any] | None = None,
) -> Request:
    """Build `createOutgoingPost`: a draft that nobody sees."""
    checks = Checks()
    checks.required("items", items)
    _check_items(checks, items)
    checks.optional_identifier("persona_id", persona_id)
    _check_content(checks, caption, target_account_ids, platform_settings)
    checks.finish()
    body = {
        **given(persona_id=persona_id),
        **_content(items, caption, target_account_ids, platform_settings),
    }
    return Request(
        operation="create_outgoing_post", method="POST", path=_POSTS, kind=RequestKind.CREATE_DRAFT, json=body
    )


def list_outgoing_posts(*, limit: int | None, offset: int) -> Request:
    """Build `listOutgoingPosts`: one page."""
    return page_request("list_outgoing_posts", _POSTS, limit=limit, offset=offset)


def get_outgoing_post(outgoing_post_id: str) -> Request:
    """Build `getOutgoingPost`."""
    return item_request("get_outgoing_post", "GET", _POST, _ID, outgoing_post_id, kind=RequestKind.READ)


def update_outgoing_post(
    outgoing_post_id: str,
    *,
    caption: str | None = None,
    platform_settings: Mapping[str, Any] | None = None,
    items: Sequence[OutgoingPostItemInput] | None = None,
    target_account_ids: Sequence[str] | None = None,
) -> Request:
    """Build `updateOutgoingPost`: a change of at least one member."""
    checks = Checks()
    checks.identifier(_ID, outgoing_post_id)
    _check_items(checks, items)
    _check_content(checks, caption, target_account_ids, platform_settings)
    has_change = any(member is not None for member in (caption, platform_settings, items, target_account_ids))
    checks.require(has_change, "caption", "nothing to change was given", limit="at least one member")
    checks.finish()
    body = _content(items, caption, target_account_ids, platform_settings)
    kind = RequestKind.IDEMPOTENT
    return item_request("update_outgoing_post", "PATCH", _POST, _ID, outgoing_post_id, kind=kind, json=body)


def delete_outgoing_post(outgoing_post_id: str) -> Request:
    """Build `deleteOutgoingPost`."""
    return item_request("delete_outgoing_post", "DELETE", _POST, _ID, outgoing_post_id, kind=RequestKind.IDEMPOTENT)


def publish_outgoing_post(outgoing_post_id: str) -> Request:
    """Build `publishOutgoingPost`: it has no body."""
    return _action("publish_outgoing_post", "publish", outgoing_post_id, RequestKind.GO_LIVE)


def schedule_outgoing_post(
    outgoing_post_id: str, *, scheduled_for: datetime, timezone: str | None = None, now: datetime
) -> Request:
    """Build `scheduleOutgoingPost`; *scheduled_for* must be later than *now* and is sent in UTC."""
    checks = Checks()
    checks.identifier(_ID, outgoing_post_id)
    checks.instant("scheduled_for", scheduled_for, after=now)
    checks.optional_identifier("timezone", timezone)
    checks.finish()
    body = {"scheduled_for": instant_text(scheduled_for), **given(timezone=timezone)}
    return _action("schedule_outgoing_post", "schedule", outgoing_post_id, RequestKind.GO_LIVE, body)


def cancel_outgoing_post(outgoing_post_id: str) -> Request:
    """Build `cancelOutgoingPost`: it has no body."""
    return _action("cancel_outgoing_post", "cancel", outgoing_post_id, RequestKind.IDEMPOTENT)


def retry_outgoing_post(outgoing_post_id: str) -> Request:
    """Build `retryOutgoingPost`: it has no body and means the whole post."""
    return _action("retry_outgoing_post", "retry", outgoing_post_id, RequestKind.GO_LIVE)


def generate_caption(generated_media_item_ids: Sequence[str], *, persona_id: str | None = None) -> Request:
    """Build `generateCaption`."""
    checks = Checks()
    checks.required("generated_media_item_ids", generated_media_item_ids)
    checks.texts("generated_media_item_ids", generated_media_item_ids, least=1)
    checks.optional_identifier("persona_id", persona_id)
    checks.finish()
    return Request(
        operation="generate_caption",
        method="POST",
        path="/v1/publishing/caption",
        kind=RequestKind.OTHER_WRITE,
        json={"generated_media_item_ids": list(generated_media_item_ids), **given(persona_id=persona_id)},
    )


def _action(
    operation: str, action: str, outgoing_post_id: str, kind: RequestKind, json: Mapping[str, Any] | None = None
) -> Request:
    return item_request(operation, "POST", f"{_POST}/{action}", _ID, outgoing_post_id, kind=kind, json=json)


def _content(
    items: Sequence[OutgoingPostItemInput] | None,
    caption: str | None,
    target_account_ids: Sequence[str] | None,
    platform_settings: Mapping[str, Any] | None,
) -> dict[str, Any]:
    return given(
        caption=caption,
        items=None if items is None else [_item(item) for item in items],
        target_account_ids=None if target_account_ids is None else list(target_account_ids),
        platform_settings=None if platform_settings is None else dict(platform_settings),
    )


def _item(item: OutgoingPostItemInput) -> dict[str, Any]:
    return given(
        generated_media_item_id=item.generated_media_item_id,
        position=item.position,
        use_voice_converted=item.use_voice_converted,
    )


def _check_content(checks: Checks, caption: object, target_account_ids: object, platform_settings: object) -> None:
    checks.text("caption", caption)
    checks.texts("target_account_ids", target_account_ids)
    checks.json_object("platform_settings", platform_settings)


def _check_items(checks: Checks, items: object) -> None:
    for field, item in checks.entries("items", items, "OutgoingPostItemInput", least=1):
        _check_item(checks, field, item)


def _check_item(checks: Checks, field: str, item: object) -> None:
    if not isinstance(item, OutgoingPostItemInput):
        checks.add(field, "has to be an OutgoingPostItemInput", item)
        return
    checks.identifier(f"{field}.generated_media_item_id", item.generated_media_item_id)
    checks.whole(f"{field}.position", item.position)
    checks.flag(f"{field}.use_voice_converted", item.use_voice_converted)
