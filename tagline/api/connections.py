"""Connections whose protocol errors are answered in JSON, and the line that logs a request."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from tagline.api.browsers import RULES
from tagline.api.clients import logged_client
from tagline.api.error_answers import answer_to, answer_to_http, unexpected_answer
from tagline.api.guarding import GuardedConnection, TurnedAway, has_room, room_for
from tagline.api.keys import PRINCIPAL
from tagline.api.refusals import HeaderTooLarge, MalformedHttp

_logger = logging.getLogger("tagline.api")

SERVER = "Tagline"
"""What the server calls itself: no versions, which would help an attacker only."""


Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class AccessLogger(AbstractAccessLogger):
    """One line a request: no query and no header, nothing that could hold a secret."""

    @property
    def enabled(self) -> bool:
        """Whether anything would be written."""
        return self.logger.isEnabledFor(logging.INFO)

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Write the line; ``time`` is in seconds."""
        fields = {
            "address": logged_client(request).address or "-",
            "status": response.status,
            "bytes": int(response.headers.get("Content-Length", response.body_length)),
            "ms": round(time * 1000, 1),
        }
        principal = request.get(PRINCIPAL)
        if principal is not None:  # without a good token nobody is known
            fields["by"] = f"{principal.kind}:{principal.id}"
        named = f"{request.method} {request.rel_url.raw_path}"
        self.logger.info("%s", named, extra={"fields": fields})


class JsonConnection(GuardedConnection):
    """A connection that answers what is no HTTP in JSON, and logs it without its bytes."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,  # noqa: ARG002 - the table of errors says it
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - holds bytes of the request
    ) -> web.StreamResponse:
        """Answer a request that could not be parsed; the connection closes.

        Raises:
            ConnectionError: the client has gone, or part of another answer was already sent.
        """
        if request.writer.output_size > 0:
            raise ConnectionResetError("the answer broke off")
        if isinstance(exc, ConnectionError) and request.transport is None:
            raise exc  # anybody can hang up: no fault of ours to be logged
        response = _answer_without_operation(exc)
        # This answer passes no signal that would add them.
        response.headers.update({**RULES, "Server": SERVER})
        response.force_close()
        return response


def _answer_without_operation(error: BaseException | None) -> web.Response:
    """The answer to what no application has seen."""
    if isinstance(error, LineTooLong):
        return answer_to(HeaderTooLarge())
    if isinstance(error, HttpProcessingError):
        return answer_to(MalformedHttp())
    _logger.error("unexpected error outside of every operation", exc_info=error)
    return unexpected_answer()


def _in_json(handle: Handle) -> Handle:
    """The same handler; what aiohttp refuses before any middleware is answered in JSON.

    That is an unknown ``Expect`` at an address where nothing is.
    """

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await handle(request)
        except web.HTTPException as error:
            return answer_to_http(error)

    return answer


class _Server(web.Server):
    """A server that makes such connections, as many as there may be."""

    most = 0

    def __call__(self) -> web.RequestHandler:
        """The handler of a new connection."""
        if not has_room(self.connections, self.most):
            return cast("web.RequestHandler", TurnedAway())
        return JsonConnection(self, **self._kwargs)


class JsonRunner(web.AppRunner):
    """A runner with such connections: at most so many, each looked at so often."""

    def __init__(
        self,
        app: web.Application,
        *,
        most_connections: int,
        stuck_seconds: float,
        **more: Any,  # noqa: ANN401 - aiohttp's own options
    ) -> None:
        super().__init__(app, **more)
        self._most = most_connections
        self._stuck_seconds = stuck_seconds

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        server = _Server(
            _in_json(made.request_handler),
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            stuck_seconds=self._stuck_seconds,
            **{k: v for k, v in self._kwargs.items() if k != "handler_cancellation"},
        )
        server.most = room_for(self._most)
        return server
