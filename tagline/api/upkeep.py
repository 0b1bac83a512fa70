"""Operations that look after the server: rescan, health, and its own documentation."""

from hashlib import blake2b
from typing import Annotated

from aiohttp import web
from pydantic import Field

from tagline.api.answers import json_answer, not_modified
from tagline.api.conditional import Validators, Verdict, evaluate
from tagline.api.health import HealthResponse
from tagline.api.inputs import Call, HeaderInput
from tagline.api.keys import DOCS_PAGE, DOCUMENT
from tagline.api.operations import Access, Answer, Declaration, operation
from tagline.api.payloads import RescanProgress, RescanResponse

_RESPOND_ASYNC = "respond-async"


class RescanHeaders(HeaderInput):
    """How to be answered."""

    prefer: Annotated[
        str | None,
        Field(
            alias="Prefer",
            description="`respond-async`: answer 202 at once; `GET /rescan` shows the progress.",
            examples=[_RESPOND_ASYNC],
        ),
    ] = None

    def wants_async(self) -> bool:
        """Whether the preference is among those listed (RFC 7240, 4.1)."""
        listed = (part.split(";")[0].strip().lower() for part in (self.prefer or "").split(","))
        return _RESPOND_ASYNC in listed


@operation(
    "POST",
    "/rescan",
    Declaration(
        tag="Upkeep",
        answers=(
            Answer(status=200, says="It is done.", body=(RescanResponse,)),
            Answer(
                status=202,
                says="It is under way.",
                body=(RescanProgress,),
                headers=("Location", "Preference-Applied"),
            ),
        ),
        refusals=(503,),
    ),
)
async def rescan(call: Call, headers: RescanHeaders) -> web.Response:
    """Compare the index with the photo directory now, and wait for the outcome.

    Changes are found without this as well; it is for file systems that report none. One rescan
    runs at a time: a second request joins the first.
    """
    if not headers.wants_async():
        return json_answer(await call.library.rescan())
    call.library.start_rescan()
    return json_answer(
        call.library.rescan_progress(),
        status=202,
        headers={"Location": "/rescan", "Preference-Applied": _RESPOND_ASYNC},
    )


@operation(
    "GET",
    "/rescan",
    Declaration(
        tag="Upkeep",
        answers=(Answer(status=200, says="The progress.", body=(RescanProgress,)),),
    ),
)
async def get_rescan(call: Call) -> web.Response:
    """How far the running rescan is, or what the last one found."""
    return json_answer(call.library.rescan_progress())


@operation(
    "GET",
    "/health",
    Declaration(
        tag="Upkeep",
        access=Access.OPEN,
        answers=(
            Answer(status=200, says="Ready.", body=(HealthResponse,)),
            Answer(status=503, says="Not ready.", body=(HealthResponse,)),
        ),
    ),
)
async def get_health(call: Call) -> web.Response:
    """Whether the server is ready, and what its parts are doing."""
    health = call.library.health()
    return json_answer(health, status=200 if health.ready else 503)


@operation(
    "GET",
    "/openapi.json",
    Declaration(
        tag="Documentation",
        access=Access.OPEN,
        answers=(
            Answer(status=200, says="The document.", media_type="application/json"),
            Answer(status=304, says="It is still the one that the request names."),
        ),
    ),
)
async def get_openapi(call: Call) -> web.Response:
    """This API as an OpenAPI 3.1 document."""
    document = call.request.app[DOCUMENT]
    validators = Validators(blake2b(document, digest_size=12).hexdigest(), None)
    if evaluate(call.request.headers, validators) is Verdict.NOT_MODIFIED:
        return not_modified(validators)
    return json_answer(document, headers={"Cache-Control": "no-cache", **validators.headers()})


@operation(
    "GET",
    "/docs",
    Declaration(
        tag="Documentation",
        access=Access.OPEN,
        answers=(Answer(status=200, says="The page.", media_type="text/html"),),
    ),
)
async def get_docs(call: Call) -> web.Response:
    """This API as a page for people; it needs nothing from any other server."""
    page = call.request.app[DOCS_PAGE]
    return web.Response(
        body=page.html,
        headers={
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": page.content_security_policy,
            "Cache-Control": "no-cache",
        },
    )


OPERATIONS = (rescan, get_rescan, get_health, get_openapi, get_docs)
