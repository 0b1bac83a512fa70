"""Successful answers in JSON."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from aiohttp import web

from tagline.api.compression import BODY, Body
from tagline.api.conditional import Validators, weakly_matches, whole_second
from tagline.model import Photo, Stamp

_JSON = "application/json"
_NEVER_WITHOUT_ASKING = "private, no-cache"


def json_answer(
    value: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """An answer whose body is the JSON of a value, or bytes that are JSON already."""
    body = value if isinstance(value, bytes) else msgspec.json.encode(value)
    made = web.Response(body=body, status=status, headers=headers)
    made.headers.setdefault("Content-Type", _JSON)
    return made


def cached_json(body: bytes, validators: Validators | None = None) -> web.Response:
    """JSON that a client may keep, and must ask about before it uses it again.

    It is sent compressed where that pays, so it must hold no secret.
    """
    headers = {"Cache-Control": _NEVER_WITHOUT_ASKING}
    made = json_answer(body, headers=headers | (validators.headers() if validators else {}))
    return compressible(made)


def compressible(response: web.Response, body: Body = Body.PLAIN) -> web.Response:
    """The same answer, to be sent as the client likes it best; ``body`` says what it is now.

    Never an answer with a secret in it: its length would tell of it.
    """
    response[BODY] = body
    return response


def not_modified(validators: Validators) -> web.Response:
    """304: what the client keeps is still right."""
    headers = {"Cache-Control": _NEVER_WITHOUT_ASKING, **validators.headers()}
    return compressible(web.Response(status=304, headers=headers))


def photo_validators(photo: Photo | Stamp) -> Validators:
    """Validators of a photo's JSON, from its own members."""
    modified = datetime.fromisoformat(photo.last_modified)
    return Validators(photo.etag, whole_second(modified.timestamp()))


def unchanged_list(if_none_match: str | None, version: str) -> web.Response | None:
    """304 where the client has a list of this version already."""
    if if_none_match is None or not weakly_matches(if_none_match, version):
        return None
    return compressible(web.Response(status=304, headers=_list_headers(version)))


def list_answer(
    body: bytes, version: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A list in JSON. Its tag is weak: it is that of everything that lists are made of."""
    made = json_answer(body, headers=_list_headers(version) | dict(headers or {}))
    return compressible(made)


def _list_headers(version: str) -> dict[str, str]:
    return {"Cache-Control": _NEVER_WITHOUT_ASKING, "ETag": f'W/"{version}"'}
