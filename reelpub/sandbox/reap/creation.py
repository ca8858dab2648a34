"""The create-* operations: checks of what was asked for, and the new project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen

from reelpub.sandbox.reap.catalogue import DEFAULT_PRESET, DUBBING_SOURCES, DUBBING_TARGETS, PRESETS
from reelpub.sandbox.reap.projects import DEFAULT_OPTIONS, begin
from reelpub.sandbox.reap.records import Project
from reelpub.sandbox.reap.render import project_json
from reelpub.sandbox.reap.state import CONCURRENT_PROJECTS, FINAL_PROJECT_STATUSES, Studio
from reelpub.sandbox.reap.uploads import use
from reelpub.sandbox.wire import Call, Refusal, Reply

__all__ = ["create_captions", "create_clips", "create_dubbing", "create_reframe", "create_transcription"]

_REFUSED_HOSTS = ("stream.mux.com", "archive.org", "reap.video")
"""Hosts that were refused live; Reap's own are among them."""

_HOST_SOURCES = {
    "youtube.com": "Youtube",
    "youtu.be": "Youtube",
    "vimeo.com": "Vimeo",
    "twitch.tv": "TwitchVod",
    "twitter.com": "Twitter",
    "x.com": "Twitter",
    "rumble.com": "RumbleEmbed",
    "instagram.com": "Instagram",
}

_LEAST_WINDOW = 60.0
"""Seconds that a selected window has to last (observed)."""

_DURATIONS = ([0, 30], [30, 60], [60, 90], [90, 180], [180, 300])

_CLIPS_OF_CLIPPING = (3, 8)


@frozen(kw_only=True)
class _Material:
    """What a project is made from. `end` is how its life is to end."""

    title: str
    source: str
    end: str


def create_clips(studio: Studio, call: Call) -> Reply:
    """Start a clipping project from an address or an upload; it ends with several clips."""
    body = call.body
    _check_window(body)
    _check_preset(body.get("captionsPreset"))
    if any(pair not in _DURATIONS for pair in body.get("clipDurations", [])):
        raise Refusal(400, "Clip durations must be chosen from the offered pairs.")
    options = _taken(
        body,
        "reframeClips,exportOrientation,exportResolution,captionsPreset,enableEmojis,enableHighlights,language,"
        "transcriptionScript,genre,selectedStart,selectedEnd,clipDurations,topics",
    )
    options["enableCaptions"] = body.get("enableCaptions", body.get("captionsPreset") is not None)
    clips = studio.rng.randint(*_CLIPS_OF_CLIPPING)
    return _start(studio, call, "clipping", options | _translation(body), clips=clips)


def create_captions(studio: Studio, call: Call) -> Reply:
    """Start a captions project; `resolution` counts only with `sourceUrl`."""
    body = call.body
    preset = body.get("captionsPreset", DEFAULT_PRESET)
    _check_preset(preset)
    options = _taken(body, "language,transcriptionScript,enableEmojis,enableHighlights")
    options |= {"captionsPreset": preset, "enableCaptions": preset is not None}
    if "resolution" in body and body.get("sourceUrl"):
        options["exportResolution"] = body["resolution"]
    return _start(studio, call, "captions", options | _translation(body))


def create_transcription(studio: Studio, call: Call) -> Reply:
    """Start a transcription project; it makes no clip."""
    options = _taken(call.body, "language,transcriptionScript") | _translation(call.body)
    return _start(studio, call, "transcription", options, clips=0)


def create_reframe(studio: Studio, call: Call) -> Reply:
    """Start a reframe project from an upload."""
    options = _taken(call.body, "genre")
    options |= {"reframeClips": True, "exportOrientation": call.body.get("orientation", "portrait")}
    return _start(studio, call, "reframe", options)


def create_dubbing(studio: Studio, call: Call) -> Reply:
    """Start a dubbing project from an upload."""
    source, target = call.body["sourceLanguage"], call.body["targetLanguage"]
    if source not in DUBBING_SOURCES or target not in DUBBING_TARGETS:
        raise Refusal(400, "Language isn't offered for dubbing.")
    return _start(studio, call, "dubbing", {"language": source, "dubbingLanguage": target})


def _start(studio: Studio, call: Call, kind: str, options: Mapping[str, Any], *, clips: int = 1) -> Reply:
    if studio.running_projects() >= CONCURRENT_PROJECTS:
        raise Refusal(429, f"Too many concurrent projects; your plan allows {CONCURRENT_PROJECTS} at a time.")
    material = _material(studio, call.body)
    project = Project(
        id=studio.new_id(),
        number=studio.next_number(),
        title=material.title[:80],
        kind=kind,
        source=material.source,
        status="queued",
        created_at=call.now,
        updated_at=call.now,
        duration=300.0,
        options=dict(DEFAULT_OPTIONS) | dict(options),
        clip_count=clips,
    )
    studio.projects[project.id] = project
    begin(studio, project, end=material.end)
    return Reply(body=studio.shape(project_json(project)))


def _material(studio: Studio, body: Mapping[str, Any]) -> _Material:
    address, upload_id = body.get("sourceUrl"), body.get("uploadId")
    if not address and not upload_id:
        raise Refusal(400, "Missing source URL or upload ID.")
    if address and upload_id:
        raise Refusal(400, "Send either a source URL or an upload ID.")
    if upload_id:
        upload = use(studio, upload_id)
        return _Material(title=upload.file_name, source="Upload", end="completed")
    return _from_address(str(address))


def _from_address(address: str) -> _Material:
    """Return what *address* names; one that ends in `/failed` or another final status makes a project end so."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"}:
        raise Refusal(400, "Invalid source URL.")
    if any(_is_under(host, refused) for refused in _REFUSED_HOSTS):
        raise Refusal(400, f"Unable to process video from {host}. Please contact support.")
    source = next((name for known, name in _HOST_SOURCES.items() if _is_under(host, known)), "Generic")
    last = parts.path.rsplit("/", 1)[-1]
    end = last if last in FINAL_PROJECT_STATUSES - {"cancelled"} else "completed"
    return _Material(title=last or host, source=source, end=end)


def _is_under(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def _check_window(body: Mapping[str, Any]) -> None:
    start, end = body.get("selectedStart"), body.get("selectedEnd")
    if end is not None and end - (start or 0) < _LEAST_WINDOW:
        raise Refusal(400, "Please select at least 1 minutes or longer from the timeline.")


def _check_preset(preset: str | None) -> None:
    if preset is not None and preset not in PRESETS:
        raise Refusal(400, "Invalid captions preset.")


def _taken(body: Mapping[str, Any], names: str) -> dict[str, Any]:
    return {name: body[name] for name in names.split(",") if name in body}


def _translation(body: Mapping[str, Any]) -> dict[str, Any]:
    language = body.get("translationLanguage")
    return {"translateTranscription": True, "translationLanguages": [language]} if language else {}
