"""Successful answers in JSON."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from aiohttp import web

from tagline.api.conditional import Validators, whole_second

_NEVER_WITHOUT_ASKING = "private, no-cache"


def json_answer(
    value: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """An answer whose body is the JSON of a value, or bytes that are JSON already."""
    body = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return web.Response(
        body=body,
        status=status,
        headers={"Content-Type": "application/json", **(headers or {})},
    )


def cached_json(body: bytes, validators: Validators | None = None) -> web.Response:
    """JSON that a client may keep, and must ask about before it uses it again."""
    headers = {"Cache-Control": _NEVER_WITHOUT_ASKING}
    return json_answer(body, headers=headers | (validators.headers() if validators else {}))


def not_modified(validators: Validators) -> web.Response:
    """304: what the client keeps is still right."""
    headers = {"Cache-Control": _NEVER_WITHOUT_ASKING, **validators.headers()}
    return web.Response(status=304, headers=headers)


def photo_validators(etag: str, last_modified: str) -> Validators:
    """Validators of a photo's JSON, from its own members."""
    return Validators(etag, whole_second(datetime.fromisoformat(last_modified).timestamp()))
