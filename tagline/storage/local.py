"""Photos in a directory of this machine, or of a network mount."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TypeVar

from tagline.errors import ObjectNotFound, ObjectUnreadable, StorageError, UnsafeKey
from tagline.model.keys import directory_of, join, key_from_path, name_of
from tagline.model.photo import FileState
from tagline.model.source import Data
from tagline.storage import atomic
from tagline.storage.asides import bring_back, is_there, put_right
from tagline.storage.faults import close_read, is_disk_fault, is_stale
from tagline.storage.local_object import LocalObject
from tagline.storage.making import make_directories
from tagline.storage.names import Names
from tagline.storage.paths import IgnoreRules, parts_of, read_aside_name
from tagline.storage.plain import Plain
from tagline.storage.provider import IsSidecar, StoredObject
from tagline.storage.root import Root
from tagline.storage.temporary import outwait, tick, used_since
from tagline.storage.tree import Spot, Tree
from tagline.storage.walking import Walk
from tagline.storage.ways import Ways


def no_sidecar(name: str) -> bool:  # noqa: ARG001 - a rule for names
    """That a file is no sidecar, whatever its name: every file is taken for an original."""
    return False


_Found = TypeVar("_Found")

_LOOKS_SECONDS = 10.0
"""For so long a file is looked for that is aside each time."""


class LocalStorage(Plain):
    """A ``PhotoStorageProvider`` over a directory. Every method blocks and is thread-safe.

    The directory is known by identity from the first time that it is there (see ``Root``): while
    its disk is not mounted, everything raises ``StorageUnavailable``.

    Args:
        root: the photo directory; need not be there yet.
        ignore: globs of names and keys to hide (see ``IgnoreRules``).
        probe_writers: whether other programs may be writing to the files, so that nothing is
            replaced, removed or moved that one of them has open for writing.
        is_sidecar: which files are replaced even where a mount cannot do so safely.
    """

    def __init__(
        self,
        root: Path | Root,
        *,
        ignore: Sequence[str] = (),
        probe_writers: bool = True,
        is_sidecar: IsSidecar = no_sidecar,
    ) -> None:
        self._tree = Tree(root if isinstance(root, Root) else Root(root))
        self._faults = self._tree.root.faults
        self._rules = IgnoreRules(ignore)
        self._ways = Ways(self._tree.root)
        self._probes = probe_writers
        self._is_sidecar = is_sidecar
        self._searched: set[str] = set()
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
            close_read(self._tree.enter(object_key).directory)
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
        moment = tick()
        try:
            with self._faults(directory):
                listing = Names(self._tree, self._rules, directory, start)
                names = listing.read(opened)
                for aside in {*listing.asides, *used_since(moment)}:
                    self._complete(names, (directory, opened), aside, start)
                return names
        finally:
            close_read(opened)

    def _complete(
        self, names: list[str], listed: tuple[str, int], aside: bytes, start: str
    ) -> None:
        """Add the name of a file that had a hidden one while a directory was listed.

        Raises:
            ObjectUnreadable: another program has it aside still: nobody can tell what is there.
        """
        (directory, opened), told = listed, read_aside_name(aside)
        name = key_from_path(told.name) if told else ""
        if told is None or name in names or not name.startswith(start):
            return
        key = join(directory, name)
        if self._rules.hide(name, key):
            return
        put_right(opened, aside)
        try:
            self.stat(key)
        except UnsafeKey:
            return  # by a link that leads out: nothing that a listing shows
        except ObjectNotFound:
            if is_there(opened, aside):
                raise ObjectUnreadable(key, "it is being replaced just now; try again") from None
        else:
            names.append(name)

    def stat(self, object_key: str) -> StoredObject:
        """State of one file; see ``PhotoStorageProvider.stat``."""
        self._demand_visible(object_key)
        return self._looked_for(object_key, self._tree.stat)

    def open(self, object_key: str) -> LocalObject:
        """Open one file for reading; see ``PhotoStorageProvider.open``."""
        self._demand_visible(object_key)
        return self._looked_for(object_key, self._open)

    def _looked_for(self, object_key: str, look: Callable[[str], _Found]) -> _Found:
        """What a look finds, also where the file is aside for a moment, or was left so.

        An edit that meets other programs is tried again at once: so the file may be aside again.
        File systems in user space answer that a file is not there when another one took its place.
        """
        name = parts_of(object_key)[-1]
        until = time.monotonic() + _LOOKS_SECONDS
        while time.monotonic() < until:
            moment = tick()
            try:
                return _once_more(lambda: look(object_key))
            except ObjectNotFound:
                is_aside = outwait(name, moment)
                if not (is_aside or self._is_there(object_key) or self._brings_back(object_key)):
                    raise
        return look(object_key)

    def _is_there(self, object_key: str) -> bool:
        try:
            self._tree.stat(object_key)
        except ObjectNotFound:
            return False
        return True

    @contextmanager
    def _writing(self, object_key: str) -> Generator[None]:
        """As ``_faults``; what a disk that failed may have left aside is looked for again."""
        try:
            with self._faults(object_key, writing=True):
                yield
        except StorageError:
            self._searched.discard(directory_of(object_key))
            raise

    def _brings_back(self, object_key: str) -> bool:
        """See to an original that was left aside before a walk comes by; once in a directory."""
        directory = directory_of(object_key)
        if directory in self._searched or self._is_sidecar(name_of(object_key)):
            return False
        with self._faults(object_key):
            opened = self._tree.enter(directory).directory
            try:
                is_back = bring_back(opened, parts_of(object_key)[-1])
            finally:
                close_read(opened)
        self._searched.add(directory)  # not where the disk failed in that
        return is_back

    def _open(self, object_key: str) -> LocalObject:
        with self._tree.spot(object_key) as spot:
            try:
                opened = atomic.open_and_judge(spot, self._bars)
            except OSError as error:
                raise self._tree.root.judged(error, object_key) from error
            return LocalObject(self._tree, object_key, opened)

    def _bars(self, spot: Spot) -> bool:
        """Whether a file is known not to be replaced, whatever its permissions say."""
        is_sidecar = self._is_sidecar(name_of(spot.object_key))
        return not is_sidecar and self._ways.bars(spot)

    def replace(
        self, object_key: str, data: Data, expected: FileState | None, *, like: str | None = None
    ) -> StoredObject:
        """Make ``data`` the content of a file, atomically; see ``PhotoStorageProvider.replace``.

        A file whose own permissions forbid writing is left alone, although renaming over it needs
        only the directory's. Owner and group are kept as far as the process may.

        Raises:
            ObjectNotFound: also when a rule ignores the key, its directory is not there, or
                ``like`` is not.
        """
        self._demand_visible(object_key)
        with self._tree.spot(object_key) as spot, self._writing(object_key):
            if expected is not None:
                is_sidecar = self._is_sidecar(name_of(object_key))
                manner = atomic.Manner(self._ways.of, self._probes, is_sidecar)
                return atomic.replace(spot, data, expected, manner)
            return self._create(spot, data, like)

    def _create(self, spot: Spot, data: Data, like: str | None) -> StoredObject:
        if like is None:
            return atomic.create(spot, data, None)
        with self.open(like) as model:
            return atomic.create(spot, data, model.fileno())

    def remove(self, object_key: str, expected: FileState) -> None:
        """Delete a file durably (of a symbolic link, what it shows)."""
        self._demand_visible(object_key)
        with self._tree.spot(object_key) as spot, self._writing(object_key):
            atomic.remove(spot, expected, probes=self._probes)

    def move(self, object_key: str, new_key: str, expected: FileState) -> StoredObject:
        """Rename a file durably; ``ObjectChanged`` when the new name is taken."""
        self._demand_visible(object_key)
        self._demand_visible(new_key)
        with (
            self._tree.spot(object_key) as spot,
            self._tree.spot(new_key) as target,
            self._writing(object_key),
        ):
            return atomic.move(spot, target, expected, probes=self._probes)

    def writable(self, object_key: str) -> bool:
        """Whether a file could be replaced: permissions of it and its directory, and the mount.

        Raises:
            ObjectUnreadable: the disk does not say.
        """
        return self._judged(object_key, lambda s: atomic.is_writable(s) and not self._bars(s))

    def editable(self, object_key: str) -> bool:
        """Whether an edit of a photo could be kept: where the photo lies, or not at all."""
        return self._judged(object_key, atomic.is_writable)

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


def _once_more(look: Callable[[], _Found]) -> _Found:
    """What a look finds; where the file was replaced in the midst of it, what the next one does."""
    try:
        return look()
    except ObjectUnreadable as error:
        if isinstance(error.__cause__, OSError) and is_stale(error.__cause__):
            return look()
        raise


def _covered(key: str, directory: str, *, recursive: bool) -> bool:
    """Whether a walk of a directory looks at what a key names."""
    if key == directory:
        return True
    return recursive and key.startswith(f"{directory}/" if directory else "")
