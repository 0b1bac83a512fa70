"""An open file as a descriptor that another process can be given."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from io import UnsupportedOperation
from typing import BinaryIO

from tagline.model import ByteSource

_PIECE_BYTES = 4 * 1024 * 1024


@contextmanager
def descriptor_of(
    file: BinaryIO, source: ByteSource, offset: int, length: int
) -> Generator[tuple[int, int]]:
    """A descriptor through which a part of a file can be read, and the offset of the part in it.

    A file that is none of the operating system's is copied, as far as the part goes, into memory
    that has a descriptor: that blocks. Good until the end of the block; a real file is left open.
    """
    own = _own_descriptor(file)
    if own is not None:
        yield own, offset
        return
    copy = os.memfd_create("picture")
    try:
        _copy(source, offset, length, copy)
        yield copy, 0
    finally:
        os.close(copy)


def _own_descriptor(file: BinaryIO) -> int | None:
    try:
        return file.fileno()
    except UnsupportedOperation:
        return None


def _copy(source: ByteSource, offset: int, length: int, into: int) -> None:
    end = min(offset + length, source.size)
    for start in range(offset, end, _PIECE_BYTES):
        rest = memoryview(source.read_at(start, min(_PIECE_BYTES, end - start)))
        while rest:
            rest = rest[os.write(into, rest) :]
