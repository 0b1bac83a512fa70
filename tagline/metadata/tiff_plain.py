"""The end of an uncompressed picture in a TIFF: black, or not there yet?

Zeros are black. A picture that is black at its bottom changes to black between two rows, or at the
edge of something whose rows above are black at their right as well. A copier stops anywhere: the
row in which the zeros begin is black from some place on, and the rows above it are not.
"""

from typing import Final, NamedTuple

from tagline.metadata.bulk import HOLE_BYTES
from tagline.metadata.tiff_ifd import Directory, Entry, Tiff
from tagline.metadata.tiff_page import (
    BITS,
    COMPRESSION,
    IMAGE_HEIGHT,
    IMAGE_WIDTH,
    ROWS_PER_STRIP,
    SAMPLES,
    STRIP_OFFSETS,
    TILE_OFFSETS,
)

_ROW_LIMIT: Final = 1024 * 1024
_LEAST_BYTES: Final = 48
_TIMES: Final = 8
_ROWS_ABOVE: Final = 2


class _Rows(NamedTuple):
    """The rows of an uncompressed picture: bytes of a row, rows of a strip, where strips begin."""

    tiff: Tiff
    width: int
    strip: int
    offsets: Entry

    def at(self, number: int) -> bytes:
        """The bytes of a row.

        Raises:
            Malformed: it is not inside the file.
        """
        (start,) = self.tiff.integers(self.offsets, number // self.strip)
        return self.tiff.window.at(start + number % self.strip * self.width, self.width, 0)


class _Shape(NamedTuple):
    """An uncompressed picture: bytes of a row, its rows, and those of a strip."""

    width: int
    height: int
    strip: int


def _shape(tiff: Tiff, directory: Directory) -> _Shape | None:
    """The shape of a directory's picture; None where it says that its data is compressed."""

    def said(tag: int, default: int) -> int:
        return tiff.integer(directory, tag) or default

    if said(COMPRESSION, 1) != 1:
        return None
    height = said(IMAGE_HEIGHT, 0)
    width = -(-said(IMAGE_WIDTH, 0) * said(BITS, 1) * said(SAMPLES, 1) // 8)
    return _Shape(width, height, min(said(ROWS_PER_STRIP, height), height))


def bytes_of_strip(tiff: Tiff, directory: Directory, place: int) -> int:
    """How many bytes a strip needs at most, whatever its length is said to be; 0 if not known.

    Some writers give the last strip too large a length, which decoders pass over.

    Raises:
        Malformed: a value is not inside the file.
    """
    shape = _shape(tiff, directory) if place == STRIP_OFFSETS else None
    return shape.width * shape.strip if shape is not None else 0


def ends_early(tiff: Tiff, directory: Directory, place: int, image_bytes: int) -> bool | None:
    """Whether an uncompressed picture turns into zeros where no picture turns black.

    Args:
        tiff: the file.
        directory: the picture's directory.
        place: the tag of its offsets; only strips are looked at row by row.
        image_bytes: length of its image data.

    Returns:
        None where the data is compressed, whatever the directory says.

    Raises:
        Malformed: a value or a row is not inside the file.
    """
    shape = _shape(tiff, directory) if place in (STRIP_OFFSETS, TILE_OFFSETS) else None
    if shape is None or image_bytes < shape.width * shape.height:
        return None
    offsets = directory.entries[place]
    # Samples in planes of their own have more strips (TIFF 6.0, PlanarConfiguration).
    in_order = shape.strip and offsets.count == -(-shape.height // shape.strip)
    if place != STRIP_OFFSETS or not in_order or not 0 < shape.width <= _ROW_LIMIT:
        return False
    return _breaks_off(_Rows(tiff, shape.width, shape.strip, offsets), shape.height)


def _breaks_off(rows: _Rows, count: int) -> bool:
    """Look for the last row that is not black, halving what is left; then compare it with others.

    A hole need not be the last one: the rows behind it are taken to be black as well.
    """
    if rows.at(count - 1).strip(b"\0"):
        return False
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if rows.at(middle).strip(b"\0"):
            low = middle + 1
        else:
            high = middle
    if low <= _ROWS_ABOVE or (count - low + 1) * rows.width < HOLE_BYTES:
        return False
    row, *above = (rows.at(low - 1 - back) for back in range(1 + _ROWS_ABOVE))
    black = _black_end(row)
    if black < _LEAST_BYTES or black <= _TIMES * max(map(_black_end, above)):
        return False
    # The row between a picture and a black bar is much darker than the one above it.
    lit = len(row) - black
    return 2 * sum(row[:lit]) >= sum(above[0][:lit])


def _black_end(row: bytes) -> int:
    return len(row) - len(row.rstrip(b"\0"))
