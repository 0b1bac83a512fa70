"""The moment in which a new file takes the place of an old one. Functions raise ``OSError``."""

import errno
import os
from contextlib import suppress

import msgspec

from tagline.errors import ObjectChanged
from tagline.model.photo import FileState
from tagline.storage.exchange import exchange, rename_to_free
from tagline.storage.temporary import TemporaryFile, free_name, keep_aside
from tagline.storage.tree import Spot, state_of


def take_place(new: TemporaryFile, spot: Spot, expected: FileState) -> None:
    """Give a new file the name of the expected one, which is deleted.

    Between a last look and a plain rename another program may put its own file in place, which
    would be lost, or move the old one away, which would make two of it. So the two names are
    exchanged, then what had the name is looked at, and if it is not the expected file the names are
    exchanged back. Where the file system cannot do that, the moment in between remains.

    Raises:
        ObjectChanged: something else had the name; it has it again.
        OSError: what had the name could not be looked at; it has it again.
    """
    directory = spot.directory
    if not exchange(new.name, spot.name, directory):
        os.rename(new.name, spot.name, src_dir_fd=directory, dst_dir_fd=directory)
        return
    try:
        is_expected = _is_still(expected, new.name, directory)
    except OSError:
        _give_back(new, spot)
        raise
    if not is_expected:
        _give_back(new, spot)
        raise ObjectChanged(spot.object_key)
    with suppress(FileNotFoundError):
        os.unlink(new.name, dir_fd=directory)


def give_up_place(spot: Spot, expected: FileState) -> None:
    """Delete the expected file.

    It is first given a name of its own and looked at, for the reason that ``take_place`` gives.

    Raises:
        ObjectChanged: something else had the name; it has it again, or what took it since.
        OSError: what had the name could not be looked at; it has it again.
    """
    directory = spot.directory
    with free_name() as name:
        if not rename_to_free(spot.place, (directory, name)):
            os.unlink(spot.name, dir_fd=directory)
            return
        try:
            is_expected = _is_still(expected, name, directory)
        except OSError:
            if not _takes_back(name, spot):
                keep_aside(directory, name)
            raise
        if not is_expected and _takes_back(name, spot):
            raise ObjectChanged(spot.object_key)
        os.unlink(name, dir_fd=directory)
        if not is_expected:
            raise ObjectChanged(spot.object_key)


def change_place(spot: Spot, target: Spot, expected: FileState) -> bool:
    """Rename the expected file to a name that nothing has; False where that cannot be one step.

    Raises:
        ObjectChanged: something has the name, or it was not the expected file, which has its old
            name again unless another took that since.
        OSError: it could not be looked at; it has its old name as above.
    """
    try:
        if not rename_to_free(spot.place, target.place):
            return False
    except FileExistsError as error:
        raise ObjectChanged(target.object_key) from error
    is_expected = False
    try:
        is_expected = _is_still(expected, target.name, target.directory)
    finally:
        if not is_expected:
            with suppress(FileExistsError, FileNotFoundError):
                rename_to_free(target.place, spot.place)
    if not is_expected:
        raise ObjectChanged(spot.object_key)
    return True


def _takes_back(name: bytes, spot: Spot) -> bool:
    """Give a file its name back; False when another has it by now, as if renamed over it.

    Where that fails it is kept: it may not be ours to delete.
    """
    try:
        _demand_done(rename_to_free((spot.directory, name), spot.place))
    except FileExistsError:
        return False
    except OSError:
        keep_aside(spot.directory, name)
        raise
    return True


def _demand_done(is_done: bool) -> None:  # noqa: FBT001 - what a rename answered
    """Raise where a rename could not be done that just before could."""
    if not is_done:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))


def _is_still(expected: FileState, name: bytes, directory: int) -> bool:
    """Whether a file that was renamed is the expected one: its change time is another then."""
    seen = state_of(os.stat(name, dir_fd=directory, follow_symlinks=False))
    return msgspec.structs.replace(seen, ctime_ns=expected.ctime_ns) == expected


def _give_back(new: TemporaryFile, spot: Spot) -> None:
    """Exchange the names back, until what has the name is what other programs put there last.

    Where that fails, what the temporary name stands for is kept: it is not ours to delete.
    """
    directory = spot.directory
    new.keeps_another = True
    ours = os.fstat(new.file)
    while True:
        held = os.stat(new.name, dir_fd=directory, follow_symlinks=False)
        try:
            _demand_done(exchange(new.name, spot.name, directory))
        except FileNotFoundError:  # ours was moved on or deleted: only put back what we hold
            new.keeps_another = not _takes_back(new.name, spot)
            return
        if os.path.samestat(os.stat(new.name, dir_fd=directory, follow_symlinks=False), ours):
            break
        ours = held
    new.keeps_another = False
