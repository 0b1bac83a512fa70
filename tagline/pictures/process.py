"""One worker process as the server sees it."""

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

from tagline.errors import PictureError, PictureRefused
from tagline.pictures.jobs import ANSWER, ANSWER_LIMIT_BYTES, MADE, READY, Job, Limits, packed

_logger = logging.getLogger(__name__)

_SENTENCES = {
    "unsupported": "No picture can be made of this kind of file; get the original.",
    "damaged": "No picture can be made of the photo, whose data is damaged or incomplete; get the "
    "original.",
    "too_large": "The photo has more pixels than TAGLINE_MAX_PIXELS allows; get the original.",
    "too_costly": "The photo takes more time or memory to decode than is allowed; get the "
    "original.",
}
_GRACE_SECONDS = 5
"""So much longer than a processor may work the clock may run: the machine may be busy."""

_START_SECONDS = 30
_KEPT_VARIABLES = ("LD_LIBRARY_PATH", "PYTHONHOME", "SYSTEMROOT")


class WorkerFailed(PictureError):
    """The process cannot go on: ``close`` it.

    ``kind`` is ``time`` where it ran out of that, which another try would only waste again,
    ``start`` where it never began, and ``death`` for anything else, such as too little memory.
    """

    def __init__(self, kind: Literal["time", "start", "death"]) -> None:
        super().__init__("The process that decodes pictures failed.")
        self.kind = kind


def refusal(reason: str) -> PictureRefused:
    """The error of a reason, with its sentence."""
    return PictureRefused(reason, _SENTENCES[reason])


class WorkerProcess:
    """A process that makes pictures, one at a time; it is started at once.

    ``render`` is for one thread at a time; ``kill`` may come from any.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, limits: Limits) -> None:
        self.pictures = 0
        ours, theirs = socket.socketpair()
        self._channel = ours
        with theirs:
            number = theirs.fileno()
            command = [sys.executable, "-P", "-m", "tagline.pictures.worker"]
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
                    [*command, str(number), str(limits.memory_bytes)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=(number,),
                    env=_environment(),
                    start_new_session=True,  # Ctrl-C is for the server, which ends its workers
                )
            except OSError:
                ours.close()
                raise

    @property
    def process_id(self) -> int:
        """The process's number."""
        return self._process.pid

    def render(self, job: Job, file: int) -> bytes:
        """The picture of a job, from an open file; blocks.

        Raises:
            PictureRefused: the worker says that there cannot be one; it can go on.
            WorkerFailed: it can not: ``close`` it.
        """
        if not self.pictures:
            self._await_start()
        self.pictures += 1
        deadline = time.monotonic() + job.seconds + _GRACE_SECONDS
        try:
            socket.send_fds(self._channel, [packed(job)], [file])
            kind, length = ANSWER.unpack(self._receive(ANSWER.size, deadline))
            if length > ANSWER_LIMIT_BYTES:
                raise WorkerFailed("death")
            said = self._receive(length, deadline)
        except TimeoutError:
            raise WorkerFailed("time") from None
        except OSError as error:
            raise WorkerFailed("time" if self._ran_out_of_time() else "death") from error
        if kind == MADE:
            return said
        reason = said.decode("ascii", "replace")
        if reason not in _SENTENCES:  # among others, it ran out of memory
            raise WorkerFailed("death")
        raise refusal(reason)

    def kill(self) -> None:
        """End the process at once; who waits for it is told by ``WorkerFailed``."""
        self._process.kill()

    def close(self) -> None:
        """End the process, and wait until nothing of it is left; may be called twice."""
        self._process.kill()
        self._process.wait()
        self._channel.close()

    def _await_start(self) -> None:
        """Wait until the process has loaded its decoders and given up its rights.

        Raises:
            WorkerFailed: it does not come to that.
        """
        try:
            self._receive(len(READY), time.monotonic() + _START_SECONDS)
        except OSError as error:
            _logger.warning("the process that decodes pictures does not start")
            raise WorkerFailed("start") from error

    def _receive(self, length: int, deadline: float) -> bytes:
        """Exactly so many bytes.

        Raises:
            OSError: there are no more, or not in time.
        """
        pieces = bytearray()
        while len(pieces) < length:
            self._channel.settimeout(max(deadline - time.monotonic(), 0.001))
            piece = self._channel.recv(min(length - len(pieces), 1 << 20))
            if not piece:
                raise ConnectionResetError("the worker process closed its socket")
            pieces += piece
        return bytes(pieces)

    def _ran_out_of_time(self) -> bool:
        """Whether the kernel ended the process for its use of the processor."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_SECONDS)
        return self._process.returncode == -signal.SIGXCPU


def _environment() -> dict[str, str]:
    """The worker's environment: where its modules are, and no secret of the server's."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    modules = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    # Each arena reserves 64 MiB of address space, which the limit on memory counts.
    return kept | {"PYTHONPATH": modules, "MALLOC_ARENA_MAX": "2", "PYTHONDONTWRITEBYTECODE": "1"}
