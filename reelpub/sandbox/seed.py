"""What every sandbox starts with: keys, accounts, personas, generated posts, projects and clips, by fixed names."""

from __future__ import annotations

import uuid
from random import Random

from attrs import field, frozen

from reelpub.sandbox.ledger import masked

__all__ = [
    "CLIPS_PER_PROJECT",
    "GENERATED_POSTS",
    "MEDIA_ITEMS",
    "PERSONA",
    "REAP_ACCOUNTS",
    "REAP_KEY",
    "REAP_KEYS",
    "REAP_PROJECTS",
    "REAP_PROJECT_CANCELLED",
    "REAP_PROJECT_UNFINISHED",
    "REAP_READ_ONLY_KEY",
    "REAP_REVOKED_KEY",
    "REELMIRROR_ACCOUNTS",
    "REELMIRROR_KEY",
    "REELMIRROR_KEYS",
    "REELMIRROR_NO_BALANCE_KEY",
    "REELMIRROR_NO_CONTENT_KEY",
    "REELMIRROR_READ_ONLY_KEY",
    "REELMIRROR_REVOKED_KEY",
    "SCOPES",
    "UNFINISHED_GENERATED_POST",
    "AccountSeed",
    "KeySeed",
    "generated_post_id",
    "media_items_of",
    "new_hex24",
    "new_uuid",
]

SCOPES = (
    *(f"{area}:{verb}" for area in ("personas", "sources", "content") for verb in ("read", "write")),
    "sync:write",
    *(f"{area}:{verb}" for area in ("billing", "publishing", "profile") for verb in ("read", "write")),
    "uploads:write",
    "feedback:read",
    "feedback:write",
)
"""ReelMirror's 16 scopes."""

REELMIRROR_KEY = "rm_" + "sandbox" + "0" * 25
REELMIRROR_READ_ONLY_KEY = "rm_" + "readonly" + "0" * 24
REELMIRROR_NO_CONTENT_KEY = "rm_" + "nocontent" + "0" * 23
REELMIRROR_REVOKED_KEY = "rm_" + "revoked" + "0" * 25
REELMIRROR_NO_BALANCE_KEY = "rm_" + "nobalance" + "0" * 23

REAP_KEY = "reap_sandbox_key_0000000000000001"
REAP_READ_ONLY_KEY = "reap_sandbox_key_readonly00000001"
REAP_REVOKED_KEY = "reap_sandbox_key_revoked000000001"

PERSONA = "demo-persona-1"
GENERATED_POSTS = 40
MEDIA_ITEMS = 60
UNFINISHED_GENERATED_POST = "demo-generated-post-unfinished"

REAP_PROJECTS = ("demo-project-1", "demo-project-2", "demo-project-3")
REAP_PROJECT_UNFINISHED = "demo-project-unfinished"
REAP_PROJECT_CANCELLED = "demo-project-cancelled"
CLIPS_PER_PROJECT = 40


@frozen(kw_only=True)
class KeySeed:
    """A seeded key. An empty *scopes* allows everything; *read_only* is Reap's one restriction."""

    key: str = field(repr=masked)
    note: str
    scopes: tuple[str, ...] = ()
    read_only: bool = False
    revoked: bool = False
    balance_cents: int = 10_000


@frozen(kw_only=True)
class AccountSeed:
    """A connected account. *status* is ReelMirror's word; Reap shows it as ``isActive``."""

    id: str
    platform: str
    username: str
    status: str = "active"

    @property
    def is_active(self) -> bool:
        """Whether a post can go to this account."""
        return self.status == "active"

    @property
    def name(self) -> str:
        """The account as people write it: ``instagram:acme``."""
        return f"{self.platform}:{self.username}"


REELMIRROR_KEYS = (
    KeySeed(key=REELMIRROR_KEY, note="every scope", scopes=SCOPES),
    KeySeed(
        key=REELMIRROR_READ_ONLY_KEY,
        note="the reading scopes only",
        scopes=tuple(scope for scope in SCOPES if scope.endswith(":read")),
    ),
    KeySeed(
        key=REELMIRROR_NO_CONTENT_KEY,
        note="without content:read and content:write",
        scopes=tuple(scope for scope in SCOPES if not scope.startswith("content:")),
    ),
    KeySeed(key=REELMIRROR_REVOKED_KEY, note="revoked: 401", scopes=SCOPES, revoked=True),
    KeySeed(key=REELMIRROR_NO_BALANCE_KEY, note="no balance: 402 where it costs", scopes=SCOPES, balance_cents=0),
)
REAP_KEYS = (
    KeySeed(key=REAP_KEY, note="full access"),
    KeySeed(key=REAP_READ_ONLY_KEY, note="read only: 403 on every POST and DELETE", read_only=True),
    KeySeed(key=REAP_REVOKED_KEY, note="revoked: 401", revoked=True),
)

REELMIRROR_ACCOUNTS = (
    AccountSeed(id="demo-account-instagram-acme", platform="instagram", username="acme"),
    AccountSeed(id="demo-account-tiktok-acme", platform="tiktok", username="acme"),
    AccountSeed(id="demo-account-instagram-acme-two", platform="instagram", username="acme_two"),
    AccountSeed(id="demo-account-tiktok-acme-old", platform="tiktok", username="acme_old", status="expired"),
)
"""The persona `PERSONA` is connected to the first two."""

REAP_ACCOUNTS = (
    AccountSeed(id="5eed0000000000000000a001", platform="tiktok", username="acme"),
    AccountSeed(id="5eed0000000000000000a002", platform="youtube", username="acme"),
    AccountSeed(id="5eed0000000000000000a003", platform="instagram", username="acme"),
    AccountSeed(id="5eed0000000000000000a004", platform="linkedin", username="acme"),
    AccountSeed(id="5eed0000000000000000a005", platform="x", username="acme"),
    AccountSeed(id="5eed0000000000000000a006", platform="tiktok", username="acme_two"),
    AccountSeed(id="5eed0000000000000000a007", platform="youtube", username="acme_old", status="inactive"),
)


def generated_post_id(number: int) -> str:
    """Return the id of the seeded generated post *number*, from 1 to `GENERATED_POSTS`."""
    return f"demo-generated-post-{number}"


def media_items_of(number: int) -> list[str]:
    """Return the media items of generated post *number*: one for an odd number, two for an even one."""
    first = number + (number - 1) // 2
    return [f"demo-media-item-{first + offset}" for offset in range(2 - number % 2)]


def new_uuid(rng: Random) -> str:
    """Return an id in the form of a random UUID, the same for the same generator."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def new_hex24(rng: Random) -> str:
    """Return an id of 24 lowercase hex digits, the same for the same generator."""
    return f"{rng.getrandbits(96):024x}"
