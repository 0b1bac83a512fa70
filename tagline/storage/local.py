"""Photos in a directory of this machine, or of a network mount."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Self

from tagline.errors import ObjectNotFound, ObjectUnreadable
from tagline.model.photo import FileState
from tagline.storage import atomic
from tagline.storage.faults import is_disk_fault
from tagline.storage.leases import is_open_for_writing
from tagline.storage.making import make_directories
from tagline.storage.names import Names
from tagline.storage.paths import IgnoreRules, parts_of
from tagline.storage.plain import Plain
from tagline.storage.provider import StoredObject
from tagline.storage.root import Root
from tagline.storage.tree import Spot, Tree, state_of
from tagline.storage.walking import Walk


class LocalObject:
    """A file of a ``LocalStorage`` held open; see ``OpenObject``."""

    def __init__(self, root: Root, object_key: str, opened: atomic.Opened) -> None:
        self._root = root
        self._object_key = object_key
        self._descriptor = opened.file
        self._file: BinaryIO | None = None
        self.state = state_of(opened.status)
        self.size = opened.status.st_size
        self.links = opened.status.st_nlink
        self.writable = self.editable = opened.replaceable
        self.takes_sidecars = opened.takes_files

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def is_being_written(self) -> bool:
        """Whether another program is known to have the file open for writing now."""
        return is_open_for_writing(self._descriptor)

    @property
    def file(self) -> BinaryIO:
        """The file object, with a descriptor that ``sendfile`` can use."""
        if self._file is None:  # most objects are only read from by position
            self._file = os.fdopen(self._descriptor, "rb")
        return self._file

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``, of the bytes that were there when it was opened.

        Any numbers are allowed: what lies outside the file is not there. Thread-safe.

        Raises:
            ObjectUnreadable: an input/output error.
        """
        length = min(length, self.size - offset)
        if offset < 0 or length <= 0:
            return b""
        try:
            data = os.pread(self._descriptor, length, offset)
        except OSError as error:
            raise self._root.judged(error, self._object_key) from error
        if 0 < len(data) < length:  # the system reads at most 2 GiB at once
            data += self.read_at(offset + len(data), length - len(data))
        return data

    def close(self) -> None:
        """Close the file; further calls do nothing."""
        if self._file is not None:
            self._file.close()
        elif self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class LocalStorage(Plain):
    """A ``PhotoStorageProvider`` over a directory. Every method blocks and is thread-safe.

    The directory is known by identity from the first time that it is there (see ``Root``): while
    its disk is not mounted, everything raises ``StorageUnavailable``.

    Args:
        root: the photo directory; need not be there yet.
        ignore: globs of names and keys to hide (see ``IgnoreRules``).
    """

    def __init__(self, root: Path | Root, *, ignore: Sequence[str] = ()) -> None:
        self._tree = Tree(root if isinstance(root, Root) else Root(root))
        self._faults = self._tree.root.faults
        self._rules = IgnoreRules(ignore)
        self._unreadable: set[str] = set()
        self._lock = Lock()

    @property
    def unreadable(self) -> frozenset[str]:
        """Directories that the last finished walk over each could not read wholly.

        What was not seen in or below them may still be there.
        """
        with self._lock:
            return frozenset(self._unreadable)

    @property
    def incarnation(self) -> int:
        """Another number when another directory was taken for the photo directory."""
        return self._tree.root.incarnation

    def check(self) -> None:
        """Return when the directory is there and can be listed, else ``StorageUnavailable``."""
        self._tree.root.check()

    def walk(self, directory: str = "", *, recursive: bool = True) -> Iterator[StoredObject]:
        """Every regular file below (or directly in) a directory that no rule ignores.

        Raises:
            StorageUnavailable: the tree is gone, or went away during the walk: what was given so
                far is then not all.
        """
        if self.is_ignored(directory):
            self._tree.root.demand()
            return
        walk = Walk(self._tree, self._rules)
        for found in walk.run(directory, recursive=recursive):
            self._tree.root.settle()
            yield found
        with self._lock:
            self._unreadable = {
                key for key in self._unreadable if not _covered(key, directory, recursive=recursive)
            } | walk.unreadable

    def is_directory(self, object_key: str) -> bool:
        """Whether the key names a directory that a walk would enter."""
        if self.is_ignored(object_key):
            return False
        try:
            os.close(self._tree.enter(object_key).directory)
        except ObjectNotFound:
            return False
        except ObjectUnreadable:
            return True  # a walk would try, and report it
        return True

    def is_ignored(self, object_key: str) -> bool:
        """Whether a rule hides this key or one of its parents from walks."""
        if object_key:
            parts_of(object_key)
        return self._rules.hide_path(object_key)

    def names(self, directory: str, start: str = "") -> list[str]:
        """Names of the files directly in a directory that begin so, unsorted; none when it is gone.

        Raises:
            ObjectUnreadable: the directory is there and must not be listed.
        """
        if self.is_ignored(directory):
            self._tree.root.demand()
            return []
        try:
            opened = self._tree.enter(directory).directory
        except ObjectNotFound:
            return []
        try:
            with self._faults(directory):
                return Names(self._tree, self._rules, directory, start).read(opened)
        finally:
            os.close(opened)

    def stat(self, object_key: str) -> StoredObject:
        """State of one file; see ``PhotoStorageProvider.stat``."""
        self._demand_visible(object_key)
        return self._tree.stat(object_key)

    def open(self, object_key: str) -> LocalObject:
        """Open one file for reading; see ``PhotoStorageProvider.open``."""
        self._demand_visible(object_key)
        with self._tree.spot(object_key) as spot:
            try:
                opened = atomic.open_and_judge(spot)
            except OSError as error:
                raise self._tree.root.judged(error, object_key) from error
            return LocalObject(self._tree.root, object_key, opened)

    def replace(
        self, object_key: str, data: bytes, expected: FileState | None, *, like: str | None = None
    ) -> StoredObject:
        """Make ``data`` the content of a file, atomically; see ``PhotoStorageProvider.replace``.

        A file whose own permissions forbid writing is left alone, although renaming over it needs
        only the directory's. Owner and group are kept as far as the process may.

        Raises:
            ObjectNotFound: also when a rule ignores the key, its directory is not there, or
                ``like`` is not.
        """
        self._demand_visible(object_key)
        with self._tree.spot(object_key) as spot, self._faults(object_key, writing=True):
            if expected is not None:
                return atomic.replace(spot, data, expected)
            return self._create(spot, data, like)

    def _create(self, spot: Spot, data: bytes, like: str | None) -> StoredObject:
        if like is None:
            return atomic.create(spot, data, None)
        with self.open(like) as model:
            return atomic.create(spot, data, model.fileno())

    def remove(self, object_key: str, expected: FileState) -> None:
        """Delete a file durably (of a symbolic link, what it shows)."""
        self._demand_visible(object_key)
        with self._tree.spot(object_key) as spot, self._faults(object_key, writing=True):
            atomic.remove(spot, expected)

    def move(self, object_key: str, new_key: str, expected: FileState) -> StoredObject:
        """Rename a file durably; ``ObjectChanged`` when the new name is taken."""
        self._demand_visible(object_key)
        self._demand_visible(new_key)
        with (
            self._tree.spot(object_key) as spot,
            self._tree.spot(new_key) as target,
            self._faults(object_key, writing=True),
        ):
            return atomic.move(spot, target, expected)

    def writable(self, object_key: str) -> bool:
        """Whether a file could be replaced: permissions of it and its directory, and the mount.

        Raises:
            ObjectUnreadable: the disk does not say.
        """
        return self._judged(object_key, atomic.is_writable)

    def editable(self, object_key: str) -> bool:
        """Whether an edit of a photo could be kept: where the photo lies, or not at all."""
        return self.writable(object_key)

    def takes_sidecars(self, object_key: str) -> bool:
        """Whether new sidecars of a photo could be made: beside it, or not at all."""
        return self._judged(object_key, atomic.takes_files)

    def _judged(self, object_key: str, may: Callable[[Spot], bool]) -> bool:
        """What may be done at a spot; nothing where there is none."""
        self._demand_visible(object_key)
        try:
            with self._tree.spot(object_key) as spot, self._faults(object_key):
                return may(spot)
        except ObjectNotFound:
            return False
        except ObjectUnreadable as error:
            if is_disk_fault(error):
                raise
            return False

    def make_directory(self, directory: str) -> None:
        """Make a directory and its parents durably, where they are not there, by the umask.

        Raises:
            ObjectNotFound: a rule ignores it.
            ObjectUnreadable: a file has the name of one of them, or another input/output error.
            StorageReadOnly: not allowed to write.
            StorageFull: no space.
        """
        self._demand_visible(directory)
        with self._faults(directory, writing=True):
            make_directories(self._tree, directory)

    def _demand_visible(self, object_key: str) -> None:
        """What a rule ignores is not there, for writing either: nobody would see it again."""
        parts_of(object_key)
        if self._rules.hide_path(object_key):
            self._tree.root.demand()
            raise ObjectNotFound(object_key)


def _covered(key: str, directory: str, *, recursive: bool) -> bool:
    """Whether a walk of a directory looks at what a key names."""
    if key == directory:
        return True
    return recursive and key.startswith(f"{directory}/" if directory else "")
