"""From a request to a handler's arguments, by the operation's declaration."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from functools import lru_cache, partial
from typing import cast

from aiohttp import web
from msgspec import UNSET
from pydantic import BaseModel, ValidationError
from yarl import URL

from tagline.api.bodies import LARGE_BYTES, BodyLimits, parse_json, read_body
from tagline.api.inputs import BodyInput, Call, HeaderInput, PathInput, QueryInput
from tagline.api.keys import PRINCIPAL
from tagline.api.operations import Input, Operation
from tagline.api.options import ApiOptions
from tagline.api.refusals import InvalidRequest, Problem
from tagline.library import Library

_MOST_PROBLEMS = 50
_LONGEST_NAME = 100
_LARGE_AT_ONCE = 2
"""Requests whose body may be large that are read and served at a time; others wait unread."""
_QUERIES_KEPT = 32
"""So many query strings of an operation are remembered as they were understood."""
_LONGEST_KEPT = 1024
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

_SAID_OTHERWISE = {"model_type": "Send a JSON object"}
"""What pydantic says in words of its own classes, by type."""

Read = Callable[[web.Request], BaseModel]


def endpoint(
    operation: Operation, library: Library, options: ApiOptions
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The aiohttp handler of an operation: bind, then call.

    It raises ``InvalidRequest`` for whatever is not as declared, and what ``read_body`` raises.
    """
    handle, body = operation.handler, operation.input(BodyInput)
    others = tuple((item.name, *_reading(item)) for item in operation.inputs if item is not body)
    known = operation.demands_token

    def called(request: web.Request) -> Call:
        principal = request[PRINCIPAL] if known else None
        return Call(request=request, library=library, options=options, principal=principal)

    def bound(request: web.Request, problems: list[Problem]) -> dict[str, BaseModel | None]:
        arguments: dict[str, BaseModel | None] = {}
        for name, location, read in others:
            try:
                arguments[name] = read(request)
            except ValidationError as error:
                problems.extend(problems_of(error, location))
        return arguments

    async def respond(request: web.Request) -> web.StreamResponse:
        problems: list[Problem] = []
        arguments = bound(request, problems)
        _demand_none(problems)
        return await handle(called(request), **arguments)

    if body is None:
        return respond
    limits = _limits(operation, options)
    gate = asyncio.Semaphore(_LARGE_AT_ONCE) if operation.large_body_bytes else nullcontext()

    async def respond_to_body(request: web.Request) -> web.StreamResponse:
        problems: list[Problem] = []
        arguments = bound(request, problems)
        async with gate:
            content = await read_body(request, limits)
            bind = partial(_bind_body, body, content, problems)
            large = len(content) > LARGE_BYTES
            arguments[body.name] = await asyncio.to_thread(bind) if large else bind()
            _demand_none(problems)
            return await handle(called(request), **arguments)

    return respond_to_body


def _demand_none(problems: list[Problem]) -> None:
    if problems:
        raise InvalidRequest(problems[:_MOST_PROBLEMS])


def _reading(item: Input) -> tuple[str, Read]:
    """Where an argument's values come from: the name of the place, and how to get it from there."""
    validate = item.model.model_validate
    if issubclass(item.model, PathInput):
        return "path", lambda request: validate(dict(request.match_info))
    if issubclass(item.model, QueryInput):
        return "query", _query_reading(lambda text: validate(_members(text)))
    names = tuple(field.alias or name for name, field in item.model.model_fields.items())
    if issubclass(item.model, HeaderInput):
        return "header", _header_reading(names, validate)
    raise TypeError(f"{item.name}: no place is known for this kind of input")


def _query_reading(bind: Callable[[str], BaseModel]) -> Read:
    """How to get an argument from the query; clients ask the same again and again.

    What is not valid is judged each time anew.
    """
    kept = lru_cache(maxsize=_QUERIES_KEPT)(bind)

    def read(request: web.Request) -> BaseModel:
        text = request.rel_url.raw_query_string
        return kept(text) if len(text) <= _LONGEST_KEPT else bind(text)

    return read


def _members(text: str) -> dict[str, str]:
    """The members of a query string, each of which must be there once."""
    given = URL.build(query_string=text, encoded=True).query
    members = dict(given)
    if len(members) != len(given):
        repeated = [name for name in members if len(given.getall(name)) > 1]
        raise InvalidRequest([_repeated(name) for name in repeated[:_MOST_PROBLEMS]])
    return members


def _repeated(name: str) -> Problem:
    """The problem of a member that is there twice."""
    return {"loc": ["query", _plain(name)], "msg": "Given more than once", "type": "repeated"}


def _header_reading(names: tuple[str, ...], validate: Callable[[object], BaseModel]) -> Read:
    """How to get an argument from the named headers; most requests have none of them.

    Several lines are one list (RFC 9110, 5.3).
    """
    without = lru_cache(maxsize=1)(lambda: validate({}))

    def read(request: web.Request) -> BaseModel:
        headers = request.headers
        found = {name: ", ".join(headers.getall(name)) for name in names if name in headers}
        return validate(found) if found else without()

    return read


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
            "msg": _SAID_OTHERWISE.get(item["type"], item["msg"]),
            "type": item["type"],
        }
        for item in found[:_MOST_PROBLEMS]
    ]


def _plain(part: int | str) -> int | str:
    """A part of a location that the client itself named, short and printable."""
    return part if isinstance(part, int) else _CONTROL.sub("\ufffd", part[:_LONGEST_NAME])
