"""A file that only grows: an append is whole or absent, also when the disk is full."""

import os
from pathlib import Path


class AppendFile:
    """The end of a file. ``size_bytes`` counts what was appended whole; not thread-safe.

    Every method may raise ``OSError``.
    """

    def __init__(self, path: Path, *, new: bool = False) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | (os.O_TRUNC if new else 0)
        self._fd = os.open(path, flags, 0o600)
        self._dirty = False
        self.size_bytes = os.fstat(self._fd).st_size

    def append(self, data: bytes, *, sync: bool = False) -> None:
        """Append all of the data (and wait until it is on disk), or nothing of it."""
        if self._dirty:
            self.truncate(self.size_bytes)
        self._dirty = True
        try:
            write_all(self._fd, data)
            if sync:
                os.fdatasync(self._fd)
        except OSError:
            self.truncate(self.size_bytes)
            raise
        self._dirty = False
        self.size_bytes += len(data)

    def truncate(self, size_bytes: int) -> None:
        """Cut off everything behind ``size_bytes``."""
        os.ftruncate(self._fd, size_bytes)
        self.size_bytes = size_bytes
        self._dirty = False

    def sync(self) -> None:
        """Wait until everything appended is on disk."""
        os.fdatasync(self._fd)

    def duplicate(self) -> int:
        """A descriptor of the same file, for a sync that outlives this object; close it."""
        return os.dup(self._fd)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def write_all(fd: int, data: bytes) -> None:
    """Write all of the data: a write may take only a part of it."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def sync_directory(directory: Path) -> None:
    """Wait until the directory's entries are on disk."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
