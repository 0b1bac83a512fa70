"""The guarded walk of TIFF directories for reading (TIFF 6.0, section 2; BigTIFF).

Every type, count and offset is checked against the block; a value that fails a check is as if it
were absent. Only asked-for tags are fetched, so that a file of any size costs a few small reads.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from struct import Struct
from typing import Final

Fetch = Callable[[int, int], bytes]
"""Up to so many bytes (second argument) from an offset (first)."""

Value = tuple[int, bytes]
"""The TIFF type of a value, and its bytes."""

MAX_ENTRIES: Final = 2000
MAX_VALUE_BYTES: Final = 65536

# Bytes per item by TIFF type number; 0 where the number means nothing (TIFF 6.0, section 2;
# 13 is IFD of TIFF Technical Note 1; 16 to 18 are BigTIFF's; 129 is UTF-8 of EXIF 3.0).
TYPE_BYTES: Final = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)
UTF8_TYPE: Final = 129
_TEXTUAL: Final = frozenset({1, 2, 7, UTF8_TYPE})


class Dialect:
    """How one flavour of TIFF lays out its numbers: byte order, and width of offsets."""

    __slots__ = ("count", "entry", "first_ifd", "inline_bytes", "items", "order", "pointer")

    def __init__(self, order: str, *, big: bool) -> None:
        self.order = order
        self.count = Struct(order + ("Q" if big else "H"))
        self.entry = Struct(order + ("HHQ8s" if big else "HHI4s"))
        self.pointer = Struct(order + ("Q" if big else "I"))
        self.inline_bytes = 8 if big else 4
        self.first_ifd = 8 if big else 4
        codes = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
        self.items: Mapping[int, Struct] = {t: Struct(order + c) for t, c in codes.items()}


_LITTLE, _BIG = Dialect("<", big=False), Dialect(">", big=False)

# Beside TIFF's own 42: Olympus ("RO", "RS") and Panasonic (0x55) RAW, else laid out like TIFF.
DIALECTS: Final[Mapping[bytes, Dialect]] = {
    b"II*\0": _LITTLE,
    b"MM\0*": _BIG,
    b"IIRO": _LITTLE,
    b"IIRS": _LITTLE,
    b"MMOR": _BIG,
    b"IIU\0": _LITTLE,
    b"II+\0": Dialect("<", big=True),
    b"MM\0+": Dialect(">", big=True),
}


class Walk:
    """One block being read: where its bytes come from, how long it is and how it is laid out.

    ``data`` is the whole block where that is in memory: a slice costs a third of a call.
    """

    __slots__ = ("data", "dialect", "fetch", "limit")

    def __init__(
        self, fetch: Fetch, limit: int, dialect: Dialect, data: bytes | None = None
    ) -> None:
        self.data = data
        self.fetch = fetch
        self.limit = limit
        self.dialect = dialect

    def directory(self, offset: int, wanted: frozenset[int]) -> dict[int, Value]:
        """The wanted tags of the directory at this offset; of a repeated tag the last."""
        fetch, limit, dialect, data = self.fetch, self.limit, self.dialect, self.data
        width = dialect.count.size
        head = fetch(offset, width)
        if len(head) < width:
            return {}
        count = min(dialect.count.unpack(head)[0], MAX_ENTRIES)
        step = dialect.entry.size
        raw = fetch(offset + width, count * step)
        if len(raw) % step:
            raw = raw[: len(raw) // step * step]
        found: dict[int, Value] = {}
        inline_bytes = dialect.inline_bytes
        tag: int
        kind: int
        items: int
        inline: bytes
        for tag, kind, items, inline in dialect.entry.iter_unpack(raw):
            if tag not in wanted:
                continue
            size = TYPE_BYTES[kind] * items if kind < 19 else items * (kind == UTF8_TYPE)
            if size <= inline_bytes:
                if size:
                    found[tag] = kind, inline[:size]
                continue
            start = dialect.pointer.unpack(inline)[0]
            if start + size > limit:
                continue
            if size > MAX_VALUE_BYTES:
                if kind not in _TEXTUAL:
                    continue
                size = MAX_VALUE_BYTES
            value = fetch(start, size) if data is None else data[start : start + size]
            found[tag] = kind, value
        return found

    def first_directory(self) -> int:
        """The offset of IFD0, or 0 where the header is cut short."""
        pointer = self.dialect.pointer
        raw = self.fetch(self.dialect.first_ifd, pointer.size)
        return pointer.unpack(raw)[0] if len(raw) == pointer.size else 0

    def integer(self, value: Value | None) -> int | None:
        """The first item of a value of an integer type."""
        if value is None:
            return None
        item = self.dialect.items.get(value[0])
        return item.unpack_from(value[1])[0] if item is not None else None

    def numbers(self, value: Value | None) -> tuple[float, ...] | None:
        """The items of a RATIONAL or SRATIONAL; None where a denominator is zero."""
        if value is None or value[0] not in (5, 10) or len(value[1]) > 64:
            return None
        code = "I" if value[0] == 5 else "i"
        flat = _numbers(self.dialect.order, code, len(value[1]) // 4).unpack(value[1])
        if 0 in flat[1::2]:
            return None
        return tuple([above / below for above, below in zip(flat[::2], flat[1::2], strict=True)])


@lru_cache(maxsize=64)  # each of up to 16 numbers, in either order
def _numbers(order: str, code: str, count: int) -> Struct:
    return Struct(f"{order}{count}{code}")
