"""What all reconciles of one library share."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import ParamSpec, TypeVar

import msgspec

from tagline.index.protocol import PhotoIndex
from tagline.storage.provider import PhotoStorageProvider
from tagline.sync.reading import PhotoReader
from tagline.sync.strays import Strays
from tagline.sync.writing import IndexWriter

P = ParamSpec("P")
T = TypeVar("T")

SLICE_SECONDS = 0.003
"""The event loop is left to others after so long."""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """Storage and index, how photos are read and stored, and the threads that may block.

    ``strays`` are the sidecars that lie elsewhere than their photo.

    ``readers`` is the number of photos' batches that one reconcile reads at the same time.
    """

    storage: PhotoStorageProvider
    index: PhotoIndex
    reader: PhotoReader
    writer: IndexWriter
    strays: Strays
    executor: Executor
    readers: int

    async def thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what blocks in a thread; if the caller is cancelled, it still runs to its end."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, lambda: work(*args, **kwargs))


class Pace:
    """Leaves the event loop to others in time."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    async def breathe(self) -> None:
        """Let others have the loop if this task has had it for long enough."""
        if time.monotonic() - self._since >= SLICE_SECONDS:
            await asyncio.sleep(0)
            self._since = time.monotonic()
