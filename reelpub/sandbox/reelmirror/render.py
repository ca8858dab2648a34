"""The JSON of ReelMirror's records, and the envelopes it may come in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from reelpub.sandbox.keys import Credential
from reelpub.sandbox.reelmirror.records import (
    Account,
    Delivery,
    GeneratedPost,
    Item,
    MediaItem,
    OutgoingPost,
    Persona,
    Source,
    SourcePost,
    Stage,
    Transaction,
    Wallet,
)
from reelpub.sandbox.reelmirror.world import World
from reelpub.sandbox.wire import Call, Reply

__all__ = [
    "account_json",
    "balance_json",
    "enveloped",
    "generated_json",
    "instant",
    "key_json",
    "listed",
    "media_json",
    "persona_json",
    "post_json",
    "read_reply",
    "shaped",
    "source_json",
    "source_post_json",
    "transaction_json",
    "written",
]

Json = dict[str, Any]
T = TypeVar("T")


def instant(when: float | None) -> str | None:
    """Return a Unix time as RFC 3339 in UTC with milliseconds."""
    if when is None:
        return None
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shaped(world: World, row: Json) -> Json:
    """Return *row* without its null members, where the dialect leaves them out."""
    if world.dialect.nulls == "null":
        return row
    return {name: value for name, value in row.items() if value is not None}


def enveloped(envelope: str, row: Any) -> Any:
    """Return *row* in *envelope*: ``data``, ``post``, or ``bare`` for none."""
    return row if envelope == "bare" else {envelope: row}


def read_reply(world: World, row: Json, *, status: int = 200) -> Reply:
    """Return a single object that isn't a post, enveloped as the dialect says."""
    return Reply(status=status, body=enveloped(world.dialect.object_envelope, row))


def written(world: World, row: Json, status_word: str) -> Reply:
    """Return the answer to a write whose answer isn't documented: *row*, nothing, or the status alone."""
    form = world.dialect.write_answer
    if form == "empty_204":
        return Reply(status=204)
    if form == "status_only":
        return Reply(body={"status": status_word})
    return Reply(body=enveloped("bare" if form == "bare" else world.dialect.post_envelope, row))


def listed(call: Call, rows: Iterable[T], render: Callable[[T], Json]) -> Reply:
    """Return a page of *rows* by the call's ``limit`` and ``offset``; too small values count as the smallest."""
    everything = list(rows)
    start = max(0, call.query.get("offset", 0))
    size = max(1, call.query.get("limit", 20))
    return Reply(body={"data": [render(row) for row in everything[start : start + size]], "count": len(everything)})


def post_json(world: World, post: OutgoingPost, *, with_deliveries: bool = True) -> Json:
    """Return an outgoing post."""
    row: Json = {
        "id": post.id,
        "persona_id": post.persona_id,
        "caption": post.caption,
        "status": post.status_at(world.now, world.dialect.mixed_status),
        "scheduled_for": instant(post.scheduled_for),
        "platform_settings": post.platform_settings,
        "items": [_item(item) for item in post.items],
        "created_at": instant(post.created_at),
        "updated_at": instant(post.updated_at),
    }
    if with_deliveries:
        hidden = post.stage is Stage.DRAFT and not world.dialect.draft_shows_deliveries
        row["deliveries"] = [] if hidden else [_delivery(world, one) for one in post.deliveries]
    return shaped(world, row)


def _item(item: Item) -> Json:
    return {
        "id": item.id,
        "generated_media_item_id": item.media_item_id,
        "position": item.position,
        "use_voice_converted": item.use_voice_converted,
    }


def _delivery(world: World, delivery: Delivery) -> Json:
    row: Json = {
        "id": delivery.id,
        "connected_account_id": delivery.account_id,
        "platform": delivery.platform,
        "username": delivery.username,
        "status": delivery.status_at(world.now),
        "platform_post_id": delivery.platform_post_id,
        "error_message": delivery.error_message,
        "published_at": instant(delivery.published_at),
    }
    if not world.dialect.delivery_has_account_id:
        del row["connected_account_id"]
    return shaped(world, row)


def generated_json(world: World, post: GeneratedPost) -> Json:
    """Return a generated post with its media items."""
    items = [media_json(world.media_items[item_id]) for item_id in post.media_item_ids]
    return {
        "id": post.id,
        "persona_id": post.persona_id,
        "status": post.status,
        "review_status": post.review_status,
        "caption": post.caption,
        "media_items": items,
        "created_at": instant(post.created_at),
    }


def media_json(item: MediaItem) -> Json:
    """Return a generated media item."""
    return {"id": item.id, "status": item.status, "media_type": "video", "rejected": item.is_rejected}


def account_json(account: Account) -> Json:
    """Return a connected account."""
    return {"id": account.id, "platform": account.platform, "username": account.username, "status": account.status}


def persona_json(world: World, persona: Persona) -> Json:
    """Return a persona with whatever its maker gave it."""
    row = {
        "id": persona.id,
        "discount_mode": persona.discount_mode,
        "avatar_url": persona.avatar_url,
        "voice_sample_url": persona.voice_sample_url,
    }
    return shaped(world, {**persona.extra, **row})


def source_json(world: World, source: Source) -> Json:
    """Return a source."""
    row = {
        "id": source.id,
        "creator_id": source.creator_id,
        "platform": source.platform,
        "handle": source.handle,
        "automation_mode": source.automation_mode,
        "status": source.status,
        "last_synced_at": instant(source.last_synced_at),
        "content_count": source.content_count,
        "created_at": instant(source.created_at),
    }
    return shaped(world, row)


def source_post_json(post: SourcePost) -> Json:
    """Return a source post."""
    return {
        "id": post.id,
        "platform": post.platform,
        "handle": post.handle,
        "caption": post.caption,
        "created_at": instant(post.created_at),
    }


def transaction_json(world: World, one: Transaction) -> Json:
    """Return a transaction."""
    row = {
        "id": one.id,
        "amount_cents": one.amount_cents,
        "operation_type": one.operation_type,
        "description": one.description,
        "created_at": instant(one.created_at),
        "generated_post_id": one.generated_post_id,
    }
    return shaped(world, row)


def balance_json(world: World, wallet: Wallet) -> Json:
    """Return a balance with its auto-reload settings."""
    row = {
        "balance_cents": wallet.balance_cents,
        "balance_dollars": f"{wallet.balance_cents / 100:.2f}",
        "auto_reload": wallet.auto_reload,
        "reload_threshold_cents": wallet.reload_threshold_cents,
        "reload_amount_cents": wallet.reload_amount_cents,
    }
    return shaped(world, row)


def key_json(world: World, credential: Credential) -> Json:
    """Return an API key without its secret."""
    row = {
        "id": credential.id,
        "name": credential.name,
        "scopes": list(credential.scopes),
        "created_at": instant(credential.created_at),
        "monthly_limit_cents": credential.monthly_limit_cents,
    }
    return shaped(world, row)
