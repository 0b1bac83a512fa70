"""One photo library: everything that a client may ask of it, in one place."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime

import msgspec

from tagline import __version__
from tagline.auth import Claims, TokenPair
from tagline.errors import PhotoNotFound, StorageUnavailable, TaglineError
from tagline.index import TinyPhotoIndex
from tagline.library.editing import Editor
from tagline.library.health import (
    Health,
    IndexHealth,
    RescanError,
    RescanProgress,
    RescanResult,
    ScanHealth,
    StorageHealth,
    WatcherHealth,
)
from tagline.library.picturing import Picturer
from tagline.library.sessions import Sessions
from tagline.library.writing import PhotoWriter, WriteMode
from tagline.model import MetadataChange, Page, Photo, PhotoQuery, Precondition
from tagline.pictures.recipe import Recipe, Wanted
from tagline.pictures.service import Picture, Pictures
from tagline.storage import OpenObject, PhotoStorageProvider
from tagline.sync import Progress, Reconciler, ReconcileResult, Watcher, WatcherStatus

_logger = logging.getLogger(__name__)

STORAGE_CHECK_SECONDS = 2.0
"""So often the photo directory itself is looked at."""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What a library is made of; ``close`` releases what ``Library.stop`` does not know of."""

    storage: PhotoStorageProvider
    index: TinyPhotoIndex
    reconciler: Reconciler
    watcher: Watcher
    sessions: Sessions
    pictures: Pictures
    write_mode: WriteMode
    close: Callable[[], None]


class Library:
    """The use cases, on one event loop; blocking work is done in threads."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._index = parts.index
        self._reconciler = parts.reconciler
        self._sessions = parts.sessions
        writer = PhotoWriter(parts.storage, parts.write_mode, parts.reconciler.strays)
        self._editor = Editor(parts.storage, parts.index, parts.reconciler, writer)
        self._picturer = Picturer(parts.index, self._editor, parts.pictures)
        self._storage_problem: str | None = None
        self._last_rescan: RescanResult | None = None
        self._asked = False
        self._tasks: set[asyncio.Task[object]] = set()

    async def start(self) -> None:
        """Start noticing changes, and the first scan in the background."""
        self._spawn(self._watch_storage())
        await self._parts.watcher.start()

    async def stop(self) -> None:
        """End everything that runs, and close the index and the tokens; may be called twice."""
        await self._parts.watcher.stop()
        await self._parts.pictures.close()
        for task in tuple(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, TaglineError):
                await task
        await self._reconciler.close()
        await asyncio.to_thread(self._parts.close)

    def page(self, query: PhotoQuery) -> Page:
        """A page of photos, from memory.

        Raises:
            StorageUnavailable: the photo directory is gone.
        """
        self._demand_storage()
        return self._index.page(query)

    def ids(self, query: PhotoQuery) -> tuple[int, list[str]]:
        """The number of photos, and the ids of a page; the errors of ``page``."""
        self._demand_storage()
        return self._index.ids(query)

    def photo(self, photo_id: str) -> Photo:
        """One photo, from memory.

        Raises:
            PhotoNotFound: no photo has this id.
            StorageUnavailable: the photo directory is gone.
        """
        self._demand_storage()
        row = self._index.get(photo_id)
        if row is None:
            raise PhotoNotFound(photo_id)
        return row.photo

    def photo_json(self, photo_id: str) -> bytes:
        """The JSON of a photo as stored; the errors of ``photo``."""
        self._demand_storage()
        said = self._index.photo_json(photo_id)
        if said is None:
            raise PhotoNotFound(photo_id)
        return said

    async def edit(
        self, photo_id: str, change: MetadataChange, precondition: Precondition
    ) -> Photo:
        """Change a photo's metadata on disk; see ``Editor.edit``."""
        self._demand_storage()
        return await self._editor.edit(photo_id, change, precondition)

    async def open_image(self, photo_id: str) -> tuple[Photo, OpenObject]:
        """Open a photo's file; see ``Editor.open``."""
        self._demand_storage()
        return await self._editor.open(photo_id)

    def wanted_picture(self, photo_id: str, recipe: Recipe) -> Wanted:
        """A thumbnail or preview by its name, made or not; the errors of ``photo``."""
        self._demand_storage()
        return self._picturer.wanted(photo_id, recipe)

    async def picture(self, wanted: Wanted) -> Picture:
        """A thumbnail or preview; see ``Picturer.picture``."""
        return await self._picturer.picture(wanted)

    async def rescan(self) -> RescanResult:
        """Reconcile everything with the disk as it is from now on; joins one that is running.

        Raises:
            StorageUnavailable: the photo directory is gone.
        """
        try:
            self._last_rescan = _rescan_result(await self._reconciler.reconcile())
        finally:
            self._asked = False
        return self._last_rescan

    def start_rescan(self) -> None:
        """Begin ``rescan`` without waiting for it."""
        self._asked = True
        self._spawn(self.rescan())

    def rescan_progress(self) -> RescanProgress:
        """How far the full reconcile that is running is, or the last one was."""
        progress = self._reconciler.progress
        if self._asked and not progress.running:
            progress = Progress(running=True)
        return RescanProgress(
            state="running" if progress.running else "idle",
            started_at=_moment(progress.started_at),
            finished_at=_moment(progress.finished_at),
            listed=progress.listed,
            decoded=progress.read,
            total=progress.total,
            rate=progress.rate,
            seconds_left=progress.seconds_left,
            result=None if progress.running else self._last_rescan,
        )

    def health(self) -> Health:
        """What every part is doing; from memory."""
        scan = _scan_health(self._reconciler.progress)
        watcher = _watcher_health(self._parts.watcher.status())
        problem = self._problem()
        scanned = watcher.last_full_reconcile is not None
        ready = problem is None and scanned
        return Health(
            status="ready" if ready else "unavailable" if problem else "scanning",
            live=True,
            ready=ready,
            version=__version__,
            storage=StorageHealth(available=problem is None, problem=problem),
            watcher=watcher,
            index=IndexHealth(photos=len(self._index), recovered=self._index.recovered),
            scan=scan,
        )

    async def login(self, password: str, address: str) -> TokenPair:
        """Begin a session; see ``Sessions.login``."""
        return await self._sessions.login(password, address)

    async def refresh(self, refresh_token: str) -> TokenPair:
        """Rotate the tokens of a session; see ``Sessions.refresh``."""
        return await self._sessions.refresh(refresh_token)

    async def logout(self, access_token: str | None, refresh_token: str | None) -> None:
        """End a session; see ``Sessions.logout``."""
        await self._sessions.logout(access_token, refresh_token)

    def authenticate(self, access_token: str) -> Claims:
        """What a valid access token says; see ``Sessions.authenticate``."""
        return self._sessions.authenticate(access_token)

    def _demand_storage(self) -> None:
        if (problem := self._problem()) is not None:
            raise StorageUnavailable(problem)

    def _problem(self) -> str | None:
        """Why the photos are not there; a directory that is there may still be found empty."""
        if self._storage_problem is not None:
            return self._storage_problem
        status = self._parts.watcher.status()
        return status.degraded if status.state == "unavailable" else None

    async def _watch_storage(self) -> None:
        """Note whether the photo directory is there: a disk may be unmounted and come back."""
        while True:
            try:
                await asyncio.to_thread(self._parts.storage.check)
            except StorageUnavailable as error:
                if self._storage_problem is None:
                    _logger.warning("the photo directory is gone: %s", error)
                self._storage_problem = str(error)
            else:
                if self._storage_problem is not None:
                    _logger.info("the photo directory is back")
                self._storage_problem = None
            await asyncio.sleep(STORAGE_CHECK_SECONDS)

    def _spawn(self, work: Coroutine[None, None, object]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[object]) -> None:
        """A rescan that nobody waits for may fail: its error is told by ``health``."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _logger.warning("work in the background failed: %s", error)


def _rescan_result(result: ReconcileResult) -> RescanResult:
    return RescanResult(
        imported=result.imported,
        updated=result.updated,
        removed=result.removed,
        skipped=result.skipped,
        errors=tuple(RescanError(e.object_key, e.detail) for e in result.errors),
    )


def _watcher_health(status: WatcherStatus) -> WatcherHealth:
    return WatcherHealth(
        mode=status.mode,
        state=status.state,
        delay_seconds=status.delay_seconds,
        degraded=status.degraded,
        last_full_reconcile=_moment(status.last_full_reconcile),
    )


def _scan_health(progress: Progress) -> ScanHealth:
    return ScanHealth(
        state="running" if progress.running else "idle",
        listed=progress.listed,
        decoded=progress.read,
        total=progress.total,
        seconds_left=progress.seconds_left,
    )


def _moment(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='microseconds')}Z"
