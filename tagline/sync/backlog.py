"""What is still to be read: newest directories first, and in little memory however much it is."""

import asyncio
from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import count

import msgspec

from tagline.sync.plan import Todo

CHUNK = 32
"""Photos read in one go: enough to hide the cost of handing them to a thread and back."""

KEPT = 20_000
"""So many photos to be read are kept in memory. Of more, only the directory is noted."""


class Work(msgspec.Struct, frozen=True):
    """Photos of one directory that are to be read; None means: list it again, and compare."""

    directory: str
    todo: Sequence[Todo] | None


class Backlog:
    """A queue from the listing to the readings; used on the event loop's thread."""

    def __init__(self) -> None:
        self._directories: list[tuple[int, int, str, Sequence[Todo] | None]] = []
        self._number = count()  # one directory may be there twice, and photos have no order
        self._chunks: deque[Work] = deque()
        self._kept = 0
        self._closed = False
        self._changed = asyncio.Event()

    def add(self, directory: str, todo: Sequence[Todo], newest_ns: int) -> None:
        """Note the photos to be read in a directory, and the time of its newest file."""
        keep = todo if self._kept + len(todo) <= KEPT else None
        self._kept += len(keep or ())
        heappush(self._directories, (-newest_ns, next(self._number), directory, keep))
        self._changed.set()

    def add_next(self, directory: str, todo: Sequence[Todo]) -> None:
        """Note photos that are to be read before all others."""
        self._split(directory, todo)
        self._changed.set()

    def close(self) -> None:
        """Nothing will be added but by ``add_next``."""
        self._closed = True
        self._changed.set()

    async def take(self) -> Work | None:
        """The next photos to read; None at the end."""
        while not (self._chunks or self._directories):
            if self._closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        if not self._chunks:
            *_, directory, todo = heappop(self._directories)
            if todo is None:
                return Work(directory, None)
            self._kept -= len(todo)
            self._split(directory, todo)
        return self._chunks.popleft()

    def _split(self, directory: str, todo: Sequence[Todo]) -> None:
        for start in range(0, len(todo), CHUNK):
            self._chunks.append(Work(directory, todo[start : start + CHUNK]))
