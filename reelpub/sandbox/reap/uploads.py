"""Uploads: reserving a presigned address, the bytes that come to it, and the look at them on first use."""

from __future__ import annotations

from reelpub.sandbox.reap.paging import page
from reelpub.sandbox.reap.records import Upload
from reelpub.sandbox.reap.render import upload_json
from reelpub.sandbox.reap.rules import check_id
from reelpub.sandbox.reap.state import Studio
from reelpub.sandbox.wire import Call, Refusal, Reply

__all__ = [
    "LARGEST_FILE",
    "UPLOAD_LIFETIME",
    "delete_upload",
    "get_all_uploads",
    "get_upload_url",
    "receive",
    "use",
]

UPLOAD_LIFETIME = 43_200
"""Seconds that a presigned address takes the file (12 hours, seen live)."""

LARGEST_FILE = 5 * 1024**3
"""Bytes that a source may have (https://docs.reap.video/api-reference/get-upload-url)."""

_CONTENT_TYPE = "video/mp4"
"""Bound in the signature of the presigned address."""


def get_upload_url(studio: Studio, call: Call) -> Reply:
    """Reserve an upload and give the address to PUT its bytes to."""
    name = call.body["filename"]
    if not name.lower().endswith((".mp4", ".mov")):
        raise Refusal(400, "Only .mp4 and .mov files can be uploaded.")
    upload = Upload(
        id=studio.new_id(),
        number=studio.next_number(),
        file_name=name,
        created_at=call.now,
        updated_at=call.now,
        expires_at=call.now + UPLOAD_LIFETIME,
        signature=studio.new_id(),
    )
    studio.uploads[upload.id] = upload
    query = f"Signature={upload.signature}&content-type=video%2Fmp4&Expires={int(upload.expires_at)}"
    address = f"{studio.origin}/__uploads__/{upload.id}?{query}"
    return Reply(body={**studio.shape(upload_json(upload)), "uploadUrl": address})


def get_all_uploads(studio: Studio, call: Call) -> Reply:
    """Page through the uploads, newest first, 20 a page unless told otherwise."""
    rows = sorted(studio.uploads.values(), key=lambda upload: -upload.number)
    return Reply(body=page(call, rows, lambda upload: studio.shape(upload_json(upload)), noun="uploads", size=20))


def delete_upload(studio: Studio, call: Call) -> Reply:
    """Delete an upload; projects made from it stay."""
    upload = studio.upload(check_id(call.query.get("uploadId"), ("query", "uploadId")))
    del studio.uploads[upload.id]
    return Reply(body={"uploadId": upload.id, "deleted": True})


def receive(
    studio: Studio,
    upload_id: str,
    *,
    size: int | None,
    content_type: str | None,
    has_authorization: bool,
    chunked: bool,
) -> Reply:
    """Take the bytes of a PUT to a presigned address, as S3 would; nothing but their number is kept.

    An Authorization header is refused: it would be the API key, given to a third party.
    """
    if has_authorization:
        raise Refusal(400, "Only one auth mechanism allowed; the address is signed.")
    upload = studio.uploads.get(upload_id)
    if upload is None or studio.now >= upload.expires_at:
        raise Refusal(403, "Request has expired.")
    if chunked:
        raise Refusal(501, "A header you provided implies functionality that is not implemented: Transfer-Encoding.")
    if size is None:
        raise Refusal(411, "You must provide the Content-Length HTTP header.")
    if content_type != _CONTENT_TYPE:
        raise Refusal(403, "The request signature we calculated does not match the signature you provided.")
    upload.size, upload.content_type, upload.updated_at = size, content_type, studio.now
    return Reply(status=200)


def use(studio: Studio, upload_id: str) -> Upload:
    """Return the upload for a new project, after the look at the file that its first use brings.

    A file that is empty or over 5 GB turns the upload `rejected`. Raises `Refusal` 400: create-* documents no 404.
    """
    upload = studio.uploads.get(check_id(upload_id, ("body", "uploadId")))
    if upload is None:
        raise Refusal(400, "Upload not found.")
    if upload.size is None:
        raise Refusal(400, "The file of this upload has not been received.")
    if upload.status == "upload":
        upload.status = "verified" if 0 < upload.size <= LARGEST_FILE else "rejected"
        upload.updated_at = studio.now
    if upload.status == "rejected":
        raise Refusal(400, "The file of this upload was rejected.")
    return upload
