"""Shapes of outgoing posts, connected accounts and slots.

See https://reelmirror.com/docs/guides/publishing. Which members can be null or missing is stated nowhere, so only
those that nothing works without are required.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from reelpub.providers.reelmirror.schemas.enums import AccountStatus, DeliveryStatus, OutgoingPostStatus, Platform

__all__ = [
    "AccountSlots",
    "ConnectUrl",
    "ConnectedAccount",
    "Delivery",
    "GeneratedCaption",
    "OutgoingPost",
    "OutgoingPostItem",
    "OutgoingPostItemInput",
    "SlotsPurchase",
]


@frozen
class OutgoingPostItemInput:
    """One media item to put into a post.

    *position* is its place in the carousel, from 0. *use_voice_converted* is shown in a sample only; it presumably
    picks the rendition with the converted voice.
    """

    generated_media_item_id: str
    position: int | None = field(default=None, kw_only=True)
    use_voice_converted: bool | None = field(default=None, kw_only=True)


@frozen(kw_only=True)
class OutgoingPostItem:
    """One media item of a post, as ReelMirror has it."""

    id: str | None = None
    generated_media_item_id: str | None = None
    position: int | None = None
    use_voice_converted: bool | None = None


@frozen(kw_only=True)
class Delivery:
    """One post at one account.

    `connected_account_id` is shown in the reference but missing from the guide's example; `platform` and `username`
    then say which account it is. `error_message` is worth reading when `status` is ``failed``.
    """

    id: str
    platform: Platform | str
    status: DeliveryStatus | str
    connected_account_id: str | None = None
    username: str | None = None
    platform_post_id: str | None = None
    error_message: str | None = None
    published_at: datetime | None = None


@frozen(kw_only=True)
class OutgoingPost:
    """A post on its way to accounts; `deliveries` has one entry for each of them."""

    id: str
    status: OutgoingPostStatus | str
    persona_id: str | None = None
    caption: str | None = None
    scheduled_for: datetime | None = None
    platform_settings: Mapping[str, Any] | None = None
    items: tuple[OutgoingPostItem, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None


@frozen(kw_only=True)
class GeneratedCaption:
    """A caption that ReelMirror wrote."""

    caption: str


@frozen(kw_only=True)
class ConnectedAccount:
    """An account that posts can go to; no page shows a whole one."""

    id: str
    platform: Platform | str | None = None
    username: str | None = None
    status: AccountStatus | str | None = None


@frozen(kw_only=True)
class ConnectUrl:
    """The address at which a person connects an account."""

    auth_url: str


@frozen(kw_only=True)
class AccountSlots:
    """How many accounts may be connected. `subscription_id` is Stripe's."""

    purchased: int
    used: int
    available: int
    subscription_id: str | None = None


@frozen(kw_only=True)
class SlotsPurchase:
    """What became of a change of slots.

    Where `checkout_url` is given no card is on file: a person pays there, then the same call is made again.
    """

    purchased: int | None = None
    subscription_id: str | None = None
    checkout_url: str | None = None
