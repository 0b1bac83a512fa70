"""Where the image of a TIFF directory is (TIFF 6.0, sections 3, 8 and 15)."""

from collections.abc import Iterator, Sequence

import msgspec

from tagline.metadata.tiff_ifd import Directory, Entry, Tiff
from tagline.metadata.window import Malformed

NEW_SUBFILE_TYPE = 0x00FE
IMAGE_WIDTH = 0x0100
IMAGE_HEIGHT = 0x0101
BITS = 0x0102
COMPRESSION = 0x0103
STRIP_OFFSETS = 0x0111
SAMPLES = 0x0115
ROWS_PER_STRIP = 0x0116
STRIP_LENGTHS = 0x0117
TILE_OFFSETS = 0x0144
TILE_LENGTHS = 0x0145
SUB_IFDS = 0x014A
JPEG_OFFSET = 0x0201
JPEG_LENGTH = 0x0202

EXTENT_LIMIT = 3 * 1024
"""Strips or tiles of a page that are told apart; of more, the first, middle and last third."""

SUB_LIMIT = 16
"""Subdirectories of a directory that are looked at."""

_PLACES = (
    (TILE_OFFSETS, TILE_LENGTHS),
    (STRIP_OFFSETS, STRIP_LENGTHS),
    (JPEG_OFFSET, JPEG_LENGTH),
)


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One image of a TIFF file; ``reduced`` says that it is a smaller copy of another one."""

    width: int
    height: int
    reduced: bool
    extents: tuple[tuple[int, int], ...]

    @property
    def image_bytes(self) -> int:
        """Length of its image data in bytes."""
        return sum(length for _, length in self.extents)


def page(tiff: Tiff, directory: Directory) -> Page:
    """The image that a directory describes; sizes are 0 and extents empty where it says nothing.

    Raises:
        Malformed: a value is not inside the file.
    """
    return Page(
        width=tiff.integer(directory, IMAGE_WIDTH) or 0,
        height=tiff.integer(directory, IMAGE_HEIGHT) or 0,
        reduced=bool((tiff.integer(directory, NEW_SUBFILE_TYPE) or 0) & 1),
        extents=next((found for _, found in extents_by_place(tiff, directory)), ()),
    )


def chain(tiff: Tiff, limit: int) -> list[Directory]:
    """Up to ``limit`` directories from the first one on; a chain that is broken or loops ends.

    Raises:
        Malformed: there is not even a first directory.
    """
    offset = tiff.first_offset()
    found = [tiff.directory(offset)]
    met = {offset}
    while len(found) < limit and (offset := found[-1].next_offset) and offset not in met:
        met.add(offset)
        try:
            found.append(tiff.directory(offset))
        except Malformed:
            break
    return found


def subdirectories(tiff: Tiff, directory: Directory) -> list[Directory]:
    """The directories that a SubIFDs tag names, those that can be read."""
    entry = directory.entries.get(SUB_IFDS)
    found: list[Directory] = []
    for offset in tiff.integers(entry, 0, SUB_LIMIT) if entry is not None else ():
        try:
            found.append(tiff.directory(offset))
        except Malformed:
            continue
    return found


def extents_by_place(
    tiff: Tiff, directory: Directory
) -> Iterator[tuple[int, tuple[tuple[int, int], ...]]]:
    """Offset and length of a directory's tiles, strips and JPEG, by the tag of the offsets.

    Raises:
        Malformed: a value is not inside the file.
    """
    for place, size in _PLACES:
        offsets, lengths = directory.entries.get(place), directory.entries.get(size)
        if offsets is not None and lengths is not None:
            yield place, _pairs(tiff, offsets, lengths)


def _pairs(tiff: Tiff, offsets: Entry, lengths: Entry) -> tuple[tuple[int, int], ...]:
    total = min(offsets.count, lengths.count)
    found: list[tuple[int, int]] = []
    for first, count in _runs(total):
        places = tiff.integers(offsets, first, count)
        found.extend(zip(places, tiff.integers(lengths, first, count), strict=False))
    return tuple((offset, length) for offset, length in found if offset > 0 and length > 0)


def _runs(total: int) -> Sequence[tuple[int, int]]:
    if total <= EXTENT_LIMIT:
        return ((0, total),)
    third = EXTENT_LIMIT // 3
    return ((0, third), ((total - third) // 2, third), (total - third, third))
