"""Personas with their publishing targets, sources, syncs and uploads."""

from __future__ import annotations

from functools import partial
from typing import Any

from reelpub.sandbox.reelmirror.billing import charge
from reelpub.sandbox.reelmirror.records import Persona, Source, SourcePost, SyncJob
from reelpub.sandbox.reelmirror.render import (
    listed,
    persona_json,
    read_reply,
    shaped,
    source_json,
    source_post_json,
    written,
)
from reelpub.sandbox.reelmirror.world import World
from reelpub.sandbox.wire import Call, Refusal, Reply

__all__ = [
    "POSTS_PER_SYNC",
    "SYNC_CENTS",
    "SYNC_SECONDS",
    "add_source",
    "add_target",
    "create_persona",
    "delete_persona",
    "list_personas",
    "list_source_posts",
    "list_sources",
    "read_persona",
    "read_sync_job",
    "trigger_sync",
    "update_persona",
    "upload",
]

SYNC_SECONDS = (30.0, 300.0)
"""How long a sync takes (https://reelmirror.com/docs/guides/webhooks)."""

SYNC_PAUSE = 900.0
"""Within this many seconds of its last sync a source is skipped."""

SYNC_CENTS = 2
POSTS_PER_SYNC = 3


def create_persona(world: World, call: Call) -> Reply:
    """Make a persona with whatever members the body has; it is connected to no account."""
    body = _object(call.body)
    persona = Persona(id=world.new_id())
    _take(persona, body)
    world.personas[persona.id] = persona
    return Reply(status=201, body={"data": persona_json(world, persona)})


def list_personas(world: World, call: Call) -> Reply:
    """Page through the personas."""
    return listed(call, world.personas.values(), lambda persona: persona_json(world, persona))


def read_persona(world: World, call: Call) -> Reply:
    """Read a persona."""
    return read_reply(world, persona_json(world, world.persona(call.path["persona_id"])))


def update_persona(world: World, call: Call) -> Reply:
    """Change members of a persona."""
    persona = world.persona(call.path["persona_id"])
    _take(persona, call.body)
    return read_reply(world, persona_json(world, persona))


def delete_persona(world: World, call: Call) -> Reply:
    """Delete a persona with its sources; its posts stay."""
    persona = world.persona(call.path["persona_id"])
    for source in world.sources_of(persona.id):
        del world.sources[source.id]
    del world.personas[persona.id]
    return written(world, persona_json(world, persona), "deleted")


def add_target(world: World, call: Call) -> Reply:
    """Link a connected account to a persona. The member that names it isn't documented, so two names are taken."""
    persona, body = world.persona(call.path["persona_id"]), _object(call.body)
    account_id = body.get("connected_account_id", body.get("account_id"))
    if not isinstance(account_id, str):
        raise Refusal(400, "connected_account_id is needed.")
    account = world.account(account_id)
    if account.id in persona.account_ids:
        raise Refusal(409, "The persona is linked to this account already.")
    persona.account_ids.append(account.id)
    return Reply(status=201, body={"data": {"persona_id": persona.id, "connected_account_id": account.id}})


def add_source(world: World, call: Call) -> Reply:
    """Follow a creator's account; following it twice is a conflict."""
    persona, body = world.persona(call.path["persona_id"]), call.body
    handle = body["handle"].removeprefix("@")
    if any((one.platform, one.handle) == (body["platform"], handle) for one in world.sources_of(persona.id)):
        raise Refusal(409, "The persona follows this source already.")
    source = Source(
        id=world.new_id(),
        persona_id=persona.id,
        platform=body["platform"],
        handle=handle,
        automation_mode=body.get("automation_mode", "sync_only"),
        creator_id=world.new_id(),
        created_at=call.now,
    )
    world.sources[source.id] = source
    return Reply(status=201, body={"data": source_json(world, source)})


def list_sources(world: World, call: Call) -> Reply:
    """Page through a persona's sources."""
    persona = world.persona(call.path["persona_id"])
    return listed(call, world.sources_of(persona.id), lambda source: source_json(world, source))


def list_source_posts(world: World, call: Call) -> Reply:
    """Page through what syncs have found for a persona."""
    persona = world.persona(call.path["persona_id"])
    rows = [post for post in world.source_posts.values() if post.persona_id == persona.id]
    return listed(call, rows, source_post_json)


def trigger_sync(world: World, call: Call) -> Reply:
    """Sync each source of a persona; one synced within the last quarter of an hour is skipped, at no cost."""
    sources = world.sources_of(world.persona(call.path["persona_id"]).id)
    due = [one for one in sources if one.last_synced_at is None or call.now - one.last_synced_at >= SYNC_PAUSE]
    cost = SYNC_CENTS * len(due)
    charge(world, call, cost, f"Sync of {len(due)} sources")
    jobs = [_sync(world, call, source, is_due=source in due) for source in sources]
    return Reply(body={"job_ids": [job.id for job in jobs], "estimated_cost_cents": cost})


def read_sync_job(world: World, call: Call) -> Reply:
    """Read a sync job."""
    job = world.sync_job(call.path["job_id"])
    return read_reply(world, shaped(world, {"id": job.id, "status": job.status, "error_message": None}))


def upload(world: World, call: Call) -> Reply:
    """Store a persona's avatar or voice sample, from a form with a file or from a body with its address."""
    body = call.body or {}
    category, persona_id = body.get("category"), body.get("persona_id")
    if category is None or persona_id is None or not (call.files or body.get("url")):
        raise Refusal(400, "category, persona_id and a file or its url are needed.")
    persona = world.persona(persona_id)
    key = f"{category}/{persona.id}/{world.new_id()}"
    url = f"{world.origin}/__sandbox__/files/{key}"
    if category == "avatar":
        persona.avatar_url = url
    else:
        persona.voice_sample_url = url
    return Reply(status=201, body={"data": {"key": key, "url": url, "category": category, "persona_id": persona.id}})


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise Refusal(400, "The body has to be a JSON object.")
    return body


def _take(persona: Persona, body: dict[str, Any]) -> None:
    discount = body.get("discount_mode", persona.discount_mode)
    if not isinstance(discount, bool):
        raise Refusal(400, "discount_mode has to be true or false.")
    persona.discount_mode = discount
    own = ("id", "discount_mode", "avatar_url", "voice_sample_url")
    persona.extra.update({name: value for name, value in body.items() if name not in own})


def _sync(world: World, call: Call, source: Source, *, is_due: bool) -> SyncJob:
    job = SyncJob(id=world.new_id(), source_id=source.id, status="pending" if is_due else "skipped")
    world.sync_jobs[job.id] = job
    if is_due:
        source.last_synced_at = call.now
        lasts = world.rng.uniform(*SYNC_SECONDS)
        world.at(call.now + lasts / 10, partial(_run, job))
        world.at(call.now + lasts, partial(_complete, world, job, source))
    return job


def _run(job: SyncJob, when: float) -> None:
    del when
    job.status = "running"


def _complete(world: World, job: SyncJob, source: Source, when: float) -> None:
    job.status, source.status, source.last_synced_at = "completed", "active", when
    for _ in range(POSTS_PER_SYNC):
        source.content_count += 1
        post = SourcePost(
            id=world.new_id(),
            persona_id=source.persona_id,
            platform=source.platform,
            handle=source.handle,
            caption=f"Post {source.content_count} of {source.handle}",
            created_at=when,
        )
        world.source_posts[post.id] = post
