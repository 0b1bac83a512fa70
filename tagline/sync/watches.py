"""Whether the system would give one more watch: it says nothing when it refuses watchfiles one."""

import ctypes
import errno
import os
from typing import Any

_CREATE = 0x100  # IN_CREATE, inotify(7)


def _library() -> Any | None:  # noqa: ANN401 - functions of C
    """The C library, where it has inotify(7); None elsewhere."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        library.inotify_add_watch.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32)
        library.inotify_init1.argtypes = (ctypes.c_int,)
    except (OSError, AttributeError):
        return None
    return library


_libc = _library()


def is_limit_reached(directory: str) -> bool:
    """Whether the limit of watched directories keeps another one from being watched; blocks.

    Tried with an instance and a watch of its own, which are gone afterwards. False where that
    cannot be tried.
    """
    if _libc is None:
        return False
    instance = _libc.inotify_init1(os.O_CLOEXEC)
    if instance < 0:
        return False
    try:
        watch = _libc.inotify_add_watch(instance, os.fsencode(directory), _CREATE)
        return watch < 0 and ctypes.get_errno() == errno.ENOSPC
    finally:
        os.close(instance)
