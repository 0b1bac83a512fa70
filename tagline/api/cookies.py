"""The cookies of a browser's session (RFC 6265bis): two tokens that no script can read.

The access token goes to every address, the refresh token to ``/refresh`` alone. Over TLS the
names have the prefixes by which browsers refuse a cookie that came without TLS, or, for the access
token of a server with a host of its own, from another host of the domain (4.1.3). A server below a
path keeps its cookies below that path.
"""

from multidict import CIMultiDict, CIMultiDictProxy

from tagline.errors import InvalidToken
from tagline.library import TokenPair

ACCESS_COOKIE = "tagline_access"
REFRESH_COOKIE = "tagline_refresh"
REFRESH_PATH = "/refresh"

Headers = CIMultiDict[str] | CIMultiDictProxy[str]

_PATHS = {ACCESS_COOKIE: "/", REFRESH_COOKIE: REFRESH_PATH}


def _names(kind: str, base: str) -> tuple[str, str]:
    """The name over TLS, whose prefix nobody can set without, goes first; then the plain one.

    ``__Host-`` is for cookies of the path ``/`` alone.
    """
    whole_host = kind == ACCESS_COOKIE and not base
    return f"{'__Host-' if whole_host else '__Secure-'}{kind}", kind


def read_cookie(headers: Headers, kind: str, base: str = "") -> str | None:
    """The token in the cookie of this kind, or None where there is none.

    ``base`` is the path of the server's root as the browser sees it, empty for ``/``.

    Raises:
        InvalidToken: there are several of one name: somebody else has set one of them.
    """
    sent = [
        (name.strip(), value.strip().strip('"'))
        for line in headers.getall("Cookie", [])
        for name, _, value in (pair.partition("=") for pair in line.split(";"))
    ]
    for wanted in _names(kind, base):
        values = [value for name, value in sent if name == wanted]
        if len(values) > 1:
            raise InvalidToken(
                f"The cookie {wanted} came more than once: delete this site's cookies, and log in."
            )
        if values:
            return values[0] or None
    return None


def session_cookies(pair: TokenPair, base: str = "", *, secure: bool) -> tuple[str, str]:
    """The two ``Set-Cookie`` lines of a session's new tokens; ``secure`` where TLS is used."""
    access = _line(ACCESS_COOKIE, base, pair.access_token, secure=secure)
    refresh = _line(REFRESH_COOKIE, base, pair.refresh_token, secure=secure)
    return f"{access}; Max-Age={pair.access_seconds}", f"{refresh}; Max-Age={pair.refresh_seconds}"


def no_cookies(base: str = "") -> tuple[str, ...]:
    """The ``Set-Cookie`` lines that delete the session's cookies, whichever there are."""
    return tuple(
        f"{_line(kind, base, '', secure=secure)}; Max-Age=0"
        for kind in _PATHS
        for secure in (True, False)
    )


def _line(kind: str, base: str, value: str, *, secure: bool) -> str:
    with_prefix, plain = _names(kind, base)
    path = (base + _PATHS[kind]).rstrip("/") or "/"
    line = f"{with_prefix if secure else plain}={value}; Path={path}; HttpOnly; SameSite=Strict"
    return f"{line}; Secure" if secure else line
