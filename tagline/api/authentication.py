"""Who sent a request, and whether they may: decided from its headers and its operation alone.

A token in ``Authorization`` counts before a cookie. A cookie is sent by the browser whoever wrote
the page, so it counts only for pages of this server's own origin, and of origins that the
configuration names; browsers say where a page is from in ``Sec-Fetch-Site`` (Fetch Metadata, 2.1)
and ``Origin`` (the Fetch standard, 3.2), which no page can forge.
"""

import re
from collections.abc import Callable
from functools import lru_cache

import msgspec

from tagline.api.cookies import ACCESS_COOKIE, Headers, read_cookie
from tagline.api.operations import SAFE_METHODS, Access, Operation
from tagline.api.refusals import ForeignPage, InsufficientScope, MissingToken, SessionNeeded
from tagline.errors import InvalidToken
from tagline.library import Principal

_BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/-]+=*) *", re.ASCII)
_MALFORMED = "The Authorization header bears no token: send it once, as Authorization: Bearer …"
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class Presented(msgspec.Struct, frozen=True):
    """What a request presents: an access token or API token, and whether a cookie held it."""

    credential: str
    by_cookie: bool


def admit(
    headers: Headers,
    operation: Operation,
    check: Callable[[str], Principal],
    origins: tuple[str, ...],
    base: str = "",
) -> Principal:
    """Who sent the request, if they may call the operation.

    Args:
        headers: those of the request.
        operation: what it calls.
        check: tells who bears a token, or raises ``InvalidToken``.
        origins: origins other than the server's own whose pages may use cookies.
        base: the path of the server's root as the client sees it, empty for ``/``.

    Raises:
        MissingToken: nothing was presented that counts.
        InvalidToken: it is expired, forged or revoked.
        ForeignPage: a page of another origin wants to change something.
        InsufficientScope: an API token does not reach so far.
        SessionNeeded: only somebody who logged in may do this.
    """
    given = presented(headers, operation.method, origins, base)
    if given is None:
        raise MissingToken
    principal = check(given.credential)
    if given.by_cookie and principal.kind != "session":
        raise InvalidToken
    if operation.access is Access.SESSION and principal.kind != "session":
        raise SessionNeeded
    if operation.scope not in principal.scopes:
        raise InsufficientScope(operation.scope)
    return principal


def presented(
    headers: Headers, method: str, origins: tuple[str, ...], base: str = ""
) -> Presented | None:
    """The token that a request presents, or None where it presents none that counts.

    Raises:
        InvalidToken: the header or the cookie is there and holds no token.
        ForeignPage: it is a cookie, and a page of another origin wants to change something.
    """
    if (token := bearer_token(headers)) is not None:
        return Presented(token, by_cookie=False)
    token = read_cookie(headers, ACCESS_COOKIE, base)
    if token is None:
        return None
    if method in SAFE_METHODS:
        # A browser names the origin when a script of another one asks.
        counts = "Origin" not in headers or is_trusted_page(headers, origins)
        return Presented(token, by_cookie=True) if counts else None
    demand_trusted_page(headers, origins)
    return Presented(token, by_cookie=True)


def bearer_token(headers: Headers) -> str | None:
    """The token of the ``Authorization`` header (RFC 6750, 2.1), or None where there is none.

    Raises:
        InvalidToken: the header is there and bears no token.
    """
    given = headers.getall("Authorization", [])
    if not given:
        return None
    if len(given) > 1:
        raise InvalidToken(_MALFORMED)
    return _token_in(given[0])


@lru_cache(maxsize=64)
def _token_in(value: str) -> str:
    """The token in the header's value, good or not; a client sends the same each time.

    Nothing is kept of what is no token, which may be a password.

    Raises:
        InvalidToken: there is none.
    """
    match = _BEARER.fullmatch(value)
    if match is None:
        raise InvalidToken(_MALFORMED)
    return match.group(1)


def demand_trusted_page(headers: Headers, origins: tuple[str, ...]) -> None:
    """Refuse a request with cookies that is not known to come from a page that may send it.

    Raises:
        ForeignPage: it is not.
    """
    if not is_trusted_page(headers, origins):
        raise ForeignPage


def is_trusted_page(headers: Headers, origins: tuple[str, ...]) -> bool:
    """Whether the request is known to come from a page of this server, or of a named origin.

    Where a browser tells of the site, that decides; it does so over TLS and on the same machine
    only. Otherwise the origin's host and port must be those asked for. The schemes are not
    compared: a proxy may end TLS. ``*`` names no origin, as in the CORS protocol.
    """
    origin = headers.get("Origin")
    if origin is not None and origin != "*" and origin in origins:
        return True
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    if origin is None:
        return False
    scheme, separator, host = origin.lower().partition("://")
    asked = headers.get("Host", "").lower()
    return bool(separator and host) and _without_port(scheme, host) == _without_port(scheme, asked)


def is_over_tls(headers: Headers) -> bool:
    """Whether the browser that sent this speaks TLS, to this server or to a proxy before it."""
    return headers.get("Origin", "").lower().startswith("https://")


def _without_port(scheme: str, host: str) -> str:
    return host.removesuffix(_DEFAULT_PORTS.get(scheme, ":"))
