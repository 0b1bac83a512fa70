"""The one place that turns what the operating system says into Tagline's errors."""

import errno
import os

from tagline.errors import (
    ObjectNotFound,
    ObjectUnreadable,
    StorageError,
    StorageFull,
    StorageReadOnly,
    UnsafeKey,
)

_NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR})
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_DENIED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_DISK_LOST = frozenset(
    {
        *(errno.EIO, errno.ESTALE, errno.ENODEV, errno.ENXIO, errno.ENOTCONN, errno.ETIMEDOUT),
        *(errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH),
        *(errno.ECONNABORTED, errno.ECONNRESET, errno.ESHUTDOWN),
    }
)


def fault_of(error: OSError, object_key: str, *, writing: bool = False) -> StorageError:
    """The error of ours that says what ``error`` says of this key."""
    code = error.errno
    if code in _NOT_THERE:
        return ObjectNotFound(object_key)
    if code == errno.ENAMETOOLONG:
        return UnsafeKey(object_key, "a name in it is too long")
    if code == errno.ELOOP:
        return UnsafeKey(object_key, "its symbolic links go in circles")
    if code in _NO_SPACE:
        return StorageFull(object_key)
    if writing and code in _DENIED:
        return StorageReadOnly(object_key)
    what = "permissions" if code in _DENIED else "disk"
    return ObjectUnreadable(object_key, f"{reason_of(error)}; check its {what} and try again")


def reason_of(error: OSError) -> str:
    """What went wrong in the system's words, without any path."""
    return os.strerror(error.errno) if error.errno else "unknown input/output error"


def is_gone(error: OSError) -> bool:
    """Whether the error says that nothing has this name."""
    return error.errno in _NOT_THERE


def is_disk_fault(error: ObjectUnreadable) -> bool:
    """Whether the disk failed, rather than refused."""
    cause = error.__cause__
    return isinstance(cause, OSError) and may_be_disk(cause)


def may_be_disk(error: OSError) -> bool:
    """Whether the error may be the whole disk's rather than one file's."""
    return error.errno in _DISK_LOST
