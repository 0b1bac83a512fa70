"""Files in motion are looked at again by themselves, until they have come to rest."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress

from tagline.errors import TaglineError

_logger = logging.getLogger(__name__)

FIRST_SECONDS = 0.05
LONGEST_SECONDS = 2.0


class Settler:
    """Has photos read again after a while: soon at first, then ever later up to two seconds.

    Used on the event loop's thread. Its task exists only while a photo is waiting.

    Args:
        reread: reads photos by key whatever their states say, and adds again those that are still
            in motion. When it raises, the photos are tried again.
    """

    def __init__(self, reread: Callable[[Sequence[str]], Awaitable[None]]) -> None:
        self._reread = reread
        self._due: dict[str, float] = {}
        self._waited: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._waited)

    def add(self, keys: Iterable[str]) -> None:
        """Have photos read again, unless it is closed."""
        if self._closed:
            return
        now = asyncio.get_running_loop().time()
        for key in keys:
            wait_seconds = min(2 * self._waited.get(key, FIRST_SECONDS / 2), LONGEST_SECONDS)
            self._waited[key] = wait_seconds
            self._due[key] = now + wait_seconds
        if self._due and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._work(), name="tagline-settle")

    async def close(self) -> None:
        """Stop; photos that wait are forgotten, and none is taken any more."""
        self._closed = True
        self._due.clear()
        self._waited.clear()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._due:
            await asyncio.sleep(max(0.0, min(self._due.values()) - loop.time()))
            now = loop.time()
            keys = [key for key, due in self._due.items() if due <= now]
            for key in keys:
                del self._due[key]
            try:
                await self._reread(keys)
            except TaglineError:
                self.add(keys)
            except Exception:  # whatever it is, photos that nobody reads any more are worse
                _logger.exception("photos in motion could not be read again; it is tried later")
                self.add(keys)
            for key in keys:
                if key not in self._due:
                    self._waited.pop(key, None)
