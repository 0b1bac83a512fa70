"""The aiohttp application: every operation, middleware and signal, put together."""

import asyncio
import json
import re
from functools import lru_cache, partial

from aiohttp import web
from aiohttp.typedefs import Handler

from tagline.api import (
    batch,
    documentation,
    editing,
    events,
    finding,
    history,
    listing,
    photos,
    pictures,
    probes,
    sessions,
    tokens,
    upkeep,
)
from tagline.api.binding import endpoint
from tagline.api.compression import compress
from tagline.api.cors import allow_origin, preflight
from tagline.api.docs_page import make_docs_page
from tagline.api.keys import (
    DESCRIBED,
    LIBRARY,
    OPERATIONS,
    OPTIONS,
    STREAMS,
    TRAFFIC,
    Described,
)
from tagline.api.middlewares import (
    admit_request,
    answer_errors,
    complete_answer,
    name_request,
)
from tagline.api.openapi import make_document
from tagline.api.operations import Operation
from tagline.api.options import ApiOptions, Metrics
from tagline.api.stopping import STOPPING, note_stopping
from tagline.api.streams import Streams
from tagline.api.traffic import Traffic, counting
from tagline.library import Library

ALL_OPERATIONS: tuple[Operation, ...] = (
    *sessions.OPERATIONS,
    *tokens.OPERATIONS,
    *listing.OPERATIONS,
    *finding.OPERATIONS,
    *photos.OPERATIONS,
    *editing.OPERATIONS,
    *batch.OPERATIONS,
    *history.OPERATIONS,
    *pictures.OPERATIONS,
    *events.OPERATIONS,
    *upkeep.OPERATIONS,
    *probes.OPERATIONS,
    *documentation.OPERATIONS,
)
"""Every operation of the API, in the order of the documentation."""


def create_app(library: Library, options: ApiOptions) -> web.Application:
    """The application over a library, which the caller starts and stops."""
    origins = options.cors_allowed_origins
    operations: dict[Handler, Operation] = {}
    traffic = Traffic()
    app = web.Application(
        middlewares=[
            counting(traffic, operations),
            name_request,
            answer_errors,
            *([preflight(origins)] if origins else []),
            admit_request,
            compress,
        ]
    )
    app[TRAFFIC] = traffic
    app[LIBRARY] = library
    app[OPTIONS] = options
    app[STREAMS] = Streams(options.events)
    app.on_shutdown.append(app[STREAMS].close)
    app[STOPPING] = asyncio.Event()
    app.on_shutdown.append(note_stopping)
    declared = probes.offered(ALL_OPERATIONS, options.metrics)
    app[DESCRIBED] = partial(_described, options.metrics, options.version, options.base_path)
    operations.update((_route(app, operation), operation) for operation in declared)
    app[OPERATIONS] = operations
    app.on_response_prepare.append(complete_answer)
    if origins:
        app.on_response_prepare.append(allow_origin(origins))
    return app


@lru_cache(maxsize=8)
def _described(metrics: Metrics, version: str, base_path: str) -> Described:
    """The API described: a tenth of a second's work, which no start need wait for."""
    document = make_document(probes.offered(ALL_OPERATIONS, metrics), version, base_path)
    text = json.dumps(document, ensure_ascii=False).encode()
    return Described(text, make_docs_page(document))


def _route(app: web.Application, operation: Operation) -> Handler:
    """Route the operation, ``HEAD`` beside ``GET``; return the handler that aiohttp calls."""
    handler = endpoint(operation, app[LIBRARY], app[OPTIONS])
    address = app[OPTIONS].base_path + _address(operation.path)
    methods = ("GET", "HEAD") if operation.method == "GET" else (operation.method,)
    for method in methods:
        app.router.add_route(method, address, handler, expect_handler=_expect)
    return handler


def _address(path: str) -> str:
    """The path for aiohttp's router: its members are whatever stands between two slashes.

    By itself aiohttp finds nothing where a member has braces in it. The last one, where any, is no
    name that another path has: else ``GET /photos/metadata`` would look for a photo and not say
    that it knows ``PATCH`` alone.
    """
    above, _, last = path.rpartition("/")
    others = (each.path.rpartition("/") for each in ALL_OPERATIONS)
    taken = {re.escape(name) for place, _, name in others if place == above and name[:1] != "{"}
    but = f"(?!({'|'.join(sorted(taken))})$)" if taken else ""
    return f"{_routed(above)}/{_routed(last, but)}"


def _routed(path: str, but: str = "") -> str:
    """The path with a rule for each of its members."""
    return re.sub(r"\{(\w+)\}", lambda member: f"{{{member[1]}:{but}[^/]+}}", path)


async def _expect(_request: web.Request) -> None:
    """Leave ``Expect`` to the middlewares; the 100 itself is sent when the body is wanted."""
