"""Threads of their own for what clients want of the photo disk."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from tagline.errors import StorageUnavailable

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

THREADS = 8
"""So many photos are opened or edited at a time; who comes then waits."""


class DiskThreads:
    """Threads that may wait for the photo disk; use them from one event loop.

    A share whose server went away answers nothing, for as long as that takes, and keeps every
    thread that asks it. Logins, pages and health have other threads, and go on.

    Args:
        missed: is told, before the caller is, when a call finds the photo directory gone.
    """

    def __init__(self, missed: Callable[[StorageUnavailable], None]) -> None:
        self._missed = missed
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="disk")

    async def run(
        self,
        call: Callable[_Arguments, _Result],
        *arguments: _Arguments.args,
        **options: _Arguments.kwargs,
    ) -> _Result:
        """What a call gives that blocks; its errors are those of the call."""
        context = contextvars.copy_context()
        work = asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: context.run(call, *arguments, **options)
        )
        try:
            return await work
        except StorageUnavailable as error:
            self._missed(error)
            raise

    async def close(self) -> None:
        """Wait until nothing runs in them, and end them."""
        await asyncio.to_thread(self._threads.shutdown)
