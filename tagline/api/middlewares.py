"""The middlewares and the signals that every answer passes: one concern each."""

import logging
import re
import secrets
from collections.abc import Iterator

from aiohttp import HttpVersion11, web
from aiohttp.typedefs import Handler

from tagline.api.authentication import admit
from tagline.api.bodies import EXPECTED
from tagline.api.browsers import RULES
from tagline.api.clients import base_of, find_client, headers_of
from tagline.api.connections import SERVER
from tagline.api.error_answers import (
    INTERNAL_ERROR,
    answer_to,
    answer_to_http,
    unexpected_answer,
)
from tagline.api.keys import LIBRARY, OPERATIONS, OPTIONS, PRINCIPAL, REQUEST_ID
from tagline.api.operations import Operation
from tagline.api.refusals import MissingToken, UnknownExpectation
from tagline.config.logs import request_id
from tagline.errors import TaglineError
from tagline.library import Principal

_logger = logging.getLogger("tagline.api")
_USABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_ID_BYTES = 8


def _ids() -> Iterator[str]:
    """Random ids, of which many are made at a time: the system takes as long over one."""
    while True:
        made = secrets.token_hex(_ID_BYTES * 256)
        yield from (made[i : i + 2 * _ID_BYTES] for i in range(0, len(made), 2 * _ID_BYTES))


_new_ids = _ids()


@web.middleware
async def name_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id: the client's own where it is usable, else a new one."""
    given = request.headers.get("X-Request-ID")
    name = given if given and _USABLE_ID.fullmatch(given) else next(_new_ids)
    request[REQUEST_ID] = name
    request_id.set(name)  # every request is a task of its own, so this ends with it
    find_client(request)  # here, since the log meets the request without its application
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
        if response.status >= INTERNAL_ERROR:
            _logger.warning("%s: %s", _named(request), error)
    except ConnectionError:
        raise
    except Exception:
        _logger.exception("%s: unexpected error", _named(request))
        response = unexpected_answer()
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
async def admit_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let through who may call the operation; say what an address knows that has no such one.

    Raises:
        UnknownExpectation: ``Expect`` asks for what the server does not know.
        AuthError, NotAllowed: as ``demand_token``.
    """
    if request.headers.get("Expect", EXPECTED).strip().lower() != EXPECTED:
        raise UnknownExpectation
    if request.match_info.http_exception is None:
        demand_token(request)
    elif (answer := answer_options(request)) is not None:
        return answer
    return await handler(request)


def answer_options(request: web.Request) -> web.Response | None:
    """Answer ``OPTIONS`` at every known address with the methods it knows."""
    error = request.match_info.http_exception
    if not isinstance(error, web.HTTPMethodNotAllowed):
        return None
    allowed = ", ".join(sorted({*error.allowed_methods, "OPTIONS"}))
    if request.method == "OPTIONS":
        return web.Response(status=204, headers={"Allow": allowed})
    error.headers["Allow"] = allowed
    return None


def demand_token(request: web.Request) -> None:
    """Note who sent the request; only what declares itself open lets in anybody.

    Raises:
        AuthError: nothing was sent that counts, or it is expired, forged or revoked.
        NotAllowed: the sender is known, and may not do this.
    """
    operation = _operation_of(request)
    if operation is None or operation.demands_token:
        request[PRINCIPAL] = _identified(request, operation)


def identify(request: web.Request) -> Principal:
    """Who sent the request, if they may; judged now, so that a stream may ask again.

    Raises:
        AuthError, NotAllowed: as ``demand_token``.
    """
    return _identified(request, _operation_of(request))


def _operation_of(request: web.Request) -> Operation | None:
    return request.app[OPERATIONS].get(request.match_info.handler)


def _identified(request: web.Request, operation: Operation | None) -> Principal:
    if operation is None:
        raise MissingToken  # nobody declared who may come in, so nobody may
    app = request.app
    origins = app[OPTIONS].cors_allowed_origins
    check = app[LIBRARY].authenticate
    return admit(headers_of(request), operation, check, origins, base_of(request))


async def complete_answer(request: web.Request, response: web.StreamResponse) -> None:
    """Make an answer that is about to be sent one of this server's."""
    _add_headers(request, response)
    if _is_odd(request):
        response.force_close()
        response.headers["Connection"] = "close"


def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add to every answer the headers that it does not set itself."""
    headers = response.headers
    for name, value in RULES.items():
        headers.setdefault(name, value)
    headers["Server"] = SERVER
    name = request.get(REQUEST_ID)
    if name is not None:
        headers["X-Request-ID"] = name


def _is_odd(request: web.Request) -> bool:
    """Whether the request is one behind which other servers may read otherwise.

    After ``Upgrade`` or CONNECT aiohttp waits for another protocol, which there is none of here,
    and would answer no further request.
    """
    return _has_odd_length(request) or request.method == "CONNECT" or "Upgrade" in request.headers


def _has_odd_length(request: web.Request) -> bool:
    """Whether ``Transfer-Encoding`` tells the length in a way that not everybody knows.

    It tells none in HTTP/1.0, and ``chunked`` alone is known to all (RFC 9112, 6.1).
    """
    codings = request.headers.getall("Transfer-Encoding", ())
    if not codings:
        return False
    plain = [each.strip().lower() for each in codings] == ["chunked"]
    return not plain or request.version < HttpVersion11
