"""The one table from errors to answers: status, further members, headers."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from tagline import errors
from tagline.api import refusals

_RETRY_AFTER_SECONDS = 10

Headers = dict[str, str]


def _nothing(_error: object) -> Headers:
    """No further members or headers."""
    return {}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """How one kind of error is answered.

    ``detail`` replaces the error's own sentence, where that is meant for the operator.
    """

    status: int
    detail: str | None = None
    members: Callable[[Any], Mapping[str, object]] = _nothing
    headers: Callable[[Any], Headers] = _nothing


def _challenge(_error: object) -> Headers:
    """Ask for a token (RFC 6750, 3)."""
    return {"WWW-Authenticate": 'Bearer realm="tagline"'}


def _challenge_again(_error: object) -> Headers:
    """Ask for a better token (RFC 6750, 3.1)."""
    return {"WWW-Authenticate": 'Bearer realm="tagline", error="invalid_token"'}


def _challenge_scope(error: refusals.InsufficientScope) -> Headers:
    """Ask for a token of more scope (RFC 6750, 3.1)."""
    said = f'error="insufficient_scope", scope="{error.scope}"'
    return {"WWW-Authenticate": f'Bearer realm="tagline", {said}'}


def _challenge_session(_error: object) -> Headers:
    """Say that no API token will do."""
    return {"WWW-Authenticate": 'Bearer realm="tagline", error="insufficient_scope"'}


def _later(_error: object) -> Headers:
    return {"Retry-After": str(_RETRY_AFTER_SECONDS)}


def _after_the_limit(error: errors.TooManyAttempts | errors.PicturesBusy) -> Headers:
    return {"Retry-After": str(max(1, math.ceil(error.retry_after.total_seconds())))}


def _current(error: errors.PhotoModified) -> Mapping[str, object]:
    return {"last_modified": error.actual, "etag": error.etag}


def _current_tag(
    error: errors.PreconditionFailed | refusals.ConditionFailed,
) -> Mapping[str, object]:
    return {"etag": error.actual}


def _problem_of_picture(error: errors.PictureRefused) -> Mapping[str, object]:
    loc: list[str | int] = ["path", "photo_id"]
    kind = f"picture_{error.reason}"
    return {"detail": [refusals.Problem(loc=loc, msg=error.sentence, type=kind)]}


def _real_size(error: refusals.RangeNotSatisfiable) -> Headers:
    return {"Content-Range": f"bytes */{error.size}"}


def _problems(error: refusals.InvalidRequest) -> Mapping[str, object]:
    return {"detail": error.problems}


def _problem_of_value(error: errors.InvalidValue) -> Mapping[str, object]:
    loc: list[str | int] = ["body", error.field]
    return {"detail": [refusals.Problem(loc=loc, msg=error.fault, type="invalid_value")]}


UNEXPECTED = (
    "Something went wrong inside the server. Tell whoever runs it the X-Request-ID: its log says "
    "more under that."
)

TABLE: Mapping[type[errors.TaglineError], Row] = {
    errors.TaglineError: Row(status=500, detail=UNEXPECTED),
    errors.StorageError: Row(status=500),
    errors.StorageUnavailable: Row(status=503, headers=_later),
    errors.ObjectNotFound: Row(status=404, detail=errors.PHOTO_NOT_FOUND),
    errors.UnsafeKey: Row(status=404, detail=errors.PHOTO_NOT_FOUND),
    errors.ObjectChanged: Row(status=409),
    errors.StorageReadOnly: Row(status=403),
    errors.StorageFull: Row(status=507),
    errors.EditRefused: Row(status=409),
    errors.PictureRefused: Row(status=422, members=_problem_of_picture),
    errors.PicturesBusy: Row(status=503, headers=_after_the_limit),
    errors.IndexFailure: Row(
        status=503,
        detail="The index cannot be used now: try again later. The server's log says why.",
        headers=_later,
    ),
    errors.AuthError: Row(status=401, headers=_challenge),
    errors.InvalidToken: Row(status=401, headers=_challenge_again),
    errors.ExchangedMeanwhile: Row(status=409),
    errors.TooManyAttempts: Row(status=429, headers=_after_the_limit),
    errors.ApiTokenError: Row(status=409),
    errors.ApiTokenNotFound: Row(status=404),
    errors.PhotoNotFound: Row(status=404),
    errors.ChangeNotFound: Row(status=404),
    errors.PhotoModified: Row(status=409, members=_current),
    errors.PreconditionFailed: Row(status=412, members=_current_tag),
    errors.InvalidValue: Row(status=422, members=_problem_of_value),
    refusals.NotAllowed: Row(status=403),
    refusals.InsufficientScope: Row(status=403, headers=_challenge_scope),
    refusals.SessionNeeded: Row(status=403, headers=_challenge_session),
    refusals.InvalidRequest: Row(status=422, members=_problems),
    refusals.MalformedRequest: Row(status=400),
    refusals.SlowRequest: Row(status=408, headers=lambda _: {"Connection": "close"}),
    refusals.ContentTooLarge: Row(status=413),
    refusals.UnsupportedContent: Row(status=415, headers=lambda _: {"Accept": "application/json"}),
    refusals.ConditionFailed: Row(status=412, members=_current_tag),
    refusals.RangeNotSatisfiable: Row(status=416, headers=_real_size),
    refusals.TooManyStreams: Row(status=429, headers=_later),
    refusals.NoMoreStreams: Row(status=503, headers=_later),
    refusals.ServerStopping: Row(status=503, headers=_later),
}

EXPECTATION = "Only Expect: 100-continue is known; send that, or no Expect."
_SENTENCES = {
    404: "There is nothing at this address; /docs and /openapi.json say what there is.",
    405: "This address does not know the method; the Allow header lists those it knows.",
    413: "The request is too large; send less at once.",
    417: EXPECTATION,
}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """How an error is answered: status, members of the body, headers."""

    status: int
    members: Mapping[str, object]
    headers: Headers


def tell(error: errors.TaglineError) -> Told:
    """How an error of ours is answered: by the row of its nearest class."""
    row = next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)
    members = {"detail": row.detail or str(error), **row.members(error)}
    return Told(status=row.status, members=members, headers=row.headers(error))


def answer_to(error: errors.TaglineError) -> web.Response:
    """The answer to an error of ours."""
    told = tell(error)
    return error_response(told.status, told.members, told.headers)


def answer_to_http(error: web.HTTPException) -> web.Response:
    """The answer to an error of aiohttp's own, such as the router's 404 and 405."""
    sentence = _SENTENCES.get(
        error.status, f"{error.reason}: look into /openapi.json for what can be asked."
    )
    kept = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
    return error_response(error.status, {"detail": sentence}, kept)


def error_response(
    status: int, members: Mapping[str, object], headers: Headers | None = None
) -> web.Response:
    """An error as JSON, in ASCII so that no text of a client's can break it."""
    body = json.dumps(members).encode("ascii")
    return web.Response(
        status=status,
        body=body,
        headers={"Content-Type": "application/json", "Cache-Control": "no-store"} | (headers or {}),
    )
