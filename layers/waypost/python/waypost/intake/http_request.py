"""One HTTP request as the receivers need it: headers and the bytes of the body. Made by the receive_webhook function."""

import base64
import binascii
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from waypost.intake.request_outcome import Refused, refuse

MAX_BODY: Final = 500 * 1024
"""Bytes of a body, unpacked: the limit of Segment's batch call, kept for every route."""

MAX_EVENT: Final = 32 * 1024
"""Bytes of one event in its shortest JSON form: Segment's limit per call."""

_JSON_TYPES: Final = {"", "application/json", "text/plain"}
"""analytics.js posts JSON as text/plain, because that needs no CORS preflight."""

_GZIP: Final = zlib.MAX_WBITS | 16
_GZIP_NAMES: Final = {"gzip", "x-gzip"}
_GZIP_MAGIC: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Request:
    """``headers`` have lower-case names, ``query`` is what stood behind the path.

    ``content`` is what arrived, still packed, or a refusal if it is not even that.
    """

    content: bytes | Refused
    headers: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""
    query: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_api_gateway(cls, event: Mapping[str, Any]) -> Self:
        """Out of an API Gateway HTTP API event, payload format 2.0."""
        return cls(
            content=_content(event.get("body") or "", encoded=bool(event.get("isBase64Encoded"))),
            headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
            request_id=event.get("requestContext", {}).get("requestId", ""),
            query=event.get("queryStringParameters") or {},
        )

    def header(self, name: str) -> str:
        """The value of a header, or an empty string."""
        return self.headers.get(name, "")

    def body(self) -> bytes | Refused:
        """The unpacked body of a JSON request, or a refusal: 400 broken, 413 too large, 415 not JSON or not gzip.

        What is packed is looked at, whatever the content type says of it: unpacked it has to be JSON anyway.
        """
        if isinstance(self.content, Refused):
            return self.content
        if len(self.content) > MAX_BODY:
            return _too_large()
        if not self._is_json() and not self._is_packed(self.content):
            return refuse(415, "content-type", "should be application/json in UTF-8")
        match self.header("content-encoding").strip().lower():
            case "" | "identity":
                return self.content
            case encoding if encoding in _GZIP_NAMES:
                return _unpacked(self.content)
            case _:
                return refuse(415, "content-encoding", "should be gzip or absent")

    def _is_packed(self, content: bytes) -> bool:
        """Whether the bytes are what the encoding says: RudderStack's SDK for Node posts gzip as a form, which it is not."""
        return self.header("content-encoding").strip().lower() in _GZIP_NAMES and content[:2] == _GZIP_MAGIC

    def _is_json(self) -> bool:
        media_type, _, parameters = self.header("content-type").lower().partition(";")
        in_utf_8 = "charset" not in parameters or "utf-8" in parameters or "utf8" in parameters
        return in_utf_8 and (media_type.strip() in _JSON_TYPES or media_type.strip().endswith("+json"))


def _content(body: str, *, encoded: bool) -> bytes | Refused:
    try:
        return base64.b64decode(body, validate=True) if encoded else body.encode()
    except binascii.Error:
        return refuse(400, "body", "should be base64, as announced")
    except UnicodeEncodeError:
        return refuse(400, "body", "should be UTF-8")


def _unpacked(packed: bytes) -> bytes | Refused:
    """The body of a gzip stream; stops as soon as it exceeds the limit, however small the stream is."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        content = unpacker.decompress(packed, MAX_BODY + 1)
    except zlib.error:
        return refuse(
            415,
            "content-encoding",
            "the gzip came damaged, because API Gateway reads application/json as text; send it uncompressed (SDKs: gzip=False)",
        )
    if len(content) > MAX_BODY:
        return _too_large()
    if not unpacker.eof or unpacker.unused_data:
        return refuse(400, "body", "should be one complete gzip stream")
    return content


def _too_large() -> Refused:
    return refuse(413, "body", f"should be at most {MAX_BODY} bytes")
