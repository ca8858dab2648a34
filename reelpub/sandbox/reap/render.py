"""Records as the JSON of the contract's schemas, null members still in; `Studio.shape` drops them where told to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reelpub.sandbox.reap.records import Clip, Integration, Post, PostState, Project, Upload

__all__ = ["clip_json", "post_json", "post_status", "project_json", "project_status_json", "upload_json"]

_PLACE = {
    "tiktok": "https://www.tiktok.com/@{username}/video/{number}",
    "youtube": "https://www.youtube.com/shorts/{number}",
    "instagram": "https://www.instagram.com/reel/{number}/",
    "linkedin": "https://www.linkedin.com/feed/update/urn:li:share:{number}/",
    "x": "https://x.com/{username}/status/{number}",
}
_CDN = "https://cdn.reap.example"
"""Clips have no bytes in the sandbox; the name is reserved (RFC 2606), so nothing answers there."""


def post_status(post: Post, *, waiting: str, now: float) -> str:
    """Return the status text of *post* at Unix time *now*; *waiting* is the dialect's word for a waiting post."""
    if post.shown_status is not None and now < post.shown_until:
        return post.shown_status
    return waiting if post.state is PostState.WAITING else post.state.value


def _names(ids: Sequence[str], integrations: Mapping[str, Integration], *, repeated: bool) -> list[str]:
    names = [integrations[id_].platform for id_ in ids]
    return names if repeated else list(dict.fromkeys(names))


def _urls(post: Post, integrations: Mapping[str, Integration], *, by_integration: bool) -> dict[str, str]:
    urls = {}
    for id_ in post.succeeded:
        integration = integrations[id_]
        key = id_ if by_integration else integration.platform
        number = 7_000_000_000 + post.number
        urls[key] = _PLACE[integration.platform].format(username=integration.username, number=number)
    return urls


def post_json(
    post: Post, integrations: Mapping[str, Integration], *, status: str, repeated: bool, by_integration: bool
) -> dict[str, Any]:
    """Return a Post; *repeated* names a platform once for each account, *by_integration* keys `urls` by account."""
    return {
        "id": post.id,
        "projectId": post.project_id,
        "clipId": post.clip_id,
        "platforms": _names(post.integrations, integrations, repeated=repeated),
        "successPlatforms": _names(post.succeeded, integrations, repeated=repeated),
        "failedPlatforms": _names(post.failed, integrations, repeated=repeated),
        "integrations": list(post.integrations),
        "title": post.title,
        "description": post.description,
        "tags": None if post.tags is None else list(post.tags),
        "status": status,
        "scheduleType": "immediate" if post.schedule_date is None else "scheduled",
        "scheduleDate": post.schedule_date,
        "publishDate": None if post.publish_date is None else int(post.publish_date),
        "urls": _urls(post, integrations, by_integration=by_integration),
        "platformSettings": None if post.platform_settings is None else dict(post.platform_settings),
        "createdAt": int(post.created_at),
        "updatedAt": int(post.updated_at),
    }


def _metadata(options: Mapping[str, Any], duration: float) -> dict[str, Any]:
    short = int(options["exportResolution"])
    long = short * 16 // 9
    width, height = {"landscape": (long, short), "portrait": (short, long)}.get(
        options["exportOrientation"], (short, short)
    )
    shape = {"landscape": "16:9", "portrait": "9:16"}.get(options["exportOrientation"], "1:1")
    return {
        "width": width,
        "height": height,
        "aspectRatio": shape,
        "fps": 30.0,
        "duration": duration,
        "rotation": 0,
        "resolution": short,
        "codec": "h264",
        "format": "mp4",
    }


def project_json(project: Project) -> dict[str, Any]:
    """Return a Project. `billedDuration` counts whole minutes, as seen live."""
    return {
        "id": project.id,
        "title": project.title,
        "thumbnail": f"{_CDN}/{project.id}/thumbnail.jpg",
        "billedDuration": int(project.duration // 60),
        "status": project.status,
        "projectType": project.kind,
        "source": project.source,
        **project.options,
        "metadata": _metadata(project.options, project.duration),
        "urls": {"videoFile": f"{_CDN}/{project.id}/source.mp4"},
        "createdAt": int(project.created_at),
        "updatedAt": int(project.updated_at),
    }


def project_status_json(project: Project) -> dict[str, Any]:
    """Return a ProjectStatusView."""
    return {
        "projectId": project.id,
        "projectType": project.kind,
        "source": project.source,
        "status": project.status,
    }


_CLIP_OPTIONS = (
    "language",
    "dubbingLanguage",
    "translateTranscription",
    "translationLanguages",
    "transcriptionScript",
    "reframeClips",
    "exportResolution",
    "exportOrientation",
    "captionsPreset",
    "enableCaptions",
    "enableEmojis",
    "enableHighlights",
)
"""The project's settings that its clips repeat."""


def clip_json(clip: Clip) -> dict[str, Any]:
    """Return a Clip; it has no status, its project's status decides."""
    address = f"{_CDN}/{clip.project_id}/{clip.id}"
    return {
        "id": clip.id,
        "projectId": clip.project_id,
        "clipUrl": f"{address}.mp4",
        "clipWithCaptionsUrl": f"{address}-captions.mp4" if clip.options["enableCaptions"] else None,
        "startTime": clip.start,
        "endTime": clip.end,
        "duration": clip.end - clip.start,
        "topic": None,
        "title": clip.title,
        "caption": clip.caption,
        "hook": None,
        "segments": [[clip.start, clip.end]],
        **{name: clip.options[name] for name in _CLIP_OPTIONS},
        "viralityScore": clip.virality,
        "metadata": _metadata(clip.options, clip.end - clip.start),
        "createdAt": int(clip.created_at),
        "updatedAt": int(clip.updated_at),
    }


def upload_json(upload: Upload) -> dict[str, Any]:
    """Return an Upload."""
    return {
        "id": upload.id,
        "fileName": upload.file_name,
        "fileType": "video",
        "fileSize": upload.size,
        "contentType": upload.content_type,
        "status": upload.status,
        "createdAt": int(upload.created_at),
        "updatedAt": int(upload.updated_at),
    }
