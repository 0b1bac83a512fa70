"""The JSON in each event's ``data``."""

from typing import Literal

from pydantic import BaseModel, Field

from tagline.api.health import StorageHealth, WatcherHealth
from tagline.api.payloads import ETAG_EXAMPLE, Moment
from tagline.library import Status

_ID = Field(description="The photo's id.", examples=["0b2f2e0e-6f0c-5a52-9d5c-6c1b6f0f7f11"])
_ETAG = Field(description="The entity tag of `GET /photos/{photo_id}`.", examples=[ETAG_EXAMPLE])
_KEY = Field(description="Where the photo is.", examples=["2024/IMG_0001.jpg"])


class OpenedEvent(BaseModel):
    """The first event: load what you show now, unless `resumed`; later events tell changes of it.

    With `resumed` the events since the one that you named follow, none lost and none repeated.
    """

    resumed: bool


class ReloadEvent(BaseModel):
    """The first event where yours is not known: load again whatever you show.

    `too_old`: it is no longer kept. `restarted`: the server was started anew. `unknown_id`: it is
    no id of an event.
    """

    reason: Literal["too_old", "restarted", "unknown_id"]


class PhotoCreatedEvent(BaseModel):
    """A photo is there that was not."""

    id: str = _ID
    etag: str = _ETAG
    object_key: str = _KEY


class PhotoChangedEvent(BaseModel):
    """What the API shows of a photo changed: its metadata, its image, or where it is."""

    id: str = _ID
    etag: str = _ETAG
    object_key: str = _KEY


class PhotoRemovedEvent(BaseModel):
    """A photo is there no more."""

    id: str = _ID
    object_key: str = Field(description="Where it was.", examples=["2024/IMG_0001.jpg"])


class PhotosChangedEvent(BaseModel):
    """Many photos changed, and are not told one by one: load again what you show of them.

    While a directory is scanned for the first time there is one a second.
    """

    created: int
    changed: int
    removed: int


class ScanStartedEvent(BaseModel):
    """The whole photo directory is being compared with the index. It ends any scan before it."""

    started_at: Moment | None


class ScanProgressEvent(BaseModel):
    """How far it is; at most once a second."""

    listed: int = Field(description="Files met so far.")
    decoded: int = Field(description="New and changed photos read so far.")
    total: int | None = Field(description="New and changed photos in all, once that is known.")
    seconds_left: float | None = Field(description="About how long it will still take.")


class ScanFinishedEvent(BaseModel):
    """It ended."""

    started_at: Moment | None
    finished_at: Moment | None
    listed: int
    decoded: int
    complete: bool = Field(description="Whether everything was compared.")


class HealthChangedEvent(BaseModel):
    """The server became ready, or is no longer, or notices changes in another way than before.

    The members are those of `GET /health`.
    """

    status: Status
    ready: bool
    storage: StorageHealth
    watcher: WatcherHealth


class EndedEvent(BaseModel):
    """The last event: the server closes the stream. It has no id.

    `token`: the token expired or was revoked, or its session ended. `shutdown`: the server stops.
    `slow`: you took events too slowly. Connect again, with a good token and the last id.
    """

    reason: Literal["token", "shutdown", "slow"]


EVENTS: dict[str, type[BaseModel]] = {
    "opened": OpenedEvent,
    "reload": ReloadEvent,
    "photo_created": PhotoCreatedEvent,
    "photo_changed": PhotoChangedEvent,
    "photo_removed": PhotoRemovedEvent,
    "photos_changed": PhotosChangedEvent,
    "scan_started": ScanStartedEvent,
    "scan_progress": ScanProgressEvent,
    "scan_finished": ScanFinishedEvent,
    "health_changed": HealthChangedEvent,
    "ended": EndedEvent,
}
"""Every type of event, and its data."""
