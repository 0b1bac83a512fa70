"""The layout of a TIFF block as an editor has to know it: who uses which bytes (TIFF 6.0).

Unlike the reader's walk this one follows every directory it knows a way to, and keeps offsets.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Final, Generic, NamedTuple, TypeVar

from tagline.errors import EditRefused
from tagline.metadata.content import Content, Extent
from tagline.metadata.exif_ifd import TYPE_BYTES, UTF8_TYPE
from tagline.metadata.field_types import DirectoryName

Held = TypeVar("Held", bound=Content)
"""What a block is: bytes, or a TIFF file of any size."""

IMAGE_DESCRIPTION: Final = 0x010E
USER_COMMENT: Final = 0x9286
XP_COMMENT: Final = 0x9C9C
MAKER_NOTE: Final = 0x927C
EXIF_IFD: Final = 0x8769
_GPS_IFD, _INTEROP_IFD, _SUB_IFDS = 0x8825, 0xA005, 0x014A
_POINTERS: Final = frozenset({EXIF_IFD, _GPS_IFD, _INTEROP_IFD, _SUB_IFDS})
# Offsets and lengths of data outside the directories: strips, tiles, free space, JPEG thumbnail.
_DATA: Final = ((0x0111, 0x0117), (0x0144, 0x0145), (0x0120, 0x0121), (0x0201, 0x0202))
_MAX_DIRECTORIES: Final = 1024
# Directories that lie over each other, or name the same lists, have more than a file can hold.
_MAX_ENTRIES: Final = 1 << 16
_MAX_LEADS: Final = 1 << 12
_MAX_ITEMS: Final = 1 << 18


class Entry(NamedTuple):
    """One directory entry; ``offset`` is where its ``size`` bytes of value are."""

    tag: int
    kind: int
    items: int
    size: int
    offset: int
    position: int

    @property
    def extent(self) -> Extent:
        """The bytes of the value."""
        return self.offset, self.offset + self.size

    @property
    def has_known_type(self) -> bool:
        """Whether its type is one that TIFF or EXIF 3.0 defines."""
        return 1 <= self.kind <= 13 or self.kind == UTF8_TYPE

    @property
    def inline(self) -> bool:
        """Whether the value stands in the entry itself."""
        return self.size <= 4


class Directory(NamedTuple):
    """A directory from its count to its link; ``link`` is None where the block ends before it."""

    offset: int
    entries: tuple[Entry, ...]
    link: int | None
    end: int

    def find(self, tag: int) -> Entry | None:
        """The first entry with this tag."""
        return next((entry for entry in self.entries if entry.tag == tag), None)


class Block(Generic[Held]):
    """A TIFF block taken apart.

    ``directories`` has IFD0 first and then every other that could be reached, ``exif`` is the Exif
    IFD where there is one. ``dangling`` lists what the directories claim beyond the block's end.

    Raises:
        EditRefused: no classic TIFF header, IFD0 does not lie inside the block, or there are too
            many directories or tags.
    """

    def __init__(self, data: Held) -> None:
        self.data = data
        if len(data) < 8 or data[:4] not in (b"II*\0", b"MM\0*"):
            raise EditRefused("the EXIF block has no TIFF header")
        self.order = "<" if data[:1] == b"I" else ">"
        self.entry = Struct(self.order + "HHI4s")
        self._short = Struct(self.order + "H")
        self._long = Struct(self.order + "I")
        self.dangling: list[Extent] = []
        self._entries_left = _MAX_ENTRIES
        first = self.directory(self.long(4))
        if first is None:
            raise EditRefused("the first directory of the EXIF block is outside of it")
        if first.entries and not first.entries[0].has_known_type:
            # Readers take such a directory for damaged as a whole, and would not show the text.
            raise EditRefused("the first directory of the EXIF block begins with a damaged entry")
        self.ifd0 = first
        self.exif: Directory | None = None
        self.directories = self._walk()

    def named(self, name: DirectoryName) -> Directory | None:
        """IFD0, or the Exif IFD where there is one."""
        return self.ifd0 if name == "IFD0" else self.exif

    def pointer_to(self, name: DirectoryName) -> int:
        """Where the offset of that directory stands.

        Raises:
            EditRefused: something else than IFD0 leads to the Exif IFD, or more than once.
        """
        if name == "IFD0":
            return 4
        leads = [entry for entry in self.ifd0.entries if entry.tag == EXIF_IFD]
        if self.exif is None or len(leads) != 1 or self.numbers(leads[0]) != (self.exif.offset,):
            raise EditRefused("the Exif directory is not where it has to be")
        return leads[0].offset

    def long(self, offset: int) -> int:
        """The LONG at an offset inside the block."""
        return self._long.unpack(self.data[offset : offset + 4])[0]

    def pack_long(self, value: int) -> bytes:
        """A LONG in the block's byte order."""
        return self._long.pack(value)

    def pack_short(self, value: int) -> bytes:
        """A SHORT in the block's byte order."""
        return self._short.pack(value)

    def value(self, entry: Entry) -> bytes:
        """The bytes of an entry's value; fewer than its size where the block ends before."""
        return self.data[entry.offset : entry.offset + entry.size]

    def directory(self, offset: int) -> Directory | None:
        """The directory at an offset; None where it does not fit in the block or is empty."""
        if offset < 8 or offset + 2 > len(self.data):
            self.dangling.append((offset, offset + 2))
            return None
        count = self._short.unpack(self.data[offset : offset + 2])[0]
        end = offset + 2 + 12 * count
        if count == 0:
            return None
        if end > len(self.data):
            self.dangling.append((offset, end + 4))
            return None
        self._entries_left -= count
        if self._entries_left < 0:
            raise EditRefused("the EXIF block has too many tags")
        raw = self.data[offset + 2 : end]
        entries = tuple(
            self._entry(fields, offset + 2 + 12 * k)
            for k, fields in enumerate(self.entry.iter_unpack(raw))
        )
        link = self.long(end) if end + 4 <= len(self.data) else None
        return Directory(offset, entries, link, end + 4)

    def _entry(self, fields: tuple[int, int, int, bytes], position: int) -> Entry:
        tag, kind, count, inline = fields
        width = TYPE_BYTES[kind] if kind < len(TYPE_BYTES) else int(kind == UTF8_TYPE)
        size = width * count
        offset = position + 8 if size <= 4 else self._long.unpack(inline)[0]
        return Entry(tag, kind, count, size, offset, position)

    def _walk(self) -> tuple[Directory, ...]:
        found = {self.ifd0.offset: self.ifd0}
        waiting = list(self._leads(self.ifd0))
        while waiting:
            if len(found) > _MAX_DIRECTORIES or len(waiting) > _MAX_LEADS:
                raise EditRefused("the EXIF block has too many directories")
            tag, offset = waiting.pop()
            if offset in found or (directory := self.directory(offset)) is None:
                continue
            found[offset] = directory
            if tag == EXIF_IFD and self.exif is None:
                self.exif = directory
            waiting += self._leads(directory)
        return tuple(found.values())

    def _leads(self, directory: Directory) -> Iterator[tuple[int, int]]:
        """Tag (0 for the link) and offset of each directory that this one leads to."""
        if directory.link:
            yield 0, directory.link
        for entry in directory.entries:
            if entry.tag in _POINTERS and entry.kind in (4, 9, 13):
                most = min(entry.items, _MAX_DIRECTORIES)
                for offset in self.numbers(entry._replace(items=most, size=4 * most)):
                    yield entry.tag, offset

    def numbers(self, entry: Entry) -> tuple[int, ...]:
        """The items of an unsigned integer value; nothing where it is not one inside the block."""
        raw = self.value(entry)
        code = {3: "H", 4: "I", 9: "I", 13: "I"}.get(entry.kind)
        if code is None or len(raw) < entry.size or entry.items > _MAX_ITEMS:
            return ()
        return Struct(f"{self.order}{entry.items}{code}").unpack(raw)

    def used(self) -> Iterator[tuple[Entry | None, Extent]]:
        """Every extent that is spoken for, with the entry whose value it is (else None)."""
        yield None, (0, 8)
        for directory in self.directories:
            yield None, (directory.offset, directory.end)
            for entry in directory.entries:
                if not entry.inline:
                    yield entry, entry.extent
        for extent in self.image_data():
            yield None, extent

    def image_data(self) -> Iterator[Extent]:
        """What directories keep outside of themselves and their values: strips, thumbnails.

        Raises:
            EditRefused: there is too much of it.
        """
        items_left = _MAX_ITEMS
        for directory in self.directories:
            for starts, lengths in _DATA:
                at, size = directory.find(starts), directory.find(lengths)
                if at is not None and size is not None:
                    items_left -= at.items + size.items
                    if items_left < 0:
                        raise EditRefused("the EXIF block has too much image data")
                    pairs = zip(self.numbers(at), self.numbers(size), strict=False)
                    for start, length in pairs:
                        yield start, start + length

    def check(self) -> None:
        """Refuse a block whose first directory cannot be trusted.

        Raises:
            EditRefused: two descriptions, mostly unknown types, or a value outside of the block.
        """
        entries = self.ifd0.entries
        own = [e.tag for e in entries if e.tag in (IMAGE_DESCRIPTION, XP_COMMENT)]
        if self.exif:
            own += [e.tag for e in self.exif.entries if e.tag == USER_COMMENT]
        if len(set(own)) < len(own):
            raise EditRefused("the EXIF block holds the same description tag twice")
        if sum(entry.size == 0 for entry in entries) * 2 > len(entries):
            raise EditRefused("most of the first EXIF directory is of unknown type")
        for entry in entries:
            if not entry.inline and (entry.offset < 8 or entry.extent[1] > len(self.data)):
                raise EditRefused(f"the value of EXIF tag 0x{entry.tag:04x} is outside the block")


def overlaps(first: Extent, second: Extent) -> bool:
    """Whether two extents share a byte."""
    return first[0] < second[1] and second[0] < first[1]
