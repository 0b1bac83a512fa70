"""A lock that keeps a second process off a file: ``flock`` on a file beside it.

The lock file stays behind: removing it could let two processes hold locks on two files of one name.
"""

import errno
import fcntl
import os
from pathlib import Path

from tagline.errors import IndexLocked

_TAKEN = (errno.EWOULDBLOCK, errno.EACCES)


class LockFile:
    """An exclusive lock on ``path``, held until ``release`` or the end of the process.

    Raises:
        IndexLocked: another process, or another part of this one, holds it.
        OSError: the file cannot be made, or its file system knows no locks.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, b"%d\n" % os.getpid(), 0)
        except OSError as error:
            holder = _holder(self._fd)
            os.close(self._fd)
            if error.errno in _TAKEN:
                raise IndexLocked(name, holder) from error
            raise

    def release(self) -> None:
        """Let go of the lock."""
        os.close(self._fd)


def holder_of(path: Path) -> str | None:
    """Who holds the lock of the file of an index, such as "process 7"; None when nobody does.

    Nothing is written, and nobody is kept from opening it for more than a moment.
    """
    try:
        fd = os.open(path.with_name(f"{path.name}.lock"), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _holder(fd) or "another process"
    else:
        return None
    finally:
        os.close(fd)


def _holder(fd: int) -> str | None:
    """Who wrote themselves into the lock file, when that can be read."""
    pid = os.pread(fd, 20, 0).strip()
    return f"process {int(pid)}" if pid.isdigit() else None
