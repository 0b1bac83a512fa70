"""What the application carries."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler

from tagline.api.docs_page import DocsPage
from tagline.api.operations import Operation
from tagline.api.options import ApiOptions
from tagline.api.streams import Streams
from tagline.api.traffic import Traffic
from tagline.library import Library, Principal


class Described(NamedTuple):
    """The API described: as an OpenAPI document in JSON, and as a page for people."""

    document: bytes
    page: DocsPage


LIBRARY = web.AppKey("library", Library)
OPTIONS = web.AppKey("options", ApiOptions)
OPERATIONS = web.AppKey[Mapping[Handler, Operation]]("operations")
"""The operation of each routed handler; a handler that is not in it is not served."""
DESCRIBED = web.AppKey[Callable[[], Described]]("described")
"""Gives the API described; blocks the first time."""
STREAMS = web.AppKey("streams", Streams)
"""The event streams that are open."""
TRAFFIC = web.AppKey("traffic", Traffic)
"""The requests that were answered."""
REQUEST_ID = web.RequestKey("request_id", str)
PRINCIPAL = web.RequestKey("principal", Principal)
"""Who sent the request; absent where the operation is open, or decides by itself."""
