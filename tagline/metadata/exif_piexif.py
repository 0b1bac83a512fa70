"""The boundary to piexif: reading one value by code that is not ours.

piexif as a reader takes seconds and gigabytes over hostile blocks and raises whatever it likes.
It is given only a copy of a block in which a single, checked entry is left.
"""

from struct import Struct, error
from typing import Any, cast

import piexif  # pyright: ignore[reportMissingTypeStubs] -- piexif has no type information

from tagline.errors import EditRefused

_SKIPPED_TAG = 0xFFFF
_FAULTS = (error, ValueError, TypeError, IndexError, KeyError, MemoryError)


def read_ascii(block: bytes, tag: int) -> bytes | None:
    """The value of an ASCII tag in IFD0 as piexif reads it; None where there is none.

    Raises:
        EditRefused: piexif cannot read it, or the value does not lie inside the block.
    """
    guarded = _guarded(block, tag)
    load = cast("Any", piexif).load
    try:
        value = load(b"Exif\0\0" + guarded)["0th"].get(tag)
    except (*_FAULTS, piexif.InvalidImageDataError) as fault:
        raise EditRefused("proof: the description cannot be read back") from fault
    return value if isinstance(value, bytes) else None


def _guarded(block: bytes, tag: int) -> bytes:
    """A copy in which every other entry of IFD0 is renamed to a tag that piexif skips."""
    order = "<" if block[:2] == b"II" else ">"
    short, entry, long = Struct(order + "H"), Struct(order + "HHII"), Struct(order + "I")
    copy = bytearray(block)
    try:
        at = long.unpack_from(copy, 4)[0]
        count = short.unpack_from(copy, at)[0]
        for k in range(count):
            position = at + 2 + 12 * k
            found, kind, items, offset = entry.unpack_from(copy, position)
            if found != tag:
                short.pack_into(copy, position, _SKIPPED_TAG)
            elif kind != 2 or (items > 4 and offset + items > len(copy)):
                raise EditRefused("proof: the description is not where it has to be")
        link = at + 2 + 12 * count
        copy[link : link + 4] = bytes(len(copy[link : link + 4]))
    except error as fault:
        raise EditRefused("proof: the EXIF block cannot be read back") from fault
    return bytes(copy)
