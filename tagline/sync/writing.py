"""The index side of a reconcile: rows get their ids and are stored, unless they changed meanwhile.

Everything here runs on the event loop's thread, and each call is one step of it: nothing else
reads or writes the index between the comparing and the storing.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

import msgspec

from tagline.index.protocol import IndexedState, PhotoIndex
from tagline.model import IndexedPhoto, Photo, with_etag
from tagline.sync.directories import Directories
from tagline.sync.identity import (
    Assignment,
    Content,
    Replacements,
    Sighting,
    assign,
    is_canonical,
)
from tagline.sync.lost import LostRow, LostRows
from tagline.sync.reading import Fresh, Gone, Row
from tagline.sync.stillness import Stillness
from tagline.sync.values import Decoded

YOUNG_SECONDS = 30.0
"""For so long after a new file's last change it may be a copy in progress, and its content (and
the id that follows from that) that of a part."""
LATE_SECONDS = 5.0
"""A change that is met so long after it was made has been told by nobody."""


class Tally:
    """What a reconcile has changed so far, by photo id, and the rows that came without one."""

    def __init__(self) -> None:
        self.imported: dict[str, None] = {}
        self.updated: dict[str, None] = {}
        self.removed: dict[str, None] = {}
        self.arrived = 0
        self.current = 0
        self.late = 0

    def put(self, photo_id: str, *, existed: bool) -> None:
        """Note a stored row; ``existed`` says whether its id was in use just before."""
        if photo_id in self.imported:
            return
        if photo_id in self.removed:
            del self.removed[photo_id]
            self.updated[photo_id] = None
        elif existed:
            self.updated[photo_id] = None
        else:
            self.imported[photo_id] = None

    def remove(self, photo_id: str) -> None:
        """Note a removed row."""
        if photo_id in self.imported:
            del self.imported[photo_id]
            return
        self.updated.pop(photo_id, None)
        self.removed[photo_id] = None


class IndexWriter:
    """Stores what was read; used on the event loop's thread only.

    ``moves`` counts the rows that ever came or went through it; ``directories`` knows in which
    directories rows changed. ``clock`` gives seconds that never go back; ``stillness`` is told
    which files were seen as they had not been before.
    """

    def __init__(self, index: PhotoIndex, clock: Callable[[], float], stillness: Stillness) -> None:
        self.directories = Directories()
        self._index = index
        self._clock = clock
        self._stillness = stillness
        self._young: dict[str, float] = {}
        self._lost = LostRows(clock)
        self.moves = 0

    def store(
        self,
        fresh: Sequence[Fresh],
        gone: Sequence[Gone],
        replaced: Replacements,
        tally: Tally,
    ) -> list[Row]:
        """Store fresh photos and drop the rows of gone ones, as one transaction.

        A row that changed since it was decided to read its photo may be newer than what was read:
        such photos are left alone and returned, to be looked at again.

        Args:
            fresh: photos just read, no key twice.
            gone: photos just found to be missing.
            replaced: other photos with new content, which will be stored later.
            tally: counts what changes.

        Raises:
            IndexFailure: nothing was stored.
        """
        step = _Step(self._index, fresh, gone)
        sighting = Sighting(
            fresh={
                key: Content(each.decoded.fingerprint, each.decoded.files[0].state)
                for key, each in step.fresh.items()
            },
            gone=frozenset(step.gone),
            replaced=replaced,
            provisional=frozenset(key for key in step.rows if self._is_provisional(step, key)),
        )
        assignment = assign(sighting, _IndexRows(self._index, step.rows, self._lost))
        tally.current += step.known
        self._apply(step, assignment, tally)
        self._note_young(step)
        return step.conflicts

    def was_lost(self, photo_id: str, seconds: float) -> bool:
        """Whether the row with this id went no more than so many seconds ago."""
        return self._lost.has(photo_id, seconds)

    def _is_provisional(self, step: "_Step", key: str) -> bool:
        return key in step.fresh and (
            step.rows[key].photo.problem is not None or self._young.get(key, 0.0) > self._clock()
        )

    def _apply(self, step: "_Step", assignment: Assignment, tally: Tally) -> None:
        put, said = self._rows(step, assignment, tally)
        if not put and not assignment.remove:
            return
        ids = {*(row.photo.id for row in put), *assignment.remove}
        old = {photo_id: row for photo_id in ids if (row := self._index.get(photo_id))}
        before = len(self._index)
        self._note_looks(step, put)
        self._index.apply(put, assignment.remove)
        self._count(step, len(self._index) - before, tally)
        self.directories.note_changes({row.photo.object_key for row in (*put, *old.values())})
        for photo_id in assignment.remove:
            tally.remove(photo_id)
            if photo_id in old:
                lost = _state(old[photo_id])
                self._lost.add(lost, kept=not is_canonical(lost))
        for photo_id in said:
            tally.put(photo_id, existed=photo_id in old)

    def _rows(
        self, step: "_Step", assignment: Assignment, tally: Tally
    ) -> tuple[list[IndexedPhoto], list[str]]:
        """The rows to store, and the ids of those that say something new of their photo."""
        put: list[IndexedPhoto] = []
        said: list[str] = []
        for key, photo_id in assignment.ids.items():
            row, old = _row(step.fresh[key].decoded, photo_id), step.rows.get(key)
            if row != old:
                put.append(row)
            if old is not None and row.photo == old.photo:
                tally.current += 1
            else:
                said.append(photo_id)
                tally.late += step.fresh[key].age_seconds >= LATE_SECONDS
        for old_id, new_id in assignment.renamed.items():
            if row := self._index.get(old_id):
                put.append(_with_id(row, new_id))
                said.append(new_id)
        return put, said

    def _note_looks(self, step: "_Step", put: Iterable[IndexedPhoto]) -> None:
        if not self._stillness.settle_seconds:
            return
        for row in put:
            old = step.rows.get(row.photo.object_key)
            seen = {f.object_key: f.state for f in old.files} if old else {}
            for file in row.files:
                was = seen.get(file.object_key)
                if was is None or not file.state.is_unwritten_since(was):
                    self._stillness.note_row(file.object_key)

    def _count(self, step: "_Step", growth: int, tally: Tally) -> None:
        arrived = sum(key not in step.rows for key in step.fresh)
        tally.arrived += arrived
        self.moves += arrived + abs(growth - arrived)

    def _note_young(self, step: "_Step") -> None:
        """Remember new files that may not be whole yet, and forget those that had their time."""
        now = self._clock()
        for key, each in step.fresh.items():
            is_new = key not in step.rows or key in self._young
            if is_new and each.age_seconds < YOUNG_SECONDS:
                self._young[key] = now + YOUNG_SECONDS
        for key in step.gone:
            self._young.pop(key, None)
        while self._young and next(iter(self._young.values())) <= now:
            del self._young[next(iter(self._young))]


class _Step:
    """What can be stored at once: ``fresh``, ``gone`` and the current rows of both, by key.

    ``known`` counts what another task stored meanwhile, just as it was read here.
    """

    def __init__(self, index: PhotoIndex, fresh: Iterable[Fresh], gone: Iterable[Gone]) -> None:
        self.rows: dict[str, IndexedPhoto] = {}
        self.fresh: dict[str, Fresh] = {}
        self.gone: list[str] = []
        self.conflicts: list[Row] = []
        self.known = 0
        for each in fresh:
            key = each.decoded.object_key
            if self._is_unchanged(index.by_key(key), Row(key, each.base), each.decoded):
                self.fresh[key] = each
        for missing in gone:
            row = index.by_key(missing.object_key)
            if row and self._is_unchanged(row, Row(missing.object_key, missing.base), None):
                self.gone.append(missing.object_key)

    def _is_unchanged(self, row: IndexedPhoto | None, seen: Row, decoded: Decoded | None) -> bool:
        """Whether the row is still the one that was seen; if so, it is kept in ``rows``."""
        files = row.files if row else None
        if files != seen.base:
            if decoded is None or files != decoded.files:
                self.conflicts.append(Row(seen.object_key, files, row and row.fingerprint))
            else:
                self.known += 1
            return False
        if row:
            self.rows[seen.object_key] = row
        return True


class _IndexRows:
    """The index as ``identity.Rows``; the rows of this step are at hand already."""

    def __init__(self, index: PhotoIndex, rows: Mapping[str, IndexedPhoto], lost: LostRows) -> None:
        self._index = index
        self._rows = rows
        self._lost = lost

    def by_key(self, object_key: str) -> IndexedState | None:
        row = self._rows.get(object_key)
        return _state(row) if row else None

    def by_id(self, photo_id: str) -> IndexedState | None:
        return self._index.state(photo_id)

    def alike(self, fingerprint: str, besides: Container[str] = ()) -> Iterator[IndexedState]:
        return self._index.alike(fingerprint, besides)

    def lately_lost(self, fingerprint: str, *, kept: bool = False) -> Iterator[LostRow]:
        return self._lost.having(fingerprint, kept=kept)


def _state(row: IndexedPhoto) -> IndexedState:
    return IndexedState(
        id=row.photo.id,
        object_key=row.photo.object_key,
        fingerprint=row.fingerprint,
        files=row.files,
    )


def _row(decoded: Decoded, photo_id: str) -> IndexedPhoto:
    photo = msgspec.structs.replace(decoded.photo, id=photo_id)
    return _indexed(photo, decoded)


def _with_id(row: IndexedPhoto, photo_id: str) -> IndexedPhoto:
    return _indexed(msgspec.structs.replace(row.photo, id=photo_id), row)


def _indexed(photo: Photo, source: Decoded | IndexedPhoto) -> IndexedPhoto:
    return IndexedPhoto(
        photo=with_etag(photo, source.fingerprint),
        fingerprint=source.fingerprint,
        files=source.files,
        adopted=source.adopted,
        stale=source.stale,
    )
