"""Sending a photo's original: ranges, conditions, and the bytes themselves."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime
from hashlib import blake2b

import msgspec
from aiohttp import web

from tagline.api.conditional import Validators, Verdict, evaluate, range_applies, whole_second
from tagline.api.disposition import inline
from tagline.api.ranges import Span, Unsatisfiable, parse_range
from tagline.api.refusals import ConditionFailed, RangeNotSatisfiable
from tagline.errors import StorageError
from tagline.model import FileState, Photo
from tagline.model.keys import name_of
from tagline.storage import OpenObject

_SLICE_BYTES = 4 * 1024 * 1024
_SLICE_SECONDS = 300
"""A client that takes longer over a slice (14 kB/s) is cut off, so that it holds no file open."""

_HEADERS = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, no-cache",
}


ReadAhead = Callable[[OpenObject, int, int], Awaitable[None]]
"""Has a part of an open file, by offset and length, in memory; may raise ``StorageError``."""


async def send_image(
    request: web.Request, photo: Photo, opened: OpenObject, read_ahead: ReadAhead
) -> web.StreamResponse:
    """Answer with the open original, or the part asked for; the file is closed in any case.

    Raises:
        ConditionFailed: ``If-Match`` or ``If-Unmodified-Since`` does not hold.
        RangeNotSatisfiable: the part asked for lies outside the file.
        ConnectionError: the client went away, or the file became shorter on the way.
    """
    with closing(opened):
        validators = validators_of(opened.state)
        verdict = evaluate(request.headers, validators)
        if verdict is Verdict.FAILED:
            raise ConditionFailed(validators.etag)
        response, span = _plan(request, opened.size, validators, verdict)
        response.headers.update(_HEADERS | validators.headers())
        if span is not None:
            response.content_type = photo.media_type
            response.content_length = span.length
            response.headers["Content-Disposition"] = inline(name_of(photo.object_key))
        await response.prepare(request)
        if span is not None and span.length and request.method != "HEAD":
            await _send(request, opened, span, read_ahead)
        await response.write_eof()
        return response


def validators_of(state: FileState) -> Validators:
    """A strong entity tag of an open file's state, and its modification time."""
    digest = blake2b(msgspec.json.encode(state), digest_size=12).hexdigest()
    modified = whole_second(state.mtime_ns // 1_000_000_000)
    if modified is not None and modified > datetime.now(UTC):
        modified = None  # RFC 9110, 8.8.2.1: never later than the answer's own date
    return Validators(digest, modified)


def _plan(
    request: web.Request, size: int, validators: Validators, verdict: Verdict
) -> tuple[web.StreamResponse, Span | None]:
    """The answer without its body, and the part of the file that is to be its body."""
    if verdict is Verdict.NOT_MODIFIED:
        return web.StreamResponse(status=304), None
    try:
        part = _part(request, size, validators)
    except Unsatisfiable:
        raise RangeNotSatisfiable(size) from None
    if part is None:
        return web.StreamResponse(status=200), Span(0, size)
    headers = {"Content-Range": part.content_range(size)}
    return web.StreamResponse(status=206, headers=headers), part


def _part(request: web.Request, size: int, validators: Validators) -> Span | None:
    """The part asked for; None for the whole. ``Range`` means something to GET alone."""
    wanted = request.headers.getall("Range", [])
    if request.method != "GET" or len(wanted) != 1:
        return None
    if not range_applies(request.headers.get("If-Range"), validators, datetime.now(UTC)):
        return None
    return parse_range(wanted[0], size)


async def _send(
    request: web.Request, opened: OpenObject, span: Span, read_ahead: ReadAhead
) -> None:
    """Send a part of the file in slices, each within its time.

    The kernel sends on the event loop's thread, and would wait there for a disk: so each slice is
    read before.

    Raises:
        ConnectionError: the client went away or is too slow, or the file became shorter: the
            connection is cut, so that the client does not take the part for the whole.
    """
    end = span.offset + span.length
    for offset in range(span.offset, end, _SLICE_BYTES):
        length = min(_SLICE_BYTES, end - offset)
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client went away")
        try:
            await read_ahead(opened, offset, length)
            sent = await _send_slice(transport, opened, offset, length)
        except TimeoutError:
            transport.abort()
            raise ConnectionResetError("the client is too slow") from None
        except StorageError as error:
            transport.abort()
            raise ConnectionResetError("the file can be read no further") from error
        except BaseException:
            transport.abort()
            raise
        if sent < length:
            transport.abort()
            raise ConnectionResetError("the file became shorter while it was sent")


async def _send_slice(
    transport: asyncio.Transport, opened: OpenObject, offset: int, length: int
) -> int:
    """Send a slice that is in memory; how much of it there was."""
    if transport.is_closing():
        raise ConnectionResetError("the client went away")
    async with asyncio.timeout(_SLICE_SECONDS):
        return await asyncio.get_running_loop().sendfile(transport, opened.file, offset, length)
