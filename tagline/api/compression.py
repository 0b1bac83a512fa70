"""Compression of answers (RFC 9110, 8.4.1 and 12.5.3): gzip, which every client knows.

Only what says so is compressed: lists, the documentation. Answers that hold tokens never are, so
that nobody can learn of them from the length (the attack known as BREACH); nor are pictures, which
would not get smaller, and streams.
"""

import asyncio
import zlib
from enum import Enum, auto
from functools import lru_cache

from aiohttp import web
from aiohttp.typedefs import Handler

from tagline.api.accept import accepts_gzip
from tagline.api.conditional import gzip_tag, names_gzip_tag
from tagline.api.slices import WHOLE_BYTES, Slices

_WORTH_IT_BYTES = 1024
_AT_ONCE_BYTES = 16 * 1024
"""More than this takes over a millisecond, and is left to a thread."""
_LEVEL = 4
_GZIP_WINDOW_BITS = 31


class Body(Enum):
    """What a body is before the client's wishes are known."""

    PLAIN = auto()
    GZIPPED = auto()


BODY = web.ResponseKey("body", Body)
"""On an answer that may be sent compressed."""


@web.middleware
async def compress(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Send what may be compressed as the client likes it best."""
    response = await handler(request)
    if BODY in response and isinstance(response, web.Response):
        response.headers.add("Vary", "Accept-Encoding")
        if response.status == web.HTTPNotModified.status_code:
            _name_what_is_kept(request, response)
        else:
            await _encode(request, response)
            _slice(response)
    return response


async def _encode(request: web.Request, response: web.Response) -> None:
    """Make the body what the client wants."""
    body = response.body
    if not isinstance(body, bytes):
        raise TypeError("only a body of bytes can be sent compressed")
    gzipped = response[BODY] is Body.GZIPPED
    accepted = request.headers.getall("Accept-Encoding", ())
    if not _accepts_gzip(", ".join(accepted)):
        if gzipped:
            response.body = await asyncio.to_thread(unpacked, body)
        return
    if not gzipped:
        if len(body) < _WORTH_IT_BYTES:
            return
        at_once = len(body) <= _AT_ONCE_BYTES
        response.body = gzip(body) if at_once else await asyncio.to_thread(gzip, body)
    response.headers["Content-Encoding"] = "gzip"
    if "ETag" in response.headers:
        response.headers["ETag"] = gzip_tag(response.headers["ETag"])


_accepts_gzip = lru_cache(maxsize=64)(accepts_gzip)  # a client sends the same each time


def _slice(response: web.Response) -> None:
    """Send a long body piece by piece; its type was said before."""
    if isinstance(response.body, bytes) and len(response.body) > WHOLE_BYTES:
        response.body = Slices(response.body)


def _name_what_is_kept(request: web.Request, response: web.Response) -> None:
    """Give a 304 the entity tag of the form that the client keeps, so that it finds it."""
    kept = ", ".join(request.headers.getall("If-None-Match", ()))
    if "ETag" in response.headers and names_gzip_tag(kept, response.headers["ETag"]):
        response.headers["ETag"] = gzip_tag(response.headers["ETag"])


def gzip(data: bytes) -> bytes:
    """The data as gzip writes it (RFC 1952), without a time, so always the same."""
    squeezer = zlib.compressobj(_LEVEL, wbits=_GZIP_WINDOW_BITS)
    return squeezer.compress(data) + squeezer.flush()


@lru_cache(maxsize=4)
def unpacked(data: bytes) -> bytes:
    """What gzip was made of; kept, since only a few files of the documentation are kept packed."""
    return zlib.decompress(data, _GZIP_WINDOW_BITS)
