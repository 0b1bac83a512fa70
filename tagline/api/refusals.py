"""Errors that only HTTP knows; the rest is in ``tagline.errors``.

TaglineError
├── RequestRefused
│   ├── InvalidRequest          parameters or body are not as declared
│   ├── MalformedRequest        the body did not arrive as announced
│   ├── SlowRequest             the body took too long
│   ├── ContentTooLarge         the body is over the limit
│   ├── UnsupportedContent      the body is not JSON
│   ├── ConditionFailed         a condition of a read does not hold
│   └── RangeNotSatisfiable     the part asked for lies outside the file
└── AuthError
    └── MissingToken            no access token was sent
"""

from typing import TypedDict

from tagline.errors import AuthError, TaglineError


class Problem(TypedDict):
    """One thing that is wrong with a request: where, what, and a stable name for it."""

    loc: list[str | int]
    msg: str
    type: str


class RequestRefused(TaglineError):
    """The request cannot be served as it is."""


class InvalidRequest(RequestRefused):
    """Parameters or body are not as declared; ``problems`` lists what is wrong."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("The request is not valid.")
        self.problems = problems


class MalformedRequest(RequestRefused):
    """The body did not arrive as its headers announced it."""

    def __init__(self) -> None:
        super().__init__("The request's body did not arrive as its headers announced it.")


class SlowRequest(RequestRefused):
    """The body took too long to arrive."""

    def __init__(self) -> None:
        super().__init__("The request's body took too long to arrive.")


class ContentTooLarge(RequestRefused):
    """The body is over the limit."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The request's body may have at most {limit_bytes} bytes.")
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
        super().__init__("It has changed: the conditions of the request do not hold.")
        self.actual = actual


class RangeNotSatisfiable(RequestRefused):
    """The part asked for lies outside the file, which has ``size`` bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(f"The range lies outside the file, which has {size} bytes.")
        self.size = size


class MissingToken(AuthError):
    """No access token was sent."""

    def __init__(self) -> None:
        super().__init__(
            "Not authenticated: send an access token from POST /login "
            "in the header Authorization: Bearer …"
        )
