"""Connections whose protocol errors are answered in JSON, and the line that logs a request."""

import asyncio
import logging

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from tagline.api.errors import UNEXPECTED, error_response

_logger = logging.getLogger("tagline.api")

SERVER = "Tagline"
"""What the server calls itself: no versions, which would help an attacker only."""


class AccessLogger(AbstractAccessLogger):
    """One line a request: no query and no header, nothing that could hold a secret."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Write the line; ``time`` is in seconds."""
        fields = {
            "address": request.remote or "-",
            "status": response.status,
            "bytes": response.headers.get("Content-Length", "-"),
            "ms": round(time * 1000, 1),
        }
        named = f"{request.method} {request.rel_url.raw_path}"
        self.logger.info("%s", named, extra={"fields": fields})


class JsonConnection(web.RequestHandler):
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
            ConnectionError: part of another answer was already sent.
        """
        if request.writer.output_size > 0:
            raise ConnectionResetError("the answer broke off")
        detail = "The request is not valid HTTP/1.1."
        if isinstance(exc, LineTooLong):
            status, detail = 431, "The request's address or one of its headers is too long."
        elif not isinstance(exc, HttpProcessingError):
            _logger.error("unexpected error outside of every operation", exc_info=exc)
            status, detail = 500, UNEXPECTED
        response = error_response(status, {"detail": detail})
        response.headers["Server"] = SERVER  # this answer passes no signal that would say so
        response.force_close()
        return response


class _Server(web.Server):
    """A server that makes such connections."""

    def __call__(self) -> web.RequestHandler:
        """The handler of a new connection."""
        return JsonConnection(self, loop=asyncio.get_running_loop(), **self._kwargs)


class JsonRunner(web.AppRunner):
    """A runner with such connections."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(
            made.request_handler,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            **{k: v for k, v in self._kwargs.items() if k != "handler_cancellation"},
        )
