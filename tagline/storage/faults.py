"""The one place that turns what the operating system says into Tagline's errors."""

import errno
import os
from contextlib import suppress

from tagline.errors import (
    ObjectBusy,
    ObjectChanged,
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
    if writing and (error_of_writing := _fault_of_writing(error, object_key)):
        return error_of_writing
    if is_stale(error):
        advice = "another program replaced it meanwhile, try again"
    else:
        advice = f"check its {'permissions' if code in _DENIED else 'disk'} and try again"
    return ObjectUnreadable(object_key, f"{reason_of(error)}; {advice}")


def _fault_of_writing(error: OSError, object_key: str) -> StorageError | None:
    if error.errno in _DENIED:
        return StorageReadOnly(object_key)
    if is_stale(error):  # the file that was held open is another one's by now
        return ObjectChanged(object_key)
    return None


def open_elsewhere(object_key: str) -> ObjectBusy:
    """The error of ours that says that another program has the file open for writing."""
    return ObjectBusy(
        object_key,
        "writer",
        "Another program has the file open for writing; nothing was written. Wait until it is "
        "done, and repeat the request.",
    )


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


def is_stale(error: OSError) -> bool:
    """Whether the error says that what was opened or looked up is another file by now.

    NFS and FUSE say so of a file that was replaced; also of the whole tree, when that is gone.
    """
    return error.errno == errno.ESTALE


def close_read(file: int) -> None:
    """Close what was only read: an error of close(2) says nothing of what was read.

    Some mounts report one all the same (rclone), and the descriptor is closed then too.
    """
    with suppress(OSError):
        os.close(file)
