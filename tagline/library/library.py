"""One photo library: everything that a client may ask of it, in one place."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Coroutine, Sequence

import msgspec

from tagline import __version__
from tagline.auth import Principal, TokenPair
from tagline.errors import PhotoNotFound, StorageUnavailable
from tagline.index import TinyHistory, TinyPhotoIndex, open_history
from tagline.library.announcing import Announcer
from tagline.library.beside import WriteMode
from tagline.library.binding import Binder
from tagline.library.editing import Editor
from tagline.library.events import Hub, Reader
from tagline.library.figures import Figures
from tagline.library.finding import Finder
from tagline.library.health import Health, IndexHealth, RescanProgress, RescanResult, StorageHealth
from tagline.library.history import Historian, PhotoEdit
from tagline.library.judging import Judge
from tagline.library.noticing import Sight
from tagline.library.pending import Scribe
from tagline.library.picturing import Picturer
from tagline.library.presence import Presence
from tagline.library.reporting import (
    history_health,
    rescan_progress,
    rescan_result,
    scan_health,
    watcher_health,
)
from tagline.library.resolving import Resolver
from tagline.library.rest import Rest
from tagline.library.sessions import Sessions
from tagline.library.writing import PhotoWriter
from tagline.model import (
    Actor,
    Cause,
    HistoryPage,
    MetadataChange,
    Photo,
    Precondition,
    Stamp,
    stamp_of,
)
from tagline.pictures.recipe import Recipe, Wanted
from tagline.pictures.service import Picture, Pictures
from tagline.storage import OpenObject, PhotoStorageProvider
from tagline.sync import Progress, Reconciler, Watcher

_logger = logging.getLogger(__name__)


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What a library is made of; ``close`` releases what ``Library.stop`` does not know of."""

    storage: PhotoStorageProvider
    index: TinyPhotoIndex
    reconciler: Reconciler
    watcher: Watcher
    sessions: Sessions
    pictures: Pictures
    write_mode: WriteMode
    history: TinyHistory = msgspec.field(default_factory=lambda: open_history(None))
    clock_ns: Callable[[], int] = time.time_ns
    close: Callable[[], None]


class Library:
    """The use cases, on one event loop; blocking work is done in threads; ``sessions`` has more."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._index = parts.index
        self._reconciler = parts.reconciler
        self.sessions = parts.sessions
        self._announcer = Announcer(Hub(secrets.token_hex(8)), self._sight)
        self._presence = Presence(parts.storage.check, self._presence_changed)
        storage, missed = parts.storage, self._presence.missed
        rest = Rest(parts.reconciler.stillness)
        writer = PhotoWriter(storage, parts.write_mode, parts.reconciler.strays, rest)
        self._editor = Editor(storage, parts.index, parts.reconciler, writer, missed)
        judge = Judge(storage, parts.reconciler.strays, parts.write_mode)
        self._resolver = Resolver(self._editor, judge, parts.history, parts.index)
        self._historian = Historian(
            self._editor,
            Scribe(parts.history, parts.clock_ns),
            self._resolver,
            self._demand_storage,
        )
        self._finder = Finder(parts.index)
        self._picturer = Picturer(parts.index, self._editor, parts.pictures)
        self._last_rescan: RescanResult | None = None
        self._asked = False
        self._index.listen(self._announcer.photos_changed)
        self._binder = Binder(self._editor)
        self._index.listen(self._binder.photos_changed)
        self._tasks: set[asyncio.Task[object]] = set()

    async def start(self) -> None:
        """Start noticing changes, and the first scan in the background."""
        self._spawn(self._presence.watch())
        self._spawn(self._finder.keep_ready())
        self._spawn(self._resolve())
        self._spawn(self._binder.run())
        await self._parts.watcher.start()

    async def _resolve(self) -> None:
        """Put edits right that were cut short: of known photos now, of others after the scan."""
        await self._resolver.resolve()
        await self._reconciler.scanned.wait()
        await self._resolver.resolve_all()

    def _presence_changed(self) -> None:
        self._announcer.look()
        if self._presence.problem is None:
            self._spawn(self._resolver.resolve_all())

    async def stop(self) -> None:
        """End everything that runs, and close the index and the tokens; may be called twice."""
        await self._parts.watcher.stop()
        await self._parts.pictures.close()
        for task in tuple(self._tasks):
            task.cancel()
            await asyncio.wait([task])
        await self._historian.finish()
        await self._editor.disk.close()
        await self.sessions.close()
        await self._reconciler.close()
        self._announcer.close()
        await asyncio.to_thread(self._parts.close)

    @property
    def finder(self) -> Finder:
        """What searches and counts photos, from memory.

        Raises:
            StorageUnavailable: the photo directory is gone.
        """
        self._demand_storage()
        return self._finder

    def photo_json(self, photo_id: str) -> bytes:
        """The JSON of a photo as stored, from memory.

        Raises:
            PhotoNotFound: no photo has this id.
            StorageUnavailable: the photo directory is gone.
        """
        self._demand_storage()
        said = self._index.photo_json(photo_id)
        if said is None:
            raise PhotoNotFound(photo_id)
        return said

    def stamp(self, photo_id: str) -> Stamp:
        """Which version of a photo is known; the errors of ``photo_json``."""
        return stamp_of(self.photo_json(photo_id))

    async def edit(
        self,
        photo_id: str,
        change: MetadataChange,
        precondition: Precondition,
        by: Actor | None = None,
    ) -> Photo:
        """Change a photo's metadata on disk, and remember what was there; see ``Editor.edit``."""
        wanted = PhotoEdit(photo_id=photo_id, change=change, precondition=precondition)
        return await self._historian.edit(wanted, Cause(by=by))

    async def edit_many(
        self, wanted: Sequence[PhotoEdit], by: Actor | None = None
    ) -> list[Photo | Exception]:
        """Change many photos, each on its own; see ``Historian.edit_many``."""
        self._demand_storage()
        return await self._historian.edit_many(wanted, Cause(by=by))

    def history(self, photo_id: str, limit: int, offset: int) -> HistoryPage:
        """What was done to a photo, newest first, from memory; the errors of ``photo_json``."""
        self.photo_json(photo_id)
        return self._historian.page(photo_id, limit, offset)

    async def restore(
        self, photo_id: str, n: int, precondition: Precondition, by: Actor | None = None
    ) -> Photo:
        """Undo a change of a photo; see ``Historian.restore`` and the errors of ``photo_json``."""
        self.photo_json(photo_id)
        return await self._historian.restore(photo_id, n, precondition, by)

    async def open_image(self, photo_id: str) -> tuple[Photo, OpenObject]:
        """Open a photo's file; see ``Editor.open``."""
        self._demand_storage()
        return await self._editor.open(photo_id)

    async def read_ahead(self, opened: OpenObject, offset: int, length: int) -> None:
        """Wait until the kernel has a part of an open file in memory; see ``DiskThreads``.

        Raises:
            StorageError: it cannot be read.
        """
        await self._editor.disk.run(opened.read_at, offset, length)

    def wanted_picture(self, photo_id: str, recipe: Recipe) -> Wanted:
        """A thumbnail or preview by its name, made or not; the errors of ``photo_json``."""
        self._demand_storage()
        return self._picturer.wanted(photo_id, recipe)

    async def picture(self, wanted: Wanted) -> Picture:
        """A thumbnail or preview; see ``Picturer.picture``."""
        return await self._picturer.picture(wanted)

    async def rescan(self) -> RescanResult:
        """Reconcile everything with the disk as it is from now on.

        One that is running may have passed a file already: so another follows it, which all share
        who ask meanwhile.

        Raises:
            StorageUnavailable: the photo directory is gone.
        """
        try:
            self._last_rescan = rescan_result(await self._reconciler.reconcile(join=False))
        finally:
            self._asked = False
            self._announcer.look(asked=True)
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
        return rescan_progress(progress, self._last_rescan)

    def health(self) -> Health:
        """What every part is doing; from memory."""
        scan = scan_health(self._reconciler.progress)
        watcher = watcher_health(self._parts.watcher.status())
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
            history=history_health(self._parts.history),
        )

    def figures(self) -> Figures:
        """What is counted, and the state of every part; from memory."""
        return Figures(
            health=self.health(),
            scan=self._reconciler.progress,
            last_full_reconcile=self._reconciler.last_full,
            index_bytes=self._index.size_bytes,
            edits=dict(self._editor.outcomes),
            logins=dict(self.sessions.logins),
            pictures=dict(self._parts.pictures.outcomes),
        )

    def subscribe(self, wake: Callable[[], None], last_id: str | None) -> Reader:
        """A reader of what happens from now on, or since an event; see ``Announcer.subscribe``."""
        return self._announcer.subscribe(wake, last_id)

    def _sight(self) -> Sight:
        progress, last_full = self._reconciler.progress, self._reconciler.last_full
        complete = last_full is not None and last_full >= (progress.started_at or 0.0)
        return Sight(health=self.health(), progress=progress, complete=complete)

    async def login(self, password: str, address: str) -> TokenPair:
        """Begin a session; see ``Sessions.login``."""
        return await self.sessions.login(password, address)

    async def refresh(self, refresh_token: str, address: str, *, shared: bool = False) -> TokenPair:
        """Rotate the tokens of a session; see ``Sessions.refresh``."""
        return await self.sessions.refresh(refresh_token, address, shared=shared)

    async def logout(self, access_token: str | None, refresh_token: str | None) -> None:
        """End a session; see ``Sessions.logout``."""
        await self.sessions.logout(access_token, refresh_token)

    def authenticate(self, credential: str) -> Principal:
        """Who bears an access token or API token; see ``Sessions.authenticate``."""
        return self.sessions.authenticate(credential)

    def _demand_storage(self) -> None:
        if (problem := self._problem()) is not None:
            raise StorageUnavailable(problem)

    def _problem(self) -> str | None:
        """Why the photos are not there; a directory that is there may still be found empty."""
        if self._presence.problem is not None:
            return self._presence.problem
        status = self._parts.watcher.status()
        return status.degraded if status.state == "unavailable" else None

    def _spawn(self, work: Coroutine[None, None, object]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[object]) -> None:
        """A rescan that nobody waits for may fail: its error is told by ``health``."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _logger.warning("work in the background failed: %s", error)
