"""Reconciling on demand: everything or a part, one full one at a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import msgspec

from tagline.errors import ObjectError
from tagline.index.protocol import PhotoIndex
from tagline.storage.provider import PhotoStorageProvider
from tagline.sync.looking import Look
from tagline.sync.parts import Parts
from tagline.sync.reading import PhotoReader
from tagline.sync.run import Run
from tagline.sync.settling import Settler
from tagline.sync.stillness import Stillness
from tagline.sync.strays import Strays
from tagline.sync.values import Decoded, Progress, ReadPhoto, ReconcileResult, Scope
from tagline.sync.writing import IndexWriter

EVERYTHING = Scope("", recursive=True)
READERS = 2


class _Access(NamedTuple):
    """Whether a photo can be edited, whether it can get sidecars, and what its row says."""

    object_key: str
    editable: bool
    takes_sidecars: bool
    told: bool


class Reconciler:
    """Makes an index equal to a storage. Use it on one event loop; ``close`` it there.

    Blocking work is done in threads of its own; the index is used on the loop's thread only, but
    for ``sync`` and ``compact_if_needed``. Full reconciles run one at a time, partial ones too, and
    either beside the other. ``last_full`` is when a full one last succeeded, in Unix seconds, and
    ``scanned`` is set from the first one on.
    ``strays`` are the sidecars met that lie elsewhere than their photo; ``stillness`` knows since
    when files are as they are.

    Args:
        storage: the photo directory.
        index: rows are stored in it in small transactions as they become known.
        read: reads one photo; called in threads, several at a time.
        clock: Unix seconds, to be compared with the change times of files.
        stillness: is told what is seen of files; without one, nobody but Tagline writes them.
    """

    def __init__(
        self,
        storage: PhotoStorageProvider,
        index: PhotoIndex,
        read: ReadPhoto,
        *,
        clock: Callable[[], float] = time.time,
        stillness: Stillness | None = None,
    ) -> None:
        self.storage = storage
        self.stillness = Stillness(0) if stillness is None else stillness
        self.strays = Strays(storage)
        self._access: _Access | None = None
        self.last_full: float | None = None
        self.scanned = asyncio.Event()
        self._index = index
        self._clock = clock
        self._executor = ThreadPoolExecutor(2 * READERS + 2, thread_name_prefix="tagline-sync")
        self._parts = Parts(
            storage=storage,
            index=index,
            reader=PhotoReader(storage, read, clock, self.strays),
            writer=IndexWriter(index, time.monotonic, self.stillness),
            strays=self.strays,
            executor=self._executor,
            readers=READERS,
        )
        self._settler = Settler(self._reread)
        self._progress = Progress()
        self._run: Run | None = None
        self._began = 0.0
        self._full: asyncio.Task[ReconcileResult] | None = None
        self._following: asyncio.Task[ReconcileResult] | None = None
        self._followed: asyncio.Task[ReconcileResult] | None = None
        self._tasks: set[asyncio.Task[ReconcileResult]] = set()
        self._partial = asyncio.Lock()

    @property
    def progress(self) -> Progress:
        """How far the running full reconcile has come; of the last one when none is running."""
        run = self._run
        if run is None:
            return self._progress
        seconds = max(time.monotonic() - self._began, 1e-3)
        return Progress(
            running=True,
            listed=run.lister.listed,
            read=run.read,
            total=run.lister.to_read if run.listing_done else None,
            errors=len(run.intake.errors),
            started_at=self._progress.started_at,
            rate=run.read / seconds,
        )

    @property
    def settling(self) -> int:
        """Number of photos that wait to be read again, because their files were in motion."""
        return len(self._settler)

    def was_lost(self, photo_id: str, seconds: float) -> bool:
        """Whether the photo went no more than so many seconds ago: it may be on its way."""
        return self._parts.writer.was_lost(photo_id, seconds)

    async def reconcile(
        self, scopes: Sequence[Scope] | None = None, *, join: bool = True
    ) -> ReconcileResult:
        """Make the index say of the scopes, or of everything, what the disk holds.

        A full reconcile goes on when the caller is cancelled. With ``join`` a full one that is
        running already answers this call too; without it a new one follows, so that whatever
        happened before this call is seen.

        Raises:
            StorageUnavailable: the photo directory is gone; nothing was removed for that.
            IndexFailure: the index could not be written.
        """
        if scopes is None:
            return await asyncio.shield(self._join() if join else self._follow())
        async with self._partial:
            return await self._finish(run := Run(self._parts), run.reconcile(scopes))

    async def refresh(
        self,
        object_keys: Iterable[str],
        look: Look | None = None,
        written: Decoded | None = None,
    ) -> ReconcileResult:
        """Look at single photos now, without waiting for anything that is running.

        ``look`` has listed their directories just now. ``written`` is one of them as it was written
        just now: that is stored where the photo is in motion, or cannot be read; it is read again
        by itself.

        Raises:
            StorageUnavailable: the photo directory is gone.
            IndexFailure: the index could not be written.
        """
        run = Run(self._parts)
        return await self._finish(run, run.look(object_keys, look, written))

    async def close(self) -> None:
        """Stop what is running and end the threads; the index stays open, and is right as it is."""
        await self._settler.close()
        for task in tuple(self._tasks):
            task.cancel()
            await asyncio.wait([task])
        await asyncio.to_thread(self._executor.shutdown, cancel_futures=True)

    def _join(self) -> asyncio.Task[ReconcileResult]:
        if self._full is None or self._full.done():
            self._full = self._start(self._reconcile_all())
        return self._full

    def _follow(self) -> asyncio.Task[ReconcileResult]:
        if self._full is None or self._full.done():
            return self._join()
        if self._following is None or self._followed is not self._full:
            self._followed = self._full
            self._following = self._start(self._after(self._full))
        return self._following

    async def _after(self, running: asyncio.Task[ReconcileResult]) -> ReconcileResult:
        await asyncio.wait([running])
        return await asyncio.shield(self._join())

    def _start(self, work: Coroutine[None, None, ReconcileResult]) -> asyncio.Task[ReconcileResult]:
        task = asyncio.create_task(work, name="tagline-reconcile")
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[ReconcileResult]) -> None:
        """Let a failure be nobody's business when nobody waits for the task any more."""
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()

    async def _reconcile_all(self) -> ReconcileResult:
        access = await self._access_now()
        run = self._run = Run(self._parts, anew=self._has_changed(access))
        self._began = time.monotonic()
        self._progress = Progress(started_at=self._clock())
        try:
            result = await self._finish(run, run.reconcile([EVERYTHING]))
            await self._parts.thread(self._index.sync)
            await self._parts.thread(self._index.compact_if_needed)
            self.last_full = self._clock()
            self.scanned.set()
            self._access = access
        finally:
            self._progress = msgspec.structs.replace(
                self.progress, running=False, finished_at=self._clock()
            )
            self._run = None
        return result

    async def _access_now(self) -> "_Access | None":
        """What may be done with one photo, and what its row says; None where it cannot be told."""
        first = next(self._index.states(), None)
        row = self._index.get(first.id) if first is not None else None
        if row is None:
            return None
        try:
            may = await self._parts.thread(_may, self.storage, row.photo.object_key)
        except ObjectError:
            return None
        return _Access(row.photo.object_key, *may, told=row.photo.writable)

    def _has_changed(self, access: "_Access | None") -> bool:
        """Whether photos can be edited now and could not before, or the other way round.

        No file's state tells of a mount that became read-only, so one photo is tried for all.
        Some formats need a place for sidecars: which is it, only reading tells.
        """
        if access is None:
            return False
        before, may = self._access, (access.editable, access.takes_sidecars)
        if before is None or before.object_key != access.object_key:
            return access.told not in may
        return access.told not in may or may != (before.editable, before.takes_sidecars)

    async def _reread(self, keys: Sequence[str]) -> None:
        run = Run(self._parts)
        await self._finish(run, run.reread(keys))

    async def _finish(self, run: Run, work: Awaitable[ReconcileResult]) -> ReconcileResult:
        try:
            return await work
        finally:
            self._settler.add(run.intake.unsettled | run.intake.racy)


def _may(storage: PhotoStorageProvider, object_key: str) -> tuple[bool, bool]:
    # It is not opened: that would be told of by the file system as well, again and again.
    storage.stat(object_key)
    return storage.editable(object_key), storage.takes_sidecars(object_key)
