"""The first question of a reconcile: which photos are not as the index has them? Pure.

Only names and states are compared, so nothing is read. The index must hold the states that were
seen when a row's files were opened; a state that differs in any part means reading again.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from tagline.index.protocol import IndexedState
from tagline.metadata.strays import suffix_of
from tagline.model import FileState, IndexedFile
from tagline.model.keys import name_of
from tagline.storage.provider import StoredObject
from tagline.sync.observe import may_matter, observe_directory
from tagline.sync.values import Observed

Base = tuple[IndexedFile, ...] | None
"""The files of a row when it was compared; None where there was no row."""


class Todo(msgspec.Struct, frozen=True):
    """A photo to read, and the row's files when that was decided."""

    observed: Observed
    base: Base


class Difference(msgspec.Struct, frozen=True):
    """What the files of one directory, or the subset asked for, say about the index rows of it.

    ``to_read`` are new and changed photos, ``gone`` the keys of rows without a photo, ``current``
    the number of rows that are right. Of those, ``linked`` have to do with sidecars that lie
    elsewhere than their photo; that they are right is then said of the photo's own files only.
    ``loose`` are the files that have a sidecar's name and no photo here.
    """

    to_read: Sequence[Todo]
    gone: Sequence[str]
    current: int
    linked: Sequence[tuple[Observed, IndexedState]] = ()
    loose: Mapping[str, FileState] = {}


def compare_directory(
    directory: str,
    objects: Sequence[StoredObject],
    indexed: Sequence[IndexedState],
    *,
    anew: bool = False,
) -> Difference:
    """Compare all files of one directory with all index rows of it.

    ``anew`` has all of its photos read, whatever their states say.
    """
    if anew:
        observed = list(observe_directory(directory, objects))
        rows = {row.object_key: row.files for row in indexed}
        to_read = [Todo(photo, rows.pop(photo.object_key, None)) for photo in observed]
        return Difference(to_read, tuple(rows), 0, loose=_loose(objects, _sidecars(observed)))
    if _is_current({o.object_key: o.state for o in objects}, indexed):
        return Difference((), (), len(indexed))
    claimed: set[str] = set()
    difference = changed(_noting(observe_directory(directory, objects), claimed), indexed)
    return msgspec.structs.replace(difference, loose=_loose(objects, claimed))


def changed(observed: Iterable[Observed], indexed: Iterable[IndexedState]) -> Difference:
    """The photos to read and the rows to drop, so that ``indexed`` becomes what was observed."""
    rows = {row.object_key: row for row in indexed}
    to_read: list[Todo] = []
    linked: list[tuple[Observed, IndexedState]] = []
    current = 0
    for photo in observed:
        row = rows.pop(photo.object_key, None)
        if row is None or own_files(row) != photo.files:
            to_read.append(Todo(photo, row.files if row else None))
            continue
        current += 1
        if row.adopted or row.stale:
            linked.append((photo, row))
    return Difference(to_read, tuple(rows), current, linked)


def own_files(row: IndexedState) -> tuple[IndexedFile, ...]:
    """The files of a row but for adopted ones: the photo, and the sidecars that it has by name."""
    if not row.adopted:
        return row.files
    return tuple(file for file in row.files if file.object_key not in row.adopted)


def _noting(photos: Iterable[Observed], claimed: set[str]) -> Iterator[Observed]:
    """The photos; on the way it is noted which sidecars are theirs."""
    for photo in photos:
        claimed |= _sidecars([photo])
        yield photo


def _sidecars(photos: Iterable[Observed]) -> set[str]:
    return {file.object_key for photo in photos for file in photo.files[1:]}


def _loose(objects: Iterable[StoredObject], claimed: Collection[str]) -> Mapping[str, FileState]:
    """The files that have a sidecar's name, and are that of no photo."""
    return {
        found.object_key: found.state
        for found in objects
        if suffix_of(found.object_key) and found.object_key not in claimed
    }


def _is_current(seen: Mapping[str, FileState], indexed: Sequence[IndexedState]) -> bool:
    """Whether the rows are right, told without pairing sidecars again.

    So it is where every file of every row is as it was, where each sidecar has its photo's whole
    name, which no other photo can contest, and where no other file could be a photo or a sidecar.
    """
    used: set[str] = set()
    for row in indexed:
        if row.adopted or row.stale:
            return False
        for file in row.files:
            key = file.object_key
            if seen.get(key) != file.state:
                return False
            if key != row.object_key and key.rpartition(".")[0] != row.object_key:
                return False
            used.add(key)
    return len(used) == len(seen) or not _any_may_matter(seen.keys() - used)


def _any_may_matter(keys: Collection[str]) -> bool:
    return any(may_matter(name_of(key)) for key in keys)
