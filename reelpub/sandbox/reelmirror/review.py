"""Generated posts and their media items: reading, the review actions, and generation itself."""

from __future__ import annotations

from reelpub.sandbox.reelmirror import delivery
from reelpub.sandbox.reelmirror.billing import charge
from reelpub.sandbox.reelmirror.posts import new_draft
from reelpub.sandbox.reelmirror.records import GeneratedPost, MediaItem, OutgoingPost
from reelpub.sandbox.reelmirror.render import enveloped, generated_json, media_json, read_reply, written
from reelpub.sandbox.reelmirror.world import World
from reelpub.sandbox.wire import Call, Refusal, Reply

__all__ = [
    "GENERATION_CENTS",
    "GENERATION_SECONDS",
    "approve",
    "generate",
    "read_media_item",
    "read_post",
    "reject_media_item",
    "reject_post",
    "send_to_compose",
]

GENERATION_SECONDS = (60.0, 300.0)
"""How long a video takes (https://reelmirror.com/docs/guides/webhooks)."""

GENERATION_CENTS = 100


def read_post(world: World, call: Call) -> Reply:
    """Read a generated post."""
    row = generated_json(world, world.generated_post(call.path["post_id"]))
    return Reply(body=enveloped(world.dialect.post_envelope, row))


def approve(world: World, call: Call) -> Reply:
    """Publish a generated post at once to all of its persona's active accounts."""
    post = _reviewable(world, call)
    if post.is_approved and world.dialect.approve_again == "refuse":
        raise Refusal(409, "This post has been approved already.")
    if not world.active_accounts_of(post.persona_id):
        raise Refusal(400, "The persona has no connected account with status active.")
    outgoing = _composed(world, call, post)
    post.is_approved = True
    if post.review_status != "published":
        post.review_status = world.dialect.review_during_approve
    delivery.send(world, outgoing, outgoing.deliveries, call.now, call.operation)
    return Reply(body={"status": "publishing", "outgoing_post_id": outgoing.id})


def send_to_compose(world: World, call: Call) -> Reply:
    """Make a draft of a generated post, aimed at its persona's active accounts; a repeated call makes another one."""
    post = _reviewable(world, call)
    outgoing = _composed(world, call, post)
    if post.review_status == "pending_review":
        post.review_status = "approved"
    return Reply(body={"outgoing_post_id": outgoing.id})


def reject_post(world: World, call: Call) -> Reply:
    """Reject a generated post; what has been made of it already stays."""
    post = world.generated_post(call.path["post_id"])
    _must_be_completed(world, post)
    if post.review_status == "published":
        raise world.ill_timed("A published post can't be rejected.")
    post.review_status = "rejected"
    return written(world, generated_json(world, post), "rejected")


def read_media_item(world: World, call: Call) -> Reply:
    """Read one media item."""
    return read_reply(world, media_json(world.media_item(call.path["item_id"])))


def reject_media_item(world: World, call: Call) -> Reply:
    """Leave one media item out of what is made of its post from now on."""
    item = world.media_item(call.path["item_id"])
    item.is_rejected = True
    return written(world, media_json(item), "rejected")


def generate(world: World, call: Call) -> Reply:
    """Start to generate a post from a source post, for a dollar; it takes one to five minutes."""
    persona = world.persona(call.body["persona_id"])
    source = world.source_post(call.body["source_post_id"])
    post_id = world.new_id()
    price = GENERATION_CENTS * 4 // 5 if persona.discount_mode else GENERATION_CENTS
    charge(world, call, price, f"Generation from {source.handle}", generated_post_id=post_id)
    item = MediaItem(id=world.new_id(), generated_post_id=post_id, status="processing")
    post = GeneratedPost(
        id=post_id,
        persona_id=persona.id,
        media_item_ids=[item.id],
        caption=source.caption,
        created_at=call.now,
        status="processing",
    )
    world.media_items[item.id], world.generated_posts[post.id] = item, post

    def complete(when: float) -> None:
        del when
        post.status = item.status = "completed"

    world.at(call.now + world.rng.uniform(*GENERATION_SECONDS), complete)
    return Reply(status=202, body={"status": "started", "generated_post_id": post.id})


def _reviewable(world: World, call: Call) -> GeneratedPost:
    post = world.generated_post(call.path["post_id"])
    _must_be_completed(world, post)
    if post.review_status == "rejected":
        raise world.ill_timed("This post has been rejected.")
    return post


def _must_be_completed(world: World, post: GeneratedPost) -> None:
    if post.status != "completed":
        raise world.ill_timed(f"The generation isn't completed; it is {post.status}.")


def _composed(world: World, call: Call, post: GeneratedPost) -> OutgoingPost:
    kept = [item_id for item_id in post.media_item_ids if not world.media_items[item_id].is_rejected]
    if not kept:
        raise Refusal(400, "Every media item of this post has been rejected.")
    outgoing = new_draft(world, call, kept, world.active_accounts_of(post.persona_id))
    outgoing.persona_id, outgoing.caption, outgoing.generated_post_id = post.persona_id, post.caption, post.id
    return outgoing
