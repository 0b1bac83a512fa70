"""From the library's figures to families of samples: every name, its meaning, its labels."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, get_args

from tagline.api.exposition import Family, Labels, Sample
from tagline.library import Figures
from tagline.sync import WatchMode

_LOGINS = ("ok", "failed", "limited", "error")
_PICTURES = ("memory", "disk", "joined", "made", "refused", "busy", "failed")
_EDITS = (("embedded", ""), ("sidecar", "format"), ("unchanged", ""))
"""Shown as 0 before the first, so that a rate can be told of the first one."""


def library_families(figures: Figures, streams: int) -> Iterator[Family]:
    """Families of a library, and of the event streams that are open."""
    yield from _state(figures)
    yield from _scan(figures)
    yield from _watcher(figures)
    yield from _stores(figures)
    yield from _counts(figures)
    yield _gauge("tagline_event_streams_open", "Event streams that are open.", streams)


def _state(figures: Figures) -> Iterator[Family]:
    health = figures.health
    yield _gauge("tagline_info", "Always 1; the version.", 1, {"version": health.version})
    yield _gauge("tagline_ready", "1 when the first scan since the start is done.", health.ready)
    yield _gauge(
        "tagline_storage_available",
        "1 when the photo directory is there.",
        health.storage.available,
    )


def _scan(figures: Figures) -> Iterator[Family]:
    scan = figures.scan
    yield _gauge("tagline_scan_running", "1 while the whole directory is compared.", scan.running)
    yield _gauge(
        "tagline_scan_listed_photos", "Photos that this or the last scan met.", scan.listed
    )
    yield _gauge("tagline_scan_read_photos", "Photos that it read, new or changed.", scan.read)
    yield _gauge("tagline_scan_total_photos", "Photos that it is to read, once known.", scan.total)
    yield _gauge("tagline_scan_errors", "Photos that it could not read.", scan.errors)
    yield _gauge(
        "tagline_last_full_reconcile_timestamp_seconds",
        "When the whole directory was last compared with the index, in Unix seconds.",
        figures.last_full_reconcile,
    )


def _watcher(figures: Figures) -> Iterator[Family]:
    watcher = figures.health.watcher
    yield Family(
        "tagline_watcher_mode",
        "gauge",
        "1 for how changes are noticed: by events, by looking again and again, or not.",
        [Sample(mode == watcher.mode, {"mode": mode}) for mode in get_args(WatchMode)],
    )
    yield _gauge(
        "tagline_watcher_degraded",
        "1 when changes are noticed in a worse way than asked for; /health says why.",
        watcher.degraded is not None,
    )
    yield _gauge(
        "tagline_watcher_delay_seconds",
        "After how long a change by others shows; absent when only a rescan finds it.",
        watcher.delay_seconds,
    )


def _stores(figures: Figures) -> Iterator[Family]:
    health = figures.health
    yield _gauge("tagline_index_photos", "Photos in the index.", health.index.photos)
    yield _gauge("tagline_index_bytes", "Size of the index file.", figures.index_bytes)
    yield _gauge(
        "tagline_index_recovered",
        "1 when the index file could not be used at the start, and was made anew.",
        health.index.recovered is not None,
    )
    yield _gauge("tagline_history_changes", "Changes that are remembered.", health.history.changes)
    yield _gauge(
        "tagline_history_failing",
        "1 when changes cannot be recorded, so that they cannot be undone.",
        health.history.problem is not None,
    )


def _counts(figures: Figures) -> Iterator[Family]:
    edits = {**dict.fromkeys(_EDITS, 0), **figures.edits}
    yield Family(
        "tagline_edits_total",
        "counter",
        "Edits of photos by what came of them: embedded in the file, put into sidecars, unchanged, "
        "or refused; reason is why not embedded, or the error.",
        [Sample(n, {"outcome": o, "reason": r}) for (o, r), n in edits.items()],
    )
    yield _counter(
        "tagline_logins_total",
        "Logins: ok, failed (wrong password), limited (too many attempts), or error.",
        _LOGINS,
        figures.logins,
    )
    yield _counter(
        "tagline_pictures_total",
        "Thumbnails and previews by where they came from (memory, disk, joined: made for another "
        "request at that time, made), or why there was none (refused, busy, failed).",
        _PICTURES,
        figures.pictures,
    )


def _gauge(name: str, says: str, value: float | None, labels: Labels | None = None) -> Family:
    return Family(name, "gauge", says, [] if value is None else [Sample(value, labels or {})])


def _counter(name: str, says: str, outcomes: Iterable[str], counts: Mapping[str, int]) -> Family:
    kind: Literal["counter"] = "counter"
    all_counts = {**dict.fromkeys(outcomes, 0), **counts}
    return Family(name, kind, says, [Sample(n, {"outcome": o}) for o, n in all_counts.items()])
