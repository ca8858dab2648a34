"""Presigned addresses: where a client PUTs a file without its API key, as it would at an object store."""

from __future__ import annotations

from xml.sax.saxutils import escape

from aiohttp import web
from attrs import frozen

from reelpub.sandbox.provider import Provider
from reelpub.sandbox.wire import Refusal

__all__ = ["UPLOAD_PREFIX", "UploadRecord", "take_upload"]

UPLOAD_PREFIX = "/__uploads__/"


@frozen(kw_only=True)
class UploadRecord:
    """One PUT to a presigned address. `received` is how many bytes of body came, whatever was announced."""

    upload_id: str
    status: int
    received: int
    content_length: int | None
    content_type: str | None
    had_authorization: bool
    was_chunked: bool


async def take_upload(provider: Provider, request: web.BaseRequest, records: list[UploadRecord]) -> web.StreamResponse:
    """Take the bytes of *request* and answer as the provider says; every try is added to *records*."""
    received = 0
    async for chunk in request.content.iter_any():
        received += len(chunk)
    upload_id = request.path.removeprefix(UPLOAD_PREFIX)
    chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    try:
        if request.method != "PUT":
            raise Refusal(405, "The specified method is not allowed against this resource.")
        reply = provider.upload_put(
            upload_id,
            size=request.content_length,
            content_type=request.headers.get("Content-Type"),
            has_authorization="Authorization" in request.headers,
            chunked=chunked,
        )
        answer = web.Response(status=reply.status)
    except Refusal as refusal:
        text = f"<Error><Message>{escape(refusal.message)}</Message></Error>"
        answer = web.Response(status=refusal.status, text=text, content_type="application/xml")
    records.append(
        UploadRecord(
            upload_id=upload_id,
            status=answer.status,
            received=received,
            content_length=request.content_length,
            content_type=request.headers.get("Content-Type"),
            had_authorization="Authorization" in request.headers,
            was_chunked=chunked,
        )
    )
    return answer
