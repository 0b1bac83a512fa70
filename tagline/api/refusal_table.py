"""What each operation may be refused with, for the OpenAPI document."""

from collections import defaultdict
from collections.abc import Iterable

import msgspec
from pydantic import BaseModel

from tagline.api import refusals
from tagline.api.errors import Row, row_of
from tagline.api.inputs import BodyInput, HeaderInput, PathInput, QueryInput
from tagline.api.operations import SAFE_METHODS, Access, Operation
from tagline.api.payloads import ConflictResponse, ErrorResponse, ValidationErrorResponse
from tagline.errors import InvalidToken, TaglineError

BODIES: tuple[type[BaseModel], ...] = (ErrorResponse, ConflictResponse, ValidationErrorResponse)
"""Every shape that an error's body may have."""

_ANYWHERE = (
    TaglineError,
    refusals.MalformedHttp,
    refusals.UnknownExpectation,
    refusals.HeaderTooLarge,
    refusals.TooManyConnections,
)
_OF_A_BODY = (
    refusals.InvalidRequest,
    refusals.MalformedRequest,
    refusals.SlowRequest,
    refusals.ContentTooLarge,
    refusals.UnsupportedContent,
)
_OF_THE_MESSAGE = frozenset({"Connection"})
"""Headers that are for the connection alone."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What one status of an operation's errors means: its types, its body, its headers."""

    says: str
    types: tuple[str, ...]
    body: type[BaseModel]
    headers: tuple[str, ...]


def refusals_of(operation: Operation) -> dict[int, Refusal]:
    """How an operation may refuse, by status."""
    rows: defaultdict[int, dict[str, Row]] = defaultdict(dict)
    for kind in errors_of(operation):
        row = row_of(kind)
        rows[row.status].setdefault(row.type, row)
    return {status: _refusal(rows[status].values()) for status in sorted(rows)}


def errors_of(operation: Operation) -> tuple[type[TaglineError], ...]:
    """The errors that an operation may answer with: those it declares, and those that follow."""
    found = [*operation.refusals, *_ANYWHERE]
    changes = operation.method not in SAFE_METHODS
    if operation.demands_token:
        found += [refusals.MissingToken, InvalidToken]
        found += [refusals.ForeignPage] if changes else []
    if operation.access is Access.SESSION:
        found.append(refusals.SessionNeeded)
    elif operation.access is Access.TOKEN and changes:
        found.append(refusals.InsufficientScope)
    if operation.input(BodyInput):
        found += _OF_A_BODY
    if any(operation.input(kind) for kind in (PathInput, QueryInput, HeaderInput)):
        found.append(refusals.InvalidRequest)
    return tuple(found)


def _refusal(rows: Iterable[Row]) -> Refusal:
    ordered = sorted(rows, key=lambda row: row.type)
    members = {name for row in ordered for name in row.members}
    headers = {name for row in ordered for name in row.headers} - _OF_THE_MESSAGE
    return Refusal(
        says=" ".join(f"`{row.type}`: {row.says}" for row in ordered),
        types=tuple(row.type for row in ordered),
        body=_body_with(members),
        headers=tuple(sorted(headers)),
    )


def _body_with(members: set[str]) -> type[BaseModel]:
    """The model of a body with these members beside ``type`` and a sentence."""
    if "detail" in members:
        return ValidationErrorResponse
    return ConflictResponse if members else ErrorResponse
