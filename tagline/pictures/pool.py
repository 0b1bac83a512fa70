"""The worker processes: as many as are allowed, started when there is work, replaced when dead."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta

from tagline.errors import PictureRefused, PicturesBusy
from tagline.pictures.jobs import Job, Limits
from tagline.pictures.process import WorkerFailed, WorkerProcess, refusal

MOST_WAITING = 256
"""Pictures that may wait for a worker; who comes then is sent away."""

WAIT_SECONDS = 15.0
"""So long a picture waits for a worker."""

_RETRY_AFTER = timedelta(seconds=5)


class Slot:
    """The right to make one picture now."""

    def __init__(self, pool: "WorkerPool") -> None:
        self._pool = pool

    async def render(self, job: Job, file: int) -> bytes:
        """The picture of a job, from an open file; the errors of ``WorkerPool.render``."""
        return await self._pool.render(job, file)


class WorkerPool:
    """Worker processes behind a queue; use it on the event loop.

    Args:
        workers: how many processes there may be, and so how many pictures are made at once.
        limits: what one picture may cost.
        wait_seconds: how long to wait for a worker.
    """

    def __init__(self, workers: int, limits: Limits, wait_seconds: float = WAIT_SECONDS) -> None:
        self.limits = limits
        self._wait_seconds = wait_seconds
        self._free = asyncio.Semaphore(workers)
        self._waiting = 0
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="picture")
        self._lock = threading.Lock()
        self._living: set[WorkerProcess] = set()
        self._idle: list[WorkerProcess] = []
        self._closed = False

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[Slot]:
        """Wait for the turn to make a picture.

        Raises:
            PicturesBusy: too many wait already, it took too long, or the server stops.
        """
        if self._waiting >= MOST_WAITING:
            raise PicturesBusy(_RETRY_AFTER)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._free.acquire()
        except TimeoutError:
            raise PicturesBusy(_RETRY_AFTER) from None
        finally:
            self._waiting -= 1
        try:
            if self._closed:
                raise PicturesBusy(_RETRY_AFTER)
            yield Slot(self)
        finally:
            self._free.release()

    async def render(self, job: Job, file: int) -> bytes:
        """The picture of a job; the file must stay open meanwhile.

        Raises:
            PictureRefused: there cannot be one, or it took too much.
            PicturesBusy: no process can be started now, or the server stops.
        """
        if self._closed:
            raise PicturesBusy(_RETRY_AFTER)
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._render, job, file)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            # The thread still uses the file: the caller may only close it when that is over.
            await asyncio.wait([work])
            raise

    async def close(self) -> None:
        """End every process, whatever it does, and wait until none is left."""
        await asyncio.to_thread(self._close)

    def _render(self, job: Job, file: int) -> bytes:
        """Try with a worker; if it fails after other work, which may be the reason, with a new one.

        Raises:
            PictureRefused: there cannot be a picture.
            PicturesBusy: there is no worker.
        """
        while True:
            worker = self._take()
            try:
                data = worker.render(job, file)
            except WorkerFailed as failure:
                self._bury(worker)
                if self._closed or failure.kind == "start":
                    raise PicturesBusy(_RETRY_AFTER) from failure
                if failure.kind == "time" or worker.pictures == 1:
                    raise refusal("too_costly") from failure
            except PictureRefused:
                self._idle.append(worker)
                raise
            else:
                self._idle.append(worker)
                return data

    def _take(self) -> WorkerProcess:
        with self._lock:
            if self._closed:
                raise PicturesBusy(_RETRY_AFTER)
            if self._idle:
                return self._idle.pop()
            try:
                worker = WorkerProcess(self.limits)
            except OSError as error:
                raise PicturesBusy(_RETRY_AFTER) from error
            self._living.add(worker)
            return worker

    def _bury(self, worker: WorkerProcess) -> None:
        worker.close()
        with self._lock:
            self._living.discard(worker)

    def _close(self) -> None:
        with self._lock:
            self._closed = True
            living = list(self._living)
        for worker in living:
            worker.kill()
        self._threads.shutdown()
        for worker in living:
            worker.close()
