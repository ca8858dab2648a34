"""One Reap studio: its records, how they are found, and the small things that every part of it needs."""

from __future__ import annotations

from random import Random
from typing import Any

from reelpub.sandbox.dialect import ReapDialect
from reelpub.sandbox.faults import FaultBook
from reelpub.sandbox.ledger import Ledger
from reelpub.sandbox.reap.agenda import Agenda
from reelpub.sandbox.reap.records import Clip, Integration, Post, Project, Upload
from reelpub.sandbox.reap.rules import missing
from reelpub.sandbox.seed import new_hex24

__all__ = ["CONCURRENT_PROJECTS", "FINAL_PROJECT_STATUSES", "Studio"]

CONCURRENT_PROJECTS = 10
"""Unfinished projects that the Studio plan allows at a time; one more answers 429."""

FINAL_PROJECT_STATUSES = frozenset({"completed", "cancelled", "invalid", "expired", "failed", "error"})


class Studio:
    """All records of one studio; every key of the sandbox's Reap sees the same one.

    `now` is the Unix time up to which everything due has happened. `origin` is where the sandbox serves, for presigned
    addresses.
    """

    def __init__(self, *, dialect: ReapDialect, rng: Random, ledger: Ledger, faults: FaultBook) -> None:
        self.dialect, self.rng, self.ledger, self.faults = dialect, rng, ledger, faults
        self.agenda = Agenda()
        self.integrations: dict[str, Integration] = {}
        self.projects: dict[str, Project] = {}
        self.clips: dict[tuple[str, str], Clip] = {}
        self.posts: dict[str, Post] = {}
        self.uploads: dict[str, Upload] = {}
        self.origin = "http://127.0.0.1"
        self.now = 0.0
        self._count = 0

    def new_id(self) -> str:
        """Return a new id of 24 hex digits; it tells nothing about time."""
        return new_hex24(self.rng)

    def next_number(self) -> int:
        """Return the next number of a count over all records, which orders those of one second."""
        self._count += 1
        return self._count

    def shape(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return *row* with members that are null left out, where the dialect leaves them out."""
        if self.dialect.nulls == "null":
            return row
        return {name: value for name, value in row.items() if value is not None}

    def project(self, project_id: str) -> Project:
        """Return a project; raises `Refusal` 404."""
        project = self.projects.get(project_id)
        if project is None or project.is_deleted:
            raise missing("Project")
        return project

    def clip(self, project_id: str, clip_id: str) -> Clip:
        """Return a clip of a project; raises `Refusal` 404 for either."""
        self.project(project_id)
        clip = self.clips.get((project_id, clip_id))
        if clip is None:
            raise missing("Clip")
        return clip

    def clips_of(self, project_id: str) -> list[Clip]:
        """Return the clips of a project, in the order in which they were made."""
        return [clip for (owner, _), clip in self.clips.items() if owner == project_id]

    def post(self, post_id: str) -> Post:
        """Return a post; raises `Refusal` 404."""
        post = self.posts.get(post_id)
        if post is None:
            raise missing("Post")
        return post

    def upload(self, upload_id: str) -> Upload:
        """Return an upload; raises `Refusal` 404."""
        upload = self.uploads.get(upload_id)
        if upload is None:
            raise missing("Upload")
        return upload

    def running_projects(self) -> int:
        """Return how many projects are unfinished."""
        return sum(project.status not in FINAL_PROJECT_STATUSES for project in self.projects.values())
