"""Whether a PNG, a WebP or a GIF is all there: its chunks or blocks, and its end."""

from struct import unpack
from typing import Final
from zlib import crc32

from tagline.metadata import gif, png, riff, webp
from tagline.metadata.bulk import PIECE_BYTES, Bulk
from tagline.metadata.holes import HOLE_BYTES, is_hole, on_blocks
from tagline.metadata.unfinished import END_MISSING, HEADER_MISSING, HOLE
from tagline.metadata.window import BYTE_LIMIT, Malformed, Window
from tagline.model import ByteSource

_PART_LIMIT: Final = 100_000
_FRAME: Final = 12
_TAIL_BYTES: Final = 64 * 1024
_CHECKED_BYTES: Final = 128 * 1024 * 1024

_PNG_END: Final = b"IEND\xaeB`\x82"

_GIF_PAGE: Final = 256 * 1024
# The first zeros of a hole end the block of at most 256 bytes in which it begins.
_GIF_HOLE_BYTES: Final = HOLE_BYTES // 2
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B


def png_fault(source: ByteSource) -> str | None:
    """Why a PNG is unfinished: each chunk up to IEND is inside the file (ISO/IEC 15948, 5.3).

    Zeros in a chunk are a hole where the chunk's own check value says so too. Where bytes are
    no chunk, the file is damaged in another way if IEND stands at its end.
    """
    bulk = Bulk(source)
    position = len(png.SIGNATURE)
    checked = 0
    for _ in range(_PART_LIMIT):
        head = bulk.take(position, 8)
        length, kind = unpack(">I4s", head.ljust(8, b"\0"))
        behind = position + _FRAME + length
        if not kind.isalpha() or behind > bulk.size:
            break
        if kind == b"IEND":
            return None
        if checked + length <= _CHECKED_BYTES and _has_hole(bulk, position + 8, behind - 4):
            checked += length
            if not _is_checked(bulk, position + 4, behind - 4):
                return HOLE
        position = behind
    if _is_in_hole(bulk, position):
        return HOLE
    tail = bulk.take(max(bulk.size - _TAIL_BYTES, 0), _TAIL_BYTES)
    return None if _PNG_END in tail else END_MISSING


def _has_hole(bulk: Bulk, start: int, end: int) -> bool:
    return end - start >= HOLE_BYTES and next(bulk.holes(start, end), None) is not None


def _is_in_hole(bulk: Bulk, position: int) -> bool:
    around = bulk.holes(max(position - HOLE_BYTES, 0), position + HOLE_BYTES)
    return any(first <= position < behind for first, behind in around)


def _is_checked(bulk: Bulk, start: int, end: int) -> bool:
    """Whether the check value behind a chunk's kind and data is theirs; true of very long ones."""
    return end - start > PIECE_BYTES or (
        crc32(bulk.take(start, end - start)).to_bytes(4, "big") == bulk.take(end, 4)
    )


def webp_fault(source: ByteSource) -> str | None:
    """Why a WebP is unfinished: the sizes of the file and of each chunk (RFC 9649, 2.3 to 2.5)."""
    window = Window(source)
    try:
        # Some writers leave out the last chunk's byte of padding.
        if 8 + int.from_bytes(window.at(4, 4), "little") > source.size + 1:
            return END_MISSING
        found: list[riff.Chunk] = []
        for chunk in riff.chunks(window, b"WEBP"):
            if not chunk.kind.strip(b"\0") and is_hole(window, chunk.offset - 8):
                return HEADER_MISSING
            if chunk.offset + chunk.length > source.size:
                return END_MISSING
            found.append(chunk)
    except Malformed:
        return END_MISSING if window.size < 12 else None
    images = [chunk for chunk in found if chunk.kind in webp.IMAGE_CHUNKS]
    if not images:
        return END_MISSING
    bulk = Bulk(source)
    return HOLE if any(_is_holed(bulk, chunk) for chunk in images[:_PART_LIMIT]) else None


def _is_holed(bulk: Bulk, chunk: riff.Chunk) -> bool:
    """Whether zeros stand in an image chunk that are no image.

    The lossy coding makes none of them (RFC 6386, 7); the lossless one may, in plain areas.
    """
    end = chunk.offset + chunk.length
    for run in bulk.holes(chunk.offset, end) if chunk.length >= HOLE_BYTES else ():
        if chunk.kind == b"VP8 " or run[1] == end or on_blocks(run):
            return True
    return False


def gif_fault(source: ByteSource) -> str | None:
    """Why a GIF is unfinished: its blocks up to the trailer (GIF89a specification, 27).

    Of a file of more blocks than are visited, and of one that holds other bytes, the last one
    tells.
    """
    window = Window(source)
    try:
        found = _gif_blocks(window)
    except Malformed:
        found = END_MISSING if window.size <= BYTE_LIMIT else ""
    if found != "":
        return found
    bulk = Bulk(source)
    end = bulk.content_end(0)
    return None if bulk.take(end - 1, 1) == bytes([_TRAILER]) else END_MISSING


def _gif_blocks(window: Window) -> str | None:
    """What is missing of a GIF; an empty text where its blocks do not tell.

    Raises:
        Malformed: it ends inside a block, or is too large to be walked.
    """
    flags = window.at(10, 1)[0]
    offset = 13 + gif.palette_bytes(flags)
    for _ in range(gif.PART_LIMIT):
        page = window.some(offset, _GIF_HOLE_BYTES, _GIF_PAGE)
        mark = page[0]
        if mark == _TRAILER:
            return None
        if mark == _EXTENSION:
            offset = gif.skip_blocks(window, offset + 2, window.size)
        elif mark == _IMAGE:
            flags = window.at(offset + 9, 1, _GIF_PAGE)[0]
            start = offset + 10 + gif.palette_bytes(flags) + 1
            offset = gif.skip_blocks(window, start, window.size)
        elif mark:
            return ""
        elif not page.strip(b"\0"):
            return END_MISSING if len(page) < _GIF_HOLE_BYTES else HOLE
        else:
            offset += len(page) - len(page.lstrip(b"\0"))
    return ""
