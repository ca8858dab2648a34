"""Dialects: what the public documentation leaves open, as switches of the sandbox.

The first value of each switch is its default and is the one the contracts describe where they describe any. `options`
gives every switch with all of its values, which is what a pairwise test needs.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from attrs import field, fields, frozen
from attrs.validators import in_

__all__ = ["ReapDialect", "ReelMirrorDialect"]


def _switch(*values: Any) -> Any:
    return field(default=values[0], validator=in_(values), metadata={"values": values})


class _Dialect:
    """What both dialects can do."""

    __slots__ = ()

    @classmethod
    def options(cls) -> dict[str, tuple[Any, ...]]:
        """Return each switch's name with all its values, the default first."""
        return {switch.name: switch.metadata["values"] for switch in fields(cls)}  # type: ignore[arg-type]

    @classmethod
    def from_json(cls, members: dict[str, Any]) -> Self:
        """Return a dialect from a JSON object; an unknown switch or value raises `ValueError`."""
        unknown = sorted(set(members) - set(cls.options()))
        if unknown:
            raise ValueError(f"no such switch: {', '.join(unknown)}; there are {', '.join(cls.options())}")
        return cls(**members)


@frozen(kw_only=True)
class ReelMirrorDialect(_Dialect):
    """What isn't known of ReelMirror.

    - `list_posts`: ``GET /v1/publishing/posts`` is present, answers 404, or answers 405.
    - `list_order`, `list_deliveries`: the order of that list, and whether its rows embed their deliveries.
    - `post_envelope`: what wraps a post, outgoing or generated, in the answer of its read call; the create call always
      answers ``data``.
    - `write_answer`: what publish, schedule, cancel, retry, update, delete and disconnect answer: the post in the
      envelope of reads, the bare post, nothing with 204, or ``{"status": ...}``.
    - `object_envelope`: whether the other single objects come in ``data`` or bare, where the contract allows both.
    - `ill_timed`: the status for a call that the state doesn't allow.
    - `repeated_publish`: a second publish of a post is refused, is accepted **and puts it live again**, or does
      nothing and answers 200.
    - `retry_sends`: retry re-sends only failed deliveries, or **all of them**, also the published ones.
    - `patch_targets`: an update takes ``target_account_ids`` or silently ignores it.
    - `draft_shows_deliveries`: whether a draft lists its deliveries (as pending) before it is published.
    - `delivery_has_account_id`: whether a delivery carries ``connected_account_id``.
    - `after_cancel`: the post's status after cancel.
    - `mixed_status`: the post's status when some deliveries were published and some failed.
    - `approve_again`: a repeated approve makes a new post, or is refused with 409.
    - `review_during_approve`: a generated post's ``review_status`` between approve and the first delivery.
    - `nulls`: members without a value are null or absent.
    """

    list_posts: Literal["present", "absent", "absent_405"] = _switch("present", "absent", "absent_405")
    list_order: Literal["newest_first", "oldest_first"] = _switch("newest_first", "oldest_first")
    list_deliveries: bool = _switch(True, False)
    post_envelope: Literal["post", "data", "bare"] = _switch("post", "data", "bare")
    write_answer: Literal["envelope", "bare", "empty_204", "status_only"] = _switch(
        "envelope", "bare", "empty_204", "status_only"
    )
    object_envelope: Literal["bare", "data"] = _switch("bare", "data")
    ill_timed: Literal[409, 400] = _switch(409, 400)
    repeated_publish: Literal["refuse", "accept_again", "noop_200"] = _switch("refuse", "accept_again", "noop_200")
    retry_sends: Literal["failed_only", "all"] = _switch("failed_only", "all")
    patch_targets: Literal["takes", "ignores"] = _switch("takes", "ignores")
    draft_shows_deliveries: bool = _switch(True, False)
    delivery_has_account_id: bool = _switch(True, False)
    after_cancel: Literal["cancelled", "draft"] = _switch("cancelled", "draft")
    mixed_status: Literal["partial", "published", "failed"] = _switch("partial", "published", "failed")
    approve_again: Literal["new_post", "refuse"] = _switch("new_post", "refuse")
    review_during_approve: Literal["approved", "pending_review"] = _switch("approved", "pending_review")
    nulls: Literal["null", "absent"] = _switch("null", "absent")


@frozen(kw_only=True)
class ReapDialect(_Dialect):
    """What isn't known of Reap.

    - `limit_scope`: the rate limit counts each key's calls together, or for each endpoint apart.
    - `urls_by`: a post's ``urls`` are keyed by integration id or by platform name.
    - `waiting_status`: the status of a post that waits for its date.
    - `list_order`: the order of ``get-all-posts``: newest first, oldest first, or by id (no order in time).
    - `bad_date_status`: the status for a date outside the allowed range.
    - `deleted_post`: a deleted post stays readable as cancelled, or answers 404.
    - `created_after`: whether the bounds ``createdAfter`` and ``createdBefore`` include their own second.
    - `platforms_duplicated`: with two accounts of one platform, that platform stands twice in the post's lists.
    - `nulls`: members without a value are null or absent.
    """

    limit_scope: Literal["key", "endpoint"] = _switch("key", "endpoint")
    urls_by: Literal["integration", "platform"] = _switch("integration", "platform")
    waiting_status: Literal["draft", "scheduled"] = _switch("draft", "scheduled")
    list_order: Literal["newest", "oldest", "id"] = _switch("newest", "oldest", "id")
    bad_date_status: Literal[400, 422] = _switch(400, 422)
    deleted_post: Literal["cancelled", "gone"] = _switch("cancelled", "gone")
    created_after: Literal["inclusive", "exclusive"] = _switch("inclusive", "exclusive")
    platforms_duplicated: bool = _switch(False, True)
    nulls: Literal["null", "absent"] = _switch("null", "absent")
