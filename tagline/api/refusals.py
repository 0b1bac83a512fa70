"""Errors that only HTTP knows; the rest is in ``tagline.errors``.

TaglineError
├── RequestRefused
│   ├── MalformedHttp           the request is no HTTP/1.1
│   ├── HeaderTooLarge          the address or a header is too long
│   ├── NoSuchAddress           nothing is at this address
│   ├── NoSuchMethod            this address does not know the method
│   ├── UnknownExpectation      ``Expect`` asks for what the server does not know
│   ├── TooManyConnections      there is no room for another connection
│   ├── InvalidRequest          parameters or body are not as declared
│   ├── MalformedRequest        the body did not arrive as announced
│   ├── SlowRequest             the body took too long
│   ├── ContentTooLarge         the body is over the limit
│   ├── UnsupportedContent      the body is not JSON
│   ├── ConditionFailed         a condition of a read does not hold
│   ├── RangeNotSatisfiable     the part asked for lies outside the file
│   ├── TooManyStreams          this session has too many event streams
│   ├── NoMoreStreams           the server has too many of them, or is stopping
│   └── ServerStopping          what was waited for is not done, and the server is stopping
├── AuthError
│   └── MissingToken            no access token was sent
└── NotAllowed
    ├── InsufficientScope       the API token does not reach so far
    ├── SessionNeeded           an API token may not do this at all
    └── ForeignPage             a page of another origin sent the session's cookie
"""

from typing import TypedDict

from tagline.errors import AuthError, TaglineError
from tagline.library import Scope


class Problem(TypedDict):
    """One thing that is wrong with a request: where, what, and a stable name for it."""

    loc: list[str | int]
    msg: str
    type: str


class RequestRefused(TaglineError):
    """The request cannot be served as it is."""


class MalformedHttp(RequestRefused):
    """The request is no HTTP/1.1."""

    def __init__(self) -> None:
        super().__init__("The request is not valid HTTP/1.1; send it again, well-formed.")


class HeaderTooLarge(RequestRefused):
    """The address or a header is too long."""

    def __init__(self) -> None:
        super().__init__("The address or a header is too long: send at most 8 KiB in each.")


class NoSuchAddress(RequestRefused):
    """Nothing is at this address."""

    def __init__(self) -> None:
        super().__init__(
            "There is nothing at this address; look into /docs or /openapi.json for what there is."
        )


class NoSuchMethod(RequestRefused):
    """This address does not know the method; ``allowed`` lists those it knows."""

    def __init__(self, allowed: str) -> None:
        super().__init__(
            "This address does not know the method; send one that the Allow header lists."
        )
        self.allowed = allowed


class UnknownExpectation(RequestRefused):
    """``Expect`` asks for something other than ``100-continue``."""

    def __init__(self) -> None:
        super().__init__("Only Expect: 100-continue is known; send that, or no Expect.")


class TooManyConnections(RequestRefused):
    """The server has as many connections as it may have."""

    def __init__(self) -> None:
        super().__init__("There are too many connections now; try again later.")


class InvalidRequest(RequestRefused):
    """Parameters or body are not as declared; ``problems`` lists what is wrong."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("The request is not valid; correct what is listed.")
        self.problems = problems


class MalformedRequest(RequestRefused):
    """The body did not arrive as its headers announced it."""

    def __init__(self) -> None:
        super().__init__(
            "The request's body did not arrive as its headers announced it; send it again."
        )


class SlowRequest(RequestRefused):
    """The body took too long to arrive."""

    def __init__(self) -> None:
        super().__init__(
            "The request's body took too long to arrive; send it again, or less at once."
        )


class ContentTooLarge(RequestRefused):
    """The body is over the limit."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            f"The request's body may have at most {limit_bytes} bytes; send less at once."
        )
        self.limit_bytes = limit_bytes


class UnsupportedContent(RequestRefused):
    """The body is not JSON, or it is compressed."""

    def __init__(self) -> None:
        super().__init__(
            "Send the body as uncompressed JSON in UTF-8, with Content-Type: application/json."
        )


class ConditionFailed(RequestRefused):
    """A condition of a read does not hold; ``actual`` is the current entity tag."""

    def __init__(self, actual: str) -> None:
        super().__init__(
            "It has changed: the conditions of the request do not hold. Look at it again, and send "
            "the conditions that it meets now, or none."
        )
        self.actual = actual


class RangeNotSatisfiable(RequestRefused):
    """The part asked for lies outside the file, which has ``size`` bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(f"The range lies outside the file; ask for a part of its {size} bytes.")
        self.size = size


class TooManyStreams(RequestRefused):
    """This session has too many event streams; one client needs one."""

    def __init__(self) -> None:
        super().__init__("This session has too many event streams: close one, or share one.")


class NoMoreStreams(RequestRefused):
    """The server has as many event streams as it may have, or is stopping."""

    def __init__(self) -> None:
        super().__init__("There are too many event streams now; try again later.")


class ServerStopping(RequestRefused):
    """What was waited for is not done, and the server is stopping."""

    def __init__(self) -> None:
        super().__init__("The server is stopping; ask again when it has been started.")


class MissingToken(AuthError):
    """No access token was sent."""

    def __init__(self) -> None:
        super().__init__(
            "Not authenticated: send an access token from POST /login, or an API token, "
            "in the header Authorization: Bearer …"
        )


class NotAllowed(TaglineError):
    """The caller is known, and may not do this."""


class InsufficientScope(NotAllowed):
    """The API token lacks ``scope``."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(
            f"This API token may not do that: it lacks the scope {scope}. Send one that has it."
        )
        self.scope = scope


class SessionNeeded(NotAllowed):
    """Only somebody who logged in by password may do this."""

    def __init__(self) -> None:
        super().__init__(
            "An API token may not do that: log in by POST /login, and send the access token."
        )


class ForeignPage(NotAllowed):
    """The session's cookie came from a page that may not use it, or nobody says from which."""

    def __init__(self) -> None:
        super().__init__(
            "A cookie changes something only for a page of this server's own origin, told by "
            "Origin and Sec-Fetch-Site. From elsewhere, send Authorization: Bearer …; let a proxy "
            "pass the Host header on."
        )
