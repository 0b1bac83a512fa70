"""The proof's own walk of an EXIF block: its tags in order, and where everything lies."""

from collections.abc import Iterator
from struct import Struct, unpack_from
from typing import Final, NamedTuple

from tagline.errors import EditRefused
from tagline.metadata.proof_fields import Where

_WIDTHS: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_UTF8_TYPE: Final = 129
_LEADS: Final = (0x8769, 0x8825, 0xA005, 0x014A)
_DATA: Final = {0x0111: 0x0117, 0x0144: 0x0145, 0x0120: 0x0121, 0x0201: 0x0202}
_MAX_DIRECTORIES: Final = 1024
_MAX_LEADS: Final = 4096
_MAX_TAGS: Final = 1 << 14
# Values and images of a block lie side by side; what lies over one another has no end.
_MOST_OVER: Final = 4
_LEAST_BYTES: Final = 1 << 16


class Tag(NamedTuple):
    """One entry as found: its place in the tree, what it says, and where.

    ``value`` is None where it does not lie wholly inside the block, which readers take for absent;
    it is no copy that is kept, since values may lie over each other.
    """

    where: Where
    kind: int
    items: int
    start: int
    size: int
    position: int
    block: bytes

    @property
    def value(self) -> bytes | None:
        """Its bytes; None where they are not all inside the block."""
        # Of a value of unknown type the four bytes in its entry are all that can be compared.
        start = self.start if self.size else self.position + 8
        stop = start + (self.size or 4)
        return self.block[start:stop] if stop <= len(self.block) else None


class Datum(NamedTuple):
    """An image that a directory names: where in the block it begins, and its bytes."""

    name: str
    start: int
    size: int
    all: bytes

    @property
    def content(self) -> bytes:
        """Its bytes."""
        return self.all[self.start : self.start + self.size]


class View:
    """A block read once: its tags in order, and the extents of its directories."""

    def __init__(self, block: bytes, rest: bytes) -> None:
        self.block = block
        self._all = block + rest
        self.order = "<" if block[:2] == b"II" else ">"
        self._entry = Struct(self.order + "HHII")
        self.tags: list[Tag] = []
        self.directories: dict[int, tuple[str, int]] = {}
        self.links: dict[str, int] = {}
        self.data: list[Datum] = []
        self._bytes_left = _MOST_OVER * len(block) + _LEAST_BYTES
        if len(block) < 8:
            raise EditRefused("proof: the EXIF block is too short")
        self.first = self._number("I", 4)
        waiting = [("IFD0", self.first)]
        while waiting:
            if len(self.directories) > _MAX_DIRECTORIES or len(waiting) > _MAX_LEADS:
                raise EditRefused("proof: the EXIF block has too many directories")
            name, at = waiting.pop(0)
            if at not in self.directories:
                waiting += self._read(name, at)

    def _number(self, code: str, at: int) -> int:
        if at + Struct(code).size > len(self.block):
            return 0
        return unpack_from(self.order + code, self.block, at)[0]

    def _read(self, name: str, at: int) -> Iterator[tuple[str, int]]:
        count = self._number("H", at)
        end = at + 2 + 12 * count
        if at < 8 or not count or end > len(self.block):
            return
        self.directories[at] = (name, end)
        if len(self.tags) + count > _MAX_TAGS:
            raise EditRefused("proof: the EXIF block has too many tags")
        own = [self._tag(name, at + 2 + 12 * k) for k in range(count)]
        self.tags += own
        self._count(sum(tag.size for tag in own if 4 < tag.size <= len(self.block) - tag.start))
        self._read_data(name, own)
        for tag in own:
            if tag.where[1] not in _LEADS or tag.kind not in (4, 9, 13):
                continue
            if (value := tag.value) is not None:
                for k in range(min(tag.items, _MAX_DIRECTORIES, len(value) // 4)):
                    target = unpack_from(self.order + "I", value, 4 * k)[0]
                    yield f"{name}/{tag.where[1]:04x}" + (f"/{k}" if k else ""), target
        if link := self._number("I", end):
            self.links[name] = link
            yield f"{name}+", link

    def _tag(self, name: str, position: int) -> Tag:
        tag, kind, items, value = self._entry.unpack_from(self.block, position)
        size = _WIDTHS.get(kind, int(kind == _UTF8_TYPE)) * items
        start = position + 8 if size <= 4 else value
        return Tag((name, tag), kind, items, start, size, position, self.block)

    def _count(self, size: int) -> None:
        """Count what will be compared."""
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise EditRefused("proof: values of the EXIF block overlap")

    def _read_data(self, name: str, own: list[Tag]) -> None:
        """The strips, tiles or thumbnail that a directory names."""
        by_tag = {tag.where[1]: tag for tag in own}
        for starts, lengths in _DATA.items():
            if starts in by_tag and lengths in by_tag:
                pairs = zip(self._items(by_tag[starts]), self._items(by_tag[lengths]), strict=False)
                for start, length in pairs:
                    if length and start < len(self.block):
                        size = min(length, len(self._all) - start)
                        self._count(size)
                        self.data.append(Datum(name, start, size, self._all))

    def _items(self, tag: Tag) -> tuple[int, ...]:
        code = {3: "H", 4: "I"}.get(tag.kind)
        value = tag.value
        if code is None or value is None or len(value) < tag.size:
            return ()
        return unpack_from(f"{self.order}{tag.items}{code}", value)

    def find(self, where: Where) -> Tag | None:
        """The first entry at this place."""
        return next((tag for tag in self.tags if tag.where == where), None)

    def count_at(self, at: int) -> int:
        """The number of entries that a directory at this offset has, or would have."""
        return self._number("H", at)

    def place_of(self, name: str) -> tuple[int, int] | None:
        """Where a directory begins, and where its link ends."""
        places = self.directories.items()
        return next(((at, end + 4) for at, (own, end) in places if own == name), None)
