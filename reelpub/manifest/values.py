"""From a request back to the values of a row: what reading them gives is the same request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import asdict, has

from reelpub.manifest.columns import SETTINGS
from reelpub.models.account import Account
from reelpub.models.request import PublishRequest
from reelpub.models.settings import PlatformSettings
from reelpub.models.source import Clip, Draft, GeneratedPost, MediaItem, MediaItems, Source
from reelpub.models.when import LocalTime

__all__ = ["request_cells"]


def request_cells(request: PublishRequest) -> dict[str, Any]:
    """Return the JSON values of *request* by column, without those that it leaves open.

    An `Account` is named by its id.
    """
    values = {
        "reference": request.reference,
        "publisher": request.publisher,
        **_source(request.source),
        "caption": request.caption,
        "title": request.title,
        "tags": list(request.tags) or None,
        "accounts": [_name(account) for account in request.accounts] or None,
        **_at(request.at),
        "allow_duplicate": request.allow_duplicate or None,
        **_settings(request.settings),
    }
    return {column: value for column, value in values.items() if value is not None}


def _name(account: str | Account) -> str:
    return account.id if isinstance(account, Account) else account


def _source(source: Source) -> dict[str, Any]:
    match source:
        case GeneratedPost():
            return {"generated_post": source.id, "approve": source.approve or None}
        case MediaItems():
            return {"media_items": [_item(item) for item in source.items], "persona": source.persona_id}
        case Draft():
            return {"draft": source.id}
        case Clip():
            return {"clip": _clip(source)}


def _item(item: MediaItem) -> Any:
    if item.use_voice_converted is None:
        return item.id
    return {"id": item.id, "use_voice_converted": item.use_voice_converted}


def _clip(clip: Clip) -> Any:
    """Return PROJECT/CLIP, or an object where that would be taken apart differently."""
    is_plain = clip.project_id.strip() and "/" not in clip.project_id and clip.clip_id.strip()
    if is_plain and not clip.project_id.startswith("{"):
        return f"{clip.project_id}/{clip.clip_id}"
    return {"project": clip.project_id, "clip": clip.clip_id}


def _at(at: datetime | LocalTime | None) -> dict[str, str]:
    if at is None:
        return {}
    if isinstance(at, datetime):
        return {"at": at.isoformat()}
    clock = at.clock.isoformat(sep=" ") if isinstance(at.clock, datetime) else at.clock
    # The policies too, whatever those of the next run are.
    return {"at": clock, "zone": at.zone, "gap": str(at.gap), "fold": str(at.fold)}


def _settings(settings: Mapping[str, PlatformSettings]) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    raw: dict[str, Any] = {}
    for platform, given in settings.items():
        if has(type(given)) and platform in SETTINGS:
            typed[platform] = {name: value for name, value in asdict(given).items() if value is not None}  # type: ignore[arg-type]
        else:
            raw[platform] = given
    return {"settings": typed or None, "raw_settings": raw or None}
