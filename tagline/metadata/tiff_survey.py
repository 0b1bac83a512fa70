"""What a TIFF file says and which of its bytes are in use, as strictly as an edit needs it.

Unlike the readers this takes nothing for granted: what is not understood is refused. It bounds the
work that a file can cause, admits files to editing, and is what the proof compares before and
after; the editor itself works from another walk (``tiff_block``).
"""

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

from tagline.errors import EditRefused
from tagline.metadata.content import Content, Extent

WIDTHS: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_UTF8_TYPE: Final = 129
_LEADS: Final = (0x8769, 0x8825, 0xA005, 0x014A)
_POINTER_TYPES: Final = (4, 9, 13)
_INTEGERS: Final = {1: "B", 3: "H", 4: "I", 13: "I"}
# Strips, tiles, free space and the thumbnail: tags of offsets and of lengths.
DATA_TAGS: Final = ((0x0111, 0x0117), (0x0144, 0x0145), (0x0120, 0x0121), (0x0201, 0x0202))
# Tables of old JPEG (TIFF 6.0, section 22): tag of the offsets, and the most bytes of a table.
_TABLES: Final = ((0x0207, 64), (0x0208, 272), (0x0209, 272))
_DIRECTORY_LIMIT: Final = 1024
_LEADS_LIMIT: Final = 1 << 12
_ENTRY_LIMIT: Final = 1 << 16
_ITEM_LIMIT: Final = 1 << 18


class Tag(NamedTuple):
    """One entry: its directory and number, type, item count, and where entry and value are."""

    where: tuple[str, int]
    kind: int
    items: int
    position: int
    start: int
    size: int


class Survey:
    """A classic TIFF file taken stock of.

    ``first`` is the offset of IFD0. ``directories`` maps each directory's name (``IFD0``, ``IFD0+``
    for the next page, ``IFD0/8769`` for the Exif IFD) to its extent, link included; ``tags`` lists
    their entries in order, ``images`` name and extent of all data outside of them.

    Raises:
        EditRefused: the file is no classic TIFF, or something in it is not where it has to be.
    """

    def __init__(self, data: Content) -> None:
        if len(data) < 8 or data[:4] not in (b"II*\0", b"MM\0*"):
            raise EditRefused("the file is no classic TIFF")
        self.data = data
        self.order = "<" if data[:1] == b"I" else ">"
        self._entry = Struct(self.order + "HHII")
        self.first = self._number("I", 4)
        self.directories: dict[str, Extent] = {}
        self.links: dict[str, int] = {}
        self.tags: list[Tag] = []
        self.images: list[tuple[str, Extent]] = []
        self._items_left = _ITEM_LIMIT
        self._bytes_left = 2 * len(data) + (1 << 20)
        self._walk()
        self._refuse_overlaps()

    def _number(self, code: str, at: int) -> int:
        shape = Struct(self.order + code)
        return shape.unpack(self.data[at : at + shape.size])[0]

    def _walk(self) -> None:
        offsets: set[int] = set()
        waiting = [("IFD0", self.first)]
        while waiting:
            name, at = waiting.pop(0)
            if at in offsets:
                if name.endswith("+"):
                    raise EditRefused("the pages of the TIFF file run in a circle")
                continue
            offsets.add(at)
            if len(offsets) > _DIRECTORY_LIMIT or len(waiting) > _LEADS_LIMIT:
                raise EditRefused("the TIFF file has too many directories")
            waiting += self._read(name, at)

    def _read(self, name: str, at: int) -> list[tuple[str, int]]:
        """Take stock of one directory; return where it leads."""
        count = self._number("H", at) if 8 <= at <= len(self.data) - 2 else 0
        end = at + 2 + 12 * count
        if at < 8 or end + 4 > len(self.data):
            raise EditRefused("a directory of the TIFF file is outside of it")
        if len(self.tags) + count > _ENTRY_LIMIT:
            raise EditRefused("the TIFF file has too many tags")
        self.directories[name] = at, end + 4
        own = [self._tag(name, at + 2 + 12 * k) for k in range(count)]
        self.tags += own
        self._count_bytes(own)
        by_tag = {tag.where[1]: tag for tag in own}
        if len(by_tag) < len(own):
            # Readers differ in which of the two they believe.
            raise EditRefused("a directory of the TIFF file has a tag twice")
        self._add_images(name, by_tag)
        self.links[name] = link = self._number("I", end)
        return [*self._leads(name, own), *([(f"{name}+", link)] if link else [])]

    def _tag(self, name: str, position: int) -> Tag:
        number, kind, items, value = self._entry.unpack(self.data[position : position + 12])
        size = WIDTHS.get(kind, int(kind == _UTF8_TYPE)) * items
        start = position + 8 if size <= 4 else value
        return Tag((name, number), kind, items, position, start, size)

    def _count_bytes(self, own: list[Tag]) -> None:
        """Refuse values that can only have room in the file by lying over each other.

        Some readers pass over what exceeds the file's size, image and all.
        """
        length = len(self.data)
        total = sum(tag.size for tag in own if 4 < tag.size <= length - tag.start)
        self._bytes_left -= total
        if total > length or self._bytes_left < 0:
            raise EditRefused("values of the TIFF file overlap")

    def _leads(self, name: str, own: list[Tag]) -> Iterator[tuple[str, int]]:
        for tag in own:
            if tag.where[1] in _LEADS and tag.kind in _POINTER_TYPES:
                for k, target in enumerate(self.integers(tag)):
                    yield f"{name}/{tag.where[1]:04x}" + (f"/{k}" if k else ""), target

    def _add_images(self, name: str, by_tag: dict[int, Tag]) -> None:
        for starts, lengths in DATA_TAGS:
            if starts not in by_tag and lengths not in by_tag:
                continue
            if starts not in by_tag or lengths not in by_tag:
                raise EditRefused("the TIFF file does not say how long its image data is")
            at, size = self.integers(by_tag[starts]), self.integers(by_tag[lengths])
            if len(at) != len(size) or not at:
                raise EditRefused("the TIFF file is unclear about where its image data is")
            for start, length in zip(at, size, strict=True):
                self._add_image(name, start, length)
        for offsets, length in _TABLES:
            for start in self.integers(by_tag[offsets]) if offsets in by_tag else ():
                self.images.append((name, (start, min(start + length, len(self.data)))))

    def _add_image(self, name: str, start: int, length: int) -> None:
        if start + length > len(self.data) or (length and start < 8):
            raise EditRefused("the image data runs past the end of the TIFF file")
        if start and not length:
            raise EditRefused("the TIFF file does not say how long its image data is")
        if length:
            self.images.append((name, (start, start + length)))

    def _refuse_overlaps(self) -> None:
        end = 8
        for start, stop in sorted(self.directories.values()):
            if start < end:
                raise EditRefused("directories of the TIFF file overlap")
            end = stop

    def integers(self, tag: Tag) -> tuple[int, ...]:
        """The items of an unsigned integer value; none of another type.

        Raises:
            EditRefused: the value is outside the file, or there are too many in it.
        """
        code = _INTEGERS.get(4 if tag.kind == 9 else tag.kind)
        if code is None:
            return ()
        self._items_left -= tag.items
        if tag.start + tag.size > len(self.data) or self._items_left < 0:
            raise EditRefused("a list of offsets of the TIFF file is outside of it, or too long")
        shape = Struct(f"{self.order}{tag.items}{code}")
        return shape.unpack(self.data[tag.start : tag.start + shape.size])

    def value(self, tag: Tag) -> bytes | None:
        """The bytes of a value; None where it is not wholly inside the file.

        Of an unknown type the four bytes in the entry are all that can be told.
        """
        if not tag.size:
            return self.data[tag.position + 8 : tag.position + 12]
        end = tag.start + tag.size
        return self.data[tag.start : end] if end <= len(self.data) else None

    def find(self, where: tuple[str, int]) -> Tag | None:
        """The first entry of this number in this directory."""
        return next((tag for tag in self.tags if tag.where == where), None)
