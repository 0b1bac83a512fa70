"""The moments between two system calls of a server, by strace(1)."""

import asyncio
import subprocess
from contextlib import suppress

from tests.machine import program


class Tracer:
    """Watches some system calls of a process; makes each begin late, or kills it at one of them."""

    def __init__(self) -> None:
        self.told = ""
        self._process: asyncio.subprocess.Process | None = None
        self._news = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def start(self, pid: int, calls: tuple[str, ...], injected: str) -> None:
        """Take hold of a process and all its threads; what is injected is as strace(1) has it."""
        named = ",".join(calls)
        self._process = await asyncio.create_subprocess_exec(
            *(program("strace"), "-f", "-s", "256", "-p", str(pid), "-e", f"trace={named}"),
            *("-e", f"inject={named}:{injected}"),
            stderr=subprocess.PIPE,
        )
        self._reading = asyncio.create_task(self._read())
        await self.until(" attached")

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        while piece := await self._process.stderr.read(1 << 16):
            self.told += piece.decode(errors="replace")
            self._news.set()

    async def until(self, word: str, seconds: float = 20.0) -> None:
        """Wait until such a call has begun."""
        await self._until(word, 1, seconds)

    async def until_again(self, word: str, seconds: float = 20.0) -> None:
        """Wait until a second such call has begun."""
        await self._until(word, 2, seconds)

    async def _until(self, word: str, times: int, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while self.told.count(word) < times:
                self._news.clear()
                await self._news.wait()

    async def end(self) -> None:
        """Let go of the process; it may be dead."""
        if self._process is None or self._reading is None:
            return
        # Asked to end, strace(1) waits for processes that are dead and not waited for.
        with suppress(ProcessLookupError):
            self._process.kill()
        async with asyncio.timeout(10):
            await self._reading
            await self._process.wait()
