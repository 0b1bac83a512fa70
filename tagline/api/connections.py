"""Connections whose protocol errors are answered in JSON, and the line that logs a request."""

import logging
from typing import Any, cast

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from tagline.api.browsers import RULES
from tagline.api.clients import logged_client
from tagline.api.errors import UNEXPECTED, error_response
from tagline.api.guarding import GuardedConnection, TurnedAway, has_room, room_for
from tagline.api.keys import PRINCIPAL

_logger = logging.getLogger("tagline.api")

SERVER = "Tagline"
"""What the server calls itself: no versions, which would help an attacker only."""


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
        status: int = 500,
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
        detail = "The request is not valid HTTP/1.1; send it anew, well-formed."
        if isinstance(exc, LineTooLong):
            status, detail = 431, "The address or a header is too long: send at most 8 KiB in each."
        elif not isinstance(exc, HttpProcessingError):
            _logger.error("unexpected error outside of every operation", exc_info=exc)
            status, detail = 500, UNEXPECTED
        response = error_response(status, {"detail": detail})
        # This answer passes no signal that would add them.
        response.headers.update({**RULES, "Server": SERVER})
        response.force_close()
        return response


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
            made.request_handler,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            stuck_seconds=self._stuck_seconds,
            **{k: v for k, v in self._kwargs.items() if k != "handler_cancellation"},
        )
        server.most = room_for(self._most)
        return server
