"""The JSON of ``GET /health``, and how readiness is answered."""

from aiohttp import web
from pydantic import BaseModel, Field

from tagline.api.answers import json_answer
from tagline.api.errors import RETRY_AFTER_SECONDS
from tagline.api.operations import Answer
from tagline.api.payloads import Moment
from tagline.library import ScanState, Status
from tagline.sync import WatchMode, WatchState


class StorageHealth(BaseModel):
    """The photo directory."""

    available: bool = Field(description="Whether it is there and can be listed.")
    problem: str | None = Field(description="What is wrong with it, in a sentence.")


class WatcherHealth(BaseModel):
    """How changes in the photo directory are noticed."""

    mode: WatchMode = Field(
        description="By events of the file system, by looking again and again, or not at all.",
        examples=["notify"],
    )
    state: WatchState = Field(
        description="`unavailable`: the photo directory is not there. `failing`: the index cannot "
        "be written.",
        examples=["watching"],
    )
    delay_seconds: float | None = Field(
        description="After how long a change shows at the latest; null when only a rescan finds it."
    )
    degraded: str | None = Field(description="Why it is worse than asked for, in a sentence.")
    last_full_reconcile: Moment | None = Field(
        description="When the whole directory was last compared with the index."
    )


class IndexHealth(BaseModel):
    """The index."""

    photos: int = Field(description="Photos there are in all.", examples=[20431])
    recovered: str | None = Field(
        description="What happened to an index file that was damaged, if one was."
    )


class ScanHealth(BaseModel):
    """The scan under way, or the last one."""

    state: ScanState = Field(examples=["idle"])
    listed: int = Field(description="Files met so far.", examples=[20431])
    decoded: int = Field(description="New and changed photos read so far.", examples=[17])
    total: int | None = Field(description="New and changed photos in all, once that is known.")
    rate: float = Field(description="Photos read per second.", examples=[412.5])
    seconds_left: float | None = Field(description="About how long it will still take.")


class HistoryHealth(BaseModel):
    """The history of changes."""

    changes: int = Field(description="Changes that are remembered in all.", examples=[312])
    problem: str | None = Field(
        description="Why the newest change was not kept, or none is kept beyond this run."
    )
    recovered: str | None = Field(
        description="What happened to a history file that was damaged, if one was."
    )


class HealthResponse(BaseModel):
    """Whether the server works, and what its parts are doing."""

    status: Status = Field(
        description="All of it in one word. `scanning`: the first scan has not ended.",
        examples=["ready"],
    )
    live: bool = Field(description="Whether the process works.")
    ready: bool = Field(description="Whether the index holds what the photo directory holds.")
    version: str = Field(examples=["1.0.0"])
    storage: StorageHealth
    watcher: WatcherHealth
    index: IndexHealth
    scan: ScanHealth
    history: HistoryHealth


def readiness(body: type[BaseModel]) -> tuple[Answer, Answer]:
    """The two answers of an operation that tells whether the server is ready."""
    return (
        Answer(status=200, says="Ready.", body=(body,)),
        Answer(status=503, says="Not ready.", body=(body,), headers=("Retry-After",)),
    )


def answer_readiness(value: object, *, ready: bool) -> web.Response:
    """That one of them which is true now."""
    if ready:
        return json_answer(value)
    return json_answer(value, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
