"""The vocabularies that ReelMirror's pages name.

Fields typed with one of these are open: a word that isn't known stays plain text, so a new status never raises.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "AccountStatus",
    "AutomationMode",
    "DeliveryStatus",
    "GenerationStatus",
    "OutgoingPostStatus",
    "Platform",
    "ReviewStatus",
    "Scope",
    "SyncJobStatus",
    "UploadCategory",
]


class Platform(StrEnum):
    """Where a post can go; TikTok is called alpha by the vendor."""

    INSTAGRAM = "instagram"
    TIKTOK = "tiktok"


class DeliveryStatus(StrEnum):
    """State of one post at one account; the last two end the waiting."""

    PENDING = "pending"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    FAILED = "failed"


class OutgoingPostStatus(StrEnum):
    """State of a whole post. Only the first three words are shown or named; the others are inferred."""

    DRAFT = "draft"
    PUBLISHED = "published"
    FAILED = "failed"
    SCHEDULED = "scheduled"
    PUBLISHING = "publishing"
    CANCELLED = "cancelled"
    PARTIAL = "partial"


class ReviewStatus(StrEnum):
    """Where a generated post stands in the review queue."""

    PENDING_REVIEW = "pending_review"
    APPROVED = "approved"
    REJECTED = "rejected"
    PUBLISHED = "published"


class GenerationStatus(StrEnum):
    """How far a generated post or media item is. Only ``completed`` is documented; the others are inferred."""

    COMPLETED = "completed"
    FAILED = "failed"
    PENDING = "pending"
    PROCESSING = "processing"


class SyncJobStatus(StrEnum):
    """State of a sync job; the last three end the waiting."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"


class AutomationMode(StrEnum):
    """What happens by itself when a tracked creator posts."""

    SYNC_ONLY = "sync_only"
    AUTO_CLONE = "auto_clone"
    AUTO_PUBLISH = "auto_publish"


class AccountStatus(StrEnum):
    """State of a connected account; the pages name no other word."""

    ACTIVE = "active"


class UploadCategory(StrEnum):
    """What an uploaded file is for."""

    AVATAR = "avatar"
    VOICE = "voice"


class Scope(StrEnum):
    """What an API key may do."""

    PERSONAS_READ = "personas:read"
    PERSONAS_WRITE = "personas:write"
    SOURCES_READ = "sources:read"
    SOURCES_WRITE = "sources:write"
    CONTENT_READ = "content:read"
    CONTENT_WRITE = "content:write"
    SYNC_WRITE = "sync:write"
    BILLING_READ = "billing:read"
    BILLING_WRITE = "billing:write"
    PUBLISHING_READ = "publishing:read"
    PUBLISHING_WRITE = "publishing:write"
    PROFILE_READ = "profile:read"
    PROFILE_WRITE = "profile:write"
    UPLOADS_WRITE = "uploads:write"
    FEEDBACK_READ = "feedback:read"
    FEEDBACK_WRITE = "feedback:write"
