"""What changed between two looks at the library's health and scan: pure."""

import msgspec

from tagline.library.happenings import (
    Happening,
    HealthChanged,
    ScanFinished,
    ScanProgress,
    ScanStarted,
)
from tagline.library.health import Health
from tagline.library.reporting import moment
from tagline.sync import Progress


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """One look. ``complete`` says whether the scan, if it has ended, compared everything."""

    health: Health
    progress: Progress
    complete: bool


def noticed(before: Sight, now: Sight, *, asked: bool) -> list[Happening]:
    """What is to be told of the time between two looks.

    A scan that began and ended between them and read nothing is told only where it was asked for:
    where changes are noticed by looking, there is one every other second.
    """
    return [*_of_scan(before.progress, now, asked=asked), *_of_health(before.health, now.health)]


def _of_scan(before: Progress, now: Sight, *, asked: bool) -> list[Happening]:
    progress = now.progress
    known = progress.started_at == before.started_at
    told: list[Happening] = []
    if not known and (progress.running or progress.read or asked):
        told.append(ScanStarted(started_at=moment(progress.started_at)))
    if progress.running and (not known or _place(before) != _place(progress)):
        told.append(_progress(progress))
    ended = progress.finished_at is not None and (not known or before.running)
    if ended and (told or known):
        told.append(_finished(now))
    return told


def _of_health(before: Health, now: Health) -> list[Happening]:
    if _state(before) == _state(now):
        return []
    told = HealthChanged(
        status=now.status, ready=now.ready, storage=now.storage, watcher=now.watcher
    )
    return [told]


def _state(health: Health) -> tuple[object, ...]:
    """What makes a difference to a client; times and numbers that always change do not."""
    watcher = health.watcher
    return health.status, health.storage, watcher.mode, watcher.state, watcher.degraded


def _place(progress: Progress) -> tuple[int, int, int | None]:
    return progress.listed, progress.read, progress.total


def _progress(progress: Progress) -> ScanProgress:
    return ScanProgress(
        listed=progress.listed,
        decoded=progress.read,
        total=progress.total,
        seconds_left=progress.seconds_left,
    )


def _finished(now: Sight) -> ScanFinished:
    progress = now.progress
    return ScanFinished(
        started_at=moment(progress.started_at),
        finished_at=moment(progress.finished_at),
        listed=progress.listed,
        decoded=progress.read,
        complete=now.complete,
    )
