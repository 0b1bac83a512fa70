"""Operations: a method and a path, declared once for routing, validation and OpenAPI."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import cast, get_args, get_type_hints

import msgspec
from aiohttp import web
from pydantic import BaseModel

from tagline.api.inputs import BodyInput, Call, HeaderInput, PathInput, QueryInput
from tagline.errors import TaglineError
from tagline.library import Scope

_INPUT_KINDS = (PathInput, QueryInput, HeaderInput, BodyInput)

Handler = Callable[..., Awaitable[web.StreamResponse]]


SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, 9.2.1)."""


class Access(Enum):
    """Who may call an operation. What declares nothing else demands a token.

    An API token also needs the operation's scope; ``SESSION`` takes none, only who logged in.
    """

    TOKEN = "token"  # noqa: S105 - the name of a kind of access, no secret
    SESSION = "session"
    OPEN = "open"
    OWN_CHECK = "own_check"
    """The operation itself decides, since a token may come in the body as well."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A successful answer: its status, what it means, its body and headers.

    ``body`` is the model of a JSON body (or several); ``media_type`` stands for any other body.
    ``events`` are the models of the data of Server-Sent Events, by their types.
    ``headers`` are names from the table of headers in ``openapi``.
    """

    status: int
    says: str
    body: tuple[type[BaseModel], ...] = ()
    media_type: str | None = None
    events: Mapping[str, type[BaseModel]] = {}
    headers: tuple[str, ...] = ()


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """One argument of a handler: its name, its model, and whether it must be there."""

    name: str
    model: type[BaseModel]
    required: bool = True


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A method and a path, and everything that is to be known about them."""

    method: str
    path: str
    tag: str
    handler: Handler
    answers: tuple[Answer, ...]
    refusals: tuple[type[TaglineError], ...]
    access: Access
    large_body_bytes: int | None
    inputs: tuple[Input, ...]
    is_stream: bool
    """Whether it answers with events, for as long as the client likes."""

    @property
    def name(self) -> str:
        """The handler's name: the OpenAPI operation id."""
        return self.handler.__name__

    @property
    def demands_token(self) -> bool:
        """Whether nobody may call it who has no token."""
        return self.access in {Access.TOKEN, Access.SESSION}

    @property
    def scope(self) -> Scope:
        """What an API token needs to call it: its method says so, nothing else can."""
        return "read" if self.method in SAFE_METHODS else "write"

    @property
    def docstring(self) -> str:
        """What the handler says of itself, for readers of the documentation."""
        return inspect.getdoc(self.handler) or ""

    def input(self, kind: type[BaseModel]) -> Input | None:
        """The argument of one kind, if the handler takes one."""
        return next((i for i in self.inputs if issubclass(i.model, kind)), None)


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    """What an operation declares beside its handler's signature.

    ``refusals`` are the errors it may raise beyond those that follow from its inputs and access.
    ``large_body_bytes`` is the limit of its body where that is not the general one; only a few such
    requests are read and served at a time.
    """

    tag: str
    answers: tuple[Answer, ...]
    refusals: tuple[type[TaglineError], ...] = ()
    access: Access = Access.TOKEN
    large_body_bytes: int | None = None


def operation(method: str, path: str, declaration: Declaration) -> Callable[[Handler], Operation]:
    """Make an operation of a handler: ``async def handler(call, …) -> StreamResponse``."""

    def declare(handler: Handler) -> Operation:
        return Operation(
            method=method,
            path=path,
            tag=declaration.tag,
            handler=handler,
            answers=declaration.answers,
            refusals=declaration.refusals,
            access=declaration.access,
            large_body_bytes=declaration.large_body_bytes,
            inputs=_inputs_of(handler),
            is_stream=any(answer.events for answer in declaration.answers),
        )

    return declare


def _inputs_of(handler: Handler) -> tuple[Input, ...]:
    """The arguments of a handler after the ``Call``, by its signature."""
    hints = get_type_hints(handler)
    first, *names = inspect.signature(handler).parameters
    if hints[first] is not Call:
        raise TypeError(f"{handler.__name__}: the first argument must be a Call")
    return tuple(_input(handler, name, hints[name]) for name in names)


def _input(handler: Handler, name: str, hint: object) -> Input:
    """One argument, by its annotation: a model, or ``model | None``."""
    options = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    models = [option for option in options if option is not NoneType]
    if len(models) == 1 and isinstance(models[0], type) and issubclass(models[0], _INPUT_KINDS):
        model = cast("type[BaseModel]", models[0])
        return Input(name=name, model=model, required=NoneType not in options)
    raise TypeError(f"{handler.__name__}: {name} is no path, query, header or body input")
