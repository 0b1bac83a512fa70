"""The JSON of ``GET /health``."""

from pydantic import BaseModel, Field

from tagline.api.payloads import Moment


class StorageHealth(BaseModel):
    """The photo directory."""

    available: bool = Field(description="Whether it is there and can be listed.")
    problem: str | None = Field(description="What is wrong with it, in a sentence.")


class WatcherHealth(BaseModel):
    """How changes in the photo directory are noticed."""

    mode: str = Field(description="`notify`, `poll` or `off`.", examples=["notify"])
    state: str = Field(examples=["running"])
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

    state: str = Field(examples=["idle"])
    listed: int = Field(description="Files met so far.", examples=[20431])
    decoded: int = Field(description="New and changed photos read so far.", examples=[17])
    total: int | None = Field(description="New and changed photos in all, once that is known.")
    seconds_left: float | None = Field(description="About how long it will still take.")


class HealthResponse(BaseModel):
    """Whether the server works, and what its parts are doing."""

    status: str = Field(description="All of it in one word, for people.", examples=["ready"])
    live: bool = Field(description="Whether the process works.")
    ready: bool = Field(description="Whether the index holds what the photo directory holds.")
    version: str = Field(examples=["1.0.0"])
    storage: StorageHealth
    watcher: WatcherHealth
    index: IndexHealth
    scan: ScanHealth
