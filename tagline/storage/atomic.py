"""Writes that are whole or absent, and on the disk when they return.

The new content goes to a temporary file in the same directory, is fsynced and read back, and only
then takes the name; the directory is fsynced last. Functions raise ``OSError`` besides the errors
that they name; the caller translates. Thread-safe.
"""

import os
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from tagline.errors import ObjectChanged, ObjectNotFound, StorageReadOnly
from tagline.model.photo import FileState
from tagline.model.source import Data
from tagline.storage import attributes
from tagline.storage.faults import close_read
from tagline.storage.permission import may
from tagline.storage.placing import (
    Held,
    Replacement,
    change_place,
    give_up_place,
    sync_directory,
)
from tagline.storage.provider import StoredObject
from tagline.storage.sameness import is_same, look, written_of
from tagline.storage.temporary import TemporaryFile, share_lock
from tagline.storage.tree import Spot, state_of
from tagline.storage.ways import Way, is_safe

_PRIVATE = 0o600
_BY_UMASK = 0o666
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY

_CLOCK_STEPS_NS = (1, 100, 1_000, 10_000_000, 1_000_000_000, 2_000_000_000)
"""Steps of file systems' clocks: from 1 ns (ext4) over 100 ns (NTFS), 1 s (HFS+) to 2 s (FAT)."""


class Manner(NamedTuple):
    """How files are replaced.

    ``way_of`` tells the way of a spot's mount. ``probes`` says whether to ask for other
    programs that have the file open for writing, ``loosely`` whether to go on where another
    program's file might be overwritten.
    """

    way_of: Callable[[Spot], Way]
    probes: bool = True
    loosely: bool = False


def replace(spot: Spot, data: Data, expected: FileState, manner: Manner) -> StoredObject:
    """Make ``data`` the content of a file that must be in the expected state to the last moment.

    Raises:
        ObjectChanged: it is not.
        ObjectNotFound: it is gone.
        ObjectBusy: another program has it open for writing.
        ObjectUnreadable: what was written does not read back.
        StorageReadOnly: the file's own permissions forbid writing, or the mount cannot replace it
            safely; then ``beside`` is true.
    """
    with _held(spot, expected, probes=manner.probes) as held:
        if not is_writable(spot):
            _demand(spot, expected)  # what was just moved away cannot be written either
            raise StorageReadOnly(spot.object_key)
        way = _demand_way(spot, manner)
        with TemporaryFile(spot.directory, _PRIVATE) as new:
            new.write(data)
            attributes.take_over(held.file, new.file)
            _tell_apart(new.file, expected.mtime_ns)
            written = new.settle(spot.object_key, data)
            _demand(spot, expected)
            Replacement(new, spot, held).run(way)
            return _outcome(spot, new.file, written)


def create(spot: Spot, data: Data, like: int | None) -> StoredObject:
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
        try:
            new.take(spot.place)
        except FileExistsError as error:
            raise ObjectChanged(spot.object_key) from error
        sync_directory(spot.directory)
        return _outcome(spot, new.file, written)


def remove(spot: Spot, expected: FileState, *, probes: bool = True) -> None:
    """Delete a file that must be in the expected state; raises like ``replace``."""
    with _held(spot, expected, probes=probes) as held:
        give_up_place(spot, held)


def move(spot: Spot, target: Spot, expected: FileState, *, probes: bool = True) -> StoredObject:
    """Rename a file in the expected state to a name that nothing has; raises like ``replace``."""
    with _held(spot, expected, probes=probes) as held:
        status = _demand(spot, expected)
        if spot.name != target.name and _is_same_entry(status, target):
            held.demand_at(spot.place, spot.object_key)
            into = target.directory
            os.rename(spot.name, target.name, src_dir_fd=spot.directory, dst_dir_fd=into)
        else:
            change_place(spot, target, held)
        sync_directory(target.directory)
        sync_directory(spot.directory)
        return _outcome(target, held.file, status)


@contextmanager
def _held(spot: Spot, expected: FileState, *, probes: bool) -> Generator[Held]:
    """The file in the expected state, open and locked against being taken for a leftover.

    Raises:
        ObjectChanged: it is in another state.
        ObjectNotFound: it is gone.
        ObjectBusy: somebody has it open for writing. Asked again once it has a hidden name; but to
            have had one changes a file's state, which whoever tries again would stumble over.
    """
    with opened(spot) as file:
        _demand(spot, expected)
        if os.fstat(file).st_ino != expected.inode:
            raise ObjectChanged(spot.object_key)  # its name was another file's for a moment
        held = Held(file, expected, probes)
        held.demand_unused(spot.object_key)
        share_lock(file)
        yield held


def _demand_way(spot: Spot, manner: Manner) -> Way:
    way = manner.way_of(spot)
    if is_safe(way, spot):
        return way
    if not manner.loosely:
        raise StorageReadOnly(spot.object_key, beside=True)
    return Way.NOT_SAFELY


@contextmanager
def opened(spot: Spot) -> Generator[int]:
    """A descriptor of the regular file at a spot, closed at the end of the block."""
    file, _ = open_regular(spot)
    try:
        yield file
    finally:
        close_read(file)


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
        close_read(file)
        raise
    if stat.S_ISREG(status.st_mode):
        return file, status
    close_read(file)
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

    ``permitted`` says whether permissions let it be replaced, ``replaceable`` whether it would be,
    ``takes_files`` whether new ones could be made beside it.
    """

    file: int
    status: os.stat_result
    permitted: bool
    replaceable: bool
    takes_files: bool


def open_and_judge(spot: Spot, bars: Callable[[Spot], bool]) -> Opened:
    """Open the regular file at a spot as ``open_regular`` does; tell what may be done there.

    ``bars`` says what is not replaced whatever its permissions are.
    """
    file, status = open_regular(spot)
    try:
        takes = takes_files(spot)
        permitted = takes and may(spot.directory, spot.name, os.W_OK)
        return Opened(file, status, permitted, permitted and not bars(spot), takes)
    except OSError:
        close_read(file)
        raise


def demand_absent(spot: Spot) -> None:
    """Raise ``ObjectChanged`` when anything has the name."""
    with suppress(FileNotFoundError):
        spot.stat()
        raise ObjectChanged(spot.object_key)


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


def _outcome(spot: Spot, file: int, written: os.stat_result) -> StoredObject:
    """The state that was made, as the next look at the name finds it, and the number of links.

    Size and time stay those of our own writing: should another program already have written to
    the file again, the state that we report differs from the file's, and the change is noticed.
    """
    now, place = os.fstat(file), spot.place
    with suppress(OSError):
        if is_same(file, written_of(written), place):
            now = look(place)
    state = FileState(now.st_ino, written.st_size, written.st_mtime_ns, now.st_ctime_ns)
    return StoredObject(spot.object_key, state, now.st_nlink)


def _is_same_entry(status: os.stat_result, target: Spot) -> bool:
    """Whether a name finds the file itself: a change of case where case does not matter."""
    try:
        found = target.stat()
    except FileNotFoundError:
        return False
    return status.st_nlink == 1 and os.path.samestat(status, found)
