"""Renames that plain rename(2) cannot do, in one step of the file system (renameat2(2), Linux)."""

import ctypes
import errno
import os
from typing import Any

_RENAME_NOREPLACE = 1
_RENAME_EXCHANGE = 2
_CANNOT = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM})

Place = tuple[int, bytes]
"""An open directory, and a name in it."""


def _find() -> Any | None:  # noqa: ANN401 - a function of C
    """The C library's function; None where it has none."""
    try:
        found = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return None
    found.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    return found


_renameat2 = _find()


def exchange(name: bytes, other: bytes, directory: int) -> bool:
    """Exchange two names of an open directory, both of which must be there.

    False where system or file system cannot do that (network shares): nothing was done then.

    Raises:
        OSError: one of them is not there, or another fault.
    """
    return _rename((directory, name), (directory, other), _RENAME_EXCHANGE)


def rename_to_free(place: Place, free: Place) -> bool:
    """Rename to a name that nothing has; False as for ``exchange``.

    Raises:
        FileExistsError: something has it.
        OSError: another fault.
    """
    return _rename(place, free, _RENAME_NOREPLACE)


def _rename(place: Place, other: Place, flag: int) -> bool:
    if _renameat2 is None:
        return False
    if _renameat2(*place, *other, flag) == 0:
        return True
    code = ctypes.get_errno()
    if code in _CANNOT:
        return False
    raise OSError(code, os.strerror(code))
