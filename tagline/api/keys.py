"""What the application carries."""

from collections.abc import Mapping

from aiohttp import web
from aiohttp.typedefs import Handler

from tagline.api.docs_page import DocsPage
from tagline.api.operations import Operation
from tagline.api.options import ApiOptions
from tagline.library import Library

LIBRARY = web.AppKey("library", Library)
OPTIONS = web.AppKey("options", ApiOptions)
OPERATIONS = web.AppKey[Mapping[Handler, Operation]]("operations")
"""The operation of each routed handler; a handler that is not in it is not served."""
DOCUMENT = web.AppKey("document", bytes)
"""The OpenAPI document, as JSON."""
DOCS_PAGE = web.AppKey("docs_page", DocsPage)
"""The documentation as HTML."""
REQUEST_ID = web.RequestKey("request_id", str)
