"""Writes that are whole or absent, and on the disk when they return.

The new content goes to a temporary file in the same directory, is fsynced and read back, and only
then takes the name; the directory is fsynced last. Functions raise ``OSError`` besides the errors
that they name; the caller translates. Thread-safe.
"""

import errno
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from tagline.errors import ObjectChanged, ObjectNotFound, StorageReadOnly
from tagline.model.photo import FileState
from tagline.storage import attributes
from tagline.storage.permission import may
from tagline.storage.placing import change_place, give_up_place, take_place
from tagline.storage.provider import StoredObject
from tagline.storage.temporary import TemporaryFile
from tagline.storage.tree import Spot, state_of

_PRIVATE = 0o600
_BY_UMASK = 0o666
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_CLAIM = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW

_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})
_NO_DIRECTORY_SYNC = frozenset({errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EOPNOTSUPP})

_CLOCK_STEPS_NS = (1, 100, 1_000, 10_000_000, 1_000_000_000, 2_000_000_000)
"""Steps of file systems' clocks: from 1 ns (ext4) over 100 ns (NTFS), 1 s (HFS+) to 2 s (FAT)."""


def replace(spot: Spot, data: bytes, expected: FileState) -> StoredObject:
    """Make ``data`` the content of a file that must be in the expected state to the last moment.

    Raises:
        ObjectChanged: it is not.
        ObjectNotFound: it is gone.
        ObjectUnreadable: what was written does not read back.
        StorageReadOnly: the file's own permissions forbid writing.
    """
    with opened(spot) as old:
        _demand(spot, expected)
        if not is_writable(spot):
            _demand(spot, expected)  # what was just moved away cannot be written either
            raise StorageReadOnly(spot.object_key)
        with TemporaryFile(spot.directory, _PRIVATE) as new:
            new.write(data)
            attributes.take_over(old, new.file)
            _tell_apart(new.file, expected.mtime_ns)
            written = new.settle(spot.object_key, data)
            _demand(spot, expected)
            take_place(new, spot, expected)
            new.placed = True
            sync_directory(spot.directory)
            return _outcome(spot.object_key, new.file, written)


def create(spot: Spot, data: bytes, like: int | None) -> StoredObject:
    """Make a file that must not be there yet.

    Args:
        spot: where.
        data: its content.
        like: an open file whose mode, owner and ACL it takes; None: what the umask and the
            directory's default ACL say.

    Raises:
        ObjectChanged: something has the name already.
        ObjectUnreadable: what was written does not read back.
    """
    demand_absent(spot)
    with TemporaryFile(spot.directory, _BY_UMASK if like is None else _PRIVATE) as new:
        new.write(data)
        if like is not None:
            attributes.take_access(like, new.file)
        written = new.settle(spot.object_key, data)
        _claim(new.name, spot.directory, spot, new.file)
        new.placed = True
        sync_directory(spot.directory)
        return _outcome(spot.object_key, new.file, written)


def remove(spot: Spot, expected: FileState) -> None:
    """Delete a file that must be in the expected state; raises like ``replace``."""
    _demand(spot, expected)
    give_up_place(spot, expected)
    sync_directory(spot.directory)


def move(spot: Spot, target: Spot, expected: FileState) -> StoredObject:
    """Rename a file in the expected state to a name that nothing has; raises like ``replace``."""
    with opened(spot) as file:
        status = _demand(spot, expected)
        if spot.name != target.name and _is_same_entry(status, target):
            _rename(spot.name, spot.directory, target)
        elif not change_place(spot, target, expected):
            _claim(spot.name, spot.directory, target, file)
        sync_directory(target.directory)
        sync_directory(spot.directory)
        return _outcome(target.object_key, file, status)


@contextmanager
def opened(spot: Spot) -> Generator[int]:
    """A descriptor of the regular file at a spot, closed at the end of the block."""
    file, _ = open_regular(spot)
    try:
        yield file
    finally:
        os.close(file)


def open_regular(spot: Spot) -> tuple[int, os.stat_result]:
    """Open the regular file at a spot for reading, and tell its state.

    Raises:
        ObjectNotFound: what has the name is no regular file.
    """
    # Looked at first, since opening a device or a pipe can have effects of its own.
    if not spot.is_file:
        raise ObjectNotFound(spot.object_key)
    file = os.open(spot.name, _READ, dir_fd=spot.directory)
    try:
        status = os.fstat(file)
    except OSError:
        os.close(file)
        raise
    if stat.S_ISREG(status.st_mode):
        return file, status
    os.close(file)
    raise ObjectNotFound(spot.object_key)


def takes_files(spot: Spot) -> bool:
    """Whether permissions and mount let files be made in a spot's directory."""
    return may(spot.directory, b".", os.W_OK | os.X_OK)


def is_writable(spot: Spot) -> bool:
    """Whether permissions and mount let a file here be written, or made where there is none."""
    if not takes_files(spot):
        return False
    try:
        spot.stat()
    except FileNotFoundError:
        return True
    return may(spot.directory, spot.name, os.W_OK)


class Opened(NamedTuple):
    """A file held open, and its state when it was opened.

    ``replaceable`` says whether it could be replaced, ``takes_files`` whether new ones could be
    made beside it.
    """

    file: int
    status: os.stat_result
    replaceable: bool
    takes_files: bool


def open_and_judge(spot: Spot) -> Opened:
    """Open the regular file at a spot as ``open_regular`` does; tell what may be done there."""
    file, status = open_regular(spot)
    try:
        takes = takes_files(spot)
        return Opened(file, status, takes and may(spot.directory, spot.name, os.W_OK), takes)
    except OSError:
        os.close(file)
        raise


def demand_absent(spot: Spot) -> None:
    """Raise ``ObjectChanged`` when anything has the name."""
    with suppress(FileNotFoundError):
        spot.stat()
        raise ObjectChanged(spot.object_key)


def sync_directory(directory: int) -> None:
    """Make the names in a directory (an ``O_PATH`` descriptor) survive a power cut."""
    listed = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=directory)
    try:
        os.fsync(listed)
    except OSError as error:
        if error.errno not in _NO_DIRECTORY_SYNC:  # SMB and some FUSE systems have no such thing
            raise
    finally:
        os.close(listed)


def _demand(spot: Spot, expected: FileState) -> os.stat_result:
    status = spot.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ObjectNotFound(spot.object_key)
    if state_of(status) != expected:
        raise ObjectChanged(spot.object_key)
    return status


def _tell_apart(file: int, old_mtime_ns: int) -> None:
    """Give a file another modification time than the old one: backups compare size and time.

    An edit often leaves the size as it was, and a coarse clock can leave the time as well.
    """
    for step in _CLOCK_STEPS_NS:
        status = os.fstat(file)
        if status.st_mtime_ns != old_mtime_ns:
            return
        os.utime(file, ns=(status.st_atime_ns, old_mtime_ns + step))


def _outcome(object_key: str, file: int, written: os.stat_result) -> StoredObject:
    """The state that was made, with the change time and links that renaming gave the file.

    Size and time stay those of our own writing: should another program already have written to
    the file again, the state that we report differs from the file's, and the change is noticed.
    """
    now = os.fstat(file)
    state = FileState(now.st_ino, written.st_size, written.st_mtime_ns, now.st_ctime_ns)
    return StoredObject(object_key, state, now.st_nlink)


def _is_same_entry(status: os.stat_result, target: Spot) -> bool:
    """Whether a name finds the file itself: a change of case where case does not matter."""
    try:
        found = target.stat()
    except FileNotFoundError:
        return False
    return status.st_nlink == 1 and os.path.samestat(status, found)


def _rename(name: bytes, directory: int, target: Spot) -> None:
    os.rename(name, target.name, src_dir_fd=directory, dst_dir_fd=target.directory)


def _claim(name: bytes, directory: int, target: Spot, file: int) -> None:
    """Rename without ever overwriting: a link (link(2) fails where a name is taken), then unlink.

    ``file`` is the open file that is meant.

    Raises:
        ObjectChanged: something has the target's name, or another file took the old name meanwhile.
    """
    into = target.directory
    try:
        os.link(name, target.name, src_dir_fd=directory, dst_dir_fd=into, follow_symlinks=False)
    except FileExistsError as error:
        raise ObjectChanged(target.object_key) from error
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _claim_without_links(name, directory, target)
        return
    ours = os.fstat(file)
    source = os.stat(name, dir_fd=directory, follow_symlinks=False)
    if os.path.samestat(source, ours):
        # Should another program have put its own file over the new name by now, that stays.
        os.unlink(name, dir_fd=directory)
        return
    with suppress(FileNotFoundError):
        placed = target.stat()
        if os.path.samestat(placed, ours) or os.path.samestat(placed, source):
            os.unlink(target.name, dir_fd=into)
    raise ObjectChanged(target.object_key)


def _claim_without_links(name: bytes, directory: int, target: Spot) -> None:
    """The same on exFAT and SMB: an empty file takes the name first.

    Only here a crash in between leaves that empty file.
    """
    try:
        os.close(os.open(target.name, _CLAIM, _PRIVATE, dir_fd=target.directory))
    except FileExistsError as error:
        raise ObjectChanged(target.object_key) from error
    try:
        _rename(name, directory, target)
    except OSError:
        with suppress(OSError):
            os.unlink(target.name, dir_fd=target.directory)
        raise
