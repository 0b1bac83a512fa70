"""Reading a JSON body: limited in size and time, and strict about what JSON is."""

import asyncio
import json
from typing import Never

from aiohttp import HttpVersion11, web
from msgspec import UNSET

from tagline.api.options import ApiOptions
from tagline.api.refusals import (
    ContentTooLarge,
    InvalidRequest,
    MalformedRequest,
    SlowRequest,
    UnsupportedContent,
)


class _NotJson(ValueError):
    """Why a text is no JSON that Tagline accepts."""


async def read_json(request: web.Request, options: ApiOptions) -> object:
    """The parsed JSON body, or ``UNSET`` where the request has none.

    Raises:
        UnsupportedContent: the headers say that it is not plain JSON in UTF-8.
        ContentTooLarge: it is over the limit.
        SlowRequest: it took longer than the limit.
        MalformedRequest: it did not arrive whole.
        InvalidRequest: it is no JSON, or has a member twice.
    """
    if not request.can_read_body:
        return UNSET
    _check_headers(request, options.max_body_bytes)
    body = await _read(request, options)
    return parse_json(body) if body else UNSET


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


async def _read(request: web.Request, options: ApiOptions) -> bytes:
    """The body's bytes."""
    await _invite(request)
    body = bytearray()
    try:
        async with asyncio.timeout(options.body_seconds):
            while chunk := await request.content.readany():
                body += chunk
                if len(body) > options.max_body_bytes:
                    raise ContentTooLarge(options.max_body_bytes)
    except TimeoutError:
        raise SlowRequest from None
    except web.RequestPayloadError as error:
        raise MalformedRequest from error
    return bytes(body)


async def _invite(request: web.Request) -> None:
    """Answer ``Expect: 100-continue`` now that the body is wanted (RFC 9110, 10.1.1)."""
    expects = request.headers.get("Expect", "").strip().lower() == "100-continue"
    if expects and request.version >= HttpVersion11 and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def parse_json(body: bytes) -> object:
    """Parse JSON (RFC 8259); a member given twice and NaN are no JSON here.

    Raises:
        InvalidRequest: it is not that.
    """
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
