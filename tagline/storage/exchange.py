"""Renames that plain rename(2) cannot do: two names exchanged, and none overwritten (Linux)."""

import ctypes
import errno
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

_RENAME_NOREPLACE = 1
_RENAME_EXCHANGE = 2
_CANNOT = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM})
_NO_LINKS = _CANNOT | {errno.EMLINK, errno.EIO}
"""What link(2) says where there are no links; rclone's mounts say EIO."""

_CLAIM = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_PRIVATE = 0o600

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


def link_to_free(place: Place, free: Place, linked: Callable[[], None] | None = None) -> bool:
    """The same by a second name (link(2) fails where it is taken), after which the first one goes.

    Only for a name that no other program uses: what it stands for in between is not looked at.
    ``linked`` is called when both names are there.
    """
    (directory, name), (into, target) = place, free
    try:
        os.link(name, target, src_dir_fd=directory, dst_dir_fd=into, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NO_LINKS:
            return False
        raise
    if linked is not None:
        linked()
    discard(place)
    return True


def discard(place: Place) -> None:
    """Delete a hidden name; once more where that fails, as a disk may for a moment.

    A walk sees to what stays.
    """
    directory, name = place
    for _ in range(2):
        try:
            os.unlink(name, dir_fd=directory)
        except FileNotFoundError:
            return
        except OSError:
            continue
        return


def take_free(place: Place, free: Place, linked: Callable[[], None] | None = None) -> None:
    """Rename to a name that nothing has, in the best way that the file system has.

    ``linked`` is called where that is done by a link, as by ``link_to_free``.

    Where it has neither a rename that refuses (renameat2(2)) nor links, an empty file takes the
    name first, which a crash in between leaves, and which another program might write to.

    Raises:
        FileExistsError: something has it.
        OSError: another fault.
    """
    if not rename_to_free(place, free) and not link_to_free(place, free, linked):
        _claim(place, free)


def _claim(place: Place, free: Place) -> None:
    (directory, name), (into, target) = place, free
    os.close(os.open(target, _CLAIM, _PRIVATE, dir_fd=into))
    try:
        os.rename(name, target, src_dir_fd=directory, dst_dir_fd=into)
    except OSError:
        with suppress(OSError):
            os.unlink(target, dir_fd=into)
        raise


def _rename(place: Place, other: Place, flag: int) -> bool:
    if _renameat2 is None:
        return False
    if _renameat2(*place, *other, flag) == 0:
        return True
    code = ctypes.get_errno()
    if code in _CANNOT:
        return False
    raise OSError(code, os.strerror(code))
