"""Operations that look after the server: rescan and health."""

from typing import Annotated

from aiohttp import web
from pydantic import Field

from tagline.api.answers import json_answer
from tagline.api.clients import base_of
from tagline.api.health import HealthResponse, answer_readiness, readiness
from tagline.api.inputs import Call, HeaderInput
from tagline.api.operations import Access, Answer, Declaration, operation
from tagline.api.payloads import RescanProgress, RescanResponse
from tagline.api.refusals import ServerStopping
from tagline.api.stopping import unless_stopping
from tagline.errors import IndexFailure, StorageUnavailable

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
        refusals=(StorageUnavailable, IndexFailure, ServerStopping),
    ),
)
async def rescan(call: Call, headers: RescanHeaders) -> web.Response:
    """Compare the index with the photo directory now, and wait for the outcome.

    Changes are found without this as well; it is for file systems that report none. One rescan
    runs at a time: whoever asks meanwhile shares the next one, which sees all that happened before.
    """
    if not headers.wants_async():
        return json_answer(await unless_stopping(call.request.app, call.library.rescan()))
    call.library.start_rescan()
    return json_answer(
        call.library.rescan_progress(),
        status=202,
        headers={
            "Location": f"{base_of(call.request)}/rescan",
            "Preference-Applied": _RESPOND_ASYNC,
        },
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
        answers=readiness(HealthResponse),
    ),
)
async def get_health(call: Call) -> web.Response:
    """Whether the server is ready, and what its parts are doing."""
    health = call.library.health()
    return answer_readiness(health, ready=health.ready)


OPERATIONS = (rescan, get_rescan, get_health)
