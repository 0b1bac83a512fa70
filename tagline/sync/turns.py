"""Whether photos are read beside each other: only where reading waits for the disk.

Python computes in one thread at a time. Where files are in memory, two readers hand the interpreter
to and fro at every call of the system, which costs as much again as the reading.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

BUSY_SHARE = 0.7
"""A process that computes for so great a part of the time gains nothing by another reader."""
JUDGED_SECONDS = 0.01
"""Over so long at least that part is measured."""
PATIENCE_SECONDS = 0.25
"""For so long one waits for another's turn to end: longer ones wait for the disk."""


class Turns:
    """Lets readers in one at a time while the process computes, else all at once.

    Used on the event loop's thread. ``clock`` gives seconds that never go back, ``worked`` the
    processor time of the whole process in seconds.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        worked: Callable[[], float] = time.process_time,
    ) -> None:
        self._clock = clock
        self._worked = worked
        self._lock = asyncio.Lock()
        self._busy = True
        self._since = clock(), worked()

    @asynccontextmanager
    async def turn(self, patience_seconds: float = PATIENCE_SECONDS) -> AsyncGenerator[None]:
        """The reading of some photos; begins when it may."""
        alone = self._busy and await self._wait(patience_seconds)
        try:
            yield
        finally:
            if alone:
                self._lock.release()
            self._judge()

    async def _wait(self, patience_seconds: float) -> bool:
        """Wait for the turn; whether it came in time."""
        try:
            async with asyncio.timeout(patience_seconds):
                return await self._lock.acquire()
        except TimeoutError:
            return False

    def _judge(self) -> None:
        now, worked = self._clock(), self._worked()
        began, worked_before = self._since
        if now - began >= JUDGED_SECONDS:
            self._busy = worked - worked_before >= BUSY_SHARE * (now - began)
            self._since = now, worked
