"""The moment in which a new file takes the place of an old one. Functions raise ``OSError``."""

import os
from contextlib import suppress

import msgspec

from tagline.errors import ObjectChanged
from tagline.model.photo import FileState
from tagline.storage.exchange import exchange, rename_to_free
from tagline.storage.temporary import TemporaryFile
from tagline.storage.tree import Spot, state_of


def take_place(new: TemporaryFile, spot: Spot, expected: FileState) -> None:
    """Give a new file the name of the expected one, which is deleted.

    Between a last look and a plain rename another program may put its own file in place, which
    would be lost, or move the old one away, which would make two of it. So the two names are
    exchanged, then what had the name is looked at, and if it is not the expected file the names are
    exchanged back. Where the file system cannot do that, the moment in between remains.

    Raises:
        ObjectChanged: something else had the name; it has it again.
    """
    directory = spot.directory
    if not exchange(new.name, spot.name, directory):
        os.rename(new.name, spot.name, src_dir_fd=directory, dst_dir_fd=directory)
        return
    displaced = state_of(os.stat(new.name, dir_fd=directory, follow_symlinks=False))
    # Being renamed changes the change time.
    if msgspec.structs.replace(displaced, ctime_ns=expected.ctime_ns) != expected:
        _give_back(new, spot)
        raise ObjectChanged(spot.object_key)
    with suppress(FileNotFoundError):
        os.unlink(new.name, dir_fd=directory)


def _give_back(new: TemporaryFile, spot: Spot) -> None:
    """Exchange the names back, until what has the name is what other programs put there last."""
    directory = spot.directory
    ours = os.fstat(new.file)
    while True:
        held = os.stat(new.name, dir_fd=directory, follow_symlinks=False)
        try:
            exchange(new.name, spot.name, directory)
        except FileNotFoundError:  # ours was moved on or deleted: only put back what we hold
            with suppress(FileExistsError):
                rename_to_free(new.name, spot.name, directory)
            return
        if os.path.samestat(os.stat(new.name, dir_fd=directory, follow_symlinks=False), ours):
            return
        ours = held
