"""What can be told to be wrong with the arguments of Reap's operations, beyond what every provider asks for.

Addresses of videos are never quoted, since they may be signed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

import attrs

from reelpub.providers import arguments
from reelpub.providers.arguments import is_whole
from reelpub.providers.reap import limits
from reelpub.providers.reap.schemas import LinkedInPrivacy, PlatformSettings, TikTokPrivacy, YouTubePrivacy
from reelpub.providers.structure import UNSET

__all__ = ["Checks"]

_PRIVACY: dict[str, type[StrEnum]] = {
    "youtube": YouTubePrivacy,
    "tiktok": TikTokPrivacy,
    "linkedin": LinkedInPrivacy,
}


class Checks(arguments.Checks):
    """Collects what is wrong with the arguments of one call to Reap; `UNSET` means "not given", too."""

    SECRET: ClassVar[tuple[str, ...]] = ("source_url",)

    def is_absent(self, value: object) -> bool:
        """Whether an argument wasn't given."""
        return value is None or value is UNSET

    def number(self, field: str, value: object) -> None:
        """Check a place in a video, in seconds."""
        if not self.is_absent(value) and not (is_whole(value) or (isinstance(value, float) and math.isfinite(value))):
            self.add(field, "has to be a number of seconds", value)

    def unix_seconds(self, field: str, value: object) -> None:
        """Check an instant as whole Unix seconds, and say what would be right for the usual mistakes."""
        if self.is_absent(value):
            return
        if isinstance(value, datetime):
            self.add(field, "has to be whole Unix seconds, such as int(moment.timestamp()) of an aware datetime", value)
        elif isinstance(value, float):
            self.add(field, "has to be whole Unix seconds, such as int(value)", value)
        elif not is_whole(value):
            self.add(field, "has to be whole Unix seconds as an int", value)
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
            if not self.is_absent(value)
        ]
        if len(given) != 1:
            self.add("source_url", "give exactly one of source_url and upload_id", None, "one source")
        for name, value in given:
            self.identifier(name, value)

    def settings(self, value: object) -> None:
        """Check `PlatformSettings`, or a mapping from a platform's name to its settings."""
        if self.is_absent(value):
            return
        if isinstance(value, PlatformSettings):
            blocks: Mapping[str, Any] = {a.name: getattr(value, a.name) for a in attrs.fields(PlatformSettings)}
        elif isinstance(value, Mapping):
            blocks = value
        else:
            self.add("platform_settings", "has to be PlatformSettings or a mapping by platform", value)
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
        if self.is_absent(block):
            return
        if not attrs.has(type(block)) and not isinstance(block, Mapping):
            self.add(field, "has to be the settings of one platform", block)
            return
        if isinstance(block, Mapping):
            self.json_object(field, block)
            members = {"privacy": block.get("privacy")}  # the rest is the provider's own and sent as it is
        else:
            members = {a.name: getattr(block, a.name) for a in attrs.fields(type(block))}
        for name, value in members.items():
            if name != "privacy":
                self.flag(f"{field}.{name}", value)
            elif platform in _PRIVACY:
                self.one_of(f"{field}.{name}", value, _PRIVACY[platform])
