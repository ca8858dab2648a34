"""Reap's answers as a rehearsal expects them: every post goes well, and none of it exists."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from reelpub.transport.message import Request, Response

__all__ = ["ReapStandIn"]


class ReapStandIn:
    """Remembers the posts of one rehearsal."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._posts: dict[str, dict[str, Any]] = {}

    def answer(self, request: Request) -> Any:
        query, body = dict(request.query), request.json or {}
        match request.operation:
            case "publish_clip":
                return self._new(body, status="completed", scheduleType="immediate")
            case "schedule_clips":
                return {"posts": self._scheduled(body), "failed": []}
            case "update_post":
                return self._changed(body)
            case "delete_post":
                self._posts.pop(query["postId"], None)
                return {"id": query["postId"]}
            case "get_post_details":
                return self._posts.get(query["postId"])
            case "get_all_posts":
                posts = list(self._posts.values())
                return {"posts": posts, "totalPosts": len(posts), "totalPages": 1, "page": 1}
        return None

    def saw(self, request: Request, response: Response) -> None:
        """Nothing that Reap answers changes what is answered here."""

    def _new(self, body: Mapping[str, Any], **members: Any) -> dict[str, Any]:
        post = {"id": f"rehearsed-post-{next(self._numbers)}", **body, **members}
        self._posts[post["id"]] = post
        return post

    def _scheduled(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        shared = {name: value for name, value in body.items() if name not in ("clips", "intervalSeconds")}
        start, step = body["scheduleDate"], body.get("intervalSeconds") or 0
        return [
            self._new(
                {**shared, **clip}, status="scheduled", scheduleType="scheduled", scheduleDate=start + number * step
            )
            for number, clip in enumerate(body["clips"])
        ]

    def _changed(self, body: Mapping[str, Any]) -> dict[str, Any]:
        post_id = body["postId"]
        post = self._posts.setdefault(post_id, {"id": post_id, "status": "scheduled"})
        post |= {name: value for name, value in body.items() if name != "postId"}
        return post
