"""Reading pieces of a file within a budget, so that no file can make its reader work hard."""

from tagline.errors import MetadataError
from tagline.model import ByteSource

READ_LIMIT = 4096
"""Reads that one container reader may make of one file."""

BYTE_LIMIT = 32 * 1024 * 1024
"""Bytes that one container reader may read of one file."""

PAGE_BYTES = 16 * 1024
"""Bytes that are read at once where small pieces beside each other are expected."""

_PAGES_KEPT = 4
_KEEP_LIMIT = 64 * 1024


class Malformed(MetadataError):
    """A file is not as its format wants it; ``str(error)`` is a sentence for people."""


class Window:
    """A byte source seen through a few cached pages; not thread-safe, one use each.

    Every read is bounded: pieces outside the file, and reads beyond the limits, raise
    ``Malformed`` and never reach the source.
    """

    __slots__ = ("_bytes_left", "_pages", "_reads_left", "_source", "size")

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._pages: list[tuple[int, bytes]] = []
        self._reads_left = READ_LIMIT
        self._bytes_left = BYTE_LIMIT
        self.size = source.size

    def at(self, offset: int, length: int, ahead: int = PAGE_BYTES) -> bytes:
        """Exactly ``length`` bytes from ``offset``.

        Args:
            offset: first byte, from the start of the file.
            length: how many bytes.
            ahead: how many bytes to fetch at once when the piece is in no cached page.

        Raises:
            Malformed: the piece is not inside the file, or the budget is used up.
        """
        start, page = self._page(offset, length, ahead)
        return page[offset - start : offset - start + length]

    def some(self, offset: int, limit: int, ahead: int) -> bytes:
        """One byte or more from ``offset``, at most ``limit``: what costs no second read.

        Raises:
            Malformed: as ``at``.
        """
        start, page = self._page(offset, 1, ahead)
        return page[offset - start : offset - start + limit]

    def _page(self, offset: int, length: int, ahead: int) -> tuple[int, bytes]:
        """A page, and its offset, that holds so many bytes from ``offset``."""
        end = offset + length
        if offset < 0 or length < 0 or end > self.size:
            raise Malformed("The file ends early, or points outside itself.")
        for start, page in self._pages:
            if start <= offset and end <= start + len(page):
                return start, page
        page = self._fetch(offset, min(max(length, ahead), self.size - offset))
        if len(page) < length:
            raise Malformed("The file became shorter while it was read.")
        return offset, page

    def _fetch(self, offset: int, length: int) -> bytes:
        self._reads_left -= 1
        self._bytes_left -= length
        if self._reads_left < 0 or self._bytes_left < 0:
            raise Malformed("The file is cut into more pieces than a photo has.")
        page = self._source.read_at(offset, length)
        if length <= _KEEP_LIMIT:
            self._pages.insert(0, (offset, page))
            del self._pages[_PAGES_KEPT:]
        return page


class Slice:
    """A ``ByteSource`` that is a part of another one, clipped to it."""

    __slots__ = ("_source", "_start", "size")

    def __init__(self, source: ByteSource, start: int, length: int) -> None:
        self._source = source
        self._start = min(max(start, 0), source.size)
        self.size = min(max(length, 0), source.size - self._start)

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``; fewer only at the end of the part."""
        length = min(length, self.size - offset)
        return self._source.read_at(self._start + offset, length) if length > 0 else b""
