"""Temporary files that tell whether their writer lives.

A writer holds a lock (flock(2)) on its temporary file until it is done, and the kernel drops the
lock when the writer dies. So ``sweep`` removes what a killed writer left behind and nothing that is
still being written, in this process or another. The old file, which has a hidden name for a moment
as well, is locked too (``storage.asides``). Functions raise ``OSError``; the caller translates.
"""

import errno
import fcntl
import os
import stat
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager, suppress
from itertools import count
from threading import Condition
from typing import Self

from tagline.errors import ObjectUnreadable
from tagline.model.source import ByteSource, Data, source_of
from tagline.storage.exchange import Place, discard, take_free
from tagline.storage.faults import close_read
from tagline.storage.paths import kept_name, read_aside_name, temporary_name
from tagline.storage.sameness import written_of

_CHUNK_BYTES = 1 << 16
"""Small enough that the memory of one piece serves for the next one."""

_ATTEMPTS = 16
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_LOCKABLE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY

_in_use: set[bytes] = set()
"""Names that this process uses: for a moment one may stand for a file that bears no lock."""


_ended = Condition()
_ticks = count()
_last_used: deque[tuple[int, bytes]] = deque(maxlen=1_000)
"""Names that were used, each with the moment when that ended."""

_MOST_SECONDS = 10.0
"""A file is aside for a few system calls; a share may hang in one of them."""


class TemporaryFile:
    """A locked file in a directory, for use in a ``with`` block; its name is gone at the end.

    While that may stand for another program's file, whoever placed it there says so by
    ``keeps_another``: it is then kept aside.

    Args:
        directory: descriptor of the directory.
        mode: permission bits at creation, before the umask.
    """

    def __init__(self, directory: int, mode: int) -> None:
        self._directory = directory
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
        else:  # nothing, if it took another name; after a link, maybe a second name of it
            discard((self._directory, self.name))
        _release(self.name)
        close_read(self.file)

    def rename(self, name: bytes) -> None:
        """Give it another hidden name, which nothing has."""
        _in_use.add(name)
        try:
            os.rename(self.name, name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
        except OSError:
            _release(name)
            raise
        _release(self.name)
        self.name = name

    def take(self, free: Place) -> None:
        """Take a name that nothing has; raises like ``take_free``."""
        take_free((self._directory, self.name), free, lambda: hold_as(self.file, free))

    def write(self, data: Data) -> None:
        """Write all of ``data`` at the start of the file."""
        if isinstance(data, bytes):
            self._append(data)
            return
        for offset in range(0, data.size, _CHUNK_BYTES):
            self._append(data.read_at(offset, _CHUNK_BYTES))

    def _append(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self.file, rest) :]

    def settle(self, object_key: str, data: Data) -> os.stat_result:
        """Force the file to the disk, read it back, and return its stat.

        From then on it is open for reading alone, so that nobody takes this for a writer.

        Raises:
            ObjectUnreadable: it does not hold ``data``.
        """
        os.fsync(self.file)
        status = os.fstat(self.file)
        source = source_of(data)
        if status.st_size != source.size or not self._holds(source):
            raise ObjectUnreadable(
                object_key, "what was written does not read back; check its disk"
            )
        self._stop_writing()
        return status

    def _stop_writing(self) -> None:
        """Close what was written, before it takes a name: some shares tell of a failed write then.

        Closing it for good says nothing more, and is no error.
        """
        file = os.open(self.name, os.O_RDONLY | _LOCKABLE, dir_fd=self._directory)
        share_lock(self.file)
        share_lock(file)
        written, self.file = self.file, file
        os.close(written)

    def _holds(self, source: ByteSource) -> bool:
        for offset in range(0, source.size, _CHUNK_BYTES):
            length = min(_CHUNK_BYTES, source.size - offset)
            found = os.pread(self.file, length, offset)
            if len(found) != length or found != source.read_at(offset, length):
                return False
        return True


def _is_named(file: int) -> bool:
    try:
        return os.fstat(file).st_nlink > 0
    except OSError:
        return False


@contextmanager
def in_use(name: bytes) -> Generator[bytes]:
    """A hidden name that no walk of this process touches while in the block."""
    _in_use.add(name)
    try:
        yield name
    finally:
        _release(name)


def _release(name: bytes) -> None:
    """Use a name no longer, and tell who waits for that."""
    with _ended:
        _in_use.discard(name)
        _last_used.append((next(_ticks), name))
        _ended.notify_all()


def tick() -> int:
    """A moment, for ``used_since``."""
    return next(_ticks)


def used_since(moment: int) -> list[bytes]:
    """Hidden names that this process has used since then, or uses now."""
    with _ended:
        return [*_in_use, *(name for ended, name in _last_used if ended > moment)]


def was_aside(name: bytes, moment: int) -> bool:
    """Whether a file of this name was aside for some time since then, or is now."""
    return any(_is_aside_of(name, hidden) for hidden in used_since(moment))


def outwait(name: bytes, moment: int) -> bool:
    """Whether a file of this name was aside for some time since then; if it still is, wait."""
    if not was_aside(name, moment):
        return False
    with _ended:
        _ended.wait_for(lambda: not _is_aside(name), _MOST_SECONDS)
    return True


def _is_aside(name: bytes) -> bool:
    # A copy: other threads add names meanwhile.
    return any(_is_aside_of(name, hidden) for hidden in list(_in_use))


def _is_aside_of(name: bytes, hidden: bytes) -> bool:
    aside = read_aside_name(hidden)
    return aside is not None and aside.name == name


def is_in_use(name: bytes) -> bool:
    """Whether this process uses a hidden name now."""
    return name in _in_use


@contextmanager
def free_name() -> Generator[bytes]:
    """A temporary name, as ``in_use``."""
    with in_use(temporary_name()) as name:
        yield name


def keep_aside(directory: int, name: bytes) -> None:
    """Give what has a temporary or an aside name another one, which no walk touches."""
    with suppress(OSError):
        os.rename(name, kept_name(name), src_dir_fd=directory, dst_dir_fd=directory)


def sweep(directory: int, name: str) -> None:
    """Remove a temporary file whose writer died; leave it where that is not certain."""
    if is_in_use(os.fsencode(name)):
        return
    with suppress(OSError), locked((directory, os.fsencode(name))) as file:
        if stat.S_ISREG(os.fstat(file).st_mode):
            os.unlink(name, dir_fd=directory)


@contextmanager
def locked(place: Place) -> Generator[int]:
    """A descriptor of a file, with the lock that a writer would hold.

    Raises:
        BlockingIOError: a writer holds it.
    """
    file = _lock(place, os.O_RDONLY)
    if file is None:
        file = _lock(place, os.O_RDWR)
    if file is None:
        raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK))
    try:
        yield file
    finally:
        close_read(file)


def share_lock(file: int) -> None:
    """Let no walk take an open file for one that a dead writer left, whatever name it has."""
    with suppress(
        OSError
    ):  # a file system without locks; or another program's lock, which does too
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)


def hold_as(file: int, place: Place) -> None:
    """Hold an open file by another of its names, locked, so that the first one can go at once.

    File systems in user space keep what is deleted and still open by the deleted name, under a
    hidden one (``.fuse_hidden``): its change time and number of links are others when it is closed.
    """
    directory, name = place
    with suppress(OSError):
        other = os.open(name, os.O_RDONLY | _LOCKABLE, dir_fd=directory)
        try:
            if written_of(os.fstat(other)) == written_of(os.fstat(file)):
                share_lock(other)
                os.dup2(other, file, inheritable=False)
        finally:
            close_read(other)


def _lock(place: Place, access: int) -> int | None:
    """Open and lock a file; None where it has to be open for writing for that, as on NFS.

    It is not opened so at once: that would look as if another program wrote to it.
    """
    directory, name = place
    file = os.open(name, access | _LOCKABLE, dir_fd=directory)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        close_read(file)
        if error.errno != errno.EBADF:
            raise
        return None
    return file
