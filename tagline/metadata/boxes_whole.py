"""Whether a file of boxes is all there: HEIF, AVIF, CR3 and JPEG XL.

ISO/IEC 14496-12: 4.2 (boxes), 8.11.3 (where items are), 8.7 (where samples are).
"""

from collections.abc import Callable, Iterable
from typing import Final

from tagline.metadata import heif, jxl, raw_cr3
from tagline.metadata.bmff import Box, boxes
from tagline.metadata.heif_items import read_items
from tagline.metadata.holes import Extent, any_ends_in_zeros, is_hole
from tagline.metadata.unfinished import END_MISSING, HEADER_MISSING, HOLE, PART_MISSING
from tagline.metadata.window import Malformed, Window
from tagline.model import ByteSource

_LOOKED_AT: Final = 64
_HEAD_BYTES: Final = 16
# Items of compressed image data (ISO/IEC 23008-12, annexes B, E, H, L and M; AVIF 1.1).
_CODED: Final = frozenset({b"hvc1", b"lhv1", b"avc1", b"jpeg", b"j2k1", b"vvc1", b"av01"})


def heif_fault(source: ByteSource) -> str | None:
    """Why a HEIF or AVIF is unfinished: its boxes, and the bytes of each item."""
    return _judged(source, _heif)


def cr3_fault(source: ByteSource) -> str | None:
    """Why a CR3 is unfinished: its boxes, and the bytes of each track's first sample."""
    return _judged(source, _cr3)


def jxl_fault(source: ByteSource) -> str | None:
    """Why a JPEG XL is unfinished; of one without boxes, only zeros at its end can tell."""
    window = Window(source)
    if window.size >= 2 and window.at(0, 2) == jxl.CODESTREAM_MARK:
        return HOLE if any_ends_in_zeros(window, [(0, window.size)]) else None
    return _judged(source, _jxl)


def _judged(source: ByteSource, judge: Callable[[Window, list[Box]], str | None]) -> str | None:
    """A file whose boxes are damaged in another way than by missing bytes is not unfinished."""
    window = Window(source)
    try:
        found = list(boxes(window, 0, window.size))
        for box in found:
            if not box.kind.strip(b"\0") and is_hole(window, box.start - 8):
                return HEADER_MISSING
            if box.cut:
                return END_MISSING
        return judge(window, found)
    except Malformed:
        return None


def _heif(window: Window, found: list[Box]) -> str | None:
    meta = _first(found, b"meta")
    mini = _first(found, b"mini")
    if meta is None:
        if mini is not None:
            return HOLE if any_ends_in_zeros(window, [(mini.start, mini.length)]) else None
        return None if _first(found, b"moov") else HEADER_MISSING
    if any(box.cut for box in boxes(window, meta.start + 4, meta.end, 4096)):
        return END_MISSING
    items = read_items(window, meta)
    for item in items.locations:
        if any(
            offset + length > window.size for offset, length in heif.extents(window, items, item)
        ):
            return PART_MISSING
    kinds = items.infos.items()
    coded = [item for item, info in kinds if info.kind in _CODED]
    blocks = [item for item, info in kinds if info.kind in (b"Exif", b"mime")]
    starts = [heif.extents(window, items, item)[:1] for item in blocks]
    if any(_begins_in_zeros(window, *extent) for some in starts[:_LOOKED_AT] for extent in some):
        return PART_MISSING
    images = [each for item in coded for each in heif.extents(window, items, item)]
    return HOLE if any_ends_in_zeros(window, images) else None


def _begins_in_zeros(window: Window, offset: int, length: int) -> bool:
    return length >= _HEAD_BYTES and not window.at(offset, _HEAD_BYTES, 0).strip(b"\0")


def _cr3(window: Window, found: list[Box]) -> str | None:
    movie = _first(found, b"moov")
    if movie is None or _first(found, b"mdat") is None:
        return HEADER_MISSING
    samples: list[Extent] = []
    for track in boxes(window, movie.start, movie.end, 4096):
        sample = raw_cr3.first_sample(window, track) if track.kind == b"trak" else None
        if sample is not None and sample[1]:
            samples.append(sample)
    if any(offset + length > window.size for offset, length in samples):
        return PART_MISSING
    data = samples or [(box.start, box.length) for box in found if box.kind == b"mdat"]
    return HOLE if any_ends_in_zeros(window, data) else None


def _jxl(window: Window, found: list[Box]) -> str | None:
    """All parts of the codestream are there (ISO/IEC 18181-2, 9.8 and 9.9), none of them empty.

    A part that is the only one is taken for the last one, though some writers do not say so.
    """
    image = [box for box in found if box.kind in (b"jxlc", b"jxlp")]
    parts = [box for box in image if box.kind == b"jxlp"]
    if not image or (len(parts) > 1 and not _is_last(window, parts[-1])):
        return END_MISSING
    return HOLE if any_ends_in_zeros(window, [(box.start, box.length) for box in image]) else None


def _is_last(window: Window, part: Box) -> bool:
    return part.length >= 4 and bool(window.at(part.start, 1)[0] & 0x80)


def _first(found: Iterable[Box], kind: bytes) -> Box | None:
    return next((box for box in found if box.kind == kind), None)
