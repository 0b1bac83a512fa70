"""Errors as answers in JSON."""

import json
from collections.abc import Mapping

from aiohttp import web

from tagline.api import refusals
from tagline.api.errors import Headers, Told, tell
from tagline.errors import TaglineError

INTERNAL_ERROR = 500


def answer_to(error: TaglineError) -> web.Response:
    """The answer to an error of ours."""
    return _response(tell(error))


def unexpected_answer() -> web.Response:
    """The answer to an error that is none of ours; nothing of it is told."""
    return answer_to(TaglineError())


def answer_to_http(error: web.HTTPException) -> web.Response:
    """The answer to an error of aiohttp's own, such as the router's 404 and 405."""
    match error.status:
        case web.HTTPNotFound.status_code:
            return answer_to(refusals.NoSuchAddress())
        case web.HTTPMethodNotAllowed.status_code:
            return answer_to(refusals.NoSuchMethod(error.headers.get("Allow", "")))
        case web.HTTPExpectationFailed.status_code:
            return answer_to(refusals.UnknownExpectation())
        case status:
            advice = "look into /openapi.json for what can be asked."
            told = tell(refusals.RequestRefused(f"{error.reason}: {advice}"))
            return _response(Told(status=status, members=told.members, headers=told.headers))


def body_of(members: Mapping[str, object]) -> bytes:
    """The members of an error as JSON, in ASCII so that no text of a client's can break it."""
    return json.dumps(members).encode("ascii")


def _response(told: Told) -> web.Response:
    headers: Headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return web.Response(
        status=told.status, body=body_of(told.members), headers=headers | told.headers
    )
