"""RAW files built on TIFF: DNG, CR2, NEF, NRW, ARW, ORF, RW2, PEF, SRW and their like.

The photo is the directory that is no reduced copy of another one; the data with the most bytes is
the sensor's, since a RAW file's previews are JPEGs.
"""

from tagline.metadata import jpeg_read
from tagline.metadata.draft import Draft, read_with
from tagline.metadata.tiff_ifd import Directory, Tiff
from tagline.metadata.tiff_metadata import take_blocks
from tagline.metadata.tiff_page import STRIP_OFFSETS, Page, chain, page, subdirectories
from tagline.metadata.values import Container
from tagline.metadata.window import Malformed, Slice, Window
from tagline.model import ByteSource

CHAIN_LIMIT = 8
"""Directories of the main chain that are looked at; each may have subdirectories."""

_EXIF_IFD = 0x8769
_PIXEL_X, _PIXEL_Y = 0xA002, 0xA003

# Panasonic's own tags in the main directory of an RW2.
PANASONIC_MARK = b"IIU\0"
_SENSOR_TOP, _SENSOR_LEFT, _SENSOR_BOTTOM, _SENSOR_RIGHT = 4, 5, 6, 7
JPG_FROM_RAW = 0x002E
RAW_DATA_OFFSET = 0x0118


def read(source: ByteSource) -> Container:
    """The metadata blocks of a RAW file built on TIFF. Never raises."""

    def parse(window: Window, draft: Draft) -> None:
        tiff = Tiff(window)
        draft.exif = source
        directories = chain(tiff, CHAIN_LIMIT)
        take_blocks(tiff, directories[0], draft)
        if tiff.mark == PANASONIC_MARK:
            _panasonic(tiff, directories[0], source, draft)
        else:
            _pages(tiff, directories, draft)

    return read_with(source, parse)


def _pages(tiff: Tiff, directories: list[Directory], draft: Draft) -> None:
    pages: list[Page] = []
    for directory in directories:
        for each in (directory, *subdirectories(tiff, directory)):
            try:
                pages.append(page(tiff, each))
            except Malformed as fault:
                draft.note(str(fault))
    largest = max(pages, key=lambda each: each.image_bytes, default=None)
    if largest is not None:
        draft.extents.extend(largest.extents)
    if tiff.window.at(8, min(2, tiff.window.size - 8)) == b"CR":
        _canon_size(tiff, directories[0], draft)
    if draft.width is None:
        whole = [each for each in pages if not each.reduced] or pages
        photo = max(whole, key=lambda each: each.width * each.height, default=None)
        if photo is not None:
            draft.set_size(photo.width, photo.height)


def _canon_size(tiff: Tiff, directory: Directory, draft: Draft) -> None:
    """A CR2 says its size in the Exif directory alone: the RAW directory has none."""
    offset = tiff.integer(directory, _EXIF_IFD)
    if offset is not None:
        exif = tiff.directory(offset)
        width, height = tiff.integer(exif, _PIXEL_X), tiff.integer(exif, _PIXEL_Y)
        draft.set_size(width or 0, height or 0)


def _panasonic(tiff: Tiff, directory: Directory, source: ByteSource, draft: Draft) -> None:
    """Size from the sensor's borders; sensor data from its offset to the end of the file."""
    top, left, bottom, right = (
        tiff.integer(directory, tag) or 0
        for tag in (_SENSOR_TOP, _SENSOR_LEFT, _SENSOR_BOTTOM, _SENSOR_RIGHT)
    )
    draft.set_size(right - left, bottom - top)
    start = tiff.integer(directory, RAW_DATA_OFFSET) or tiff.integer(directory, STRIP_OFFSETS)
    if start is not None and 0 < start < source.size:
        draft.add_image(start, source.size - start)
    preview = directory.entries.get(JPG_FROM_RAW)
    if preview is not None and _EXIF_IFD not in directory.entries:
        draft.exif = None
        draft.borrow(jpeg_read.read(Slice(source, preview.offset, preview.length)))
        draft.exif = draft.exif or source
