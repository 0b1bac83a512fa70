"""What the headers of answers mean, for the OpenAPI document."""

from typing import Any


def _header(says: str, example: str) -> dict[str, Any]:
    """One header object."""
    return {"description": says, "schema": {"type": "string", "examples": [example]}}


HEADERS: dict[str, dict[str, Any]] = {
    "Accept": _header("What the body may be.", "application/json"),
    "Accept-Ranges": _header("Parts may be asked for.", "bytes"),
    "Cache-Control": _header("How long it may be kept.", "private, no-cache"),
    "Content-Disposition": _header(
        "The file's name.", "inline; filename=\"_l.jpg\"; filename*=UTF-8''%C3%B8l.jpg"
    ),
    "Content-Range": _header("Which part this is, and of how much.", "bytes 0-1023/2483911"),
    "ETag": _header("The entity tag, quoted; strong but for lists.", '"3f8a1c0d9e2b7a6455d01c2e"'),
    "Last-Modified": _header("In whole seconds.", "Wed, 01 May 2024 12:34:56 GMT"),
    "Link": _header("Other pages of the list (RFC 8288).", '<?limit=9>; rel="first"'),
    "Location": _header("Where to look for the progress.", "/rescan"),
    "Preference-Applied": _header("The preference that was followed.", "respond-async"),
    "Retry-After": _header("Seconds to wait before the next try.", "10"),
    "Set-Cookie": _header(
        "The session's cookies, where they were asked for.",
        "tagline_access=…; Path=/; Max-Age=900; HttpOnly; SameSite=Strict",
    ),
    "Vary": _header("Which headers of the request chose this answer.", "Accept"),
    "WWW-Authenticate": _header("How to authenticate.", 'Bearer realm="tagline"'),
    "X-Request-ID": _header("Names this request in the server's log.", "9f86d081884c7d65"),
}

COMMON_HEADERS = ("Cache-Control", "X-Request-ID")
"""Headers that every answer carries."""
