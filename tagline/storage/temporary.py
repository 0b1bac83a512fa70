"""Temporary files that tell whether their writer lives.

A writer holds a lock (flock(2)) on its temporary file until it is done, and the kernel drops the
lock when the writer dies. So ``sweep`` removes what a killed writer left behind and nothing that is
still being written, in this process or another. Functions raise ``OSError``; the caller translates.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Self

from tagline.errors import ObjectUnreadable
from tagline.storage.paths import temporary_name

_CHUNK_BYTES = 1 << 16
"""Small enough that the memory of one piece serves for the next one."""

_ATTEMPTS = 16
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_LOCKABLE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY

_in_use: set[bytes] = set()
"""Names that this process uses: for a moment one may stand for a file that bears no lock."""


class TemporaryFile:
    """A locked file in a directory, for use in a ``with`` block; removed at its end.

    Whoever gave the file another name before that says so by ``placed``, and while the temporary
    name may stand for another program's file, by ``keeps_another``: that is then kept aside.

    Args:
        directory: descriptor of the directory.
        mode: permission bits at creation, before the umask.
    """

    def __init__(self, directory: int, mode: int) -> None:
        self._directory = directory
        self.placed = False
        self.keeps_another = False
        for _ in range(_ATTEMPTS):
            self.name = temporary_name()
            self.file = os.open(self.name, _NEW, mode, dir_fd=directory)
            _in_use.add(self.name)
            # A file system without locks cannot sweep either: go on without.
            with suppress(OSError):
                fcntl.flock(self.file, fcntl.LOCK_EX)
            if _is_named(self.file):
                return
            _in_use.discard(self.name)
            os.close(self.file)  # another process's sweep came between creation and lock
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self.keeps_another:
            keep_aside(self._directory, self.name)
        elif not self.placed:
            with suppress(OSError):
                os.unlink(self.name, dir_fd=self._directory)
        _in_use.discard(self.name)
        os.close(self.file)

    def write(self, data: bytes) -> None:
        """Write all of ``data`` at the start of the file."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self.file, rest) :]

    def settle(self, object_key: str, data: bytes) -> os.stat_result:
        """Force the file to the disk, read it back, and return its stat.

        Raises:
            ObjectUnreadable: it does not hold ``data``.
        """
        os.fsync(self.file)
        status = os.fstat(self.file)
        if status.st_size != len(data) or not self._holds(data):
            raise ObjectUnreadable(
                object_key, "what was written does not read back; check its disk"
            )
        return status

    def _holds(self, data: bytes) -> bool:
        for offset in range(0, len(data), _CHUNK_BYTES):
            length = min(_CHUNK_BYTES, len(data) - offset)
            found = os.pread(self.file, length, offset)
            if len(found) != length or not data.startswith(found, offset):
                return False
        return True


def _is_named(file: int) -> bool:
    try:
        return os.fstat(file).st_nlink > 0
    except OSError:
        return False


@contextmanager
def free_name() -> Generator[bytes]:
    """A temporary name that no sweep of this process touches while in the block."""
    name = temporary_name()
    _in_use.add(name)
    try:
        yield name
    finally:
        _in_use.discard(name)


def keep_aside(directory: int, name: bytes) -> None:
    """Give what has a temporary name another one, which no sweep touches."""
    kept = name.removesuffix(b".tmp") + b".kept"
    with suppress(OSError):
        os.rename(name, kept, src_dir_fd=directory, dst_dir_fd=directory)


def sweep(directory: int, name: str) -> None:
    """Remove a temporary file whose writer died; leave it where that is not certain."""
    if os.fsencode(name) in _in_use:
        return
    with suppress(OSError):
        file = _open_for_lock(directory, name)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if stat.S_ISREG(os.fstat(file).st_mode):
                os.unlink(name, dir_fd=directory)
        finally:
            os.close(file)


def _open_for_lock(directory: int, name: str) -> int:
    try:
        # NFS locks exclusively only what may be written.
        return os.open(name, os.O_RDWR | _LOCKABLE, dir_fd=directory)
    except PermissionError:
        return os.open(name, os.O_RDONLY | _LOCKABLE, dir_fd=directory)
