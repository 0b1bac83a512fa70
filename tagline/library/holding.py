"""How much of photos is in memory while they are read and edited, of all together.

A server is promised to do with 256 MiB. Some 230 of them may be in use by an index of 100,000
photos; so what edits take is bounded, and not by the size of photos or by how many are edited.
"""

from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from threading import Condition, RLock
from typing import Final, Self

from tagline.errors import ObjectUnreadable
from tagline.metadata import Content, Pieces
from tagline.storage import OpenObject

HELD_MAX_BYTES: Final = 8 << 20
"""A photo up to this size is read once, and held while it is edited; of a larger one only pieces.

An edit has up to three copies of it at a time, and of a TIFF five: as it was, as it is to be, the
one in between where a text hides another one, and two that its proof needs.
"""

TOGETHER_BYTES: Final = 10 << 20
"""Photos of so many bytes together are edited at a time: further ones wait for their turn."""

LARGE_BYTES: Final = 256 << 10
"""More than nearly every photo has of metadata in one piece."""

_LEAST_BYTES: Final = TOGETHER_BYTES >> 3
"""What an edit counts for at least: it reads metadata, whatever the size of the photo."""


class Memory:
    """Lets edits in as far as their photos have room together, in the order in which they came.

    Thread-safe; waiting blocks. A photo that is not held, and one with large sidecars, counts for
    all of the room: its metadata may be as long as many photos are.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: deque[object] = deque()
        self._left = TOGETHER_BYTES

    @property
    def waiting(self) -> int:
        """How many edits wait for room."""
        return len(self._waiting)

    @contextmanager
    def taking(self, photo_bytes: int, sidecar_bytes: int = 0) -> Generator[None]:
        """The edit of a photo of this size with its sidecars; begins when it has room."""
        wanted = max(photo_bytes, _LEAST_BYTES)
        if photo_bytes > HELD_MAX_BYTES or sidecar_bytes > _LEAST_BYTES:
            wanted = TOGETHER_BYTES
        turn = object()
        with self._changed:
            self._waiting.append(turn)
            try:
                self._changed.wait_for(lambda: self._waiting[0] is turn and wanted <= self._left)
                self._left -= wanted
            finally:
                self._waiting.remove(turn)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._left += wanted
                self._changed.notify_all()


class Turn:
    """The reading of one photo, of which few have large metadata: those are read one by one.

    Many readers wait for disks at once, and what they read is small. Where it is large, one at a
    time makes values of it. Use it in a ``with`` block of one thread; blocks may lie in each other.
    """

    _lock = RLock()

    def __init__(self) -> None:
        self._taken = False

    def demand(self, size_bytes: int) -> None:
        """Call it before so much is read at once; blocks until it may be."""
        if size_bytes > LARGE_BYTES and not self._taken:
            self._taken = self._lock.acquire()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._taken:
            self._lock.release()


class _Whole:
    """A file of which every byte that is asked for is there, or it is at fault."""

    def __init__(self, opened: OpenObject, object_key: str) -> None:
        self._opened = opened
        self._object_key = object_key
        self.size = opened.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``; fewer only at the end of the file.

        Raises:
            ObjectUnreadable: the file became shorter since it was opened.
        """
        data = self._opened.read_at(offset, length)
        if len(data) < min(length, self.size - offset):
            reason = "it became shorter while it was read; try again"
            raise ObjectUnreadable(self._object_key, reason)
        return data


def content_of(opened: OpenObject, object_key: str) -> Content:
    """The bytes of an open file, for an edit; blocks. A large file must stay open as long.

    Raises:
        ObjectUnreadable: the file became shorter while it was read; of a large one, whenever
            its bytes are asked for.
    """
    whole = _Whole(opened, object_key)
    if opened.size <= HELD_MAX_BYTES:
        return whole.read_at(0, opened.size)
    return Pieces([(whole, 0, opened.size)])
