"""The blocking side of listing: a walk handed over in batches of whole directories."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from tagline.model.keys import directory_of
from tagline.storage.provider import PhotoStorageProvider, StoredObject
from tagline.sync.values import Scope

BATCH_FILES = 1_000
"""A batch is handed over as soon as it has this many files: enough to hide the cost of that."""


class Listing(msgspec.Struct, frozen=True):
    """All files of one directory that no rule ignores, and a hash of their names and states."""

    directory: str
    objects: Sequence[StoredObject]
    digest: int

    @property
    def newest_ns(self) -> int:
        """Newest modification time of a file, in nanoseconds since 1970."""
        return max((found.state.mtime_ns for found in self.objects), default=0)


def listings(storage: PhotoStorageProvider, scopes: Iterable[Scope]) -> Iterator[list[Listing]]:
    """Batches of the directories in the scopes; directories without files are left out.

    The protocol promises no order. Where a storage does not give the files of a directory together,
    such directories are listed again, whole, at the end: the last listing of one is right.

    Raises:
        StorageUnavailable: the photo directory is gone; what was given so far is then not all.
    """
    for scope in scopes:
        walk = _Walk()
        yield from walk.batches(storage.walk(scope.directory, recursive=scope.recursive))
        for directory in sorted(walk.torn):
            yield [list_directory(storage, directory)]


def list_directory(storage: PhotoStorageProvider, directory: str) -> Listing:
    """All files directly in a directory; none when it is not there."""
    return _listing(directory, list(storage.walk(directory, recursive=False)))


def _listing(directory: str, objects: Sequence[StoredObject]) -> Listing:
    return Listing(directory, objects, _digest(objects))


def _digest(objects: Sequence[StoredObject]) -> int:
    """A hash of names and states, made in pieces: a directory may have a hundred thousand."""
    digest = len(objects)
    for start in range(0, len(objects), BATCH_FILES):
        some = objects[start : start + BATCH_FILES]
        digest = hash((digest, tuple([(found.object_key, found.state) for found in some])))
    return digest


class _Walk:
    """Puts what a walk gives into directories. ``torn`` are those that were handed over in part."""

    def __init__(self) -> None:
        self.torn: set[str] = set()
        self._done: set[str] = set()

    def batches(self, found: Iterable[StoredObject]) -> Iterator[list[Listing]]:
        directories: dict[str, list[StoredObject]] = {}
        files = 0
        for each in found:
            directory = directory_of(each.object_key)
            objects = directories.get(directory)
            if objects is None:
                if files >= BATCH_FILES:
                    yield self._hand_over(directories)
                    directories, files = {}, 0
                objects = directories[directory] = []
            objects.append(each)
            files += 1
        if directories:
            yield self._hand_over(directories)

    def _hand_over(self, directories: Mapping[str, list[StoredObject]]) -> list[Listing]:
        self.torn |= self._done & directories.keys()
        self._done |= directories.keys()
        return [_listing(directory, objects) for directory, objects in directories.items()]
