"""What goes into a draft: its media, persona, caption and settings, out of a request or out of another post. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import asdict, frozen

from reelpub.models.account import Account
from reelpub.models.request import PublishRequest
from reelpub.models.settings import PlatformSettings
from reelpub.models.source import MediaItems
from reelpub.providers.reelmirror.schemas import OutgoingPost, OutgoingPostItemInput

__all__ = ["Content", "content_of_post", "content_of_source", "edits", "platform_settings"]


@frozen(kw_only=True)
class Content:
    """The members of the create body apart from the accounts."""

    items: tuple[OutgoingPostItemInput, ...]
    persona_id: str | None = None
    caption: str | None = None
    settings: Mapping[str, Any] | None = None


def content_of_source(request: PublishRequest) -> Content | None:
    """Return the content of a request for media items; None for any other source."""
    source = request.source
    if not isinstance(source, MediaItems):
        return None
    return Content(
        items=tuple(
            OutgoingPostItemInput(item.id, position=position, use_voice_converted=item.use_voice_converted)
            for position, item in enumerate(source.items)
        ),
        persona_id=source.persona_id,
        caption=request.caption,
        settings=platform_settings(request),
    )


def content_of_post(post: OutgoingPost, request: PublishRequest) -> Content | None:
    """Return what a copy of *post* holds, with *request*'s own caption and settings where it has them.

    None where the post doesn't show all of its media: a copy must not lose an item.
    """
    ids = [item.generated_media_item_id for item in post.items]
    if not ids or None in ids:
        return None
    settings = platform_settings(request)
    return Content(
        items=tuple(
            OutgoingPostItemInput(
                item.generated_media_item_id or "",
                position=item.position,
                use_voice_converted=item.use_voice_converted,
            )
            for item in post.items
        ),
        persona_id=post.persona_id,
        caption=post.caption if request.caption is None else request.caption,
        settings=post.platform_settings if settings is None else settings,
    )


def platform_settings(request: PublishRequest) -> dict[str, Any] | None:
    """Return the settings for the wire: the members that aren't None of typed ones, mappings as they are."""
    members = {platform: _members(settings) for platform, settings in request.settings.items()}
    return {platform: values for platform, values in members.items() if values} or None


def edits(request: PublishRequest, targets: Sequence[Account]) -> dict[str, Any]:
    """Return the members that an edit of a draft has to change; empty where the draft is right as it is."""
    members = {
        "caption": request.caption,
        "platform_settings": platform_settings(request),
        "target_account_ids": [account.id for account in targets] or None,
    }
    return {name: value for name, value in members.items() if value is not None}


def _members(settings: PlatformSettings) -> dict[str, Any]:
    if isinstance(settings, Mapping):
        return dict(settings)
    return {name: value for name, value in asdict(settings).items() if value is not None}
