"""What the parts of a library say of themselves, for people and for probes."""

from typing import Literal

import msgspec

from tagline.sync import WatchMode, WatchState

Status = Literal["ready", "scanning", "unavailable"]
"""All of it in one word. ``scanning`` is before the first scan has ended."""
ScanState = Literal["idle", "running"]


class StorageHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the photo directory is there; ``problem`` is a sentence when it is not."""

    available: bool
    problem: str | None = None


class WatcherHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How changes are noticed.

    ``delay_seconds`` is after how long a change shows at the latest, None when only a rescan finds
    it. ``degraded`` says why it is worse than asked for. ``last_full_reconcile`` is an RFC 3339
    time.
    """

    mode: WatchMode
    state: WatchState
    delay_seconds: float | None
    degraded: str | None
    last_full_reconcile: str | None


class IndexHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Number of photos; ``recovered`` says what happened to a damaged index file, if it did."""

    photos: int
    recovered: str | None


class ScanHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Progress of the reconcile under way, or of the last one; ``rate`` is photos read a second."""

    state: ScanState
    listed: int
    decoded: int
    total: int | None
    rate: float
    seconds_left: float | None


class HistoryHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Number of changes that are remembered.

    ``problem`` says why the newest was not kept, ``recovered`` what happened to a damaged file.
    """

    changes: int
    problem: str | None
    recovered: str | None


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """``live``: the process works. ``ready``: the index holds what the directory holds."""

    status: Status
    live: bool
    ready: bool
    version: str
    storage: StorageHealth
    watcher: WatcherHealth
    index: IndexHealth
    scan: ScanHealth
    history: HistoryHealth


class RescanError(msgspec.Struct, frozen=True):
    """A photo that could not be read, and a sentence that says why."""

    object_key: str
    detail: str


class RescanResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a reconcile changed, by photo id, and how many photos it found to be current."""

    imported: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    skipped: int = 0
    errors: tuple[RescanError, ...] = ()


class RescanProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a rescan is; ``result`` is that of the last one that finished."""

    state: ScanState
    started_at: str | None
    finished_at: str | None
    listed: int
    decoded: int
    total: int | None
    rate: float
    seconds_left: float | None
    result: RescanResult | None
