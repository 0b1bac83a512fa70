"""How clients authenticate, for the OpenAPI document."""

from typing import Any

from tagline.api.cookies import ACCESS_COOKIE
from tagline.api.operations import Access, Operation

SECURITY_SCHEMES: dict[str, dict[str, Any]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The access token of `POST /login` or `POST /refresh`.",
    },
    "api_token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "tagline_…",
        "description": "An API token of `POST /tokens`. Its scope, `read` or `write`, must be the "
        "one named here; `write` includes `read`.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": ACCESS_COOKIE,
        "description": "Set by `POST /login` with `Accept-Session: cookie`; over TLS its name "
        "begins with `__Host-`. A header goes first. Whatever is no `GET` must come "
        "from a page of this server's origin: browsers say so by themselves in `Origin` and "
        "`Sec-Fetch-Site`.",
    },
}


def security_of(operation: Operation) -> list[dict[str, list[str]]]:
    """What an operation demands: any one of the list; nothing where it is empty."""
    bearer: dict[str, list[str]] = {"bearer": []}
    cookie: dict[str, list[str]] = {"cookie": []}
    match operation.access:
        case Access.OPEN:
            return []
        case Access.OWN_CHECK:
            return [bearer, cookie, {}]
        case Access.SESSION:
            return [bearer, cookie]
        case Access.TOKEN:
            return [bearer, {"api_token": [operation.scope]}, cookie]
