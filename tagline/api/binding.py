"""From a request to a handler's arguments, by the operation's declaration."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import nullcontext
from functools import partial
from typing import cast

from aiohttp import web
from msgspec import UNSET
from pydantic import BaseModel, ValidationError

from tagline.api.bodies import LARGE_BYTES, BodyLimits, parse_json, read_body
from tagline.api.inputs import BodyInput, Call, HeaderInput, PathInput, QueryInput
from tagline.api.keys import LIBRARY, OPTIONS, PRINCIPAL
from tagline.api.operations import Input, Operation
from tagline.api.options import ApiOptions
from tagline.api.refusals import InvalidRequest, Problem

_MOST_PROBLEMS = 50
_LONGEST_NAME = 100
_LARGE_AT_ONCE = 2
"""Requests whose body may be large that are read and served at a time; others wait unread."""
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

Source = Callable[[web.Request], Mapping[str, object]]


def endpoint(operation: Operation) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The aiohttp handler of an operation: bind, then call.

    It raises ``InvalidRequest`` for whatever is not as declared, and what ``read_body`` raises.
    """
    body = operation.input(BodyInput)
    gate = asyncio.Semaphore(_LARGE_AT_ONCE) if operation.large_body_bytes else nullcontext()
    others = tuple((item, _source_of(item)) for item in operation.inputs if item is not body)

    async def respond(request: web.Request) -> web.StreamResponse:
        options = request.app[OPTIONS]
        call = Call(
            request=request,
            library=request.app[LIBRARY],
            options=options,
            principal=request.get(PRINCIPAL),
        )
        arguments: dict[str, BaseModel | None] = {}
        problems: list[Problem] = []
        for item, (location, source) in others:
            arguments[item.name] = _bind(item, location, source(request), problems)
        async with gate:
            if body is not None:
                content = await read_body(request, _limits(operation, options))
                bind = partial(_bind_body, body, content, problems)
                large = len(content) > LARGE_BYTES
                arguments[body.name] = await asyncio.to_thread(bind) if large else bind()
            if problems:
                raise InvalidRequest(problems[:_MOST_PROBLEMS])
            return await operation.handler(call, **arguments)

    return respond


def _source_of(item: Input) -> tuple[str, Source]:
    """Where an argument's values come from: the name of the place, and how to get them."""
    if issubclass(item.model, PathInput):
        return "path", lambda request: dict(request.match_info)
    if issubclass(item.model, QueryInput):
        return "query", _query
    names = tuple(field.alias or name for name, field in item.model.model_fields.items())
    if issubclass(item.model, HeaderInput):
        return "header", lambda request: _headers(request, names)
    raise TypeError(f"{item.name}: no place is known for this kind of input")


def _query(request: web.Request) -> dict[str, str]:
    """The query's members, each of which must be there once."""
    query = dict(request.query)
    if len(query) != len(request.query):
        repeated = [name for name in query if len(request.query.getall(name)) > 1]
        raise InvalidRequest([_repeated(name) for name in repeated[:_MOST_PROBLEMS]])
    return query


def _repeated(name: str) -> Problem:
    """The problem of a member that is there twice."""
    return {"loc": ["query", _plain(name)], "msg": "Given more than once", "type": "repeated"}


def _headers(request: web.Request, names: Iterable[str]) -> dict[str, str]:
    """The named headers that are there; several lines are one list (RFC 9110, 5.3)."""
    return {n: ", ".join(request.headers.getall(n)) for n in names if n in request.headers}


def _bind(item: Input, location: str, value: object, problems: list[Problem]) -> BaseModel | None:
    """The argument, or None and more problems."""
    try:
        return item.model.model_validate(value)
    except ValidationError as error:
        problems.extend(problems_of(error, location))
    return None


def _limits(operation: Operation, options: ApiOptions) -> BodyLimits:
    """How large the body may be, and how long it may take."""
    return BodyLimits(
        bytes=operation.large_body_bytes or options.max_body_bytes, seconds=options.body_seconds
    )


def _bind_body(item: Input, body: bytes, problems: list[Problem]) -> BaseModel | None:
    """The body as an argument: None where there is none and none is needed.

    Raises:
        InvalidRequest: it is no JSON.
    """
    content = parse_json(body)
    if isinstance(content, dict):
        return _bind(item, "body", cast("object", content), problems)
    if content is not UNSET or item.required:
        problems.append({"loc": ["body"], "msg": "Send a JSON object", "type": "object_type"})
    return None


def problems_of(error: ValidationError, location: str) -> list[Problem]:
    """A pydantic error as clients get it: without the values, which may be secrets."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [
        {
            "loc": [location, *(_plain(part) for part in item["loc"])],
            "msg": item["msg"],
            "type": item["type"],
        }
        for item in found[:_MOST_PROBLEMS]
    ]


def _plain(part: int | str) -> int | str:
    """A part of a location that the client itself named, short and printable."""
    return part if isinstance(part, int) else _CONTROL.sub("\ufffd", part[:_LONGEST_NAME])
