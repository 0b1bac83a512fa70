"""Whether this process may write, with the fault told apart from the refusal (faccessat(2))."""

import ctypes
import os
from typing import Any

from tagline.storage.faults import may_be_disk


def _find() -> Any | None:  # noqa: ANN401 - a function of C
    """The C library's function; None where it has none."""
    try:
        found = ctypes.CDLL(None, use_errno=True).faccessat
    except (OSError, AttributeError):
        return None
    found.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_int)
    return found


_faccessat = _find()


def may(directory: int, name: bytes, mode: int) -> bool:
    """Whether ``os.access`` with this mode says so of a name in an open directory.

    ``os.access`` itself answers no for whatever goes wrong. A disk that does not answer forbids
    nothing: to be told of permissions then would be wrong advice.

    Raises:
        OSError: the disk does not answer.
    """
    if _faccessat is None:
        return os.access(name, mode, dir_fd=directory)
    if _faccessat(directory, name, mode, 0) == 0:
        return True
    code = ctypes.get_errno()
    if may_be_disk(error := OSError(code, os.strerror(code))):
        raise error
    return False
