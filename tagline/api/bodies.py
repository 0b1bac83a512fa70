"""Reading a JSON body: limited in size and time, and strict about what JSON is."""

import asyncio
import codecs
import json
from typing import Never

import msgspec
from aiohttp import HttpVersion11, web
from msgspec import UNSET

from tagline.api.refusals import (
    ContentTooLarge,
    InvalidRequest,
    MalformedRequest,
    SlowRequest,
    UnsupportedContent,
)

LARGE_BYTES = 64 * 1024
"""More than this is parsed and validated in a thread, since it takes milliseconds."""

MOST_BRACKETS = 100_000
"""Of objects and lists, each of which takes twenty times its text; those in texts count as well."""


EXPECTED = "100-continue"
"""The one expectation that there is (RFC 9110, 10.1.1)."""


class BodyLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How large a body may be, and how long it may take to arrive."""

    bytes: int
    seconds: float


class _NotJson(ValueError):
    """Why a text is no JSON that Tagline accepts."""


async def read_body(request: web.Request, limits: BodyLimits) -> bytes:
    """The body that is to be JSON, empty where the request has none.

    Raises:
        UnsupportedContent: the headers say that it is not plain JSON in UTF-8.
        ContentTooLarge: it is over the limit.
        SlowRequest: it took longer than the limit.
        MalformedRequest: it did not arrive whole.
    """
    if not request.can_read_body:
        return b""
    _check_headers(request, limits.bytes)
    return await _read(request, limits)


def _check_headers(request: web.Request, limit_bytes: int) -> None:
    """Refuse by the headers alone what need not be read."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    charset = (request.charset or "utf-8").lower()
    if encoding != "identity" or charset not in {"utf-8", "utf8", "us-ascii"}:
        raise UnsupportedContent
    if request.content_type.lower() != "application/json":
        raise UnsupportedContent
    if (request.content_length or 0) > limit_bytes:
        raise ContentTooLarge(limit_bytes)


async def _read(request: web.Request, limits: BodyLimits) -> bytes:
    """The body's bytes."""
    await _invite(request)
    body = bytearray()
    try:
        async with asyncio.timeout(limits.seconds):
            while chunk := await request.content.readany():
                body += chunk
                if len(body) > limits.bytes:
                    raise ContentTooLarge(limits.bytes)
    except TimeoutError:
        raise SlowRequest from None
    except web.RequestPayloadError as error:
        raise MalformedRequest from error
    return bytes(body)


async def _invite(request: web.Request) -> None:
    """Answer ``Expect: 100-continue`` now that the body is wanted (RFC 9110, 10.1.1)."""
    expects = request.headers.get("Expect", "").strip().lower() == EXPECTED
    if expects and request.version >= HttpVersion11 and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def parse_json(body: bytes) -> object:
    """Parse JSON (RFC 8259), ``UNSET`` for none; a member given twice and NaN are no JSON here.

    Raises:
        InvalidRequest: it is not that.
    """
    if not body:
        return UNSET
    if body.startswith(codecs.BOM_UTF8):
        fault = "The body begins with a byte order mark; send it without"
        raise InvalidRequest([{"loc": ["body"], "msg": fault, "type": "json_invalid"}])
    if body.count(b"[") + body.count(b"{") > MOST_BRACKETS:
        fault = "The body has too many brackets; send it in parts"
        raise InvalidRequest([{"loc": ["body"], "msg": fault, "type": "json_invalid"}])
    try:
        return json.loads(
            body.decode("utf-8"), object_pairs_hook=_members, parse_constant=_refuse_constant
        )
    except UnicodeDecodeError:
        fault = "The body is not UTF-8"
    except json.JSONDecodeError as error:
        fault = f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
    except _NotJson as error:
        fault = f"The body is not JSON: {error}"
    except ValueError:  # an integer with more digits than Python converts
        fault = "The body is not JSON: a number is too long"
    except RecursionError:
        fault = "The body is nested too deeply"
    raise InvalidRequest([{"loc": ["body"], "msg": fault, "type": "json_invalid"}])


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The members of an object, each of which must be there once."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _NotJson("an object has the same member twice")
    return made


def _refuse_constant(name: str) -> Never:
    """Refuse what JSON does not know and Python reads: NaN and the infinities."""
    raise _NotJson(f"{name} is no value")
