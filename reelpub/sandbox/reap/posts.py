"""The publishing operations: publish, schedule, list, read, change and delete posts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reelpub.sandbox.reap.delivery import await_date, send
from reelpub.sandbox.reap.paging import choices, in_period, page
from reelpub.sandbox.reap.records import Clip, Post, PostState
from reelpub.sandbox.reap.render import post_json, post_status
from reelpub.sandbox.reap.rules import (
    LEAST_INTERVAL,
    check_id,
    check_schedule_date,
    is_too_late,
)
from reelpub.sandbox.reap.state import Studio
from reelpub.sandbox.wire import Call, Refusal, Reply

__all__ = ["delete_post", "get_all_posts", "get_post_details", "publish_clip", "schedule_clips", "update_post"]


def publish_clip(studio: Studio, call: Call) -> Reply:
    """Make a post that goes out now. Nothing is compared with earlier posts: each call makes a new one."""
    clip = _finished_clip(studio, call.body, ("body",))
    integrations = _active_integrations(studio, call.body["integrations"])
    post = _new_post(studio, call, clip, call.body, integrations)
    send(studio, post, call.now)
    return Reply(body=_shown(studio, post))


def schedule_clips(studio: Studio, call: Call) -> Reply:
    """Make waiting posts, clip *i* at `scheduleDate` plus *i* intervals; refused clips are told by their index.

    The dates and the accounts hold for all clips, so what is wrong with them refuses the call. A refused clip keeps
    its place in time. A clip whose own date lies more than 12 months ahead is refused alone.
    """
    body = call.body
    for item in body["clips"]:
        _check_clip_ids(item, ("body", "clips"))
    integrations = _active_integrations(studio, body["integrations"])
    check_schedule_date(body["scheduleDate"], call.now, status=studio.dialect.bad_date_status)
    posts, failed = [], []
    for index, item in enumerate(body["clips"]):
        date = int(body["scheduleDate"]) + index * int(body.get("intervalSeconds", LEAST_INTERVAL))
        try:
            posts.append(_shown(studio, _schedule_one(studio, call, item, integrations, date)))
        except Refusal as refusal:
            failed.append({"clipId": item["clipId"], "index": index, "error": refusal.message})
    return Reply(body={"posts": posts, "failed": failed})


def get_all_posts(studio: Studio, call: Call) -> Reply:
    """Page through the posts, 10 a page unless told otherwise, in the dialect's order."""
    in_time = in_period(call, inclusive=studio.dialect.created_after == "inclusive")
    wanted = choices(call, "status")
    rows = [
        post
        for post in _ordered(studio)
        if in_time(post.created_at) and (not wanted or _status(studio, post) in wanted)
    ]
    return Reply(body=page(call, rows, lambda post: _shown(studio, post), noun="posts", size=10))


def get_post_details(studio: Studio, call: Call) -> Reply:
    """Read one post."""
    return Reply(body=_shown(studio, _post(studio, call.query.get("postId"), "query")))


def update_post(studio: Studio, call: Call) -> Reply:
    """Change a waiting post. A member that is absent or null stays as it is; platform settings are replaced."""
    body = call.body
    post = _post(studio, body["postId"], "body")
    if studio.projects[post.project_id].status == "cancelled":
        raise Refusal(400, "The project of this post was cancelled.")
    if post.state is not PostState.WAITING:
        raise Refusal(400, f"A post that is {post.state.value} can't be updated.")
    date = body.get("scheduleDate")
    if date is not None:
        check_schedule_date(date, call.now, status=studio.dialect.bad_date_status)
        post.schedule_date = int(date)
        await_date(studio, post)
    for member, attribute in _UPDATABLE.items():
        if body.get(member) is not None:
            setattr(post, attribute, body[member])
    post.updated_at = call.now
    return Reply(body=_shown(studio, post))


_UPDATABLE = {
    "title": "title",
    "description": "description",
    "tags": "tags",
    "platformSettings": "platform_settings",
}


def delete_post(studio: Studio, call: Call) -> Reply:
    """Call a waiting post off, or clear a failed one away; what is out or on its way can't be taken back."""
    post = _post(studio, call.query.get("postId"), "query")
    if post.state not in {PostState.WAITING, PostState.FAILED}:
        raise Refusal(400, f"A post that is {post.state.value} can't be deleted.")
    if studio.dialect.deleted_post == "gone":
        del studio.posts[post.id]
    else:
        post.state, post.updated_at = PostState.CANCELLED, call.now
    return Reply(body={"postId": post.id, "deleted": True})


def _post(studio: Studio, post_id: Any, place: str) -> Post:
    return studio.post(check_id(post_id, (place, "postId")))


def _status(studio: Studio, post: Post) -> str:
    return post_status(post, waiting=studio.dialect.waiting_status, now=studio.now)


def _shown(studio: Studio, post: Post) -> dict[str, Any]:
    row = post_json(
        post,
        studio.integrations,
        status=_status(studio, post),
        repeated=studio.dialect.platforms_duplicated,
        by_integration=studio.dialect.urls_by == "integration",
    )
    return studio.shape(row)


def _ordered(studio: Studio) -> list[Post]:
    if studio.dialect.list_order == "id":
        return sorted(studio.posts.values(), key=lambda post: post.id)
    newest_first = studio.dialect.list_order == "newest"
    return sorted(studio.posts.values(), key=lambda post: post.number, reverse=newest_first)


def _check_clip_ids(item: Mapping[str, Any], place: tuple[str, ...]) -> tuple[str, str]:
    return check_id(item["projectId"], (*place, "projectId")), check_id(item["clipId"], (*place, "clipId"))


def _finished_clip(studio: Studio, item: Mapping[str, Any], place: tuple[str, ...]) -> Clip:
    """Return the clip that *item* names; raises `Refusal` where it or its project can't be published."""
    project_id, clip_id = _check_clip_ids(item, place)
    project = studio.project(project_id)
    if project.status == "cancelled":
        raise Refusal(400, "The project was cancelled; its clips can't be published.")
    if project.status != "completed":
        raise Refusal(400, f"The project is {project.status}; only clips of a completed project can be published.")
    return studio.clip(project_id, clip_id)


def _active_integrations(studio: Studio, ids: Sequence[Any]) -> list[str]:
    for id_ in ids:
        integration = studio.integrations.get(check_id(id_, ("body", "integrations")))
        if integration is None:
            raise Refusal(400, f"Integration {id_[:40]} not found.")
        if not integration.is_active:
            raise Refusal(400, f"Integration {id_} is not active.")
    return list(ids)


def _schedule_one(studio: Studio, call: Call, item: Mapping[str, Any], integrations: Sequence[str], date: int) -> Post:
    clip = _finished_clip(studio, item, ("body", "clips"))
    if is_too_late(date, call.now):
        raise Refusal(400, "Schedule date can't be more than 12 months in the future.")
    post = _new_post(studio, call, clip, item, integrations, date=date)
    await_date(studio, post)
    return post


def _new_post(
    studio: Studio,
    call: Call,
    clip: Clip,
    texts: Mapping[str, Any],
    integrations: Sequence[str],
    *,
    date: int | None = None,
) -> Post:
    title = texts.get("title")
    post = Post(
        id=studio.new_id(),
        number=studio.next_number(),
        key=call.key,
        operation=call.operation,
        project_id=clip.project_id,
        clip_id=clip.id,
        integrations=list(integrations),
        title=clip.title if title is None else title,
        description=texts.get("description"),
        tags=texts.get("tags"),
        platform_settings=call.body.get("platformSettings"),
        state=PostState.WAITING,
        created_at=call.now,
        updated_at=call.now,
        schedule_date=date,
    )
    studio.posts[post.id] = post
    return post
