"""ReelMirror's answers as a rehearsal expects them: drafts that are only thought of, and posts that go well.

What the contract leaves open is taken the short way: an edit takes its targets, a draft shows its deliveries. Where
ReelMirror does otherwise, the real run makes more requests; `drafts` has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any
from urllib.parse import unquote

from reelpub.errors import DecodeError
from reelpub.providers.reelmirror.decode import decode_json, unwrap
from reelpub.providers.reelmirror.legacy import modern
from reelpub.providers.reelmirror.schemas import OutgoingPost
from reelpub.transport.message import Request, Response

__all__ = ["ReelMirrorStandIn"]

_ACTIONS = frozenset({"publish", "schedule", "cancel", "retry"})


class ReelMirrorStandIn:
    """Remembers the drafts of one rehearsal, and what was read of those that really exist."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._posts: dict[str, dict[str, Any]] = {}
        self._seen: dict[str, dict[str, Any]] = {}

    def answer(self, request: Request) -> Any:  # noqa: C901  (one arm for each operation)
        body = request.json or {}
        match request.operation:
            case "send_generated_post_to_compose":
                return {"data": {"outgoing_post_id": self._new()["id"]}}
            case "approve_generated_post":
                return {"data": {"outgoing_post_id": self._new(status="published")["id"], "status": "published"}}
            case "create_outgoing_post":
                return {"data": self._changed(self._new(), body)}
            case "update_outgoing_post":
                return {"data": self._changed(self._post(request), body)}
            case "publish_outgoing_post" | "retry_outgoing_post":
                return {"data": _in_state(self._post(request), "published", "published")}
            case "schedule_outgoing_post":
                post = _in_state(self._post(request), "scheduled", "pending")
                return {"data": {**post, "scheduled_for": body["scheduled_for"]}}
            case "cancel_outgoing_post":
                return {"data": _in_state(self._post(request), "cancelled", "pending")}
            case "delete_outgoing_post":
                self._posts.pop(_post_id(request), None)
                return {}
            case "get_outgoing_post":
                known = self._posts.get(_post_id(request))
                return None if known is None else {"data": known}
            case "list_outgoing_posts":
                posts = list(self._posts.values())
                return {"data": posts, "count": len(posts)}
        return None

    def saw(self, request: Request, response: Response) -> None:
        if request.operation != "get_outgoing_post":
            return
        try:
            post = unwrap(modern(decode_json(response, operation=request.operation)), OutgoingPost)
        except DecodeError:
            return
        if isinstance(post, Mapping):
            self._seen[_post_id(request)] = dict(post)

    def _new(self, *, status: str = "draft") -> dict[str, Any]:
        post_id = f"rehearsed-post-{next(self._numbers)}"
        post: dict[str, Any] = {"id": post_id, "status": status, "items": [], "deliveries": []}
        self._posts[post_id] = post
        return post

    def _post(self, request: Request) -> dict[str, Any]:
        """Return the post that *request* is about; one that really exists is changed in this memory alone."""
        post_id = _post_id(request)
        return self._posts.setdefault(
            post_id, self._seen.get(post_id) or {"id": post_id, "status": "draft", "items": [], "deliveries": []}
        )

    def _changed(self, post: dict[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        post |= {name: value for name, value in body.items() if name != "target_account_ids"}
        if "target_account_ids" in body:
            post["deliveries"] = _deliveries(post["id"], body["target_account_ids"])
        return post


def _deliveries(post_id: str, accounts: Sequence[str]) -> list[dict[str, Any]]:
    # The platform is looked up by the account's id, which the publisher knows.
    return [
        {"id": f"{post_id}-{number}", "connected_account_id": account, "platform": "unknown", "status": "pending"}
        for number, account in enumerate(accounts, start=1)
    ]


def _in_state(post: dict[str, Any], status: str, delivery: str) -> dict[str, Any]:
    post["status"] = status
    for one in post.get("deliveries") or ():
        one["status"] = delivery
    return post


def _post_id(request: Request) -> str:
    segments = request.path.split("/")
    return unquote(segments[-2] if segments[-1] in _ACTIONS else segments[-1])
