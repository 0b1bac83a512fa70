"""The middlewares and the signals that every answer passes: one concern each."""

import logging
import re
import secrets

from aiohttp import web
from aiohttp.typedefs import Handler

from tagline.api.connections import SERVER
from tagline.api.errors import UNEXPECTED, answer_to, answer_to_http, error_response
from tagline.api.keys import LIBRARY, OPERATIONS, REQUEST_ID
from tagline.api.operations import Access
from tagline.api.refusals import MissingToken
from tagline.config.logs import request_id
from tagline.errors import InvalidToken, TaglineError

_logger = logging.getLogger("tagline.api")
_USABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*) *", re.ASCII | re.IGNORECASE)
_INTERNAL_ERROR = 500

_DEFAULT_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@web.middleware
async def name_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id: the client's own where it is usable, else a new one."""
    given = request.headers.get("X-Request-ID", "")
    name = given if _USABLE_ID.fullmatch(given) else secrets.token_hex(8)
    request[REQUEST_ID] = name
    request_id.set(name)  # every request is a task of its own, so this ends with it
    return await handler(request)


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into an answer in JSON; log what the operator should know.

    Raises:
        ConnectionError: the connection is gone, or part of another answer was already sent.
    """
    try:
        return await handler(request)
    except web.HTTPException as error:
        response = answer_to_http(error)
    except TaglineError as error:
        response = answer_to(error)
        if response.status >= _INTERNAL_ERROR:
            _logger.warning("%s: %s", _named(request), error)
    except ConnectionError:
        raise
    except Exception:
        _logger.exception("%s: unexpected error", _named(request))
        response = error_response(_INTERNAL_ERROR, {"detail": UNEXPECTED})
    _refuse_second_answer(request)
    return response


def _named(request: web.BaseRequest) -> str:
    """Method and path, as they came: percent-encoded, without the query."""
    return f"{request.method} {request.rel_url.raw_path}"


def _refuse_second_answer(request: web.Request) -> None:
    """Cut the connection where an answer has begun: nothing else could tell the client."""
    if request.writer.output_size > 0:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the answer broke off")


@web.middleware
async def answer_options(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer ``OPTIONS`` at every known address with the methods it knows."""
    error = request.match_info.http_exception
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted({*error.allowed_methods, "OPTIONS"}))
        if request.method == "OPTIONS":
            return web.Response(status=204, headers={"Allow": allowed})
        error.headers["Allow"] = allowed
    return await handler(request)


@web.middleware
async def demand_token(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let through what bears a valid access token; only what declares itself open needs none.

    Raises:
        MissingToken: none was sent.
        InvalidToken: it is expired, forged or revoked.
    """
    if request.match_info.http_exception is None:
        operation = request.app[OPERATIONS].get(request.match_info.handler)
        if operation is None or operation.access is Access.TOKEN:
            token = bearer_token(request)
            if token is None:
                raise MissingToken
            request.app[LIBRARY].authenticate(token)
    return await handler(request)


def bearer_token(request: web.Request) -> str | None:
    """The token of the ``Authorization`` header (RFC 6750, 2.1), or None where there is none.

    Raises:
        InvalidToken: the header is there and bears no token.
    """
    given = request.headers.getall("Authorization", [])
    if not given:
        return None
    match = _BEARER.fullmatch(given[0])
    if match is None or len(given) > 1:
        raise InvalidToken
    return match.group(1)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add to every answer the headers that it does not set itself."""
    headers = response.headers
    for name, value in _DEFAULT_HEADERS.items():
        headers.setdefault(name, value)
    headers["Server"] = SERVER
    if REQUEST_ID in request:
        headers["X-Request-ID"] = request[REQUEST_ID]
