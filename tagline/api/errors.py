"""The one table from errors to answers: status, type, further members, headers."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tagline import errors
from tagline.api import refusals

RETRY_AFTER_SECONDS = 10
"""To wait where nothing better is known."""

Headers = dict[str, str]
Said = Mapping[str, Callable[[Any], Any]]
"""Names of members or headers, and how to get each one's value from the error."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """How one kind of error is answered.

    ``type`` is a stable word for programs, which another row may share; ``says`` tells in the
    documentation when it is answered and what to do. ``detail`` replaces the error's own sentence,
    where that is meant for the operator.
    """

    status: int
    type: str
    says: str
    detail: str | None = None
    members: Said = {}
    headers: Said = {}


def _constant(value: object) -> Callable[[object], object]:
    return lambda _error: value


def _seconds(
    error: errors.TooManyAttempts | errors.PicturesBusy | errors.ObjectBusy,
) -> str:
    """The wait in whole seconds, at least one."""
    return str(max(1, math.ceil(error.retry_after.total_seconds())))


def _problem_of_picture(error: errors.PictureRefused) -> list[refusals.Problem]:
    loc: list[str | int] = ["path", "photo_id"]
    return [refusals.Problem(loc=loc, msg=error.sentence, type=f"picture_{error.reason}")]


def _problem_of_value(error: errors.InvalidValue) -> list[refusals.Problem]:
    loc: list[str | int] = ["body", error.field]
    return [refusals.Problem(loc=loc, msg=error.fault, type="invalid_value")]


def _challenge(more: str = "") -> Said:
    """Ask for a token, or a better one (RFC 6750, 3 and 3.1)."""
    return {"WWW-Authenticate": _constant(f'Bearer realm="tagline"{more}')}


def _challenge_scope(error: refusals.InsufficientScope) -> str:
    """Ask for a token of more scope (RFC 6750, 3.1)."""
    return f'Bearer realm="tagline", error="insufficient_scope", scope="{error.scope}"'


_LATER: Said = {"Retry-After": _constant(str(RETRY_AFTER_SECONDS))}
_SOON: Said = {"Retry-After": _constant("1")}
_AFTER_THE_WAIT: Said = {"Retry-After": _seconds}
_INVALID_TOKEN = _challenge(', error="invalid_token"')
_THE_TAG: Said = {"etag": lambda error: error.actual}

UNEXPECTED = (
    "Something went wrong inside the server. Tell whoever runs it the X-Request-ID: its log says "
    "more under that."
)

_PHOTO_NOT_FOUND = Row(
    status=404,
    type="photo_not_found",
    says="No photo has this id, or its file is gone. List the photos again.",
    detail=errors.PHOTO_NOT_FOUND,
)
_PRECONDITION_FAILED = Row(
    status=412,
    type="precondition_failed",
    says="The photo is not as the conditions in the headers (in a batch: `if_match`) demand; "
    "nothing was written. Look at it again; `etag` is the current one.",
    members=_THE_TAG,
)
_INVALID = "validation_error"
_INVALID_SAYS = "Parameters or body are not valid; `detail` lists what is wrong, and where."

TABLE: Mapping[type[errors.TaglineError], Row] = {
    errors.TaglineError: Row(
        status=500,
        type="internal_error",
        says="Something went wrong inside the server; its log says more under the X-Request-ID.",
        detail=UNEXPECTED,
    ),
    errors.ObjectUnreadable: Row(
        status=500,
        type="file_unreadable",
        says="The photo's file, or one beside it, is there and cannot be read: permissions, or a "
        "fault of the disk. Somebody has to look after it.",
    ),
    errors.StorageUnavailable: Row(
        status=503,
        type="storage_unavailable",
        says="The photo directory is not there, or does not answer. Try again later.",
        headers=_LATER,
    ),
    errors.ObjectNotFound: _PHOTO_NOT_FOUND,
    errors.UnsafeKey: _PHOTO_NOT_FOUND,
    errors.PhotoNotFound: _PHOTO_NOT_FOUND,
    errors.ObjectChanged: Row(
        status=409,
        type="object_changed",
        says="Another program changed the file at that very moment; nothing was written. Look at "
        "the photo again, and repeat the request.",
        headers=_SOON,
    ),
    errors.ObjectBusy: Row(
        status=409,
        type="being_written",
        says="Another program may still be writing the file; nothing was written. Send the same "
        "request again after `Retry-After`. `awaited` is what the server waited for in vain: "
        "`writer` (nobody has it open for writing), `stillness` (its size and time stay as they "
        "are) or `completeness` (all of it is there).",
        members={"awaited": lambda error: error.awaited},
        headers=_AFTER_THE_WAIT,
    ),
    errors.StorageReadOnly: Row(
        status=403,
        type="storage_read_only",
        says="The place where the change belongs cannot be written. Somebody has to change its "
        "permissions or mount options.",
    ),
    errors.StorageFull: Row(
        status=507,
        type="storage_full",
        says="There is no space left where the change belongs; nothing was written. Somebody has "
        "to make room.",
    ),
    errors.EditRefused: Row(
        status=409,
        type="edit_refused",
        says="This file cannot be changed safely; nothing was written. Sending it again does not "
        "help; `reason` is a phrase that says why.",
        members={"reason": lambda error: error.reason},
    ),
    errors.PictureRefused: Row(
        status=422,
        type="picture_refused",
        says="No picture can be made of this file while it stays as it is. The `type` in `detail` "
        "says why: `picture_unsupported`, `picture_damaged`, `picture_too_large` or "
        "`picture_too_costly`.",
        members={"detail": _problem_of_picture},
    ),
    errors.PicturesBusy: Row(
        status=503,
        type="pictures_busy",
        says="Too many pictures are being made now. Try again later.",
        headers=_AFTER_THE_WAIT,
    ),
    errors.IndexFailure: Row(
        status=503,
        type="index_unavailable",
        says="The index, or the store of tokens, cannot be used now. Try again later; an edit may "
        "be in the photo already.",
        detail="The index cannot be used now: try again later. The server's log says why.",
        headers=_LATER,
    ),
    errors.InvalidPassword: Row(
        status=401,
        type="invalid_password",
        says="The password is wrong.",
        headers=_challenge(),
    ),
    errors.InvalidToken: Row(
        status=401,
        type="invalid_token",
        says="The access token or API token is expired, revoked or none at all. Refresh the "
        "session, or log in again; or send another API token.",
        headers=_INVALID_TOKEN,
    ),
    errors.InvalidRefreshToken: Row(
        status=401,
        type="invalid_refresh_token",
        says="The refresh token is expired, used, revoked or none at all. Log in again.",
        headers=_INVALID_TOKEN,
    ),
    errors.ExchangedMeanwhile: Row(
        status=409,
        type="session_refreshed",
        says="Another page has just refreshed the session that both share. Repeat the request, "
        "with the new cookies.",
        headers=_SOON,
    ),
    errors.TooManyAttempts: Row(
        status=429,
        type="too_many_attempts",
        says="Too many wrong passwords or refresh tokens came from this address. Wait.",
        headers=_AFTER_THE_WAIT,
    ),
    errors.ApiTokenNotFound: Row(
        status=404,
        type="api_token_not_found",
        says="No API token has this id, or it was revoked.",
    ),
    errors.ApiTokenNameTaken: Row(
        status=409,
        type="api_token_name_taken",
        says="Another API token has this name. Choose another name, or revoke that token.",
    ),
    errors.TooManyApiTokens: Row(
        status=409,
        type="too_many_api_tokens",
        says="There are as many API tokens as there may be. Revoke one first.",
    ),
    errors.ChangeNotFound: Row(
        status=404,
        type="change_not_found",
        says="The photo's history has no such change, or no longer. Look at the history again.",
    ),
    errors.PhotoModified: Row(
        status=409,
        type="photo_modified",
        says="The photo's `last_modified` is not the one that was sent; nothing was written. Look "
        "at the photo again; `last_modified` and `etag` are the current ones.",
        members={"last_modified": lambda error: error.actual, "etag": lambda error: error.etag},
    ),
    errors.PreconditionFailed: _PRECONDITION_FAILED,
    errors.InvalidValue: Row(
        status=422,
        type=_INVALID,
        says=_INVALID_SAYS,
        members={"detail": _problem_of_value},
    ),
    refusals.MissingToken: Row(
        status=401,
        type="missing_token",
        says="No token was sent. Log in, and send the access token; or send an API token.",
        headers=_challenge(),
    ),
    refusals.InsufficientScope: Row(
        status=403,
        type="insufficient_scope",
        says="The API token may only read. Send one with the scope `write`.",
        headers={"WWW-Authenticate": _challenge_scope},
    ),
    refusals.SessionNeeded: Row(
        status=403,
        type="session_required",
        says="No API token may do this. Log in, and send the access token.",
        headers=_challenge(', error="insufficient_scope"'),
    ),
    refusals.ForeignPage: Row(
        status=403,
        type="cross_origin_refused",
        says="The session's cookie came from a page of another origin, or nobody says from which. "
        "Send `Authorization: Bearer …` instead.",
    ),
    refusals.InvalidRequest: Row(
        status=422,
        type=_INVALID,
        says=_INVALID_SAYS,
        members={"detail": lambda error: error.problems},
    ),
    refusals.RequestRefused: Row(
        status=400,
        type="request_refused",
        says="The request cannot be served as it is.",
    ),
    refusals.MalformedHttp: Row(
        status=400,
        type="malformed_request",
        says="The request is not valid HTTP/1.1.",
    ),
    refusals.MalformedRequest: Row(
        status=400,
        type="incomplete_body",
        says="The body did not arrive as its headers announced it. Send it again.",
    ),
    refusals.NoSuchAddress: Row(
        status=404,
        type="address_not_found",
        says="Nothing is at this address.",
    ),
    refusals.NoSuchMethod: Row(
        status=405,
        type="method_not_allowed",
        says="This address does not know the method; `Allow` lists those it knows.",
        headers={"Allow": lambda error: error.allowed},
    ),
    refusals.SlowRequest: Row(
        status=408,
        type="request_timeout",
        says="The body took too long to arrive. Send it again, or less at once.",
        headers={"Connection": _constant("close")},
    ),
    refusals.ContentTooLarge: Row(
        status=413,
        type="content_too_large",
        says="The body is too large. Send less at once.",
    ),
    refusals.UnsupportedContent: Row(
        status=415,
        type="unsupported_media_type",
        says="The body is not JSON in UTF-8, or it is compressed.",
        headers={"Accept": _constant("application/json")},
    ),
    refusals.ConditionFailed: _PRECONDITION_FAILED,
    refusals.RangeNotSatisfiable: Row(
        status=416,
        type="range_not_satisfiable",
        says="The range lies outside the file; `Content-Range` says how long that is.",
        headers={"Content-Range": lambda error: f"bytes */{error.size}"},
    ),
    refusals.UnknownExpectation: Row(
        status=417,
        type="expectation_failed",
        says="`Expect` asks for something other than `100-continue`.",
    ),
    refusals.TooManyStreams: Row(
        status=429,
        type="too_many_streams",
        says="This session or API token has too many event streams. Close one, or share one.",
        headers=_LATER,
    ),
    refusals.HeaderTooLarge: Row(
        status=431,
        type="header_too_large",
        says="The address or a header is too long; 8 KiB are allowed in each.",
    ),
    refusals.NoMoreStreams: Row(
        status=503,
        type="streams_busy",
        says="The server has as many event streams as it may have, or is stopping. Try again "
        "later.",
        headers=_LATER,
    ),
    refusals.ServerStopping: Row(
        status=503,
        type="server_stopping",
        says="The server is stopping, and what was waited for is not done. Ask again later.",
        headers=_LATER,
    ),
    refusals.TooManyConnections: Row(
        status=503,
        type="too_many_connections",
        says="The server has as many connections as it may have; the request was not read. Try "
        "again later.",
        headers=_LATER,
    ),
}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """How an error is answered: status, members of the body, headers."""

    status: int
    members: Mapping[str, object]
    headers: Headers


def row_of(kind: type[errors.TaglineError]) -> Row:
    """The row of a class of errors: its own, or that of its nearest ancestor."""
    return next(TABLE[each] for each in kind.__mro__ if each in TABLE)


def tell(error: errors.TaglineError) -> Told:
    """How an error of ours is answered."""
    row = row_of(type(error))
    members = {"type": row.type, "detail": row.detail or str(error)}
    return Told(
        status=row.status,
        members=members | {name: give(error) for name, give in row.members.items()},
        headers={name: give(error) for name, give in row.headers.items()},
    )
