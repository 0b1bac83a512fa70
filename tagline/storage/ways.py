"""How a mount lets a file be replaced without another program's file being lost: tried, not asked.

Some file systems answer that two names were exchanged and did a plain rename; others have neither
of the renames of renameat2(2), or no links. So it is tried with two files of our own, by reading
through their names: inode numbers say nothing on file systems in user space.
"""

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto

from tagline.storage.exchange import Place, exchange, link_to_free, rename_to_free
from tagline.storage.faults import close_read
from tagline.storage.paths import NAME_MAX_BYTES, has_aside_name
from tagline.storage.root import Root
from tagline.storage.temporary import TemporaryFile, free_name
from tagline.storage.tree import Spot

_PRIVATE = 0o600
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_CANNOT = frozenset(
    {
        *(errno.EPERM, errno.EACCES, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP),
        *(errno.EMLINK, errno.EXDEV, errno.ENOENT, errno.ESTALE),
    }
)
"""What says that it cannot be done, or that it was not done: anything else may pass."""

_CLAIM = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


class Way(Enum):
    """How files are replaced on a mount."""

    EXCHANGE = auto()
    """The names of old and new are exchanged in one step."""

    ASIDE_BY_RENAME = auto()
    """The old file goes aside; the new one comes in by a rename that overwrites nothing."""

    ASIDE_BY_LINK = auto()
    """The same with a link(2), as that overwrites nothing either."""

    NOT_SAFELY = auto()
    """Any rename may overwrite what another program has just put there."""


class Ways:
    """The ways of the mounts below a root, found out when something is first written on each.

    Thread-safe: two threads may try the same mount at once, and find the same.
    """

    def __init__(self, root: Root) -> None:
        self._root = root
        self._found: dict[tuple[int, int], Way] = {}

    def of(self, spot: Spot) -> Way:
        """The way of the mount of a spot's directory, which must be writable.

        Raises:
            ObjectUnreadable: it could not be tried, as an ``OSError`` also says.
        """
        mount = self._mount_of(spot.directory)
        way = self._found.get(mount)
        if way is None:
            way = self._found[mount] = find_way(spot)
        return way

    def bars(self, spot: Spot) -> bool:
        """Whether a file is known not to be safely replaced. Writes nothing."""
        if all(way is Way.EXCHANGE for way in list(self._found.values())):
            return False
        way = self._found.get(self._mount_of(spot.directory))
        return way is not None and not is_safe(way, spot)

    def _mount_of(self, directory: int) -> tuple[int, int]:
        return self._root.incarnation, os.fstat(directory).st_dev


def is_safe(way: Way, spot: Spot) -> bool:
    """Whether a file can be replaced safely in a way: aside it needs a longer name."""
    return way is Way.EXCHANGE or (way is not Way.NOT_SAFELY and fits_aside(spot))


def fits_aside(spot: Spot) -> bool:
    """Whether the file system has names as long as the one that a file has while it is aside."""
    most_bytes = NAME_MAX_BYTES
    with suppress(OSError, ValueError):
        most_bytes = min(most_bytes, os.fpathconf(spot.directory, "PC_NAME_MAX"))
    return has_aside_name(spot.name, most_bytes)


def find_way(spot: Spot) -> Way:
    """Try it in a spot's directory, with files that are gone afterwards.

    If this is killed, a walk removes them.

    Raises:
        ObjectUnreadable: what was written does not read back.
        OSError: no file can be made here, or the disk does not answer as it should.
    """
    trials: dict[Way, Callable[[Place, Place], bool]] = {
        Way.EXCHANGE: _exchanges,
        Way.ASIDE_BY_RENAME: lambda one, other: _refuses_taken(rename_to_free, one, other),
        Way.ASIDE_BY_LINK: lambda one, other: _refuses_taken(link_to_free, one, other),
    }
    return next((way for way in trials if _works(trials[way], spot)), Way.NOT_SAFELY)


def _works(trial: Callable[[Place, Place], bool], spot: Spot) -> bool:
    """Whether a trial goes well with two files, each of which holds its own name."""
    directory = spot.directory
    with TemporaryFile(directory, _PRIVATE) as one, TemporaryFile(directory, _PRIVATE) as other:
        for each in (one, other):
            each.write(each.name)
            each.settle(spot.object_key, each.name)
        try:
            return trial((directory, one.name), (directory, other.name))
        except OSError as error:
            if error.errno in _CANNOT:
                return False
            raise


def _exchanges(one: Place, other: Place) -> bool:
    directory, name = one
    _, second = other
    return exchange(name, second, directory) and _holds(one, second) and _holds(other, name)


def _refuses_taken(rename: Callable[[Place, Place], bool], place: Place, taken: Place) -> bool:
    """Whether a rename takes a free name and refuses one that is taken."""
    with suppress(FileExistsError):
        rename(place, taken)
        return False
    directory, name = place
    with free_name() as free:
        try:
            return rename(place, (directory, free)) and _holds((directory, free), name)
        finally:
            with suppress(OSError):
                os.unlink(free, dir_fd=directory)


def _holds(place: Place, content: bytes) -> bool:
    """Whether a name is there and stands for a file with this content."""
    directory, name = place
    try:
        # Only a claim of the name makes some kernels ask the file system for it (LOOKUP_EXCL).
        os.close(os.open(name, _CLAIM, _PRIVATE, dir_fd=directory))
    except FileExistsError:
        file = os.open(name, _READ, dir_fd=directory)
    else:
        return False
    try:
        return os.pread(file, len(content) + 1, 0) == content
    finally:
        close_read(file)
