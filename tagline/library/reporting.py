"""From what the parts say of themselves to what clients are told: pure functions."""

from datetime import UTC, datetime

from tagline.index import TinyHistory
from tagline.library.health import (
    HistoryHealth,
    RescanError,
    RescanProgress,
    RescanResult,
    ScanHealth,
    WatcherHealth,
)
from tagline.sync import Progress, ReconcileResult, WatcherStatus


def rescan_progress(progress: Progress, last: RescanResult | None) -> RescanProgress:
    """How far the full reconcile is, and what the last one that was asked for found."""
    return RescanProgress(
        state="running" if progress.running else "idle",
        started_at=moment(progress.started_at),
        finished_at=moment(progress.finished_at),
        listed=progress.listed,
        decoded=progress.read,
        total=progress.total,
        rate=progress.rate,
        seconds_left=progress.seconds_left,
        result=None if progress.running else last,
    )


def rescan_result(result: ReconcileResult) -> RescanResult:
    """What a full reconcile changed."""
    return RescanResult(
        imported=result.imported,
        updated=result.updated,
        removed=result.removed,
        skipped=result.skipped,
        errors=tuple(RescanError(e.object_key, e.detail) for e in result.errors),
    )


def watcher_health(status: WatcherStatus) -> WatcherHealth:
    """How changes are noticed."""
    return WatcherHealth(
        mode=status.mode,
        state=status.state,
        delay_seconds=status.delay_seconds,
        degraded=status.degraded,
        last_full_reconcile=moment(status.last_full_reconcile),
    )


def scan_health(progress: Progress) -> ScanHealth:
    """How far the full reconcile is."""
    return ScanHealth(
        state="running" if progress.running else "idle",
        listed=progress.listed,
        decoded=progress.read,
        total=progress.total,
        rate=progress.rate,
        seconds_left=progress.seconds_left,
    )


def history_health(store: TinyHistory) -> HistoryHealth:
    """What is remembered."""
    return HistoryHealth(changes=len(store), problem=store.problem, recovered=store.recovered)


def moment(seconds: float | None) -> str | None:
    """Unix seconds as an RFC 3339 time in UTC with microseconds."""
    if seconds is None:
        return None
    time = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    return f"{time.isoformat(timespec='microseconds')}Z"
