"""The photo directory itself: remembered, so that nothing else is taken for it."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tagline.errors import StorageError, StorageUnavailable
from tagline.storage.faults import fault_of, is_gone, may_be_disk, reason_of

LISTING = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
"""Flags that open a directory for listing and no link to one."""


class _Identity(NamedTuple):
    device: int
    inode: int
    file_system: int


class Root:
    """A directory that is recognised by identity.

    A disk that is not mounted leaves an empty directory in its place. So the directory seen under
    the path is remembered (inode and file system id; the device number too, but a disk that is
    mounted again may come with another), and once something was met in it, the path is unavailable
    while anything else stands there. It is back as soon as the directory is; to accept another one,
    make a new Root. Thread-safe.

    Args:
        path: the directory; need not be there yet.
        name: what it is called in errors.
    """

    def __init__(self, path: Path, name: str = "photo directory") -> None:
        self.name = name
        self.path = os.fsencode(path.absolute())
        self._known: _Identity | None = None
        self._settled = False
        self.incarnation = 0
        try:
            os.close(self.open())
        except StorageUnavailable:
            self._known = None  # remembered when it is first there

    def open(self, *, thoroughly: bool = False) -> int:
        """Open the photo directory (``O_PATH``).

        ``thoroughly`` also asks the file system for its id, which tells another disk from the
        remembered one where both have the same device and inode number; a round trip on a network
        mount.

        Raises:
            StorageUnavailable: it is not there, or another directory stands in its place.
        """
        try:
            root = os.open(self.path, os.O_PATH | os.O_DIRECTORY)
        except OSError as error:
            raise self.unavailable(error) from error
        try:
            self._recognise(root, thoroughly=thoroughly)
        except OSError as error:
            os.close(root)
            raise self.unavailable(error) from error
        except StorageUnavailable:
            os.close(root)
            raise
        return root

    def _recognise(self, root: int, *, thoroughly: bool) -> None:
        status = os.fstat(root)
        device, inode = status.st_dev, status.st_ino
        known = self._known
        if known and not thoroughly and (device, inode) == known[:2]:
            return
        seen = _Identity(device, inode, os.fstatvfs(root).f_fsid)
        if known and seen[1:] != known[1:]:
            if self._settled:
                raise StorageUnavailable(
                    f"The {self.name} is not available: another directory stands in its place. "
                    "Mount its disk again, or restart Tagline if the change is meant."
                )
            self.incarnation += 1
        self._known = seen

    def settle(self) -> None:
        """Note that something was met in it: no other directory is taken for it from now on."""
        self._settled = True

    def demand(self) -> None:
        """Return when the remembered directory is there, else raise ``StorageUnavailable``."""
        os.close(self.open(thoroughly=True))

    def check(self) -> None:
        """Return when it is there and can be listed, else raise ``StorageUnavailable``."""
        root = self.open(thoroughly=True)
        try:
            listed = os.open(".", LISTING, dir_fd=root)
            try:
                with os.scandir(listed) as entries:
                    if any(not entry.name.startswith(".") for entry in entries):
                        self.settle()
            finally:
                os.close(listed)
        except OSError as error:
            raise self.unavailable(error) from error
        finally:
            os.close(root)

    @contextmanager
    def faults(self, object_key: str, *, writing: bool = False) -> Generator[None]:
        """Turn what the system says inside the block into our errors about this key."""
        try:
            yield
        except OSError as error:
            raise self.judged(error, object_key, writing=writing) from error

    def judged(self, error: OSError, object_key: str, *, writing: bool = False) -> StorageError:
        """The error of ours for a system's error: the whole disk's fault, or this key's."""
        if may_be_disk(error):
            try:
                self.check()
            except StorageUnavailable as unavailable:
                return unavailable
        return fault_of(error, object_key, writing=writing)

    def unavailable(self, error: OSError) -> StorageUnavailable:
        """The error of ours that says why the directory cannot be used."""
        reason = "it is not there" if is_gone(error) else reason_of(error)
        advice = "Check that its disk is mounted, and its permissions."
        return StorageUnavailable(f"The {self.name} is not available: {reason}. {advice}")
