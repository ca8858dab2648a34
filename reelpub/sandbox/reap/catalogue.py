"""What Reap offers to everybody: caption presets, languages, plan figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reelpub.sandbox.reap.paging import page
from reelpub.sandbox.reap.state import CONCURRENT_PROJECTS, Studio
from reelpub.sandbox.wire import Call, Reply

__all__ = [
    "DEFAULT_PRESET",
    "DUBBING_SOURCES",
    "DUBBING_TARGETS",
    "PRESETS",
    "get_all_presets",
    "get_dubbing_languages",
    "get_integrations",
    "get_plan_usage",
    "get_translation_languages",
]

DEFAULT_PRESET = "system_beasty"
"""What create-captions uses when no preset is named."""

_NAMED = (
    "Beasty",
    "Hype",
    "March",
    "Stretchy",
    "Think Media",
    "Lemon",
    "Bloom",
    "Tremor",
    "Blur",
    "Surge",
    "Bubblegum",
    "Cloud Fall",
    "Slide Down",
    "Punch",
    "Pulse",
    "Candy",
    "Halo",
    "Crimson",
)
_AUDIOGRAMS = ("Vinyl Vibes", "Daily Cafe", "Tech Talk")
_TOTAL = 69
"""Seen live on 2026-07-07."""


def _preset(name: str, *, audiogram: bool = False) -> dict[str, Any]:
    prefix = "system_ready_audiogram_" if audiogram else "system_"
    preferences = {
        "addAudiogram": audiogram,
        "addCaptions": True,
        "genre": "talking",
        "language": "en",
        "translationLanguage": None,
        "transcriptionScript": "native",
        "orientation": "square" if audiogram else "portrait",
        "resolution": 720,
        "clipDurations": [[30, 60]],
    }
    slug = name.lower().replace(" ", "_")
    return {"id": prefix + slug, "name": name, "source": "system", "preferences": preferences}


def _all_presets() -> Mapping[str, dict[str, Any]]:
    presets = [_preset(name) for name in _NAMED] + [_preset(name, audiogram=True) for name in _AUDIOGRAMS]
    presets += [_preset(f"Style {number}") for number in range(1, _TOTAL - len(presets) + 1)]
    return {preset["id"]: preset for preset in presets}


PRESETS = _all_presets()
"""The 69 presets by id; the first are named as on the service, the rest are numbered styles."""

_LANGUAGES = {
    "en-US": "English (US)",
    "es-ES": "Spanish (Spain)",
    "fr-FR": "French",
    "de-DE": "German",
    "hi-IN": "Hindi",
    "it-IT": "Italian",
    "ja-JP": "Japanese",
    "pt-BR": "Portuguese (Brazil)",
}
DUBBING_SOURCES = frozenset(_LANGUAGES)
"""Codes that create-dubbing takes as `sourceLanguage`."""
DUBBING_TARGETS = frozenset(_LANGUAGES)
"""Codes that create-dubbing takes as `targetLanguage`."""


def _languages(*, short: bool) -> list[dict[str, Any]]:
    return [
        {"code": code[:2] if short else code, "name": name.partition(" (")[0], "displayName": None if short else name}
        for code, name in _LANGUAGES.items()
    ]


def get_all_presets(studio: Studio, call: Call) -> Reply:
    """Page through the caption presets, 20 a page unless told otherwise."""
    rows = list(PRESETS.values())
    return Reply(body=page(call, rows, studio.shape, noun="presets", size=20))


def get_translation_languages(studio: Studio, call: Call) -> Reply:  # noqa: ARG001  (a handler's signature)
    """List the languages of captions and of their translation, by two-letter codes."""
    rows = [studio.shape(row) for row in _languages(short=True)]
    return Reply(body={"sourceLanguages": rows, "targetLanguages": rows})


def get_dubbing_languages(studio: Studio, call: Call) -> Reply:  # noqa: ARG001  (a handler's signature)
    """List the languages that dubbing reads and speaks, by codes with a region."""
    rows = [studio.shape(row) for row in _languages(short=False)]
    return Reply(body={"sourceLanguages": rows, "targetLanguages": rows})


def get_integrations(studio: Studio, call: Call) -> Reply:  # noqa: ARG001  (a handler's signature)
    """List the connected accounts, the inactive ones too: each row says whether it is active."""
    rows = [
        {
            "id": integration.id,
            "platform": integration.platform,
            "isActive": integration.is_active,
            "username": integration.username,
            "name": integration.name,
            "profilePictureUrl": None,
        }
        for integration in studio.integrations.values()
    ]
    return Reply(body={"integrations": [studio.shape(row) for row in rows]})


def get_plan_usage(studio: Studio, call: Call) -> Reply:  # noqa: ARG001  (a handler's signature)
    """Give plan and usage figures; the service's shape is unknown, so this one is the sandbox's own."""
    usage = {
        "plan": "studio",
        "concurrentProjects": {"used": studio.running_projects(), "limit": CONCURRENT_PROJECTS},
        "projects": sum(not project.is_deleted for project in studio.projects.values()),
        "posts": len(studio.posts),
    }
    return Reply(body=usage)
