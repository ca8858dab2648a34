"""What Reap documents as the most and the least of things (https://docs.reap.video/api-reference)."""

from __future__ import annotations

from typing import Final

__all__ = [
    "CLIP_CAPTION_LENGTH",
    "CLIP_TITLE_LENGTH",
    "FILENAME_LENGTH",
    "INTERVAL_SECONDS_LEAST",
    "MILLISECONDS_FROM",
    "PAGE_SIZE_MOST",
    "POST_DESCRIPTION_LENGTH",
    "POST_TITLE_LENGTH",
    "PROJECT_TITLE_LENGTH",
    "PROMPT_LENGTH",
    "SCHEDULE_CLIPS_MOST",
    "SCHEDULE_LEAD_LEAST",
    "SCHEDULE_LEAD_MOST",
    "TAGS_MOST",
    "UPLOAD_BYTES_MOST",
    "UPLOAD_SUFFIXES",
]

PAGE_SIZE_MOST: Final = 100
TAGS_MOST: Final = 10
"""Documented for publish-clip and update-post; the contract takes it over for the clips of schedule-clips."""

POST_TITLE_LENGTH: Final = 250
"""Characters; documented for update-post only."""
POST_DESCRIPTION_LENGTH: Final = 1000
"""Characters; documented for update-post only."""
PROJECT_TITLE_LENGTH: Final = 80
CLIP_TITLE_LENGTH: Final = 80
CLIP_CAPTION_LENGTH: Final = 250
FILENAME_LENGTH: Final = 1000
PROMPT_LENGTH: Final = 1000

SCHEDULE_CLIPS_MOST: Final = 50
INTERVAL_SECONDS_LEAST: Final = 300
SCHEDULE_LEAD_LEAST: Final = 3000
"""Seconds: a schedule date is at least 50 minutes ahead."""
SCHEDULE_LEAD_MOST: Final = 366 * 86_400
"""Seconds: at most 12 months ahead, by the longest reading of a year, so that nothing allowed is refused."""
MILLISECONDS_FROM: Final = 100_000_000_000
"""A Unix time above this is in milliseconds: as seconds it would lie in the year 5138."""

UPLOAD_SUFFIXES: Final = (".mp4", ".mov")
UPLOAD_BYTES_MOST: Final = 5 * 1024**3
"""5 GB by the larger reading, so that nothing allowed is refused."""
