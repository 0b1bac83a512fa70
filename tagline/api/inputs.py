"""Where a handler's arguments come from: the base class of a parameter's model says it.

A handler takes a ``Call`` and then any of a ``PathInput``, a ``QueryInput``, a ``HeaderInput`` and
a ``BodyInput`` (``| None`` where a request may come without a body). From these declarations alone
requests are validated and the OpenAPI document is written.
"""

import msgspec
from aiohttp import web
from pydantic import BaseModel, ConfigDict

from tagline.api.options import ApiOptions
from tagline.library import Library, Principal


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What every handler gets: the request as it came, who sent it, and what it works on.

    ``principal`` is None where the operation is open, or decides by itself who may call it.
    """

    request: web.Request
    library: Library
    options: ApiOptions
    principal: Principal | None = None


class PathInput(BaseModel):
    """Members come from the ``{…}`` parts of the path."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class QueryInput(BaseModel):
    """Members come from the query string; unknown and repeated ones are refused.

    A misspelt filter that is silently passed over would answer another question than was asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


class HeaderInput(BaseModel):
    """Members come from the headers that their aliases name; repeated ones are joined by commas."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class BodyInput(BaseModel):
    """The JSON body; unknown members are refused, and nothing is converted to the type wanted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)
