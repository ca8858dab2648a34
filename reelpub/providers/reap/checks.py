"""What can be told to be wrong with the arguments of a call before anything is sent.

Only types and documented limits refuse; everything wrong is told at once. Addresses of videos are never quoted,
since they may be signed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeGuard

import attrs

from reelpub.errors import ValidationError
from reelpub.models.problem import Problem
from reelpub.providers.reap import limits
from reelpub.providers.reap.schemas import LinkedInPrivacy, PlatformSettings, TikTokPrivacy, YouTubePrivacy
from reelpub.providers.structure import UNSET

__all__ = ["Checks"]

_PRIVACY: dict[str, type[StrEnum]] = {
    "youtube": YouTubePrivacy,
    "tiktok": TikTokPrivacy,
    "linkedin": LinkedInPrivacy,
}
_SECRET = ("source_url",)

MAX_INTEGER = 2**53 - 1
"""The largest whole number that every reader of JSON keeps exact."""


def _is_absent(value: object) -> bool:
    return value is None or value is UNSET


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_unicode(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


class Checks:
    """Collects what is wrong with the arguments of one call; `finish` raises it.

    None and `UNSET` mean "not given" and pass every check but `identifier`.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, field: str, message: str, value: object, limit: object = None) -> None:
        """Note one problem."""
        shown = None if field.endswith(_SECRET) else value
        text = None if limit is None else str(limit)
        self.problems.append(Problem(field=field, message=message, value=shown, limit=text))

    def finish(self) -> None:
        """Raise `ValidationError` with everything that was noted, if anything was."""
        if self.problems:
            raise ValidationError(self.problems)

    def required(self, field: str, value: object) -> None:
        """Check that a value that isn't an id is there at all."""
        if _is_absent(value):
            self.add(field, "must be given", None)

    def identifier(self, field: str, value: object) -> None:
        """Check an id: text that isn't blank."""
        if not isinstance(value, str):
            self.add(field, "must be a string", value)
        elif not value.strip():
            self.add(field, "must not be empty", value)
        elif not _is_unicode(value):
            self.add(field, "holds half a surrogate pair, which has no place in a request", None)

    def text(self, field: str, value: object, most: int | None = None) -> None:
        """Check a text of at most *most* characters."""
        if _is_absent(value):
            return
        if not isinstance(value, str):
            self.add(field, "must be a string", value)
        elif not _is_unicode(value):
            self.add(field, "holds half a surrogate pair, which has no place in a request", None)
        elif most is not None and len(value) > most:
            self.add(field, f"is {len(value)} characters long", value, f"{most} characters")

    def flag(self, field: str, value: object) -> None:
        """Check a switch."""
        if not _is_absent(value) and not isinstance(value, bool):
            self.add(field, "must be True or False", value)

    def number(self, field: str, value: object) -> None:
        """Check a place in a video, in seconds."""
        if not _is_absent(value) and not (_is_whole(value) or (isinstance(value, float) and math.isfinite(value))):
            self.add(field, "must be a number of seconds", value)

    def whole(self, field: str, value: object, least: int | None = None, most: int = MAX_INTEGER) -> None:
        """Check a whole number from *least* to *most*."""
        if _is_absent(value):
            return
        if not _is_whole(value):
            self.add(field, "must be a whole number", value)
            return
        if least is not None and value < least:
            self.add(field, "is too small", value, f"at least {least}")
        if value > most:
            self.add(field, "is too large", value, f"at most {most}")

    def one_of(self, field: str, value: object, known: type[StrEnum] | Sequence[int]) -> None:
        """Check one of the documented values."""
        values: list[object] = [item.value if isinstance(item, StrEnum) else item for item in known]
        if not _is_absent(value) and (isinstance(value, (bool, float)) or value not in values):
            self.add(field, "isn't a documented value", value, ", ".join(map(str, values)))

    def many_of(self, field: str, values: object, known: type[StrEnum]) -> None:
        """Check a sequence of documented values."""
        for place, value in self._items(field, values):
            self.one_of(place, value, known)

    def texts(self, field: str, values: object, *, least: int = 0, most: int | None = None) -> None:
        """Check a sequence of *least* to *most* texts that aren't blank."""
        items = self._items(field, values)
        for place, value in items:
            self.identifier(place, value)
        if isinstance(values, (list, tuple)) and len(items) < least:
            self.add(field, "has too few entries", values, f"at least {least}")
        if most is not None and len(items) > most:
            self.add(field, f"has {len(items)} entries", values, f"at most {most}")

    def unix_seconds(self, field: str, value: object) -> None:
        """Check an instant as whole Unix seconds, and say what would be right for the usual mistakes."""
        if _is_absent(value):
            return
        if isinstance(value, datetime):
            self.add(field, "must be whole Unix seconds, such as int(moment.timestamp()) of an aware datetime", value)
        elif isinstance(value, float):
            self.add(field, "must be whole Unix seconds, such as int(value)", value)
        elif not _is_whole(value):
            self.add(field, "must be whole Unix seconds as an int", value)
        elif not 0 <= value < limits.MILLISECONDS_FROM:
            self.add(field, "isn't a time in Unix seconds (milliseconds are 1000 times as many)", value)

    def schedule_date(self, value: object, now: float | None, *, most: float | None = None) -> None:
        """Check a time to publish, 50 minutes ahead of *now* (Unix seconds) or more, and *most* seconds at most."""
        known = len(self.problems)
        self.unix_seconds("schedule_date", value)
        if now is None or len(self.problems) > known or not isinstance(value, int):
            return
        lead = value - now
        if lead < limits.SCHEDULE_LEAD_LEAST:
            self.add("schedule_date", f"is only {lead:.0f} s ahead", value, "at least 50 minutes ahead")
        if most is not None and lead > most:
            self.add("schedule_date", "is too far ahead", value, "at most 12 months ahead")

    def source(self, source_url: object, upload_id: object) -> None:
        """Check that one of the two ways to say which video is meant is taken, and only one."""
        given = [
            (name, value)
            for name, value in (("source_url", source_url), ("upload_id", upload_id))
            if not _is_absent(value)
        ]
        if len(given) != 1:
            self.add("source_url", "give exactly one of source_url and upload_id", None, "one source")
        for name, value in given:
            self.identifier(name, value)

    def settings(self, value: object) -> None:
        """Check `PlatformSettings`, or a mapping from a platform's name to its settings."""
        if _is_absent(value):
            return
        if isinstance(value, PlatformSettings):
            blocks: Mapping[str, Any] = {a.name: getattr(value, a.name) for a in attrs.fields(PlatformSettings)}
        elif isinstance(value, Mapping):
            blocks = value
        else:
            self.add("platform_settings", "must be PlatformSettings or a mapping by platform", value)
            return
        for platform, block in blocks.items():
            self._block(str(platform), block)

    def file_name(self, field: str, value: object) -> None:
        """Check a file's name, which tells Reap the kind of the file."""
        self.identifier(field, value)
        self.text(field, value, limits.FILENAME_LENGTH)
        if isinstance(value, str) and not value.lower().endswith(limits.UPLOAD_SUFFIXES):
            self.add(field, "isn't the name of an MP4 or MOV file", value, "ends in .mp4 or .mov")

    def _block(self, platform: str, block: Any) -> None:
        field = f"platform_settings.{platform}"
        if _is_absent(block):
            return
        if not attrs.has(type(block)) and not isinstance(block, Mapping):
            self.add(field, "must be the settings of one platform", block)
            return
        if isinstance(block, Mapping):
            members = {"privacy": block.get("privacy")}  # the rest is the provider's own and sent as it is
        else:
            members = {a.name: getattr(block, a.name) for a in attrs.fields(type(block))}
        for name, value in members.items():
            if name != "privacy":
                self.flag(f"{field}.{name}", value)
            elif platform in _PRIVACY:
                self.one_of(f"{field}.{name}", value, _PRIVACY[platform])

    def _items(self, field: str, values: object) -> list[tuple[str, object]]:
        if _is_absent(values):
            return []
        if not isinstance(values, (list, tuple)):
            self.add(field, "must be a list or tuple of strings", values)
            return []
        return [(f"{field}[{place}]", value) for place, value in enumerate(values)]
