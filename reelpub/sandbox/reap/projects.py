"""The life of a project: its way through the statuses, and the clips at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reelpub.sandbox.reap.agenda import Event
from reelpub.sandbox.reap.records import Clip, Project
from reelpub.sandbox.reap.state import FINAL_PROJECT_STATUSES, Studio

__all__ = ["DEFAULT_OPTIONS", "add_clips", "begin", "step"]

DEFAULT_OPTIONS: Mapping[str, Any] = {
    "genre": "talking",
    "topics": [],
    "clipDurations": [],
    "selectedStart": None,
    "selectedEnd": None,
    "reframeClips": False,
    "exportResolution": 720,
    "exportOrientation": "landscape",
    "captionsPreset": None,
    "enableCaptions": False,
    "enableEmojis": False,
    "enableHighlights": False,
    "language": "en",
    "dubbingLanguage": None,
    "translateTranscription": False,
    "translationLanguages": [],
    "transcriptionScript": "native",
}
"""The settings that Project and Clip show, under the contract's names, as they are where nothing was asked for."""

_WAY: Sequence[tuple[str, tuple[float, float]]] = (
    ("prepped", (3.0, 10.0)),
    ("draft", (3.0, 10.0)),
    ("processing", (5.0, 15.0)),
    ("finalizing", (30.0, 120.0)),
    ("completed", (10.0, 30.0)),
)
"""Each status after `queued`, with the least and most seconds until it is reached from the one before."""

_CLIP_SECONDS = 40.0


def begin(studio: Studio, project: Project, *, end: str = "completed") -> None:
    """Set *project* on its way from `queued` to *end*, one of the final statuses."""
    at = project.created_at
    for status, seconds in _WAY:
        at += studio.rng.uniform(*seconds)
        project.path.append((at, end if status == "completed" else status))
        studio.agenda.put(at, Event.STEP, project.id)


def step(studio: Studio, project_id: str, at: float) -> None:
    """Take the next step of a project, unless it was cancelled; at `completed` its clips come to be."""
    project = studio.projects[project_id]
    if not project.path or project.status in FINAL_PROJECT_STATUSES:
        return
    _, project.status = project.path.pop(0)
    project.updated_at = at
    if project.status == "processing":
        project.started_at = at
    if project.status == "completed":
        add_clips(studio, project, [studio.new_id() for _ in range(project.clip_count)], at)


def add_clips(studio: Studio, project: Project, ids: Sequence[str], at: float) -> None:
    """Give *project* one finished clip for each of *ids*; only clipping projects score theirs."""
    for index, id_ in enumerate(ids):
        start = index * _CLIP_SECONDS
        studio.clips[project.id, id_] = Clip(
            id=id_,
            project_id=project.id,
            title=f"{project.title}, clip {index + 1}"[:80],
            caption=None,
            start=start,
            end=start + _CLIP_SECONDS,
            created_at=at,
            updated_at=at,
            virality=round(studio.rng.uniform(4.0, 10.0), 1) if project.kind == "clipping" else None,
            options=project.options,
        )
