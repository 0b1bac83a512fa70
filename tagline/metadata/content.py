"""What an edit is made of: a photo's bytes, held in memory where they are few, else left on disk.

An editor keeps almost all of a photo as it is. So the content of a large one is a list of ranges
of the file that is there, and of the few bytes that are new; it answers like ``bytes`` to what
editors and proofs ask, and what may be long is gone through in steps. However large a photo is, an
edit of it holds no more than ``SLICE_MAX_BYTES`` of it at a time.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from re import Pattern
from typing import Final, TypeAlias, overload

from tagline.errors import EditRefused
from tagline.model import ByteSource, BytesSource, source_of

SLICE_MAX_BYTES: Final = 8 << 20
"""Bytes of the longest part of a large photo that an edit asks for at once."""

STEP_BYTES: Final = 1 << 20
"""Bytes of the steps in which what may be long is read and compared."""

_PAGE_BYTES: Final = 1 << 16
_LAP_BYTES: Final = 16
"""So much of its neighbours each step of a search sees: no pattern is longer."""

Extent: TypeAlias = tuple[int, int]
"""Bytes of a content that are kept: the first, and one past the last."""


class Pieces:
    """Content that is too large to be held; answers as ``bytes`` would.

    It is a ``ByteSource``. Not thread-safe: what was read last is kept, for the next small piece.
    """

    __slots__ = ("_ends", "_page", "_page_at", "_parts", "size")

    def __init__(self, parts: Iterable[tuple[ByteSource, int, int]]) -> None:
        """Put together: sources, each with the first byte of it and how many."""
        self._parts = [part for part in parts if part[2] > 0]
        self._ends: list[int] = []
        self.size = 0
        for _, _, length in self._parts:
            self.size += length
            self._ends.append(self.size)
        self._page_at, self._page = 0, b""

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, where: int) -> int: ...
    @overload
    def __getitem__(self, where: slice) -> bytes: ...
    def __getitem__(self, where: int | slice) -> int | bytes:
        if isinstance(where, int):
            found = self._near(where if where >= 0 else where + self.size, 1)
            if not found:
                raise IndexError(where)
            return found[0]
        start, end, _ = where.indices(self.size)
        if end - start > SLICE_MAX_BYTES:
            raise EditRefused("a part of the file is too large to be edited in memory")
        return self._near(start, max(end - start, 0))

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``; fewer only at the end."""
        end = min(offset + length, self.size)
        if offset < 0 or offset >= end:
            return b""
        found: list[bytes] = []
        for source, first, count in self.parts(offset, end):
            found.append(source.read_at(first, count))
        return found[0] if len(found) == 1 else b"".join(found)

    def parts(self, start: int, end: int) -> Iterator[tuple[ByteSource, int, int]]:
        """What lies in an extent, as the parts that it is made of."""
        k = bisect_right(self._ends, start)
        while start < end:
            source, first, length = self._parts[k]
            into = start - (self._ends[k] - length)
            count = min(length - into, end - start)
            yield source, first + into, count
            start += count
            k += 1

    def find(self, wanted: bytes, start: int, end: int) -> int:
        """Where these few bytes are between two offsets; -1 where they are not."""
        for at in range(start, end, STEP_BYTES):
            step = self.read_at(at, min(STEP_BYTES + len(wanted) - 1, end - at))
            found = step.find(wanted)
            if found >= 0:
                return at + found
        return -1

    def startswith(self, wanted: bytes, start: int = 0) -> bool:
        """Whether these bytes stand at an offset."""
        return self[start : start + len(wanted)] == wanted

    def endswith(self, wanted: bytes) -> bool:
        """Whether the content ends so."""
        return len(wanted) <= self.size and self[self.size - len(wanted) :] == wanted

    def _near(self, offset: int, length: int) -> bytes:
        """A piece; small ones come out of what was read last where they can."""
        if length > _PAGE_BYTES >> 1:
            return self.read_at(offset, length)
        into = offset - self._page_at
        if into < 0 or into + length > len(self._page):
            self._page_at, self._page = offset, self.read_at(offset, _PAGE_BYTES)
            into = 0
        return self._page[into : into + length]


Content: TypeAlias = bytes | Pieces


def joined(content: Content, parts: Iterable[bytes | Extent]) -> Content:
    """New content: bytes, and extents of the old one, which keep their bytes."""
    if isinstance(content, bytes):
        view = memoryview(content)
        return b"".join(p if isinstance(p, bytes) else view[p[0] : p[1]] for p in parts)
    return Pieces(_resolved(content, parts))


def _resolved(
    content: Pieces, parts: Iterable[bytes | Extent]
) -> Iterator[tuple[ByteSource, int, int]]:
    for part in parts:
        if isinstance(part, bytes):
            yield BytesSource(part), 0, len(part)
        else:
            yield from content.parts(*part)


def steps(content: Content, start: int, end: int) -> Iterator[bytes | memoryview]:
    """An extent in steps; of bytes in memory it is one view."""
    if isinstance(content, bytes):
        yield memoryview(content)[start:end]
        return
    for at in range(start, end, STEP_BYTES):
        yield content.read_at(at, min(STEP_BYTES, end - at))


def same(one: Content, here: Extent, other: Content, there: Extent) -> bool:
    """Whether two extents hold the same bytes; both lie inside their contents."""
    length = here[1] - here[0]
    if length != there[1] - there[0]:
        return False
    if not length:
        return True
    if isinstance(one, bytes) and isinstance(other, bytes):
        return other.startswith(memoryview(one)[here[0] : here[1]], there[0])
    first, second = source_of(one), source_of(other)
    for at in range(0, length, STEP_BYTES):
        count = min(STEP_BYTES, length - at)
        if first.read_at(here[0] + at, count) != second.read_at(there[0] + at, count):
            return False
    return True


def same_content(one: Content, other: Content) -> bool:
    """Whether two contents are equal."""
    if one is other:
        return True
    return same(one, (0, len(one)), other, (0, len(other)))


def matches(pattern: Pattern[bytes], content: Content, start: int) -> Iterator[Extent]:
    """Where a pattern of a few bytes, look-around included, matches from an offset on."""
    if isinstance(content, bytes):
        yield from (match.span() for match in pattern.finditer(content, start))
        return
    done = start
    for at in range(start, content.size, STEP_BYTES):
        base = max(at - _LAP_BYTES, 0)
        step = content.read_at(base, at - base + STEP_BYTES + _LAP_BYTES)
        for match in pattern.finditer(step, done - base):
            first, last = base + match.start(), base + match.end()
            if first >= at + STEP_BYTES:
                break
            yield first, last
            done = last
        done = max(done, min(at + STEP_BYTES, content.size))
