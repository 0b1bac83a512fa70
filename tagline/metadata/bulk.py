"""Reading a whole file in large pieces, to search it."""

import re
from collections.abc import Iterator
from typing import Final

from tagline.metadata.holes import HOLE_BYTES, Run, zero_runs
from tagline.model import ByteSource

PIECE_BYTES: Final = 4 * 1024 * 1024
"""Bytes that are held in memory at once."""

SEARCH_LIMIT: Final = 256 * 1024 * 1024
"""Bytes of one file that are searched."""

_BACKWARDS_BYTES: Final = 1024 * 1024


class Bulk:
    """A byte source of which the piece around the last search stays in memory.

    Of bytes that are in memory already nothing is copied, unless there are very many.
    """

    __slots__ = ("_base", "_content_end", "_data", "size", "source")

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self._base = 0
        self._content_end: int | None = None
        self._data = source.read_at(0, PIECE_BYTES)
        self.size = source.size

    def take(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``; fewer only at the end of the file."""
        start = offset - self._base
        if start >= 0 and start + min(length, self.size - offset) <= len(self._data):
            return self._data[start : start + length]
        return self.source.read_at(offset, length) if 0 <= offset < self.size else b""

    def search(
        self, pattern: re.Pattern[bytes], start: int, end: int, longest: int = 2
    ) -> Run | None:
        """Where a pattern first matches between two offsets; matches are at most ``longest`` bytes.

        Nothing is found behind the first ``SEARCH_LIMIT`` bytes.
        """
        end = min(end, self.size, start + SEARCH_LIMIT)
        while start < end:
            self._load(start)
            at = start - self._base
            last = min(end - self._base, len(self._data))
            found = pattern.search(self._data, at, last)
            if found is not None:
                return found.start() + self._base, found.end() + self._base
            if last + self._base >= end or last <= at:
                return None
            start = max(last + self._base - longest + 1, start + 1)
        return None

    def holes(self, start: int, end: int) -> Iterator[Run]:
        """Every run of at least ``HOLE_BYTES`` zeros between two offsets, as far as it goes there.

        A run over the border of two pieces counts as two. Every byte that a run must cover is one
        of those at which is looked, so that this costs next to nothing.
        """
        end = min(end, self.size, start + SEARCH_LIMIT)
        while start < end:
            self._load(start)
            at = start - self._base
            last = min(end - self._base, len(self._data))
            for first, behind in zero_runs(self._data, at, last):
                yield first + self._base, behind + self._base
            if last <= at:
                return
            start = last + self._base

    def content_end(self, start: int) -> int:
        """Where the zeros begin that end the file, if any; not ahead of ``start``.

        Of more zeros than ``SEARCH_LIMIT`` only so many are looked at.
        """
        if self._content_end is None:
            self._content_end = self._find_content_end()
        return max(self._content_end, min(start, self.size))

    def _find_content_end(self) -> int:
        end, length = self.size, HOLE_BYTES
        while end > max(self.size - SEARCH_LIMIT, 0):
            piece = max(end - length, 0)
            kept = self.take(piece, end - piece).rstrip(b"\0")
            if kept:
                return piece + len(kept)
            end, length = piece, min(2 * length, _BACKWARDS_BYTES)
        return end

    def _load(self, offset: int) -> None:
        """Have the byte at an offset in memory, and all behind it as far as one piece goes."""
        if not self._base <= offset < self._base + len(self._data):
            self._base = offset
            self._data = self.source.read_at(offset, PIECE_BYTES)
