"""HEIF and AVIF (ISO/IEC 23008-12; AVIF 1.1): size, turning, Exif and XMP of the primary image."""

from tagline.metadata.bmff import Box, boxes
from tagline.metadata.draft import BLOCK_LIMIT, Draft, read_with, tiff_block
from tagline.metadata.heif_items import IN_FILE, IN_IDAT, Items, read_items
from tagline.metadata.values import Container
from tagline.metadata.window import Malformed, Window
from tagline.model import ByteSource

TILE_LIMIT = 4096
"""Tiles of the primary image that make the fingerprint."""

_XMP_TYPE = b"application/rdf+xml"
_IDENTITY = (1, 0, 0, 1)
_QUARTER_LEFT = (0, 1, -1, 0)
_UPSIDE_DOWN = (1, 0, 0, -1)
_LEFT_RIGHT = (-1, 0, 0, 1)

# EXIF 3.0, 4.6.5.1.6, as matrices (a, b, c, d) in pixel coordinates, y downwards: what is shown at
# (x, y) moves to (ax + by, cx + dy).
_ORIENTATIONS = {
    (1, 0, 0, 1): 1,
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, -1, 1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, 1, -1, 0): 8,
}


def read(source: ByteSource) -> Container:
    """The metadata blocks of a HEIC, HEIF, HIF or AVIF. Never raises."""
    return read_with(source, _parse)


def _parse(window: Window, draft: Draft) -> None:
    if window.size < 12 or window.at(4, 4) != b"ftyp":
        raise Malformed("This is no HEIF file: its file type box is missing.")
    top = boxes(window, 0, window.size)
    meta = next((box for box in top if box.kind == b"meta"), None)
    if meta is None:
        raise Malformed("The HEIF file describes no image.")
    items = read_items(window, meta)
    _take_metadata(window, draft, items)
    if items.primary is None:
        raise Malformed("The HEIF file names no primary image.")
    _take_properties(window, draft, items.properties_of(items.primary))
    draft.extents.extend(_image_extents(window, items, items.primary))
    if draft.width is None or not draft.extents:
        raise Malformed("The HEIF file does not say how large its image is, or where.")


def _take_properties(window: Window, draft: Draft, properties: list[Box]) -> None:
    matrix = _IDENTITY
    for box in properties:
        if box.kind == b"ispe" and box.length >= 12:
            raw = window.at(box.start + 4, 8)
            draft.set_size(int.from_bytes(raw[:4], "big"), int.from_bytes(raw[4:], "big"))
        elif box.kind == b"irot" and box.length >= 1:
            for _ in range(window.at(box.start, 1)[0] & 3):
                matrix = _times(_QUARTER_LEFT, matrix)
        elif box.kind == b"imir" and box.length >= 1:
            # 0 exchanges top and bottom, 1 left and right (23008-12:2022, 6.5.12)
            mirror = _LEFT_RIGHT if window.at(box.start, 1)[0] & 1 else _UPSIDE_DOWN
            matrix = _times(mirror, matrix)
    if matrix != _IDENTITY:
        draft.orientation = _ORIENTATIONS[matrix]


def _times(
    left: tuple[int, int, int, int], right: tuple[int, int, int, int]
) -> tuple[int, int, int, int]:
    """First ``right``, then ``left``."""
    a, b, c, d = left
    e, f, g, h = right
    return a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h


def _take_metadata(window: Window, draft: Draft, items: Items) -> None:
    for item, info in items.infos.items():
        if info.kind == b"Exif" and draft.exif is None:
            draft.exif = exif_item(_item_bytes(window, draft, items, item))
        elif info.content_type == _XMP_TYPE and draft.xmp is None:
            draft.xmp = _item_bytes(window, draft, items, item)


def exif_item(data: bytes | None) -> bytes | None:
    """The TIFF block of an Exif item: four bytes say how far behind them it begins (A.2.1)."""
    if data is None:
        return None
    start = 4 + int.from_bytes(data[:4], "big")
    return tiff_block(data[start:]) or tiff_block(data[4:])


def _item_bytes(window: Window, draft: Draft, items: Items, item: int) -> bytes | None:
    places = extents(window, items, item)
    if sum(length for _, length in places) > BLOCK_LIMIT:
        draft.note("A metadata block is too large to be read.")
        return None
    try:
        return b"".join(window.at(offset, length) for offset, length in places) or None
    except Malformed as fault:
        draft.note(str(fault))
        return None


def extents(window: Window, items: Items, item: int) -> list[tuple[int, int]]:
    """Where an item's bytes are in the file; nowhere when built from other items' bytes."""
    location = items.locations.get(item)
    if location is None or location.method not in (IN_FILE, IN_IDAT):
        return []
    base, end = 0, window.size
    if location.method == IN_IDAT:
        if items.idat is None:
            return []
        base, end = items.idat.start, items.idat.end
    # A length of 0 means all there is (14496-12, 8.11.3.1).
    return [(base + at, length or max(end - base - at, 0)) for at, length in location.extents]


def _image_extents(window: Window, items: Items, primary: int) -> list[tuple[int, int]]:
    """Extents of an image, or of the images that it is put together from, in their order."""
    waiting, met = [primary], {primary}
    found: list[tuple[int, int]] = []
    while waiting and len(found) < TILE_LIMIT:
        item = waiting.pop()
        parts = [part for part in items.parts.get(item, []) if part not in met]
        met.update(parts)
        waiting.extend(reversed(parts))
        if item not in items.parts:
            found.extend(extents(window, items, item))
    return found[:TILE_LIMIT]
