"""What monitors ask: whether it lives, whether it is ready, and the figures."""

import asyncio
from collections.abc import Iterable

import msgspec
from aiohttp import web
from pydantic import BaseModel, Field

from tagline.api.answers import json_answer
from tagline.api.exposition import MEDIA_TYPE, Family, expose
from tagline.api.health import answer_readiness, readiness
from tagline.api.inputs import Call
from tagline.api.keys import STREAMS, TRAFFIC
from tagline.api.measuring import library_families
from tagline.api.operations import Access, Answer, Declaration, Operation, operation
from tagline.api.options import Metrics
from tagline.api.process import process_families
from tagline.library import Status


class LiveResponse(BaseModel):
    """The process answers."""

    live: bool = Field(description="Always true.")


class ReadyResponse(BaseModel):
    """Whether the index holds what the photo directory holds."""

    ready: bool
    status: Status = Field(description="In one word, as in `GET /health`.", examples=["scanning"])


@operation(
    "GET",
    "/health/live",
    Declaration(
        tag="Upkeep",
        access=Access.OPEN,
        answers=(Answer(status=200, says="The process answers.", body=(LiveResponse,)),),
    ),
)
async def get_live(call: Call) -> web.Response:  # noqa: ARG001 - every handler takes one
    """Whether the process answers at all, for probes that start it again when it does not.

    It says nothing of the photos: starting again does not bring back a disk.
    """
    return json_answer({"live": True})


@operation(
    "GET",
    "/health/ready",
    Declaration(
        tag="Upkeep",
        access=Access.OPEN,
        answers=readiness(ReadyResponse),
    ),
)
async def get_ready(call: Call) -> web.Response:
    """Whether lists are complete: the photos are there, and the first scan is done."""
    health = call.library.health()
    said = {"ready": health.ready, "status": health.status}
    return answer_readiness(said, ready=health.ready)


@operation(
    "GET",
    "/metrics",
    Declaration(
        tag="Upkeep",
        answers=(Answer(status=200, says="The figures.", media_type="text/plain"),),
    ),
)
async def get_metrics(call: Call) -> web.Response:
    """Figures for Prometheus, in its text format (version 0.0.4).

    No label holds an id, a file name, an address or a word of a description. The setting
    `TAGLINE_METRICS` lets everybody read them, or nobody.
    """
    app = call.request.app
    families: list[Family] = [
        *library_families(call.library.figures(), len(app[STREAMS])),
        *app[TRAFFIC].families(),
        *await asyncio.to_thread(lambda: list(process_families())),
    ]
    body = await asyncio.to_thread(expose, families)
    return web.Response(body=body, headers={"Content-Type": MEDIA_TYPE})


OPERATIONS = (get_live, get_ready, get_metrics)


def offered(operations: Iterable[Operation], metrics: Metrics) -> tuple[Operation, ...]:
    """The operations as the setting of the figures has them: open, by token, or not there."""
    changed = {"off": None, "token": get_metrics, "open": _opened(get_metrics)}[metrics]
    all_of_them = (changed if each is get_metrics else each for each in operations)
    return tuple(each for each in all_of_them if each is not None)


def _opened(operation: Operation) -> Operation:
    return msgspec.structs.replace(operation, access=Access.OPEN)
