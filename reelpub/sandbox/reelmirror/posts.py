"""Outgoing posts: drafts, and what may be done with them in which state."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from reelpub.sandbox.reelmirror import delivery
from reelpub.sandbox.reelmirror.records import Account, Item, OutgoingPost, Stage
from reelpub.sandbox.reelmirror.render import enveloped, listed, post_json, written
from reelpub.sandbox.reelmirror.world import World
from reelpub.sandbox.wire import Call, Refusal, Reply

__all__ = [
    "cancel",
    "caption",
    "create",
    "delete",
    "list_posts",
    "new_draft",
    "publish",
    "read",
    "retry",
    "schedule",
    "update",
]

_LAST_INSTANT = 253_402_300_799.0
"""The end of the year 9999 in UTC; Python writes no later date."""


def new_draft(world: World, call: Call, media_item_ids: list[str], accounts: list[Account]) -> OutgoingPost:
    """Make and keep a draft of media items for *accounts*, in the name of the caller."""
    post = OutgoingPost(
        id=world.new_id(),
        key=call.key,
        created_at=call.now,
        updated_at=call.now,
        items=_items(world, [{"generated_media_item_id": item_id} for item_id in media_item_ids]),
        deliveries=delivery.deliveries_to(world, accounts),
    )
    world.posts[post.id] = post
    return post


def create(world: World, call: Call) -> Reply:
    """Make a draft of media items; without targets it has none, and can't be published until it is given some."""
    body = call.body
    if "persona_id" in body:
        world.persona(body["persona_id"])
    items = _items(world, body["items"])
    accounts = _accounts(world, body.get("target_account_ids", []))
    post = new_draft(world, call, [], accounts)
    post.items, post.persona_id = items, body.get("persona_id")
    post.caption, post.platform_settings = body.get("caption"), body.get("platform_settings")
    return Reply(status=201, body={"data": post_json(world, post)})


def list_posts(world: World, call: Call) -> Reply:
    """Page through all outgoing posts, where the dialect has the list at all."""
    if world.dialect.list_posts == "absent":
        raise Refusal(404, "No such path.")
    if world.dialect.list_posts == "absent_405":
        raise Refusal(405, "Method not allowed.")
    rows = list(world.posts.values())
    if world.dialect.list_order == "newest_first":
        rows.reverse()
    return listed(call, rows, lambda post: post_json(world, post, with_deliveries=world.dialect.list_deliveries))


def read(world: World, call: Call) -> Reply:
    """Read one post with its deliveries."""
    row = post_json(world, world.post(call.path["id"]))
    return Reply(body=enveloped(world.dialect.post_envelope, row))


def update(world: World, call: Call) -> Reply:
    """Edit a draft."""
    post, body = world.post(call.path["id"]), call.body
    _must_be(world, post, Stage.DRAFT, "edited")
    items = _items(world, body["items"]) if "items" in body else post.items
    if "target_account_ids" in body and world.dialect.patch_targets == "takes":
        post.deliveries = delivery.deliveries_to(world, _accounts(world, body["target_account_ids"]))
    post.items, post.updated_at = items, call.now
    post.caption = body.get("caption", post.caption)
    post.platform_settings = body.get("platform_settings", post.platform_settings)
    return _answered(world, post)


def delete(world: World, call: Call) -> Reply:
    """Delete a draft or a failed post."""
    post = world.post(call.path["id"])
    status = post.status_at(call.now, world.dialect.mixed_status)
    if status not in ("draft", "failed"):
        raise world.ill_timed(f"A post can't be deleted while it is {status}.")
    del world.posts[post.id]
    return written(world, post_json(world, post), "deleted")


def publish(world: World, call: Call) -> Reply:
    """Publish a draft now. What a repeated call does is a matter of the dialect; it may go live twice."""
    post = world.post(call.path["id"])
    if post.stage is Stage.SENT and world.dialect.repeated_publish == "noop_200":
        return _answered(world, post)
    if not (post.stage is Stage.SENT and world.dialect.repeated_publish == "accept_again"):
        _must_be(world, post, Stage.DRAFT, "published")
    _must_be_sendable(world, post)
    post.key = call.key
    delivery.send(world, post, post.deliveries, call.now, call.operation)
    return _answered(world, post)


def schedule(world: World, call: Call) -> Reply:
    """Let a draft go out at a future instant; the time zone is only checked, since the instant is absolute."""
    post = world.post(call.path["id"])
    when = _future(call.body["scheduled_for"], call.now)
    _check_zone(call.body.get("timezone"))
    _must_be(world, post, Stage.DRAFT, "scheduled")
    _must_be_sendable(world, post)
    post.key, post.updated_at = call.key, call.now
    delivery.plan(world, post, when, call.operation)
    return _answered(world, post)


def cancel(world: World, call: Call) -> Reply:
    """Call off a scheduled post before it goes out."""
    post = world.post(call.path["id"])
    _must_be(world, post, Stage.SCHEDULED, "cancelled")
    post.stage = Stage.CANCELLED if world.dialect.after_cancel == "cancelled" else Stage.DRAFT
    post.scheduled_for, post.updated_at = None, call.now
    return _answered(world, post)


def retry(world: World, call: Call) -> Reply:
    """Send again what failed; in one dialect also what was published."""
    post = world.post(call.path["id"])
    if post.stage is not Stage.SENT or all(one.status != "failed" for one in post.deliveries):
        raise world.ill_timed("No delivery of this post has failed.")
    again = ("failed",) if world.dialect.retry_sends == "failed_only" else ("failed", "published")
    post.key = call.key
    chosen = [one for one in post.deliveries if one.status in again]
    delivery.send(world, post, chosen, call.now, call.operation)
    return _answered(world, post)


def caption(world: World, call: Call) -> Reply:
    """Write a caption for media items. Costs nothing, but a key without balance is refused."""
    items = [world.media_item(item_id) for item_id in call.body["generated_media_item_ids"]]
    if "persona_id" in call.body:
        world.persona(call.body["persona_id"])
    if world.wallet_of(call.key).balance_cents <= 0:
        raise Refusal(402, "Not enough credit to write a caption.")
    if not items:
        raise Refusal(400, "generated_media_item_ids is empty.")
    return Reply(body={"caption": f"A caption for {len(items)} video{'s' if len(items) > 1 else ''}."})


def _answered(world: World, post: OutgoingPost) -> Reply:
    return written(world, post_json(world, post), post.status_at(world.now, world.dialect.mixed_status))


def _items(world: World, rows: list[dict[str, Any]]) -> list[Item]:
    return [
        Item(
            id=world.new_id(),
            media_item_id=world.media_item(row["generated_media_item_id"]).id,
            position=row.get("position", place),
            use_voice_converted=row.get("use_voice_converted", False),
        )
        for place, row in enumerate(rows)
    ]


def _accounts(world: World, account_ids: list[str]) -> list[Account]:
    return [world.account(account_id) for account_id in dict.fromkeys(account_ids)]


def _must_be(world: World, post: OutgoingPost, stage: Stage, done: str) -> None:
    if post.stage is not stage:
        status = post.status_at(world.now, world.dialect.mixed_status)
        raise world.ill_timed(f"Only a {stage.value} post can be {done}; this one is {status}.")


def _must_be_sendable(world: World, post: OutgoingPost) -> None:
    if not post.items:
        raise Refusal(400, "The post has no items.")
    if not post.deliveries:
        raise Refusal(400, "The post has no target accounts.")
    unfinished = [item for item in post.items if world.media_item(item.media_item_id).status != "completed"]
    if unfinished:
        raise Refusal(400, f"Media item {unfinished[0].media_item_id} isn't completed.")


def _future(text: str, now: float) -> float:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(400, "scheduled_for isn't an RFC 3339 instant.") from None
    if when.tzinfo is None:
        raise Refusal(400, "scheduled_for has no offset from UTC.")
    if when.timestamp() <= now:
        raise Refusal(400, "scheduled_for has to be in the future.")
    if when.timestamp() > _LAST_INSTANT:
        raise Refusal(400, "scheduled_for is too far away.")
    return when.timestamp()


def _check_zone(name: str | None) -> None:
    if name is None:
        return
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise Refusal(400, "timezone isn't the name of an IANA time zone.") from None
