"""Whether a name stands for the file that is meant, on file systems that tell it late or badly.

File systems in user space keep what they told for a second, and some number files by their names.
"""

import ctypes
import os
import stat
from typing import Any

from tagline.storage.exchange import Place
from tagline.storage.faults import close_read
from tagline.storage.paths import Written

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_AT_SYMLINK_NOFOLLOW = 0x100
_AT_STATX_FORCE_SYNC = 0x2000
_STATX_BASIC_STATS = 0x7FF
_STATX_BYTES = 256
_CHUNK_BYTES = 1 << 16


def _find() -> Any | None:  # noqa: ANN401 - a function of C
    """The C library's function; None where it has none."""
    try:
        found = ctypes.CDLL(None).statx
    except (OSError, AttributeError):
        return None
    found.argtypes = (
        *(ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_uint),
        ctypes.c_char_p,
    )
    return found


_statx = _find()


def look(place: Place) -> os.stat_result:
    """The stat of what has a name now, asked of the file system itself and not of what is cached.

    Raises:
        OSError: nothing has it, or it cannot be looked at.
    """
    directory, name = place
    if _statx is not None:
        flags = _AT_SYMLINK_NOFOLLOW | _AT_STATX_FORCE_SYNC
        room = ctypes.create_string_buffer(_STATX_BYTES)
        _statx(directory, name, flags, _STATX_BASIC_STATS, room)  # what is cached is right then
    return os.stat(name, dir_fd=directory, follow_symlinks=False)


def is_same(file: int, written: Written, place: Place) -> bool:
    """Whether a name stands for an open file with this size and time, or for one with its bytes.

    ``file`` was opened for reading. Change times and, on some mounts, inode numbers are others
    after a rename: they are not asked, or prove nothing. Raises ``OSError``.
    """
    seen = look(place)
    if not stat.S_ISREG(seen.st_mode) or (seen.st_size, seen.st_mtime_ns) != written:
        return False
    return os.path.samestat(seen, os.fstat(file)) or _holds_same(file, place)


def written_of(status: os.stat_result) -> Written:
    """The size and time that a stat tells."""
    return status.st_size, status.st_mtime_ns


def _holds_same(file: int, place: Place) -> bool:
    """Whether what has a name holds the same bytes as an open file. Raises ``OSError``."""
    directory, name = place
    other = os.open(name, _READ, dir_fd=directory)
    try:
        offset = 0
        while True:
            mine, theirs = (os.pread(each, _CHUNK_BYTES, offset) for each in (file, other))
            if mine != theirs:
                return False
            if not mine:
                return True
            offset += len(mine)
    finally:
        close_read(other)
