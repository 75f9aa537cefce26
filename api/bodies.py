"""Reads the body of a request within its bounds: bytes sent, bytes inflated, time, UTF-8."""

from __future__ import annotations

import asyncio
import zlib
from email.message import Message

from starlette.requests import ClientDisconnect, Request

from api.problems import Problem
from hub.settings import Api

_PATIENCE_S = 30.0
_GZIP = 16 + zlib.MAX_WBITS
_UTF8 = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii"})


def media_type(request: Request) -> str:
    """The media type of the body, in lower case; JSON where the request does not say.

    Raises:
        Problem: its texts are not in UTF-8.
    """
    stated = request.headers.get("content-type")
    if stated is None:
        return "application/json"
    if stated == "application/json":
        return stated
    header = Message()
    header["content-type"] = stated
    charset = str(header.get_param("charset", "")).lower()
    if charset not in _UTF8:
        detail = f"the charset {charset[:40]!r} is not taken: send UTF-8"
        raise Problem(415, "unsupported_charset", detail)
    return header.get_content_type()


async def read_body(request: Request, limits: Api) -> bytes:
    """The body of the request, inflated.

    Raises:
        Problem: it is too large, too slow, or encoded in a way that is not taken.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        detail = f"the content encoding {encoding[:40]!r} is not taken: send gzip, or none"
        headers = {"Accept-Encoding": "gzip, identity"}
        raise Problem(415, "unsupported_encoding", detail, headers=headers)
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > limits.body_bytes:
        raise _too_large(limits.body_bytes, "bytes")
    try:
        async with asyncio.timeout(_PATIENCE_S):
            body = await _received(request, limits.body_bytes)
    except TimeoutError as error:
        detail = f"the body did not come within {_PATIENCE_S:.0f} s"
        raise Problem(408, "too_slow", detail) from error
    except ClientDisconnect as error:
        raise Problem(400, "cut_off", "the body ended before it was whole") from error
    if encoding == "identity":
        return body
    # Few bytes may become many, and other requests are not held up meanwhile.
    return await asyncio.to_thread(_inflated, body, limits.inflated_bytes)


async def _received(request: Request, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise _too_large(most, "bytes")
        parts.append(part)
    return b"".join(parts)


def _inflated(body: bytes, most: int) -> bytes:
    inflating = zlib.decompressobj(_GZIP)
    try:
        inflated = inflating.decompress(body, most + 1)
    except zlib.error as error:
        raise Problem(400, "broken_gzip", f"the body is no gzip: {error}") from error
    if len(inflated) > most:
        raise _too_large(most, "bytes once it is inflated")
    if not inflating.eof or inflating.unused_data:
        detail = "the body is no single gzip stream: it is cut off, or bytes are left over"
        raise Problem(400, "broken_gzip", detail)
    return inflated


def _too_large(most: int, what: str) -> Problem:
    detail = f"the body has more than {most} {what}: send fewer events at once"
    return Problem(413, "too_large", detail, more={"limit": most})
