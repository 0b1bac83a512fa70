"""The moment in which a new file takes the place of an old one. Functions raise ``OSError`` too.

Between a last look and a plain rename another program may put its own file in place, which would
be lost, or move the old one away, which would make two of it; or it may be writing to the old one.
So whatever had the name is given a hidden one first, then looked at, and given back unless it is
the file that was expected and nobody has it open for writing. That is done twice, with the
directory brought to the disk in between: who was about to open the file has done so by then. The
hidden name tells the own one, so that a walk puts right what a killed writer left
(``storage.asides``).
"""

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from tagline.errors import ObjectChanged
from tagline.model.photo import FileState
from tagline.storage.exchange import Place, discard, exchange, rename_to_free, take_free
from tagline.storage.faults import open_elsewhere
from tagline.storage.leases import is_open_for_writing
from tagline.storage.paths import Written, aside_name, kept_name, read_aside_name, temporary_name
from tagline.storage.sameness import is_same, written_of
from tagline.storage.temporary import TemporaryFile, hold_as, in_use, keep_aside
from tagline.storage.tree import Spot
from tagline.storage.ways import Way, fits_aside

_NO_DIRECTORY_SYNC = frozenset({errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EOPNOTSUPP})


class Held(NamedTuple):
    """The file that is meant: open for reading, and in the state that the caller saw.

    ``probes`` says whether others may be writing to it, so that this is asked.
    """

    file: int
    state: FileState
    probes: bool

    @property
    def written(self) -> Written:
        """Its size and time."""
        return self.state.size, self.state.mtime_ns

    def demand_at(self, place: Place, object_key: str) -> None:
        """Return where a name stands for this file still, and nobody writes to it.

        Raises:
            ObjectChanged: it is another one, or changed.
            ObjectBusy: somebody has it open for writing.
        """
        is_there = False
        with suppress(FileNotFoundError):
            is_there = is_same(self.file, self.written, place)
        if not is_there:
            raise ObjectChanged(object_key)
        self.demand_unused(object_key)

    def demand_unused(self, object_key: str) -> None:
        """Return where nobody is known to write to it, else raise ``ObjectBusy``."""
        if self.probes and is_open_for_writing(self.file):
            raise open_elsewhere(object_key)


class Replacement:
    """A new file, written and forced to the disk, on its way to the name of an old one."""

    def __init__(self, new: TemporaryFile, spot: Spot, held: Held) -> None:
        self._new = new
        self._spot = spot
        self._held = held
        self._written = written_of(os.fstat(new.file))

    def run(self, way: Way) -> None:
        """Take the place, durably; the old file is deleted.

        Raises:
            ObjectChanged: something else had the name. It has it again; or what took it since has
                it, and what had it is kept under a hidden name that ends in ``.kept``.
            ObjectBusy: somebody writes to the old file, which has its name again.
            OSError: what had the name could not be looked at; it has it again.
        """
        if way is Way.NOT_SAFELY:
            self._by_overwriting()
        elif way is not Way.EXCHANGE or not self._by_exchange():
            # Without room for the hidden name this fails before anything is done.
            self._by_aside()

    def _by_overwriting(self) -> None:
        """By a plain rename after a last look: the moment in between remains."""
        new, spot = self._new, self._spot
        self._held.demand_at(spot.place, spot.object_key)
        _rename(new.name, spot.name, spot.directory)
        sync_directory(spot.directory)

    def _by_exchange(self) -> bool:
        """By exchanging the two names; False where that cannot be done."""
        new, spot = self._new, self._spot
        # Never under a name that a walk sweeps: for a moment another program's file may have it.
        new.rename(self._aside_name() if fits_aside(spot) else kept_name(temporary_name()))
        try:
            is_done = exchange(new.name, spot.name, spot.directory)
        except BaseException:
            new.keeps_another = not self._is_ours(new.name)
            raise
        if not is_done:
            return False
        new.keeps_another = True
        try:
            self._held.demand_at((spot.directory, new.name), spot.object_key)
            self._confirm(new.name)
        except BaseException:
            self._give_back()
            raise
        new.keeps_another = False
        return True  # the old file goes with the hidden name

    def _by_aside(self) -> None:
        """By putting the old file aside, and the new one where nothing is."""
        new, spot = self._new, self._spot
        aside = self._aside_name()
        with _put_aside(spot, aside) as place:
            self._held.demand_at(place, spot.object_key)
            new.take(spot.place)
            try:
                self._confirm(aside)
            except BaseException:
                self._take_out()
                raise
            discard(place)

    def _confirm(self, hidden: bytes) -> None:
        """Force the directory to the disk, and look at the old file once more."""
        spot = self._spot
        sync_directory(spot.directory)
        self._held.demand_at((spot.directory, hidden), spot.object_key)

    def _aside_name(self) -> bytes:
        return aside_name(self._spot.name, self._held.written, self._written)

    def _give_back(self) -> None:
        """Exchange the names back, unless another program wrote to ours or put its own over it.

        Then that stays, and what the hidden name stands for is kept; so it is where this fails.
        """
        new, spot = self._new, self._spot
        try:
            _demand_done(exchange(new.name, spot.name, spot.directory))
            new.keeps_another = not self._is_ours(new.name)
            if new.keeps_another:
                _demand_done(exchange(new.name, spot.name, spot.directory))
        except FileNotFoundError:  # ours was moved on or deleted: only put back what we hold
            new.keeps_another = not _takes_back(new.name, spot)
        with suppress(OSError):
            sync_directory(spot.directory)

    def _take_out(self) -> None:
        """Take the new file away again, so that the old one can have its name."""
        new, spot = self._new, self._spot
        with suppress(FileNotFoundError):  # a second name of the same file makes rename(2) idle
            os.unlink(new.name, dir_fd=spot.directory)
        hidden = self._aside_name()
        with in_use(hidden), suppress(FileNotFoundError):
            _rename(spot.name, hidden, spot.directory)
            if self._is_ours(hidden):
                os.unlink(hidden, dir_fd=spot.directory)
            elif not _takes_back(hidden, spot):
                keep_aside(spot.directory, hidden)

    def _is_ours(self, name: bytes) -> bool:
        """Whether a name stands for the new file, and nobody has written to it or does."""
        file = self._new.file
        return is_same(file, self._written, (self._spot.directory, name)) and not (
            self._held.probes and is_open_for_writing(file)
        )


def give_up_place(spot: Spot, held: Held) -> None:
    """Delete the expected file, durably; raises like ``Replacement.run``."""
    # Without room for the own name it stays under the hidden one after a kill.
    fits = fits_aside(spot)
    name = aside_name(spot.name, held.written) if fits else kept_name(temporary_name())
    with _put_aside(spot, name) as place:
        held.demand_at(place, spot.object_key)
        sync_directory(spot.directory)
        held.demand_at(place, spot.object_key)
        os.unlink(name, dir_fd=spot.directory)
    sync_directory(spot.directory)


def change_place(spot: Spot, target: Spot, held: Held) -> None:
    """Rename the expected file to a name that nothing has.

    Raises:
        ObjectChanged: something has the name, or it was not the expected file, which has its old
            name again unless another took that since.
        ObjectBusy: somebody writes to the file, which has its old name again.
        OSError: it could not be looked at; it has its old name as above.
    """
    try:
        if not rename_to_free(spot.place, target.place):
            _change_by_aside(spot, target, held)
            return
    except FileExistsError as error:
        raise ObjectChanged(target.object_key) from error
    try:
        held.demand_at(target.place, spot.object_key)
    except BaseException:
        with suppress(FileExistsError, FileNotFoundError):
            rename_to_free(target.place, spot.place)
        raise


def _change_by_aside(spot: Spot, target: Spot, held: Held) -> None:
    if not fits_aside(spot):
        held.demand_at(spot.place, spot.object_key)
        take_free(spot.place, target.place)
        return
    with _put_aside(spot, aside_name(spot.name, held.written)) as place:
        held.demand_at(place, spot.object_key)
        try:
            take_free(place, target.place, lambda: hold_as(held.file, target.place))
        except FileExistsError as error:
            raise ObjectChanged(target.object_key) from error


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


@contextmanager
def _put_aside(spot: Spot, name: bytes) -> Generator[Place]:
    """Give what has a name a hidden one for the block, and on an error in it its own again.

    A plain rename does: nothing has the hidden name. Where another program took the own one in the
    meantime, that stays there, and the file is kept.
    """
    with in_use(name):
        try:
            _rename(spot.name, name, spot.directory)
            yield spot.directory, name
        except BaseException as error:
            if not _takes_back(name, spot):
                keep_aside(spot.directory, name)
                raise ObjectChanged(spot.object_key) from error
            with suppress(OSError):
                sync_directory(spot.directory)
            if isinstance(error, FileExistsError):
                raise ObjectChanged(spot.object_key) from error
            raise


def _takes_back(name: bytes, spot: Spot) -> bool:
    """Give a file its name back; False when another has it by now.

    Where that fails, a walk does it later if the hidden name tells the own one; else it is kept.
    """
    try:
        take_free((spot.directory, name), spot.place)
    except FileExistsError:
        return False
    except FileNotFoundError:
        return True  # another process has done it
    except OSError:
        if read_aside_name(name) is None:
            keep_aside(spot.directory, name)
        raise
    discard((spot.directory, name))  # a second name of it, where a link was not undone
    return True


def _rename(name: bytes, new_name: bytes, directory: int) -> None:
    os.rename(name, new_name, src_dir_fd=directory, dst_dir_fd=directory)


def _demand_done(is_done: bool) -> None:  # noqa: FBT001 - what a rename answered
    """Raise where a rename could not be done that just before could."""
    if not is_done:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
