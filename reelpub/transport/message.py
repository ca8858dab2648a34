"""The values that cross the transport: a request to send, the answer that came, and how to send it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from attrs import field, frozen

from reelpub.errors import ReelPubError
from reelpub.policies.safety import RequestKind

__all__ = ["CallOptions", "FilePart", "Lane", "Request", "Response", "Transport", "path_segment"]


class Lane(Enum):
    """Which queue of the limiter a request waits in."""

    WRITE = "write"
    POLL = "poll"


def path_segment(value: str) -> str:
    """Return *value* as one segment of a path, whatever it holds: ``../x`` and a newline are data."""
    if value in (".", ".."):
        return value.replace(".", "%2E")
    return quote(value, safe="")


@frozen(kw_only=True)
class FilePart:
    """A file in a multipart body, streamed from disk."""

    path: Path
    field_name: str = "file"
    content_type: str = "application/octet-stream"


@frozen(kw_only=True)
class Request:
    """One request of one operation, ready to send.

    `path` is relative to the base address and percent-encoded already. `operation` is the client's method name and
    stands in errors and counters.
    """

    operation: str
    method: str
    path: str
    kind: RequestKind
    query: tuple[tuple[str, str], ...] = ()
    json: Any = None
    form: Mapping[str, str] | None = None
    file: FilePart | None = None
    authenticated: bool = True

    @property
    def lane(self) -> Lane:
        return Lane.POLL if self.kind is RequestKind.READ else Lane.WRITE


@frozen(kw_only=True)
class Response:
    """A successful answer: its status, headers with lower-case names, and whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=lambda body: f"<{len(body)} bytes>")


@frozen(kw_only=True)
class CallOptions:
    """How one call is to be made.

    *timeout* is the longest one request may take on the wire, in real seconds. *deadline* ends the whole call with
    its waits and retries, as a value of the clock's `monotonic`. *before_send* runs after the limiter has granted the
    token and before a byte leaves, each time the request is sent; if it raises, nothing is sent and the token goes
    back. *may_leave* is asked last of all, when the connection is there and the first byte is about to leave: False
    stops the request, which then was never sent. (A session that is handed in asks it before it connects.)
    *on_repeat* is told of each failure after which the request is sent again.
    """

    timeout: float | None = None
    deadline: float | None = None
    before_send: Callable[[], Awaitable[None]] | None = None
    may_leave: Callable[[], bool] | None = None
    on_repeat: Callable[[ReelPubError], None] | None = None


class Transport(Protocol):
    """Sends requests for one credential at one provider."""

    async def send(self, request: Request, options: CallOptions | None = None) -> Response:
        """Send *request* and return the successful answer, or raise an error of `reelpub.errors`."""
        ...

    async def put_file(
        self,
        url: str,
        path: Path,
        *,
        content_type: str,
        progress: Callable[[int, int], None] | None = None,
        timeout: float | None = None,
    ) -> None:
        """Stream a file to a presigned address, without the API key and with its `Content-Length`."""
        ...

    async def close(self) -> None:
        """Close what this transport opened itself."""
        ...
