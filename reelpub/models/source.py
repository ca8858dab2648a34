"""What is to be published. Which publisher takes which source is the publisher's to say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from attrs import field, frozen

__all__ = ["Clip", "Draft", "GeneratedPost", "MediaItem", "MediaItems", "Source"]


@frozen
class GeneratedPost:
    """A generated post out of the review queue.

    It goes through a draft, whose id is known before anything is public and which can be looked up after a lost
    answer. With *approve* it goes out in the provider's one-call way instead, to every active account of its
    persona and as it is: a lost answer of that call can't be looked up and ends as *unknown*.
    """

    id: str
    approve: bool = field(default=False, kw_only=True)

    def __str__(self) -> str:
        return str(self.id)


@frozen
class MediaItem:
    """One generated media item; *use_voice_converted* picks its voice-converted rendition."""

    id: str
    use_voice_converted: bool | None = field(default=None, kw_only=True)


def _media_items(items: object) -> object:
    if isinstance(items, Iterable) and not isinstance(items, (str, bytes)):
        return tuple(MediaItem(item) if isinstance(item, str) else item for item in items)
    return items


@frozen
class MediaItems:
    """Generated media items, in their order, made into a new post. Each may be given as its id."""

    items: tuple[MediaItem, ...] = field(converter=_media_items)
    persona_id: str | None = field(default=None, kw_only=True)

    if TYPE_CHECKING:

        def __init__(self, items: Iterable[MediaItem | str], *, persona_id: str | None = None) -> None: ...

    def __str__(self) -> str:
        # Also of items that the checks will refuse.
        items: object = self.items
        return "+".join(str(getattr(item, "id", item)) for item in items) if isinstance(items, tuple) else str(items)


@frozen
class Draft:
    """A draft that exists at the provider already."""

    id: str

    def __str__(self) -> str:
        return str(self.id)


@frozen
class Clip:
    """One finished clip of a project."""

    project_id: str
    clip_id: str

    def __str__(self) -> str:
        return f"{self.project_id}/{self.clip_id}"


Source = GeneratedPost | MediaItems | Draft | Clip
