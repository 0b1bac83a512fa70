"""The first question of a reconcile: which photos are not as the index has them? Pure.

Only names and states are compared, so nothing is read. The index must hold the states that were
seen when a row's files were opened; a state that differs in any part means reading again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from tagline.index.protocol import IndexedState
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
    the number of rows that are right.
    """

    to_read: Sequence[Todo]
    gone: Sequence[str]
    current: int


def compare_directory(
    directory: str, objects: Sequence[StoredObject], indexed: Sequence[IndexedState]
) -> Difference:
    """Compare all files of one directory with all index rows of it."""
    if _is_current({o.object_key: o.state for o in objects}, indexed):
        return Difference((), (), len(indexed))
    return changed(observe_directory(directory, objects), indexed)


def changed(observed: Iterable[Observed], indexed: Iterable[IndexedState]) -> Difference:
    """The photos to read and the rows to drop, so that ``indexed`` becomes what was observed."""
    rows = {row.object_key: row.files for row in indexed}
    to_read: list[Todo] = []
    current = 0
    for photo in observed:
        base = rows.pop(photo.object_key, None)
        if base == photo.files:
            current += 1
        else:
            to_read.append(Todo(photo, base))
    return Difference(to_read, tuple(rows), current)


def _is_current(seen: Mapping[str, FileState], indexed: Sequence[IndexedState]) -> bool:
    """Whether the rows are right, told without pairing sidecars again.

    The pairing depends on names alone. So where every file of every row is as it was, and the
    directory holds no other file that could be a photo or a sidecar, the pairing is as it was.
    """
    used: set[str] = set()
    for row in indexed:
        for file in row.files:
            if seen.get(file.object_key) != file.state:
                return False
            used.add(file.object_key)
    return len(used) == len(seen) or not _any_may_matter(seen.keys() - used)


def _any_may_matter(keys: Collection[str]) -> bool:
    return any(may_matter(name_of(key)) for key in keys)
