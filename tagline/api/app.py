"""The aiohttp application: every operation, middleware and signal, put together."""

import json

from aiohttp import web

from tagline.api import photos, pictures, sessions, upkeep
from tagline.api.binding import endpoint
from tagline.api.cors import allow_origin, preflight
from tagline.api.docs_page import make_docs_page
from tagline.api.errors import error_response
from tagline.api.keys import DOCS_PAGE, DOCUMENT, LIBRARY, OPERATIONS, OPTIONS
from tagline.api.middlewares import (
    add_headers,
    answer_errors,
    answer_options,
    demand_token,
    name_request,
)
from tagline.api.openapi import make_document
from tagline.api.operations import Operation
from tagline.api.options import ApiOptions
from tagline.library import Library

ALL_OPERATIONS: tuple[Operation, ...] = (
    *sessions.OPERATIONS,
    *photos.OPERATIONS,
    *pictures.OPERATIONS,
    *upkeep.OPERATIONS,
)
"""Every operation of the API, in the order of the documentation."""


def create_app(library: Library, options: ApiOptions) -> web.Application:
    """The application over a library, which the caller starts and stops."""
    origins = options.cors_allowed_origins
    app = web.Application(
        middlewares=[
            name_request,
            answer_errors,
            *([preflight(origins)] if origins else []),
            answer_options,
            demand_token,
        ]
    )
    app[LIBRARY] = library
    app[OPTIONS] = options
    document = make_document(ALL_OPERATIONS, options.version)
    app[DOCUMENT] = json.dumps(document, ensure_ascii=False).encode()
    app[DOCS_PAGE] = make_docs_page(document)
    app[OPERATIONS] = {_route(app, operation): operation for operation in ALL_OPERATIONS}
    app.on_response_prepare.append(add_headers)
    if origins:
        app.on_response_prepare.append(allow_origin(origins))
    return app


def _route(app: web.Application, operation: Operation):  # noqa: ANN202
    """Route the operation, ``HEAD`` beside ``GET``; return the handler that aiohttp calls."""
    handler = endpoint(operation)
    methods = ("GET", "HEAD") if operation.method == "GET" else (operation.method,)
    for method in methods:
        app.router.add_route(method, operation.path, handler, expect_handler=_expect)
    return handler


async def _expect(request: web.Request) -> web.StreamResponse | None:
    """Judge ``Expect``; the 100 itself is sent when the body is wanted."""
    if request.headers["Expect"].strip().lower() == "100-continue":
        return None
    return error_response(417, {"detail": "Only Expect: 100-continue is known."})
