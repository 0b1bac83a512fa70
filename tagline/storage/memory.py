"""Photos in memory: a storage for tests, whose outside world can be played.

``put``, ``rename``, ``delete`` and ``set_being_written`` are what other programs do; ``fail_next``,
``set_read_only`` and ``set_unavailable`` are what disks do.
"""

import io
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from threading import RLock
from typing import BinaryIO, Self

from tagline.errors import (
    ObjectChanged,
    ObjectNotFound,
    StorageError,
    StorageReadOnly,
    StorageUnavailable,
)
from tagline.model.keys import directory_of, name_of
from tagline.model.photo import FileState
from tagline.model.source import Data, bytes_of
from tagline.storage.faults import open_elsewhere
from tagline.storage.memory_files import MemoryFile, MemoryFiles
from tagline.storage.paths import IgnoreRules, parts_of
from tagline.storage.plain import Plain
from tagline.storage.provider import StoredObject

_EPOCH_NS = 1_700_000_000_000_000_000
_TICK_NS = 1_000_000


class MemoryObject:
    """A file of a ``MemoryStorage`` held open; see ``OpenObject``."""

    def __init__(
        self,
        data: bytes,
        state: FileState,
        before_read: Callable[[], None],
        is_being_written: Callable[[], bool],
        *,
        writable: bool,
    ) -> None:
        self._data = data
        self._before_read = before_read
        self._is_being_written = is_being_written
        self._file = io.BytesIO(data)
        self.state = state
        self.size = len(data)
        self.links = 1
        self.writable = self.editable = self.takes_sidecars = writable

    def is_being_written(self) -> bool:
        """Whether another program has the file open for writing now."""
        return self._is_being_written()

    @property
    def file(self) -> BinaryIO:
        """The bytes as a file object, without a descriptor."""
        return self._file

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``; what lies outside the file is not there."""
        self._before_read()
        if offset < 0 or length <= 0:
            return b""
        return self._data[offset : offset + length]

    def close(self) -> None:
        """Close the file; further calls do nothing."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class MemoryStorage(Plain):
    """A ``PhotoStorageProvider`` without a disk. Thread-safe.

    Everything is deterministic: inode numbers count from 1, and every change takes the next tick
    of the clock, unless another clock is given.

    Args:
        files: content by object key.
        ignore: globs of names and keys to hide (see ``IgnoreRules``).
        clock: gives the time in nanoseconds; each call later than the one before.
        probe_writers: whether other programs may be writing to the files, so that nothing is
            replaced, removed or moved that one of them has open.
    """

    def __init__(
        self,
        files: Mapping[str, bytes] | None = None,
        *,
        ignore: Sequence[str] = (),
        clock: Callable[[], int] | None = None,
        probe_writers: bool = True,
    ) -> None:
        self._table = MemoryFiles(clock or count(_EPOCH_NS, _TICK_NS).__next__)
        self._rules = IgnoreRules(ignore)
        self._lock = RLock()
        self._failures: defaultdict[str, deque[StorageError]] = defaultdict(deque)
        self._read_only = False
        self._unavailable = False
        self._being_written: set[str] = set()
        self._probes = probe_writers
        for object_key, data in (files or {}).items():
            self.put(object_key, data)

    # -- the outside world ---------------------------------------------------------------------

    def put(self, object_key: str, data: bytes) -> StoredObject:
        """Another program writes a file, in place where there is one; directories are made."""
        parts_of(object_key)
        with self._lock:
            return StoredObject(object_key, self._table.put(object_key, data).state)

    def rename(self, object_key: str, new_key: str) -> None:
        """Another program renames a file or a directory; what had the new name is gone."""
        parts_of(new_key)
        with self._lock:
            self._table.rename(object_key, new_key)

    def delete(self, object_key: str) -> None:
        """Another program deletes a file, or a directory with all that is in it."""
        with self._lock:
            gone = self._table.below(object_key)
            if not gone:
                raise ObjectNotFound(object_key)
            self._table.drop(gone)

    def set_being_written(self, object_key: str, value: bool = True) -> None:  # noqa: FBT001, FBT002  # a switch
        """Another program opens a file for writing, or closes it."""
        (self._being_written.add if value else self._being_written.discard)(object_key)

    def fail_next(self, operation: str, error: StorageError) -> None:
        """Let the next call of a method (``read_at`` of any open file too) raise this, once.

        Several failures of one method come in the order in which they were set.
        """
        with self._lock:
            self._failures[operation].append(error)

    def set_read_only(self, value: bool = True) -> None:  # noqa: FBT001, FBT002  # a switch
        """Remount the storage read-only, or writable again."""
        self._read_only = value

    def set_unavailable(self, value: bool = True) -> None:  # noqa: FBT001, FBT002  # a switch
        """Unmount the storage, or mount it again."""
        self._unavailable = value

    # -- the provider --------------------------------------------------------------------------

    @property
    def unreadable(self) -> frozenset[str]:
        """Directories that a walk could not read: none, ever."""
        return frozenset()

    @property
    def incarnation(self) -> int:
        """Always the same."""
        return 0

    def check(self) -> None:
        """Return unless the storage is unavailable."""
        self._begin("check")

    def walk(self, directory: str = "", *, recursive: bool = True) -> Iterator[StoredObject]:
        """Every file below (or directly in) a directory that no rule ignores."""
        self._begin("walk", directory or None)
        with self._lock:
            keys = self._visible(directory, recursive=recursive)
        for object_key in keys:
            with self._lock:
                file = self._table.files.get(object_key)
            if file:
                yield StoredObject(object_key, file.state)
        self._demand_available()

    def is_directory(self, object_key: str) -> bool:
        """Whether the key names a directory that a walk would enter."""
        self._begin("is_directory", object_key or None)
        return object_key in self._table.directories and not self._rules.hide_path(object_key)

    def is_ignored(self, object_key: str) -> bool:
        """Whether a rule hides this key or one of its parents from walks."""
        if object_key:
            parts_of(object_key)
        return self._rules.hide_path(object_key)

    def names(self, directory: str, start: str = "") -> list[str]:
        """Names of the files directly in a directory that begin so."""
        self._begin("names", directory or None)
        with self._lock:
            names = [name_of(key) for key in self._visible(directory, recursive=False)]
        return [name for name in names if name.startswith(start)]

    def stat(self, object_key: str) -> StoredObject:
        """State of one file."""
        self._begin("stat", object_key)
        with self._lock:
            return StoredObject(object_key, self._visible_file(object_key).state)

    def open(self, object_key: str) -> MemoryObject:
        """Open one file for reading."""
        self._begin("open", object_key)
        with self._lock:
            file = self._visible_file(object_key)
        writable = not self._read_only
        return MemoryObject(
            file.data,
            file.state,
            lambda: self._begin("read_at"),
            lambda: object_key in self._being_written,
            writable=writable,
        )

    def replace(
        self, object_key: str, data: Data, expected: FileState | None, *, like: str | None = None
    ) -> StoredObject:
        """Make ``data`` the content of a file; see ``PhotoStorageProvider.replace``."""
        with self._lock:
            self._begin("replace", object_key)
            self._demand_place(object_key)
            if expected is None:
                self._demand_absent(object_key)
                if like is not None:
                    self._visible_file(like)
            else:
                self._demand_state(object_key, expected)
            self._demand_writable(object_key)
            self._demand_unused(object_key)
            return StoredObject(object_key, self._table.replace(object_key, bytes_of(data)).state)

    def remove(self, object_key: str, expected: FileState) -> None:
        """Delete a file."""
        with self._lock:
            self._begin("remove", object_key)
            self._demand_state(object_key, expected)
            self._demand_writable(object_key)
            self._demand_unused(object_key)
            self._table.drop([object_key])

    def move(self, object_key: str, new_key: str, expected: FileState) -> StoredObject:
        """Rename a file; ``new_key`` must not exist."""
        with self._lock:
            self._begin("move", object_key)
            self._demand_state(object_key, expected)
            self._demand_place(new_key)
            self._demand_absent(new_key)
            self._demand_writable(object_key)
            self._demand_unused(object_key)
            self._table.rename(object_key, new_key)
            return self.stat(new_key)

    def writable(self, object_key: str) -> bool:
        """Whether a file could be replaced."""
        self._begin("writable", object_key)
        self._demand_visible(object_key)
        return not self._read_only and directory_of(object_key) in self._table.directories

    editable = takes_sidecars = writable

    # -- beneath -------------------------------------------------------------------------------

    def _begin(self, operation: str, object_key: str | None = None) -> None:
        if object_key is not None:
            parts_of(object_key)
        with self._lock:
            if self._failures[operation]:
                raise self._failures[operation].popleft()
        self._demand_available()

    def _demand_available(self) -> None:
        if self._unavailable:
            raise StorageUnavailable

    def _demand_visible(self, object_key: str) -> None:
        if self._rules.hide_path(object_key):
            raise ObjectNotFound(object_key)

    def _visible_file(self, object_key: str) -> MemoryFile:
        parts_of(object_key)
        self._demand_visible(object_key)
        file = self._table.files.get(object_key)
        if file is None:
            raise ObjectNotFound(object_key)
        return file

    def _visible(self, directory: str, *, recursive: bool) -> list[str]:
        prefix = f"{directory}/" if directory else ""
        return [
            key
            for key in self._table.files
            if key.startswith(prefix)
            and (recursive or "/" not in key[len(prefix) :])
            and not self._rules.hide_path(key)
        ]

    def _demand_place(self, object_key: str) -> None:
        parts_of(object_key)
        self._demand_visible(object_key)
        if directory_of(object_key) not in self._table.directories:
            raise ObjectNotFound(object_key)

    def _demand_absent(self, object_key: str) -> None:
        if object_key in self._table.files or object_key in self._table.directories:
            raise ObjectChanged(object_key)

    def _demand_state(self, object_key: str, expected: FileState) -> None:
        if self._visible_file(object_key).state != expected:
            raise ObjectChanged(object_key)

    def _demand_writable(self, object_key: str) -> None:
        if self._read_only:
            raise StorageReadOnly(object_key)

    def _demand_unused(self, object_key: str) -> None:
        if self._probes and object_key in self._being_written:
            raise open_elsewhere(object_key)
