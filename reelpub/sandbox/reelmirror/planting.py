"""What ReelMirror holds at the start: the seeded accounts, the persona, and the generated posts with their media."""

from __future__ import annotations

from reelpub.sandbox import seed
from reelpub.sandbox.reelmirror.records import Account, GeneratedPost, MediaItem, Persona, Source, SourcePost
from reelpub.sandbox.reelmirror.world import World

__all__ = ["PLANTED_AT", "add_account", "plant"]

PLANTED_AT = 1_700_000_000.0
"""Unix time (November 2023) at which everything seeded was made."""

_SOURCE_POSTS = 5


def plant(world: World) -> None:
    """Put the seeds in."""
    for account in seed.REELMIRROR_ACCOUNTS:
        add_account(world, account)
    linked = [account.id for account in seed.REELMIRROR_ACCOUNTS[:2]]
    world.personas[seed.PERSONA] = Persona(id=seed.PERSONA, account_ids=linked, extra={"name": "Demo persona"})
    for number in range(1, seed.GENERATED_POSTS + 1):
        _add_generated(world, seed.generated_post_id(number), seed.media_items_of(number), "completed")
    _add_generated(world, seed.UNFINISHED_GENERATED_POST, ["demo-media-item-unfinished"], "processing")
    _add_source(world)


def add_account(world: World, account: seed.AccountSeed) -> None:
    """Connect *account*, or replace the one with its id."""
    world.accounts[account.id] = Account(
        id=account.id, platform=account.platform, username=account.username, status=account.status
    )


def _add_generated(world: World, post_id: str, media_item_ids: list[str], status: str) -> None:
    for item_id in media_item_ids:
        world.media_items[item_id] = MediaItem(id=item_id, generated_post_id=post_id, status=status)
    world.generated_posts[post_id] = GeneratedPost(
        id=post_id,
        persona_id=seed.PERSONA,
        media_item_ids=media_item_ids,
        caption=f"Caption of {post_id}",
        created_at=PLANTED_AT,
        status=status,
    )


def _add_source(world: World) -> None:
    source = Source(
        id="demo-source-1",
        persona_id=seed.PERSONA,
        platform="instagram",
        handle="demo_creator",
        automation_mode="sync_only",
        creator_id="demo-creator-1",
        created_at=PLANTED_AT,
        status="active",
        last_synced_at=PLANTED_AT,
        content_count=_SOURCE_POSTS,
    )
    world.sources[source.id] = source
    for number in range(1, _SOURCE_POSTS + 1):
        post = SourcePost(
            id=f"demo-source-post-{number}",
            persona_id=seed.PERSONA,
            platform=source.platform,
            handle=source.handle,
            caption=f"Post {number} of {source.handle}",
            created_at=PLANTED_AT,
        )
        world.source_posts[post.id] = post
