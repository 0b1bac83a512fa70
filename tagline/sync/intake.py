"""What was read goes into the index here, with the ids of everything it touches in order.

Before a photo gets an id, the other photos that the index has of the same content are looked at:
one of them may be the very file under its old name. Before a row is removed, its photo is looked
at. So it does not matter in which order directories are met, nor that files change meanwhile, nor
that several reconciles run at once: what is decided on has just been seen.

A photo whose *content* is another one is only noted at first: whether its pixels were edited, or
another photo was moved over it, can be told when all new photos are known.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from tagline.errors import StorageUnavailable
from tagline.metadata.strays import suffix_of
from tagline.storage.provider import PhotoStorageProvider
from tagline.sync.identity import Replacements
from tagline.sync.looking import Look
from tagline.sync.parts import Parts
from tagline.sync.reading import Fresh, Gone, Reading, Row, Unsettled
from tagline.sync.values import Decoded, ReadError
from tagline.sync.writing import Tally

BATCH = 64
"""Rows stored in one step of the event loop."""
HELD = 256
"""Noted photos of which what was read is kept in memory; of more, it is read again."""
LIKELY = 8
"""Of the photos with one content, so many are looked at for the old name of a new one."""
ATTEMPTS = 5
"""So often a photo that another task stored meanwhile is looked at again at once."""
SUSPICIOUS_ROWS = 10
"""That an index of so many photos finds the directory empty is an accident, not a wish."""


class Intake:
    """The taking in of what one reconcile read.

    ``gone`` are the keys of rows without a photo, to be removed by ``finish``. ``errors`` are the
    photos that could not be read, ``unsettled`` those that changed while they were read, and
    ``racy`` those that may have changed since without a change of their state.
    """

    def __init__(self, parts: Parts) -> None:
        self.tally = Tally()
        self.gone: set[str] = set()
        self.errors: dict[str, str] = {}
        self.unsettled: set[str] = set()
        self.racy: set[str] = set()
        self._parts = parts
        self._replaced = Replacements()
        self._held: dict[str, Fresh] = {}
        self._checked: set[str] = set()

    async def take(self, readings: Iterable[Reading | None]) -> None:
        """Store photos just read, and note those that have other content now.

        Raises:
            StorageUnavailable: the photo directory is gone.
            IndexFailure: the index could not be written.
        """
        await self._store(self._sorted(readings, defer=True), defer=True)

    async def look(self, keys: Iterable[str], look: Look | None = None) -> None:
        """Look at photos, of rows or new ones, and take them in; raises as ``take``.

        ``look`` has listed their directories just now.
        """
        for some in _batches(list(keys)):
            rows = [self._row(key) for key in some]
            readings = await self._parts.thread(self._parts.reader.look, rows, look)
            look = None
            self.tally.current += readings.count(None)
            await self.take(readings)

    async def stand_in(self, written: Decoded) -> None:
        """Take in a photo as it was written, where looking at it found no rest; raises as ``take``.

        The row would go on saying what was there before.
        """
        key = written.object_key
        if key in self.unsettled or key in self.errors:
            await self.take([Fresh(written, self._row(key).base)])
            self.unsettled.add(key)

    async def reread(self, keys: Iterable[str]) -> None:
        """Read photos even where their states say that nothing changed; raises as ``take``."""
        for some in _batches(list(keys)):
            rows = [self._row(key) for key in some]
            await self.take(await self._parts.thread(self._parts.reader.reread, rows))

    async def reconsider(self, fingerprints: Iterable[str]) -> None:
        """Look at the photos for which strays came, went or changed; raises as ``take``.

        What follows is no news from a photo's own files: no change that was missed, and none of
        the rows that were found to be right is counted twice.
        """
        tally = self.tally
        current, late, updated = tally.current, tally.late, len(tally.updated)
        alike = (state for f in fingerprints for state in self._parts.index.by_fingerprint(f))
        await self.look(sorted({state.object_key for state in alike}))
        tally.late = late
        tally.current = max(0, current - max(0, len(tally.updated) - updated))

    async def finish(self) -> None:
        """Deal with the photos that have other content now, then with the rows without a photo.

        Raises:
            StorageUnavailable: the photo directory is gone, or looks as if its disk were.
            IndexFailure: the index could not be written.
        """
        await self._demand_not_emptied()
        while self._replaced or self.gone:
            for some in _batches(sorted(self._replaced)):
                await self._take_replaced(some)
            gone, self.gone = self.gone, set()
            await self.look(key for key in sorted(gone) if self._parts.index.by_key(key))

    async def _take_replaced(self, keys: Sequence[str]) -> None:
        keys = [key for key in keys if key in self._replaced]
        held = [fresh for key in keys if (fresh := self._held.pop(key, None))]
        known = {fresh.decoded.object_key for fresh in held}
        rows = [self._row(key) for key in keys if key not in known]
        readings = await self._parts.thread(self._parts.reader.reread, rows) if rows else []
        for key in keys:
            self._replaced.discard(key)
        await self._store(self._sorted([*held, *readings], defer=False), defer=False)

    async def _store(self, batch: "_Batch", *, defer: bool) -> None:
        parts = self._parts
        conflicts: list[Row] = []
        for _ in range(ATTEMPTS):
            await self._complete(batch, defer=defer)
            conflicts = parts.writer.store(
                list(batch.fresh.values()), list(batch.gone.values()), self._replaced, self.tally
            )
            self._note_adoptions(batch.fresh.values())
            if not conflicts:
                return
            readings = await parts.thread(parts.reader.look, conflicts)
            self.tally.current += readings.count(None)
            batch = self._sorted(readings, defer=defer)
        self.unsettled.update(row.object_key for row in conflicts)

    async def _complete(self, batch: "_Batch", *, defer: bool) -> None:
        """Look at the photos that the index has of the same content as those in the batch."""
        while rows := self._unchecked(batch):
            readings = await self._parts.thread(self._parts.reader.look, rows)
            self._checked.update(row.object_key for row in rows)
            self._sort_into(batch, readings, defer=defer)
        await self._complete_strays(batch, defer=defer)

    async def _complete_strays(self, batch: "_Batch", *, defer: bool) -> None:
        """Read again what has got other strays meanwhile, so that it never shows without them."""
        rows = [
            Row(fresh.decoded.object_key, fresh.base)
            for fresh in batch.fresh.values()
            if self._has_other_strays(fresh)
        ]
        if rows:
            for row in rows:
                del batch.fresh[row.object_key]
            self._sort_into(
                batch, await self._parts.thread(self._parts.reader.reread, rows), defer=defer
            )

    def _has_other_strays(self, fresh: Fresh) -> bool:
        strays = self._parts.strays
        if fresh.strays_version == strays.version:
            return False
        return bool(fresh.decoded.adopted) or strays.have(fresh.decoded.fingerprint)

    def _unchecked(self, batch: "_Batch") -> list[Row]:
        found: dict[str, Row] = {}
        for fingerprint in {fresh.decoded.fingerprint for fresh in batch.fresh.values()}:
            for state in islice(self._parts.index.alike(fingerprint), LIKELY):
                key = state.object_key
                known = key in batch.fresh or key in batch.gone or key in self._replaced
                if not known and key not in self._checked:
                    found[key] = Row(key, state.files, state.fingerprint)
        return list(found.values())

    def _sorted(self, readings: Iterable[Reading | None], *, defer: bool) -> "_Batch":
        batch = _Batch()
        self._sort_into(batch, readings, defer=defer)
        return batch

    def _sort_into(
        self, batch: "_Batch", readings: Iterable[Reading | None], *, defer: bool
    ) -> None:
        for reading in readings:
            match reading:
                case Fresh():
                    self._sort_fresh(batch, reading, defer=defer)
                case Gone(object_key=key):
                    batch.gone[key] = reading
                case Unsettled(object_key=key):
                    self.unsettled.add(key)
                    self._parts.writer.directories.spoil(key)
                case ReadError(object_key=key, detail=detail):
                    self._note_fault(key, detail)
                case None:
                    pass

    def _note_fault(self, key: str, fault: str | None) -> None:
        if fault is None:
            self.errors.pop(key, None)
            return
        self.errors[key] = fault
        self._parts.writer.directories.spoil(key)

    def _sort_fresh(self, batch: "_Batch", fresh: Fresh, *, defer: bool) -> None:
        key = fresh.decoded.object_key
        self._note_fault(key, fresh.fault)
        if fresh.may_hide_a_change:
            self.racy.add(key)
        before = self._replaced_content(fresh) if defer else None
        if before is None:
            batch.fresh[key] = fresh
            return
        self._replaced.add(key, fresh.decoded.fingerprint, before)
        if len(self._held) < HELD:
            self._held[key] = fresh

    def _replaced_content(self, fresh: Fresh) -> str | None:
        """The fingerprint of the row, where the photo has another one now."""
        if fresh.base is None:
            return None
        row = self._parts.index.by_key(fresh.decoded.object_key)
        is_same = row is None or row.fingerprint == fresh.decoded.fingerprint
        return None if is_same or row is None else row.fingerprint

    def _note_adoptions(self, stored: Iterable[Fresh]) -> None:
        """Have photos looked at again for which strays came or went while they were read."""
        touched = [each.decoded.fingerprint for each in stored if self._has_other_strays(each)]
        self._parts.strays.touch(touched)

    def _row(self, object_key: str) -> Row:
        row = self._parts.index.by_key(object_key)
        return Row(object_key, row.files, row.fingerprint) if row else Row(object_key, None)

    async def _demand_not_emptied(self) -> None:
        """Do not believe that a whole library was deleted: its disk may not be mounted."""
        if len(self.gone) < max(SUSPICIOUS_ROWS, len(self._parts.index)):
            return
        if await self._parts.thread(_is_empty, self._parts.storage):
            raise StorageUnavailable(
                f"The photo directory is empty, but {len(self.gone)} photos are indexed: its disk "
                "may not be mounted. The index is kept until a photo is there again."
            )


class _Batch:
    """Photos to be stored together, by key."""

    def __init__(self) -> None:
        self.fresh: dict[str, Fresh] = {}
        self.gone: dict[str, Gone] = {}


def _batches(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[start : start + BATCH] for start in range(0, len(keys), BATCH))


def _is_empty(storage: PhotoStorageProvider) -> bool:
    """Whether there is nothing but sidecars, which may lie on another disk than their photos."""
    return all(suffix_of(found.object_key) for found in storage.walk())
