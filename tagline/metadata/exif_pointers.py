"""Offsets in data whose structure nobody documents: maker notes that point far away.

Some Minolta, Samsung and Pentax cameras keep a preview behind the end of the image and its
address in the maker note, so that nothing ahead of it may change length. Maker notes are full of
directories of the usual form, so what looks like an entry and points at something real is one.
"""

import re
from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

from tagline.metadata.content import Content
from tagline.metadata.exif_ifd import TYPE_BYTES

_ENTRY_BYTES: Final = 12
_SHAPES: Final = (
    (Struct("<HHII"), 3, re.compile(rb"\0(?<=[\x01-\x0d]\0)")),
    (Struct(">HHII"), 2, re.compile(rb"\0(?=[\x01-\x0d])")),
)
"""An entry in each byte order, the place of its type's zero byte, and that byte beside a type."""
SOI: Final = b"\xff\xd8\xff"
_MIN_DATA_BYTES: Final = 256
_MAX_COUNT: Final = 1 << 24


class Pointer(NamedTuple):
    """Something like a directory entry: where it stands, its size and what it points to."""

    position: int
    size: int
    value: int


def pointers(block: bytes) -> Iterator[Pointer]:
    """Everything in the block that looks like an entry next to another one, in either order."""
    last = len(block) - _ENTRY_BYTES
    for shape, zero_at, pattern in _SHAPES:
        for match in pattern.finditer(block, 8 + zero_at, last + 4):
            at = match.start() - zero_at
            tag: int
            kind: int
            count: int
            value: int
            tag, kind, count, value = shape.unpack_from(block, at)
            size = TYPE_BYTES[kind] * count
            if count and (size > 4 or kind in (4, 9, 13)) and _neighbour(block, at, shape, tag):
                yield Pointer(at, size, value)


def _neighbour(block: bytes, at: int, shape: Struct, tag: int) -> bool:
    """Whether an entry with a lower tag stands before, or one with a higher behind."""
    for other in (at - _ENTRY_BYTES, at + _ENTRY_BYTES):
        if other < 0 or other + _ENTRY_BYTES > len(block):
            continue
        other_tag, kind, count, _ = shape.unpack_from(block, other)
        in_order = other_tag > tag if other > at else other_tag < tag
        if 1 <= kind <= 13 and 0 < count < _MAX_COUNT and in_order:
            return True
    return False


def leaves_block(data: Content, block_at: int, block_bytes: int, trailer_at: int) -> bool:
    """Whether the block points at data in the file behind it, so that its length must not change.

    Args:
        data: the whole file.
        block_at: offset of the TIFF header in the file.
        block_bytes: length of the block.
        trailer_at: offset of what follows the end of the image.
    """
    block = data[block_at : block_at + block_bytes]
    for pointer in pointers(block):
        for base in (block_at, 0):
            start = base + pointer.value
            if start < block_at + block_bytes or start >= len(data):
                continue
            if pointer.size <= 4 and data[start : start + 3] == SOI:
                return True
            if (
                pointer.size <= 4
                and start >= trailer_at
                and data[start + 1 : start + 3] == b"\xd8\xff"
            ):
                return True
            if _MIN_DATA_BYTES <= pointer.size <= len(data) - start and start >= trailer_at:
                return True
    return False


def becomes_valid(block: Content, maker_note: tuple[int, int], new_length: int) -> bool:
    """Whether what a maker note points to beyond the block's end would lie inside a longer block.

    That is a value, or a directory, which may begin inside the block and end outside it.
    """
    start, end = maker_note
    grown = range(len(block) + 1, new_length + 1)
    for pointer in pointers(block[start:end]):
        for base in (0, start, start + 8, start + 10, start + 12):
            target = base + pointer.value
            if pointer.size > 4:
                if target + pointer.size in grown:
                    return True
            elif target + 1 in grown or any(e in grown for e in _directory_ends(block, target)):
                return True
    return False


def _directory_ends(block: Content, at: int) -> tuple[int, ...]:
    """Where a directory at this place would end, by its number of entries in either byte order."""
    count = block[at : at + 2]
    if len(count) < 2:
        return ()
    return tuple(at + 2 + 12 * int.from_bytes(count, order) for order in ("little", "big"))
