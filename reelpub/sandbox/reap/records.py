"""The records of one Reap studio, as the sandbox keeps them. Times are Unix seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from attrs import define, field

__all__ = ["Clip", "Integration", "Post", "PostState", "Project", "Upload"]


class PostState(Enum):
    """Where a post stands; how a waiting post's status reads depends on the dialect."""

    WAITING = "waiting"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    UNRESOLVED = "unresolved"
    CANCELLED = "cancelled"


@define(kw_only=True)
class Integration:
    """A connected social account."""

    id: str
    platform: str
    username: str
    name: str
    is_active: bool = True


@define(kw_only=True)
class Project:
    """A project; `options` holds the settings that the contract's Project and Clip both show, under its names.

    `path` is what is still to come, as pairs of Unix time and status; `started_at` is when processing began.
    """

    id: str
    number: int
    title: str
    kind: str
    source: str
    status: str
    created_at: float
    updated_at: float
    duration: float
    options: Mapping[str, Any] = field(factory=dict)
    path: list[tuple[float, str]] = field(factory=list)
    started_at: float | None = None
    clip_count: int = 0
    is_deleted: bool = False


@define(kw_only=True)
class Clip:
    """A finished clip of a project; `start` and `end` are seconds in the source."""

    id: str
    project_id: str
    title: str | None
    caption: str | None
    start: float
    end: float
    created_at: float
    updated_at: float
    virality: float | None = None
    options: Mapping[str, Any] = field(factory=dict)


@define(kw_only=True)
class Post:
    """One post to one or more accounts.

    `operation` is the contract's operation that made it, `key` the API key that called it; `number` orders posts that
    were made in the same second. `due_at` is the next Unix time at which something happens to it. `shown_status`
    stands in for the real status until Unix time `shown_until` (None: for good), where a fault was ordered.
    """

    id: str
    number: int
    key: str
    operation: str
    project_id: str
    clip_id: str
    integrations: Sequence[str]
    title: str | None
    description: str | None
    tags: Sequence[str] | None
    platform_settings: Mapping[str, Any] | None
    state: PostState
    created_at: float
    updated_at: float
    schedule_date: int | None = None
    publish_date: float | None = None
    pending: list[str] = field(factory=list)
    succeeded: list[str] = field(factory=list)
    failed: list[str] = field(factory=list)
    doomed: set[str] = field(factory=set)
    stuck_until: dict[str, float] = field(factory=dict)
    shown_status: str | None = None
    shown_until: float = math.inf


@define(kw_only=True)
class Upload:
    """A reserved upload; `size` and `content_type` are None until its bytes have come."""

    id: str
    number: int
    file_name: str
    created_at: float
    updated_at: float
    expires_at: float
    signature: str
    status: str = "upload"
    size: int | None = None
    content_type: str | None = None
