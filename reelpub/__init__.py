"""Publish short videos through ReelMirror and Reap: once, within their limits, with the truth for every account."""

from __future__ import annotations

from reelpub.clocks import Clock, ScaledClock, SystemClock
from reelpub.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    ConnectError,
    DeadlineExceeded,
    DecodeError,
    DeliveryFailed,
    JobNotFound,
    LeaseLost,
    NotFoundError,
    OutcomeUnknown,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    RateLimitWouldBlock,
    ReelPubError,
    RequestTimeout,
    ServerError,
    StoreError,
    TransportError,
    UnsupportedOperation,
    ValidationError,
)
from reelpub.models.account import Account, AccountRef, Platform
from reelpub.models.capability import Capabilities, Feature, ProviderLimits
from reelpub.models.event import (
    AccountDelivered,
    AccountFailed,
    Event,
    EventsMissed,
    JobAccepted,
    JobEvent,
    JobHeld,
    JobQueued,
    JobSent,
    JobSettled,
    JobStatusChanged,
    JobStuck,
    JobUnknown,
)
from reelpub.models.outcome import CancelResult, Outcome, OutcomeStatus, Report
from reelpub.models.post import Delivery, DeliveryStatus, Post, PostStatus
from reelpub.models.problem import Problem, Severity
from reelpub.models.request import PublishRequest
from reelpub.models.settings import InstagramSettings, LinkedInSettings, TikTokSettings, YouTubeSettings
from reelpub.models.source import Clip, Draft, GeneratedPost, MediaItem, MediaItems, Source
from reelpub.models.when import FoldPolicy, GapPolicy, LocalTime
from reelpub.orchestrator.events import EventStream
from reelpub.orchestrator.handle import Handle
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.policies.caps import AccountCap
from reelpub.policies.lateness import Lateness, LatePolicy
from reelpub.policies.lifecycle import Rules
from reelpub.policies.polling import PollPolicy
from reelpub.policies.retry import RetryPolicy
from reelpub.policies.safety import RequestKind
from reelpub.providers.base import Publisher
from reelpub.providers.reap.client import ReapClient
from reelpub.providers.reap.publisher import ReapPublisher
from reelpub.providers.reelmirror.client import ReelMirrorClient
from reelpub.providers.reelmirror.publisher import ReelMirrorPublisher
from reelpub.store import MemoryStore, SqliteStore, Store
from reelpub.transport.limiter import RateLimiter
from reelpub.transport.message import CallOptions

__all__ = [
    "APIStatusError",
    "Account",
    "AccountCap",
    "AccountDelivered",
    "AccountFailed",
    "AccountRef",
    "AuthenticationError",
    "BadRequestError",
    "CallOptions",
    "CancelResult",
    "Capabilities",
    "Clip",
    "Clock",
    "ConfigurationError",
    "ConflictError",
    "ConnectError",
    "DeadlineExceeded",
    "DecodeError",
    "Delivery",
    "DeliveryFailed",
    "DeliveryStatus",
    "Draft",
    "Event",
    "EventStream",
    "EventsMissed",
    "Feature",
    "FoldPolicy",
    "GapPolicy",
    "GeneratedPost",
    "Handle",
    "InstagramSettings",
    "JobAccepted",
    "JobEvent",
    "JobHeld",
    "JobNotFound",
    "JobQueued",
    "JobSent",
    "JobSettled",
    "JobStatusChanged",
    "JobStuck",
    "JobUnknown",
    "LatePolicy",
    "Lateness",
    "LeaseLost",
    "LinkedInSettings",
    "LocalTime",
    "MediaItem",
    "MediaItems",
    "MemoryStore",
    "NotFoundError",
    "Orchestrator",
    "Outcome",
    "OutcomeStatus",
    "OutcomeUnknown",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "Platform",
    "PollPolicy",
    "Post",
    "PostStatus",
    "Problem",
    "ProviderLimits",
    "PublishRequest",
    "Publisher",
    "RateLimitError",
    "RateLimitWouldBlock",
    "RateLimiter",
    "ReapClient",
    "ReapPublisher",
    "ReelMirrorClient",
    "ReelMirrorPublisher",
    "ReelPubError",
    "Report",
    "RequestKind",
    "RequestTimeout",
    "RetryPolicy",
    "Rules",
    "ScaledClock",
    "ServerError",
    "Severity",
    "Source",
    "SqliteStore",
    "Store",
    "StoreError",
    "SystemClock",
    "TikTokSettings",
    "TransportError",
    "UnsupportedOperation",
    "ValidationError",
    "YouTubeSettings",
]
