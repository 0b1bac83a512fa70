"""What clients are told of as it happens: one frozen value a kind, without descriptions."""

from typing import ClassVar

import msgspec

from tagline.library.health import Status, StorageHealth, WatcherHealth


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """The root of them; ``KIND`` is its name for clients, and its members are its JSON."""

    KIND: ClassVar[str]


class PhotoCreated(Happening, frozen=True, kw_only=True):
    """A photo is there that was not."""

    KIND = "photo_created"
    id: str
    etag: str
    object_key: str


class PhotoChanged(Happening, frozen=True, kw_only=True):
    """What the API shows of a photo changed, its place perhaps."""

    KIND = "photo_changed"
    id: str
    etag: str
    object_key: str


class PhotoRemoved(Happening, frozen=True, kw_only=True):
    """A photo is there no more; ``object_key`` is where it was."""

    KIND = "photo_removed"
    id: str
    object_key: str


class PhotosChanged(Happening, frozen=True, kw_only=True):
    """So many photos changed at once that they are not told one by one: only how many."""

    KIND = "photos_changed"
    created: int
    changed: int
    removed: int


class ScanStarted(Happening, frozen=True, kw_only=True):
    """The whole directory is being compared with the index."""

    KIND = "scan_started"
    started_at: str | None


class ScanProgress(Happening, frozen=True, kw_only=True):
    """How far that is; the members are those of the health of the scan."""

    KIND = "scan_progress"
    listed: int
    decoded: int
    total: int | None
    seconds_left: float | None


class ScanFinished(Happening, frozen=True, kw_only=True):
    """That ended; ``complete`` says whether it came to the end of the directory."""

    KIND = "scan_finished"
    started_at: str | None
    finished_at: str | None
    listed: int
    decoded: int
    complete: bool


class HealthChanged(Happening, frozen=True, kw_only=True):
    """The server became ready, or is no longer, or notices changes in another way."""

    KIND = "health_changed"
    status: Status
    ready: bool
    storage: StorageHealth
    watcher: WatcherHealth
