"""Cross-origin requests (the Fetch standard, 3.3), as far as the configuration allows them."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from tagline.api.headers import HEADERS

_REQUEST_HEADERS = (
    "Accept-Session, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Match, "
    "If-Range, If-Unmodified-Since, Last-Event-ID, Prefer, Range, X-Request-ID"
)
_EXPOSED_HEADERS = ", ".join(sorted({"Allow", *HEADERS} - {"Set-Cookie"}))
"""All that the document describes; but no script ever sees a cookie (the Fetch standard, 2.2.2)."""
_PREFLIGHT_SECONDS = 600

Signal = Callable[[web.Request, web.StreamResponse], Awaitable[None]]


def preflight(origins: tuple[str, ...]) -> Middleware:
    """A middleware that answers preflight requests of allowed origins."""

    @web.middleware
    async def answer_preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        wanted = "Access-Control-Request-Method" in request.headers
        if request.method == "OPTIONS" and wanted and _is_allowed(request, origins):
            response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
            response.headers["Access-Control-Allow-Headers"] = _REQUEST_HEADERS
            response.headers["Access-Control-Max-Age"] = str(_PREFLIGHT_SECONDS)
        return response

    return answer_preflight


def allow_origin(origins: tuple[str, ...]) -> Signal:
    """A signal that says on each answer whether the page of the request's origin may read it."""

    async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
        if "*" not in origins:
            response.headers.add("Vary", "Origin")
        if not _is_allowed(request, origins):
            return
        if "*" in origins:
            response.headers["Access-Control-Allow-Origin"] = "*"
        else:
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS

    return add_headers


def _is_allowed(request: web.Request, origins: tuple[str, ...]) -> bool:
    """Whether the request comes from a page that may read the answer."""
    origin = request.headers.get("Origin")
    return origin is not None and ("*" in origins or origin in origins)
