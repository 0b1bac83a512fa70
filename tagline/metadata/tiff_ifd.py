"""Directories of TIFF and BigTIFF as far as the image is concerned (TIFF 6.0, section 2).

Only positions are read at first: values, which may be large, are fetched one by one.
"""

from struct import unpack_from
from typing import NamedTuple

import msgspec

from tagline.metadata.exif_ifd import DIALECTS, TYPE_BYTES, Dialect
from tagline.metadata.window import Malformed, Window

ENTRY_LIMIT = 2000
"""Entries of a directory that are looked at."""

_CODES = {
    1: "B",
    3: "H",
    4: "I",
    6: "b",
    7: "B",
    8: "h",
    9: "i",
    13: "I",
    16: "Q",
    17: "q",
    18: "Q",
}


class Entry(msgspec.Struct, frozen=True, gc=False):
    """Where a tag's value is: type number, item count, offset of the first byte in the file."""

    kind: int
    count: int
    offset: int

    @property
    def length(self) -> int:
        """Length in bytes of the whole value; 0 where the type is unknown."""
        return TYPE_BYTES[self.kind] * self.count if self.kind < len(TYPE_BYTES) else 0


class Directory(NamedTuple):
    """A directory's entries by tag (of a repeated tag the first), and the next one's offset."""

    entries: dict[int, Entry]
    next_offset: int


class Tiff:
    """A TIFF file seen through a window.

    Raises:
        Malformed: the file does not begin with a TIFF header.
    """

    __slots__ = ("dialect", "mark", "window")

    def __init__(self, window: Window) -> None:
        self.window = window
        self.mark = window.at(0, min(4, window.size))
        dialect = DIALECTS.get(self.mark)
        if dialect is None:
            raise Malformed("This is no TIFF file: its header is missing.")
        self.dialect: Dialect = dialect

    def first_offset(self) -> int:
        """Offset of the first directory."""
        return self._pointer(self.dialect.first_ifd)

    def directory(self, offset: int) -> Directory:
        """The directory at an offset; a list that leaves the file is read as far as it goes.

        Raises:
            Malformed: there is no directory.
        """
        width, step = self.dialect.count.size, self.dialect.entry.size
        (count,) = self.dialect.count.unpack(self.window.at(offset, width))
        start = offset + width
        room = (self.window.size - start) // step
        if not count or not room:
            raise Malformed("A directory of the file is empty or outside it.")
        taken = min(count, room, ENTRY_LIMIT)
        raw = self.window.at(start, taken * step)
        entries: dict[int, Entry] = {}
        for index, (tag, kind, items, inline) in enumerate(self.dialect.entry.iter_unpack(raw)):
            entry = Entry(kind, items, start + index * step + step - self.dialect.inline_bytes)
            if entry.length > self.dialect.inline_bytes:
                entry = Entry(kind, items, self.dialect.pointer.unpack(inline)[0])
            entries.setdefault(tag, entry)
        end = start + count * step
        whole = end + self.dialect.pointer.size <= self.window.size
        return Directory(entries, self._pointer(end) if whole else 0)

    def integers(self, entry: Entry, first: int = 0, count: int = 1) -> tuple[int, ...]:
        """Up to ``count`` items from the ``first`` of an entry; none of a type without integers.

        Raises:
            Malformed: the value is not inside the file.
        """
        code = _CODES.get(entry.kind)
        taken = min(count, entry.count - first)
        if code is None or taken <= 0:
            return ()
        width = TYPE_BYTES[entry.kind]
        raw = self.window.at(entry.offset + first * width, taken * width)
        return unpack_from(f"{self.dialect.order}{taken}{code}", raw)

    def integer(self, directory: Directory, tag: int) -> int | None:
        """The first item of a tag's value; None where the tag is absent or no integer."""
        entry = directory.entries.get(tag)
        items = self.integers(entry) if entry is not None else ()
        return items[0] if items else None

    def _pointer(self, offset: int) -> int:
        pointer = self.dialect.pointer
        return pointer.unpack(self.window.at(offset, pointer.size))[0]
