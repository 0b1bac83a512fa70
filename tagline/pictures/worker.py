"""The worker process: takes one job after the other from its socket, until the server closes it.

Started as ``python -m tagline.pictures.worker DESCRIPTOR MEMORY_BYTES``. What a decoder raises for
damaged data is answered; anything else ends the process, and the server starts another one.
"""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from io import BufferedReader, RawIOBase, UnsupportedOperation
from typing import TYPE_CHECKING

from tagline.pictures.confinement import allow_seconds, confine
from tagline.pictures.jobs import (
    ANSWER,
    JOB_LIMIT_BYTES,
    LENGTH,
    MADE,
    READY,
    REFUSED,
    Job,
    unpacked,
)
from tagline.pictures.rendering import Refusal, prepare, render

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BUFFER_BYTES = 64 * 1024


class Part(RawIOBase):
    """A part of an open file, as a file of its own; it never moves the descriptor's position."""

    def __init__(self, descriptor: int, offset: int, length: int) -> None:
        self._descriptor = descriptor
        self._offset = offset
        self._length = length
        self._position = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The position in the part."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position from the start, from here, or from the end.

        Raises:
            ValueError: it would be before the start.
            UnsupportedOperation: ``whence`` is none of the three.
        """
        bases = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}
        if whence not in bases:
            raise UnsupportedOperation("there is no such kind of seek")
        position = bases[whence] + offset
        if position < 0:
            raise ValueError("the position is before the start")
        self._position = position
        return position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read into a buffer; 0 at the end of the part, or of the file if that comes first."""
        view = memoryview(buffer).cast("B")
        length = min(len(view), max(self._length - self._position, 0))
        count = os.preadv(self._descriptor, [view[:length]], self._offset + self._position)
        self._position += count
        return count


def main(arguments: list[str]) -> None:
    """Serve the socket whose descriptor is given, within so many bytes of memory."""
    descriptor, memory_bytes = (int(argument) for argument in arguments)
    prepare()
    confine(memory_bytes)
    with socket.socket(fileno=descriptor) as channel:
        channel.sendall(READY)
        while (received := _receive(channel)) is not None:
            job, file = received
            try:
                kind, said = _outcome(job, file)
            finally:
                with suppress(OSError):  # it was only read
                    os.close(file)
            channel.sendall(ANSWER.pack(kind, len(said)) + said)


def _outcome(job: Job, file: int) -> tuple[bytes, bytes]:
    allow_seconds(job.seconds)
    try:
        with BufferedReader(Part(file, job.offset, job.length), _BUFFER_BYTES) as part:
            return MADE, render(part, job)
    except Refusal as refusal:
        return REFUSED, refusal.reason.encode("ascii")
    except MemoryError:
        return REFUSED, b"memory"


def _receive(channel: socket.socket) -> tuple[Job, int] | None:
    """The next job and its file; None when the server has closed the socket."""
    said, files, _, _ = socket.recv_fds(channel, LENGTH.size + JOB_LIMIT_BYTES, 1)
    if not said:
        return None
    while len(said) < LENGTH.size or len(said) < LENGTH.size + LENGTH.unpack_from(said)[0]:
        more = channel.recv(JOB_LIMIT_BYTES)
        if not more:
            return None
        said += more
    (file,) = files
    return unpacked(said[LENGTH.size :]), file


if __name__ == "__main__":
    main(sys.argv[1:])
