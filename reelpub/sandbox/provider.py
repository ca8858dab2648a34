"""What the HTTP shell asks of a provider's state."""

from __future__ import annotations

from typing import Any, Protocol

from reelpub.sandbox.seed import AccountSeed
from reelpub.sandbox.wire import Call, Refusal, Reply

__all__ = ["Provider"]


class Provider(Protocol):
    """One provider's state behind the HTTP shell; it does no I/O and reads no clock."""

    name: str
    """``reelmirror`` or ``reap``; also the name of its contract."""

    base_path: str
    """What stands before the contract's paths, such as ``/api``."""

    def handle(self, call: Call) -> Reply:
        """Carry out a validated call; raises `Refusal`."""
        ...

    def error(self, refusal: Refusal) -> Any:
        """Return the JSON body of *refusal* in the provider's shape."""
        ...

    def advance(self, now: float) -> None:
        """Let everything happen that is due by *now*, Unix seconds."""
        ...

    def set_origin(self, origin: str) -> None:
        """Say where the sandbox serves, such as ``http://127.0.0.1:8701``; addresses in answers begin with it."""
        ...

    def add_account(self, account: AccountSeed) -> None:
        """Connect a social account, or replace the one with its id."""
        ...

    def upload_put(
        self, upload_id: str, *, size: int | None, content_type: str | None, has_authorization: bool, chunked: bool
    ) -> Reply:
        """Take a PUT to a presigned address; raises `Refusal` as the store behind it would refuse."""
        ...
