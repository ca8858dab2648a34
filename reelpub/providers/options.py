"""What both clients take, as types: so that a checker finds a misspelt option of ``connect`` or ``from_env``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    import aiohttp

    from reelpub.policies.retry import RetryPolicy
    from reelpub.transport.limiter import RateLimiter
    from reelpub.transport.message import Transport

__all__ = ["ClientOptions", "EnvironmentOptions"]


class ClientOptions(TypedDict, total=False):
    """What a client takes beside its key, its address and its clock; its own words say what each does."""

    session: aiohttp.ClientSession | None
    fresh_session: aiohttp.ClientSession | None
    limiter: RateLimiter | None
    retry: RetryPolicy | None
    timeout: float
    transport: Transport | None


class EnvironmentOptions(ClientOptions, total=False):
    """The same where the environment has the key and the address; what is given here wins over it."""

    api_key: str | None
    base_url: str | None
