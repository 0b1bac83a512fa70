"""Whether another program has a file open for writing, asked of the kernel by a read lease.

A read lease (fcntl(2), ``F_SETLEASE``) is refused with EAGAIN while anybody on this machine has the
file open for writing. It is given back at once. Who opens the file for writing in between waits for
that, and the holder is sent a signal. By default that is SIGIO, which ends a process that does not
expect it; so SIGURG is chosen (``F_SETSIG``), which is ignored unless a program asks for it.
"""

import ctypes
import errno
import fcntl
import signal
from typing import Final

_F_SETSIG = 10
"""The number on Linux; the module ``fcntl`` does not name it."""


def is_open_for_writing(file: int) -> bool:
    """Whether somebody is known to have an open file open for writing as well.

    False proves nothing: other users' files, branches below a FUSE mount and writers on other
    machines are not seen, and some file systems have no leases.

    Args:
        file: a descriptor that was opened for reading alone.
    """
    try:
        fcntl.fcntl(file, _F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN and not _refuses_always(file)
    try:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError:
        return False
    return False


_STATFS_BYTES: Final = 256
_NETWORK: Final = frozenset({0x6969, 0xFF534D42, 0xFE534D42})
"""NFS, CIFS and SMB 2: without a delegation of the server's they answer EAGAIN to any lease."""


def _refuses_always(file: int) -> bool:
    """Whether a refused lease says nothing of writers, by the kind of the file system (statfs(2)).

    The kind is the first member, of the size of a long, on x86-64 and ARM64.
    """
    room = ctypes.create_string_buffer(_STATFS_BYTES)
    if _LIBRARY.fstatfs(file, room) != 0:
        return False
    return ctypes.c_long.from_buffer(room).value & 0xFFFFFFFF in _NETWORK


_LIBRARY: Final = ctypes.CDLL(None)
