"""Byte sources that count, and that pretend to be large; and a limit on time."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_TRACED = 8
"""How much longer it may take while coverage is measured."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Assert that the block takes no more CPU time than that."""
    began = time.process_time()
    yield
    taken = time.process_time() - began
    assert taken < seconds * (_TRACED if sys.gettrace() else 1)


class CountingSource:
    """A source that counts reads and bytes; behind its data it is ``size`` bytes long, all zero."""

    def __init__(self, data: bytes, size: int | None = None) -> None:
        self.data = data
        self.size = len(data) if size is None else size
        self.reads = 0
        self.read_bytes = 0

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``."""
        self.reads += 1
        length = max(min(length, self.size - offset), 0)
        self.read_bytes += length
        return self.data[offset : offset + length].ljust(length, b"\0")


class PatchworkSource:
    """A source of any size that is zero but where a patch says otherwise."""

    def __init__(self, size: int, patches: dict[int, bytes]) -> None:
        self.size = size
        self.patches = patches
        self.reads = 0
        self.read_bytes = 0

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``."""
        length = max(min(length, self.size - offset), 0)
        self.reads += 1
        self.read_bytes += length
        piece = bytearray(length)
        for start, data in self.patches.items():
            first, last = max(start, offset), min(start + len(data), offset + length)
            if first < last:
                piece[first - offset : last - offset] = data[first - start : last - start]
        return bytes(piece)
