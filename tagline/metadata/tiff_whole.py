"""Whether a TIFF, or a RAW file built on it, is all there: directories, values, image data.

TIFF 6.0; BigTIFF; TIFF Technical Note 1 (subdirectories). Maker notes, whose offsets follow rules
of their own, are looked at as values only.
"""

from typing import Final, NamedTuple

from tagline.metadata.holes import Extent, any_ends_in_zeros, is_hole
from tagline.metadata.raw import JPG_FROM_RAW, PANASONIC_MARK, RAW_DATA_OFFSET
from tagline.metadata.tiff_ifd import Directory, Tiff
from tagline.metadata.tiff_page import (
    SUB_IFDS,
    SUB_LIMIT,
    extents_by_place,
)
from tagline.metadata.tiff_plain import bytes_of_strip, ends_early
from tagline.metadata.unfinished import DIRECTORY_MISSING, END_MISSING, HOLE, VALUE_MISSING
from tagline.metadata.window import Malformed, Window
from tagline.model import ByteSource

_DIRECTORY_LIMIT: Final = 64
# Exif, GPS and interoperability directories (EXIF 3.0, 4.6.3), and subdirectories.
_LEADS: Final = (0x8769, 0x8825, 0xA005, SUB_IFDS)


def why_incomplete(source: ByteSource) -> str | None:
    """Why a file built on TIFF is unfinished; None where it is whole. Never raises.

    Reads its directories, and small pieces of its image data.
    """
    window = Window(source)
    try:
        tiff = Tiff(window)
        first = tiff.first_offset()
    except Malformed:
        return DIRECTORY_MISSING if window.size < 16 else None
    if not first:
        return DIRECTORY_MISSING
    waiting, met = [_Lead(first, is_main=True)], {0}
    while waiting and len(met) <= _DIRECTORY_LIMIT:
        lead = waiting.pop()
        if lead.offset in met:
            continue
        met.add(lead.offset)
        try:
            fault = _at(tiff, lead, waiting)
        except Malformed:
            return None
        if fault is not None:
            return fault
    return None


class _Lead(NamedTuple):
    """Where a directory is, and whether it belongs to the main chain."""

    offset: int
    is_main: bool


def _at(tiff: Tiff, lead: _Lead, waiting: list[_Lead]) -> str | None:
    """What the directory at an offset lacks; those that it leads to are added to ``waiting``.

    Raises:
        Malformed: there are more pieces than are read.
    """
    offset, size = lead.offset, tiff.window.size
    width, step = tiff.dialect.count.size, tiff.dialect.entry.size
    if offset + width + step > size:
        return DIRECTORY_MISSING
    (count,) = tiff.dialect.count.unpack(tiff.window.at(offset, width))
    behind = offset + width + count * step
    if not count or behind + (tiff.dialect.pointer.size if lead.is_main else 0) > size:
        return DIRECTORY_MISSING
    if not tiff.window.at(behind - step, step).strip(b"\0") and is_hole(tiff.window, behind - step):
        return DIRECTORY_MISSING
    directory = tiff.directory(offset)
    for entry in directory.entries.values():
        if entry.length > tiff.dialect.inline_bytes and entry.offset + entry.length > size:
            return VALUE_MISSING
    for tag in _LEADS:
        entry = directory.entries.get(tag)
        inside = tiff.integers(entry, 0, SUB_LIMIT) if entry is not None else ()
        waiting.extend(_Lead(each, is_main=False) for each in inside)
    if lead.is_main:
        waiting.append(_Lead(directory.next_offset, is_main=True))
    return _image(tiff, directory)


def _image(tiff: Tiff, directory: Directory) -> str | None:
    if tiff.mark == PANASONIC_MARK and RAW_DATA_OFFSET in directory.entries:
        return _panasonic(tiff, directory)
    for place, extents in extents_by_place(tiff, directory):
        fault = _pieces(tiff, directory, place, extents)
        if fault is not None:
            return fault
    return None


def _panasonic(tiff: Tiff, directory: Directory) -> str | None:
    """The sensor's data reaches to the end of the file, whatever its length; a JPEG is a value."""
    start = tiff.integer(directory, RAW_DATA_OFFSET) or 0
    size = tiff.window.size
    if start >= size:
        return END_MISSING
    jpeg = directory.entries.get(JPG_FROM_RAW)
    extents = [(start, size - start), *([(jpeg.offset, jpeg.length)] if jpeg is not None else [])]
    return HOLE if any_ends_in_zeros(tiff.window, extents) else None


def _pieces(
    tiff: Tiff, directory: Directory, place: int, extents: tuple[Extent, ...]
) -> str | None:
    window = tiff.window
    enough = bytes_of_strip(tiff, directory, place)
    if any(offset + min(length, enough or length) > window.size for offset, length in extents):
        return END_MISSING
    image_bytes = sum(length for _, length in extents)
    early = ends_early(tiff, directory, place, image_bytes)
    if early is None:
        early = any_ends_in_zeros(window, extents)
    return HOLE if early else None
