"""Which bytes of a photo a decoder of pictures can show: the file itself, or a preview inside it.

RAW files are not developed: cameras put a JPEG of the finished photo into them, often of full size.
"""

from collections.abc import Callable, Iterator, Mapping
from struct import unpack
from types import MappingProxyType

import msgspec

from tagline.metadata import raw, raw_cr3, raw_raf, raw_x3f
from tagline.metadata.bmff import boxes
from tagline.metadata.magic import HEAD_BYTES, kind_of
from tagline.metadata.registry import codec_of
from tagline.metadata.tiff_ifd import Directory, Tiff
from tagline.metadata.tiff_page import (
    JPEG_LENGTH,
    JPEG_OFFSET,
    STRIP_LENGTHS,
    STRIP_OFFSETS,
    TILE_LENGTHS,
    TILE_OFFSETS,
    chain,
    subdirectories,
)
from tagline.metadata.window import Malformed, Slice, Window
from tagline.model import ByteSource

_SHOWN = frozenset({"jpeg", "png", "gif", "webp", "tiff", "avif"})
_PANASONIC_JPEG = 0x002E
_PLACES = (
    (JPEG_OFFSET, JPEG_LENGTH),
    (STRIP_OFFSETS, STRIP_LENGTHS),
    (TILE_OFFSETS, TILE_LENGTHS),
)

_MARK = b"\xff\xd8\xff"
# Frames of the kinds that decoders of pictures know (T.81, table B.1): baseline, extended,
# progressive. A lossless one (SOF3) is a sensor's data.
_SHOWN_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
_OTHER_FRAMES = frozenset(range(0xC3, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN = 0xDA
_SEGMENT_LIMIT = 256

_ENOUGH_PIXELS = 640 * 480
"""A smaller preview is only a thumbnail: a better one is then looked for outside any directory."""

_SEARCH_BYTES = 16 * 1024 * 1024
_PIECE_BYTES = 1024 * 1024
_SEARCH_LIMIT = 64

Extent = tuple[int, int]
"""Offset and length in bytes."""


class Shown(msgspec.Struct, frozen=True):
    """Bytes that can be decoded: their kind (as in ``Format.kind``), offset and length.

    ``turned`` says that decoders of this kind turn the image upright themselves, because its
    container tells them to (ISO/IEC 23008-12, 6.5.10 and 6.5.12).
    """

    kind: str
    offset: int
    length: int
    turned: bool = False


def shown(source: ByteSource, name: str) -> Shown | None:
    """What to decode to show a photo; None where no decoder is known for it. Never raises."""
    head = source.read_at(0, HEAD_BYTES)
    row = codec_of(name, head)
    if row is None or kind_of(head) is None:
        return None
    whole = Shown(row.kind, 0, source.size)
    if row.read is raw.read:
        # Some have no preview but a first image that is a plain TIFF's.
        return _largest(source, _of_tiff) or whole
    if row.kind == "heif":
        return Shown(row.kind, 0, source.size, turned=row.read(source).orientation is not None)
    if row.kind in _SHOWN:
        return whole
    walk = _WALKS.get(row.kind)
    return _largest(source, walk) if walk is not None else None


def _largest(source: ByteSource, walk: Callable[[Window], Iterator[Extent]]) -> Shown | None:
    """The preview of the most pixels among those that a format's structure names."""
    best = _best(source, _until_malformed(walk(Window(source))))
    if best is None or best[0] < _ENOUGH_PIXELS:
        found = _best(source, _until_malformed(_search(source)))
        best = max((each for each in (best, found) if each is not None), default=None)
    return Shown("jpeg", *best[1]) if best is not None else None


def _best(source: ByteSource, extents: Iterator[Extent]) -> tuple[int, Extent] | None:
    """Pixels and extent of the largest JPEG among these."""
    measured = ((_pixels(source, extent), extent) for extent in dict.fromkeys(extents))
    return max((each for each in measured if each[0]), default=None)


def _until_malformed(extents: Iterator[Extent]) -> Iterator[Extent]:
    """What is found before the file turns out to be damaged."""
    try:
        yield from extents
    except Malformed:
        return


def _pixels(source: ByteSource, extent: Extent) -> int:
    """Pixels of the JPEG there; 0 where none is that could be shown."""
    part = Slice(source, *extent)
    try:
        return _frame_pixels(Window(part))
    except Malformed:
        return 0


def _frame_pixels(window: Window) -> int:
    """Walk the segments up to the frame header (T.81, B.2).

    Raises:
        Malformed: the file ends before.
    """
    if window.at(0, 3, 512) != _MARK:
        return 0
    position = 2
    for _ in range(_SEGMENT_LIMIT):
        fill, marker, length = unpack(">BBH", window.at(position, 4, 512))
        if fill != 0xFF or marker == _SCAN or marker in _OTHER_FRAMES:
            return 0
        if marker in _SHOWN_FRAMES:
            height, width = unpack(">HH", window.at(position + 5, 4, 512))
            return height * width
        position += 1 if marker == 0xFF else 2 + length
    return 0


def _of_tiff(window: Window) -> Iterator[Extent]:
    """JPEGs that the directories of a RAW file built on TIFF name."""
    tiff = Tiff(window)
    for directory in chain(tiff, raw.CHAIN_LIMIT):
        yield from _of_directory(tiff, directory)
        for inside in subdirectories(tiff, directory):
            yield from _of_directory(tiff, inside)


def _of_directory(tiff: Tiff, directory: Directory) -> Iterator[Extent]:
    """Places of data in one piece: as a JPEG, or as a single strip or tile."""
    for place, size in _PLACES:
        offsets, lengths = directory.entries.get(place), directory.entries.get(size)
        if offsets is not None and lengths is not None and offsets.count == lengths.count == 1:
            yield from zip(tiff.integers(offsets), tiff.integers(lengths), strict=False)
    whole = directory.entries.get(_PANASONIC_JPEG)
    if whole is not None:
        yield whole.offset, whole.length


def _of_cr3(window: Window) -> Iterator[Extent]:
    """The JPEG track of a CR3; its smaller previews are found by search."""
    for box in boxes(window, 0, window.size):
        if box.kind == b"moov":
            for track in boxes(window, box.start, box.end, 4096):
                if track.kind == b"trak":
                    sample = raw_cr3.first_sample(window, track)
                    if sample is not None:
                        yield sample


def _of_raf(window: Window) -> Iterator[Extent]:
    """The JPEG that a RAF's header points at."""
    if window.at(0, len(raw_raf.MARK)) == raw_raf.MARK:
        offset, length = unpack(">II", window.at(84, 8))
        yield offset, length


def _of_x3f(window: Window) -> Iterator[Extent]:
    """The image sections of an X3F, behind their headers."""
    for offset, length in raw_x3f.image_sections(window):
        header = raw_x3f.SECTION_HEADER_BYTES
        yield offset + header, length - header


def _search(source: ByteSource) -> Iterator[Extent]:
    """Where a JPEG may begin in the first part of a file, each up to the file's end.

    Maker notes hide previews in ways of their own; the bytes themselves tell.
    """
    found = 0
    for start in range(0, min(source.size, _SEARCH_BYTES), _PIECE_BYTES):
        piece = source.read_at(start, _PIECE_BYTES + len(_MARK) - 1)
        at = piece.find(_MARK)
        while at >= 0 and found < _SEARCH_LIMIT:
            found += 1
            yield start + at, source.size - start - at
            at = piece.find(_MARK, at + 1)


_WALKS: Mapping[str, Callable[[Window], Iterator[Extent]]] = MappingProxyType(
    {"cr3": _of_cr3, "raf": _of_raf, "x3f": _of_x3f}
)
