"""What each status of an error means, for the OpenAPI document."""

import msgspec
from pydantic import BaseModel

from tagline.api.inputs import BodyInput, HeaderInput, PathInput, QueryInput
from tagline.api.operations import Access, Operation
from tagline.api.payloads import ConflictResponse, ErrorResponse, ValidationErrorResponse


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """An error's meaning, its body, and its headers."""

    says: str
    body: type[BaseModel] = ErrorResponse
    headers: tuple[str, ...] = ()


REFUSALS = {
    400: Refusal(says="The body did not arrive as its headers announced it."),
    401: Refusal(
        says="A password or token is missing, wrong, expired or revoked.",
        headers=("WWW-Authenticate",),
    ),
    403: Refusal(
        says="The photo directory cannot be written; or an API token's scope does not allow this; "
        "or a cookie came from a page of another origin.",
        headers=("WWW-Authenticate",),
    ),
    404: Refusal(says="There is no such photo, change in its history, API token, or file."),
    408: Refusal(says="The body took too long to arrive."),
    409: Refusal(
        says="The photo is not as the client last saw it, or cannot be changed safely; or the name "
        "is taken; or another page has just refreshed the session.",
        body=ConflictResponse,
    ),
    412: Refusal(says="A condition in the headers does not hold.", body=ConflictResponse),
    413: Refusal(says="The body is too large."),
    415: Refusal(says="The body is not JSON.", headers=("Accept",)),
    416: Refusal(says="The range lies outside the file.", headers=("Content-Range",)),
    422: Refusal(
        says="Parameters or body are not valid; or no picture can be made of this photo.",
        body=ValidationErrorResponse,
    ),
    429: Refusal(says="Too many attempts, or event streams.", headers=("Retry-After",)),
    431: Refusal(says="The address (8 KiB) or a header is too long."),
    500: Refusal(says="Something went wrong inside the server."),
    503: Refusal(
        says="The photo directory is not available now, or too much is asked for at once.",
        headers=("Retry-After",),
    ),
    507: Refusal(says="There is no space left."),
}

_OF_A_BODY = {400, 408, 413, 415, 422}


def refusals_of(operation: Operation) -> set[int]:
    """The statuses of errors that an operation may answer with."""
    found = {*operation.refusals, 431, 500}
    if operation.access is not Access.OPEN:
        found.add(401)
    if operation.access is Access.SESSION or (
        operation.access is Access.TOKEN and operation.scope == "write"
    ):
        found.add(403)
    if operation.input(BodyInput):
        found |= _OF_A_BODY
    if operation.input(QueryInput) or operation.input(HeaderInput):
        found.add(422)
    if operation.input(PathInput):
        found.add(404)
    return found - {answer.status for answer in operation.answers}
