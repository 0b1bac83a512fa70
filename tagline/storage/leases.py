"""Whether another program has a file open for writing, asked of the kernel by a read lease.

A read lease (fcntl(2), ``F_SETLEASE``) is refused with EAGAIN while anybody on this machine has the
file open for writing. It is given back at once. Who opens the file for writing in between waits for
that, and the holder is sent a signal. By default that is SIGIO, which ends a process that does not
expect it; so SIGURG is chosen (``F_SETSIG``), which is ignored unless a program asks for it.
"""

import errno
import fcntl
import signal

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
        return error.errno == errno.EAGAIN
    try:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError:
        return False
    return False
