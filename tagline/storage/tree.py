"""The tree below the photo directory, entered name by name.

Nothing here lets the kernel follow a symbolic link: every name is opened relative to its parent's
descriptor with ``O_NOFOLLOW``. Where a name turns out to be a link, its real path is looked up, has
to lie inside, and is entered the same way from the top. So a link that is swapped between check and
use leads nowhere, and no ``/proc`` is needed.
"""

import errno
import os
import stat
from collections.abc import Sequence
from typing import NamedTuple, Self

from tagline.errors import ObjectNotFound, UnsafeKey
from tagline.model.photo import FileState
from tagline.storage.faults import is_gone
from tagline.storage.paths import directory_parts, parts_of
from tagline.storage.provider import StoredObject
from tagline.storage.root import LISTING, Root

MAX_DIRECTORY_LINKS = 2
"""Most links to directories along one key.

Links between a few sibling directories make factorially many paths without a single loop. Nothing
is lost by the limit: what a link inside the tree shows is there at its own place as well.
"""

_PASS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW
_LINK_MET = frozenset({errno.ENOTDIR, errno.ELOOP})

Identity = tuple[int, int]
"""Device and inode number: what a directory is known by while it is there."""


class Spot:
    """Where a key's file is or would be: a name in an open directory, which it closes.

    ``found`` is what had the name when it was looked up; ``directory`` an ``O_PATH`` descriptor.
    """

    __slots__ = ("directory", "found", "name", "object_key")

    def __init__(self, object_key: str, directory: int, name: bytes) -> None:
        self.object_key = object_key
        self.directory = directory
        self.name = name
        try:
            self.found = _status(directory, name)
        except OSError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the directory."""
        os.close(self.directory)

    @property
    def is_link(self) -> bool:
        """Whether a symbolic link had the name."""
        return self.found is not None and stat.S_ISLNK(self.found.st_mode)

    @property
    def is_file(self) -> bool:
        """Whether a regular file had the name."""
        return self.found is not None and stat.S_ISREG(self.found.st_mode)

    @property
    def place(self) -> tuple[int, bytes]:
        """The directory and the name."""
        return self.directory, self.name

    def stat(self) -> os.stat_result:
        """The stat of what has the name now; a link is not followed."""
        return os.stat(self.name, dir_fd=self.directory, follow_symlinks=False)


class Entered(NamedTuple):
    """An open directory that can be listed, and how its key leads there.

    ``trail`` has the (device, inode) of every directory along the key, itself the last; ``links``
    says how many of them were symbolic links.
    """

    directory: int
    trail: list[Identity]
    links: int


def state_of(status: os.stat_result) -> FileState:
    """The file state that a stat tells."""
    return FileState(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def stored(object_key: str, status: os.stat_result) -> StoredObject:
    """A file as a walk shows it."""
    return StoredObject(object_key, state_of(status), status.st_nlink)


def identity_of(directory: int) -> Identity:
    """The (device, inode) of an open directory."""
    status = os.fstat(directory)
    return status.st_dev, status.st_ino


def identified(directory: int) -> Identity:
    """``identity_of`` a directory that was just opened; where that cannot be told, it is closed."""
    try:
        return identity_of(directory)
    except OSError:
        os.close(directory)
        raise


def open_inside(directory: int, name: bytes | str) -> int:
    """Open a subdirectory for listing; ``NotADirectoryError`` or ``ELOOP`` for a link."""
    return os.open(name, LISTING, dir_fd=directory)


class Tree:
    """Keys, followed from the root through links that stay inside. Thread-safe."""

    def __init__(self, root: Root) -> None:
        self.root = root

    def spot(self, object_key: str) -> Spot:
        """Find where a key's file is or would be, for a ``with`` block; a link is resolved.

        Raises:
            UnsafeKey: no key, or it leads out of the tree.
            ObjectNotFound: its directory is not there.
            ObjectUnreadable: the way to it is barred.
        """
        parts = parts_of(object_key)
        try:
            spot = Spot(object_key, self._enter(object_key, parts[:-1]), parts[-1])
            return self._resolved(spot, parts) if spot.is_link else spot
        except OSError as error:
            raise self.root.judged(error, object_key) from error

    def _resolved(self, link: Spot, parts: Sequence[bytes]) -> Spot:
        link.close()
        inside = self._real_parts(link.object_key, parts)
        if not inside:
            raise ObjectNotFound(link.object_key)
        spot = Spot(link.object_key, self._enter_plainly(inside[:-1]), inside[-1])
        if spot.is_link:  # a loop, or a link that was made just now
            spot.close()
            raise ObjectNotFound(link.object_key)
        return spot

    def enter(self, directory: str) -> Entered:
        """Open a directory for listing; the caller closes it.

        Raises:
            UnsafeKey: no key, or it leads out of the tree.
            ObjectNotFound: it is not there, or its key goes in circles.
            ObjectUnreadable: it must not be listed.
        """
        with self.root.faults(directory):
            entered = self._enter_by_steps(directory, directory_parts(directory))
            try:
                return entered._replace(directory=open_inside(entered.directory, "."))
            finally:
                os.close(entered.directory)

    def enter_link(self, directory: str) -> int:
        """Open, for listing, a directory whose last name is a symbolic link; raises like ``enter``.

        Neither loops nor the number of links are judged.
        """
        with self.root.faults(directory):
            opened = self._enter_plainly(self._real_parts(directory, directory_parts(directory)))
            try:
                return open_inside(opened, ".")
            finally:
                os.close(opened)

    def stat(self, object_key: str) -> StoredObject:
        """State of one regular file.

        Raises:
            UnsafeKey: no key, or it leads out of the tree.
            ObjectNotFound: no regular file has it.
            ObjectUnreadable: it cannot be looked at.
        """
        with self.spot(object_key) as spot:
            if spot.found is None or not spot.is_file:
                raise ObjectNotFound(object_key)
            return stored(object_key, spot.found)

    def _enter(self, object_key: str, parts: Sequence[bytes]) -> int:
        try:
            return self._enter_plainly(parts)
        except OSError as error:
            if error.errno not in _LINK_MET:
                raise
        return self._enter_by_steps(object_key, parts).directory

    def _enter_plainly(self, parts: Sequence[bytes]) -> int:
        """Go down from the root; ``ENOTDIR`` or ``ELOOP`` where a part is a link."""
        directory = self.root.open()
        for part in parts:
            try:
                below = os.open(part, _PASS, dir_fd=directory)
            finally:
                os.close(directory)
            directory = below
        return directory

    def _enter_by_steps(self, object_key: str, parts: Sequence[bytes]) -> Entered:
        """Go down from the root through links as well, noticing loops."""
        directory = self.root.open()
        trail = [identified(directory)]
        links = 0
        for depth, part in enumerate(parts, start=1):
            try:
                if _is_link(directory, part):
                    links += 1
                    below = self._enter_plainly(self._real_parts(object_key, parts[:depth]))
                else:
                    below = os.open(part, _PASS, dir_fd=directory)
            finally:
                os.close(directory)
            directory = below
            identity = identified(directory)
            if links and (links > MAX_DIRECTORY_LINKS or identity in trail):
                os.close(directory)
                raise ObjectNotFound(object_key)
            trail.append(identity)
        return Entered(directory, trail, links)

    def _real_parts(self, object_key: str, parts: Sequence[bytes]) -> list[bytes]:
        """The parts of the real path, which has to lie inside; a hint only, never trusted."""
        root = os.path.realpath(self.root.path)
        try:
            real = os.path.realpath(b"/".join((self.root.path, *parts)))
        except OSError as error:
            if error.errno == errno.EINVAL:  # what was a link is none by the time it is read
                raise ObjectNotFound(object_key) from error
            raise
        if real == root:
            return []
        prefix = root.rstrip(b"/") + b"/"
        if not real.startswith(prefix):
            raise UnsafeKey(
                object_key, f"it leads out of the {self.root.name} through a symbolic link"
            )
        return real[len(prefix) :].split(b"/")


def _is_link(directory: int, name: bytes) -> bool:
    found = _status(directory, name)
    return found is not None and stat.S_ISLNK(found.st_mode)


def _status(directory: int, name: bytes) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except OSError as error:
        if is_gone(error):
            return None
        raise
