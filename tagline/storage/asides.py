"""Files that a killed writer left aside get their names back, or go when they are needed no more.

While a file is replaced, removed or moved it has a hidden name for a moment, which tells its own
one (``paths.aside_name``). Writers that live hold a lock on it. What is left is judged by what is
there, and kept on any doubt.
"""

import os
import stat
from contextlib import suppress

from tagline.storage.exchange import take_free
from tagline.storage.leases import is_open_for_writing
from tagline.storage.paths import AsideName, read_aside_name
from tagline.storage.placing import sync_directory
from tagline.storage.sameness import is_same, look, written_of
from tagline.storage.temporary import is_in_use, keep_aside, locked


def put_right(directory: int, aside: bytes) -> bytes | None:
    """See to a file with an aside name; return the name that it was given back, if it was.

    Several may do so at once, in other processes too. What cannot be done is left for another time.
    """
    told = read_aside_name(aside)
    if told is None or is_in_use(aside):
        return None
    with suppress(OSError), locked((directory, aside)) as file:
        if not is_same(file, written_of(os.fstat(file)), (directory, aside)):
            return None  # it is no file, or has another name since
        try:
            take_free((directory, aside), (directory, told.name))
        except FileExistsError:
            _settle(directory, aside, told, file)
            return None
        sync_directory(directory)
        return told.name
    return None


def is_there(directory: int, name: bytes) -> bool:
    """Whether a file has a name, as far as that can be told."""
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode)


def bring_back(directory: int, name: bytes) -> bool:
    """Look in a directory, open for listing, for a file left aside that has this name; see to it.

    Returns whether it has its name again.
    """
    with os.scandir(directory) as entries:
        names = [os.fsencode(entry.name) for entry in entries]
    told = [(aside, read_aside_name(aside)) for aside in names]
    mine = [aside for aside, read in told if read is not None and read.name == name]
    return name in [put_right(directory, aside) for aside in mine]


def _settle(directory: int, aside: bytes, told: AsideName, file: int) -> None:
    """Remove or keep a file whose name another one has."""
    if is_open_for_writing(file):
        return
    status, named = os.fstat(file), look((directory, told.name))
    if os.path.samestat(status, named) and min(status.st_nlink, named.st_nlink) > 1:
        os.unlink(aside, dir_fd=directory)  # a second name of the same file
        return
    with locked((directory, told.name)):  # whoever has just put a new file there holds its lock
        pass
    if _is_needless(directory, told, file):
        os.unlink(aside, dir_fd=directory)
    else:
        keep_aside(directory, aside)


def _is_needless(directory: int, told: AsideName, file: int) -> bool:
    """Whether a file was to go, or never came in, or is there under its name as well."""
    place = (directory, told.name)
    aside = written_of(os.fstat(file))
    has_new_come = told.is_new(written_of(look(place)))
    return (
        (has_new_come and told.is_old(aside))
        or (not has_new_come and told.is_new(aside))
        or is_same(file, aside, place)
    )
