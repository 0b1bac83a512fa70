"""Editing a photo that clients know by id, while files move and others write."""

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from weakref import WeakValueDictionary

import msgspec

from tagline.errors import (
    ObjectBusy,
    ObjectChanged,
    ObjectNotFound,
    PhotoNotFound,
    StorageUnavailable,
)
from tagline.index import PhotoIndex
from tagline.library.diskthreads import DiskThreads
from tagline.library.outcomes import EditOutcome, outcome_of, refusal_of
from tagline.library.pending import Witness, unwitnessed
from tagline.library.rest import in_motion
from tagline.library.writing import PhotoWriter, Target, Written
from tagline.model import IndexedPhoto, MetadataChange, Photo, Precondition
from tagline.model.keys import directory_of, name_of
from tagline.storage import OpenObject, PhotoStorageProvider
from tagline.sync import Reconciler, Scope

ATTEMPTS = 5
"""So often a use of a photo starts again because its file was moved or changed meanwhile."""
MOVED_SECONDS = 0.5
"""A photo that left its directory is waited for: that it arrived in another is told a bit later."""
WRITTEN_SECONDS = 3.0
"""The same for a photo that was just written: the client must learn that its change was made."""
_LOOK_SECONDS = 0.02
_NOTHING_WRITTEN = Written(changed=False)


def _untold(error: StorageUnavailable) -> None:
    """Tell nobody but who asked."""


class Editor:
    """Finds photos by id on the disk as it is now; use it on the event loop.

    The index may lag behind the disk by a moment. So what is found at a photo's path is compared
    with what the index knows of it, and where they differ, the index is mended first. ``disk`` are
    the threads for that, and tell ``missed``; ``outcomes`` counts what came of edits.
    """

    def __init__(
        self,
        storage: PhotoStorageProvider,
        index: PhotoIndex,
        reconciler: Reconciler,
        writer: PhotoWriter,
        missed: Callable[[StorageUnavailable], None] = _untold,
    ) -> None:
        self._storage = storage
        self._index = index
        self._reconciler = reconciler
        self._writer = writer
        self.disk = DiskThreads(missed)
        self.outcomes: Counter[EditOutcome] = Counter()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def has_scanned(self) -> bool:
        """Whether everything was looked at once."""
        return self._reconciler.last_full is not None

    async def edit(
        self,
        photo_id: str,
        change: MetadataChange,
        precondition: Precondition,
        witness: Witness = unwitnessed,
        *,
        anew: bool = False,
    ) -> Photo:
        """Make the change on disk, and index what is there then; one edit of a photo at a time.

        Where that cannot be read in peace, the index has what was written, and reads again later.

        Raises:
            PhotoNotFound: no photo has this id.
            The errors of ``PhotoWriter.edit``.
        """
        await self._arrived(photo_id)
        async with self._lock(photo_id):
            try:
                write = partial(self._writer.edit, change=change, precondition=precondition)
                written = await self._write(photo_id, partial(write, witness=witness), anew=anew)
            except ObjectBusy:
                raise  # it is tried again; who gives up counts it
            except Exception as error:
                self.outcomes[refusal_of(error)] += 1
                raise
            self.outcomes[outcome_of(written)] += 1
            return await self._answer(photo_id, written)

    async def bind(self, photo_id: str) -> Photo:
        """Let the sidecars of a photo that was damaged say which photo it is, once it is whole.

        Raises:
            PhotoNotFound: no photo has this id.
            The errors of ``PhotoWriter.bind``.
        """
        async with self._lock(photo_id):
            written = await self._write(photo_id, self._writer.bind, anew=False)
            return await self._answer(photo_id, written)

    async def _answer(self, photo_id: str, written: Written) -> Photo:
        """Index what is on disk after a write, and tell it."""
        if written.touched:
            await self._reconciler.reconcile(
                [Scope(directory_of(k), names=frozenset({name_of(k)})) for k in written.touched]
            )
        # Even where nothing was written the index may have lagged behind what was judged.
        patience_seconds = WRITTEN_SECONDS if written.changed else MOVED_SECONDS
        await self._mend(photo_id, patience_seconds, written)
        if written.changed and self._index.get(photo_id) is None:
            await self._reconciler.reconcile(join=False)
        return self._row(photo_id).photo

    async def open(self, photo_id: str) -> tuple[Photo, OpenObject]:
        """Open the photo's file; the caller closes it.

        Raises:
            PhotoNotFound: no photo has this id.
            StorageError: the file cannot be read.
        """
        await self._arrived(photo_id)
        for attempt in range(ATTEMPTS):
            row = self._row(photo_id)
            key, state = row.files[0].object_key, row.files[0].state
            try:
                opened = await self.disk.run(self._storage.open, key)
            except ObjectNotFound:
                await self._mend(photo_id)
                continue
            # Where change times alone go on moving, it was read again in between.
            if opened.state == state or (attempt and state.is_touched(opened.state)):
                return row.photo, opened
            opened.close()
            await self._mend(photo_id)
        raise ObjectChanged(self._row(photo_id).photo.object_key)

    async def _write(
        self, photo_id: str, write: Callable[[Target], Written], *, anew: bool
    ) -> Written:
        """Edit the file that has the photo's image data, wherever that is by now."""
        for attempt in range(ATTEMPTS):
            row = self._row(photo_id)
            target = msgspec.structs.replace(self._target(row), anew=anew)
            try:
                return await self.disk.run(write, target)
            except (ObjectChanged, ObjectNotFound) as error:
                if attempt == ATTEMPTS - 1:
                    raise in_motion(target.object_key) from error
                await self._mend(photo_id)
        raise PhotoNotFound(photo_id)

    def _target(self, row: IndexedPhoto) -> Target:
        """The photo of a row, and what the index knows of the sidecars that lie elsewhere."""
        known = self._reconciler.strays.fingerprints(row.stale)
        return Target(
            object_key=row.photo.object_key,
            photo_id=row.photo.id,
            fingerprint=row.fingerprint,
            # Before the first scan ended, a copy that nobody has met yet may need them as well.
            shared=None if self._reconciler.last_full is None else self._shared(row),
            homes={f: [s.object_key for s in self._index.by_fingerprint(f)] for f in known},
            files=row.files,
        )

    def _shared(self, row: IndexedPhoto) -> frozenset[str]:
        """Of the strays that the photo may show, those that other photos show too."""
        wanted = {*self._reconciler.strays.having(row.fingerprint), *row.adopted}
        shared: set[str] = set()
        if wanted:
            for state in self._index.alike(row.fingerprint):
                if state.id != row.photo.id:
                    shared.update(state.adopted)
                if wanted <= shared:
                    break
        return frozenset(shared)

    async def _mend(
        self,
        photo_id: str,
        patience_seconds: float = MOVED_SECONDS,
        written: Written = _NOTHING_WRITTEN,
    ) -> None:
        """Index what is at the photo's path now; where nothing is, find where it went."""
        row = self._index.get(photo_id)
        if row is not None:
            object_key = row.photo.object_key
            await self._reconciler.refresh([object_key], written.look, written.decoded)
            if self._index.by_key(object_key) is None:
                await self._reconciler.reconcile([Scope(directory_of(object_key))])
        await self._appears(photo_id, patience_seconds)

    async def _arrived(self, photo_id: str) -> None:
        """Wait a bit for a photo that went a moment ago: it may have moved."""
        if self._reconciler.was_lost(photo_id, MOVED_SECONDS):
            await self._appears(photo_id, MOVED_SECONDS)

    async def _appears(self, photo_id: str, patience_seconds: float) -> None:
        for _ in range(int(patience_seconds / _LOOK_SECONDS)):
            if self._index.get(photo_id) is not None:
                return
            await asyncio.sleep(_LOOK_SECONDS)

    def _row(self, photo_id: str) -> IndexedPhoto:
        row = self._index.get(photo_id)
        if row is None:
            raise PhotoNotFound(photo_id)
        return row

    def _lock(self, photo_id: str) -> asyncio.Lock:
        lock = self._locks.get(photo_id)
        if lock is None:
            lock = self._locks[photo_id] = asyncio.Lock()
        return lock
