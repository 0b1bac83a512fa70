"""Whether the photo directory is there: a disk may be unmounted, and come back."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from tagline.errors import StorageUnavailable

_logger = logging.getLogger(__name__)

CHECK_SECONDS = 2.0
"""So often the photo directory itself is looked at."""
PATIENCE_SECONDS = 30.0
"""A disk that sleeps needs some seconds to answer; a share that answers no more, for ever."""
_NO_ANSWER = "The photo directory does not answer; is the machine there that has its disk?"


class Presence:
    """Looks now and then; ``problem`` is a sentence while the directory is not there.

    Args:
        check: raises ``StorageUnavailable`` when it is not there; blocks.
        changed: is called on the event loop when that is another than before.
        patience_seconds: so long an answer is waited for before clients are told of it.
    """

    def __init__(
        self,
        check: Callable[[], None],
        changed: Callable[[], None],
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.problem: str | None = None
        self._check = check
        self._changed = changed
        self._patience_seconds = patience_seconds
        self._missed = 0
        self._look_now = asyncio.Event()

    def missed(self, error: StorageUnavailable) -> None:
        """Note that somebody has just found it gone; call on the event loop.

        It is told at once, and only a look that begins after this can take it back.
        """
        self._missed += 1
        self._note(str(error))
        self._look_now.set()

    async def watch(self) -> None:
        """Look until cancelled, in a thread of its own: it may have to wait for long."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="presence")
        try:
            while True:
                self._look_now.clear()
                await self._look(thread)
                with suppress(TimeoutError):
                    async with asyncio.timeout(CHECK_SECONDS):
                        await self._look_now.wait()
        finally:
            thread.shutdown(wait=False)

    async def _look(self, thread: ThreadPoolExecutor) -> None:
        missed = self._missed
        looking = asyncio.get_running_loop().run_in_executor(thread, self._check)
        _, waiting = await asyncio.wait([looking], timeout=self._patience_seconds)
        if waiting:
            self._note(_NO_ANSWER)
        try:
            await looking
        except StorageUnavailable as error:
            self._note(str(error))
        else:
            if missed == self._missed:
                self._note(None)

    def _note(self, problem: str | None) -> None:
        before, self.problem = self.problem, problem
        if (before is None) == (problem is None):
            return
        if problem is None:
            _logger.info("the photo directory is back")
        else:
            _logger.warning("the photos cannot be served: %s", problem)
        self._changed()
