"""What stands behind a JPEG's image: further pictures, a video, a camera's own data.

CIPA DC-007 (multi-picture format); Google's motion photo and Ultra HDR formats, which name the
lengths of what follows in XMP; a JPEG, or boxes of ISO/IEC 14496-12, right behind the image; and
Samsung's trailer. Zeros behind everything are padding.
"""

import re
from struct import iter_unpack
from typing import Final, NamedTuple

from tagline.metadata.bmff import boxes
from tagline.metadata.bulk import Bulk
from tagline.metadata.holes import HOLE_BYTES
from tagline.metadata.jpeg_holes import has_hole
from tagline.metadata.jpeg_parts import Picture, Segment, picture_at, picture_end
from tagline.metadata.jpeg_read import XMP_ID
from tagline.metadata.tiff_ifd import Tiff
from tagline.metadata.unfinished import (
    PICTURE_MISSING,
    TRAILER_MISSING,
    VIDEO_MISSING,
)
from tagline.metadata.window import Malformed, Window
from tagline.model import BytesSource

_APP1, _APP2 = 0xE1, 0xE2
_MPF: Final = b"MPF\0"
_MP_ENTRY: Final = 0xB002
_MP_ENTRY_BYTES: Final = 16
_PICTURE_LIMIT: Final = 64
_PART_LIMIT: Final = 16
_GAP_BYTES: Final = 64 * 1024

_ITEM_NS: Final = b"http://ns.google.com/photos/1.0/container/item/"
_ITEM: Final = re.compile(rb"<[\w.-]{1,40}:Item\b")
_MICRO_VIDEO: Final = re.compile(rb"\bMicroVideoOffset\s{0,9}(?:=\s{0,9}[\"']|>)\s{0,9}(\d{1,18})")
_FILE_TYPE: Final = re.compile(rb"[\0\1]...ftyp", re.DOTALL)
# Samsung's trailer: two zeros, a kind, the length of a name, the name; a list of these and its mark
# stand at the end.
_SAMSUNG: Final = re.compile(rb"\0\0..([\x03-\x40])\0\0\0([A-Z][A-Za-z0-9_]{2,63})", re.DOTALL)
_SAMSUNG_END: Final = b"SEFT"
# Trailers that begin and end with the same mark: AFCP and Canon's development recipe.
_FRAMED: Final = (b"AXS!", b"AXS*", b"CANON OPTIONAL DATA\0")


class Named(NamedTuple):
    """What a JPEG says of the bytes behind its image.

    ``pictures`` are where the pictures of the multi-picture format begin and end, the file's own
    image, at 0, among them; ``after`` is the number of bytes that XMP names, ``video`` how many of
    them at the end are a video.
    """

    pictures: list[tuple[int, int]]
    after: int
    video: int


def named(bulk: Bulk, picture: Picture) -> Named | None:
    """What the segments of a JPEG name behind its image; None where they name nothing."""
    found = Named([], 0, 0)
    for segment in picture.segments:
        if segment.marker == _APP2 and bulk.take(segment.start, 4) == _MPF:
            found.pictures.extend(_pictures(bulk, segment))
        elif segment.marker == _APP1 and bulk.take(segment.start, len(XMP_ID)) == XMP_ID:
            packet = bulk.take(segment.start, segment.end - segment.start)
            after, video = _lengths(packet)
            found = Named(found.pictures, max(found.after, after), max(found.video, video))
    return found if found != Named([], 0, 0) else None


def _pictures(bulk: Bulk, segment: Segment) -> list[tuple[int, int]]:
    """Where the pictures of a multi-picture index are; offsets but the first count from it."""
    base = segment.start + len(_MPF)
    try:
        tiff = Tiff(Window(BytesSource(bulk.take(base, segment.end - base))))
        entry = tiff.directory(tiff.first_offset()).entries.get(_MP_ENTRY)
        if entry is None:
            return []
        length = min(entry.length, _PICTURE_LIMIT * _MP_ENTRY_BYTES) // _MP_ENTRY_BYTES
        raw = tiff.window.at(entry.offset, length * _MP_ENTRY_BYTES)
    except Malformed:
        return []
    rows = iter_unpack(f"{tiff.dialect.order}IIII", raw)
    places = [(base + offset if offset else 0, size) for _, size, offset, _ in rows]
    return [(start, start + size) for start, size in places]


def _lengths(packet: bytes) -> tuple[int, int]:
    """How many bytes follow the image as XMP has it, and how many of them are a video."""
    micro = _MICRO_VIDEO.search(packet)
    length = int(micro[1]) if micro is not None else 0
    if _ITEM_NS not in packet:
        return length, length
    after = video = 0
    starts = [found.start() for found in _ITEM.finditer(packet)][:_PICTURE_LIMIT]
    for start, end in zip(starts, [*starts[1:], len(packet)], strict=False):
        item = packet[start:end]
        size = 0 if _said(item, b"Semantic") == b"Primary" else _number(item, b"Length")
        after += size + _number(item, b"Padding")
        video = size if (_said(item, b"Mime") or b"").startswith(b"video/") else 0
    return max(after, length), max(video, length)


def _number(item: bytes, name: bytes) -> int:
    value = _said(item, name) or b""
    return int(value) if value.isdigit() and len(value) < 19 else 0


def _said(item: bytes, name: bytes) -> bytes | None:
    """A property of an item, written as an attribute or as an element."""
    pattern = rb":" + name + rb"\s{0,9}(?:=\s{0,9}[\"']|>)\s{0,9}([^\"'<\s]{0,40})"
    found = re.search(pattern, item)
    return found[1] if found is not None else None


def why_incomplete(bulk: Bulk, end: int, said: Named | None) -> str | None:
    """What is missing behind a JPEG's image, which ends at ``end``."""
    if said is not None:
        return _of_named(bulk, end, said) or _of_parts(bulk, end)
    return _of_parts(bulk, end)


def _of_named(bulk: Bulk, end: int, said: Named) -> str | None:
    """What XMP or the multi-picture index names and is not there.

    Programs that turn or save an image anew leave the further pictures out and keep the index,
    which then gives another length for the image.
    """
    content = bulk.content_end(end)
    if _is_index_of(said.pictures, end, slack=_GAP_BYTES if content > end else 0):
        for first, behind in said.pictures:
            if first and (behind > bulk.size or not _is_picture(bulk, first, behind)):
                return PICTURE_MISSING
    if said.after and (end + said.after > bulk.size or content <= end + said.after - HOLE_BYTES):
        return VIDEO_MISSING if said.video else PICTURE_MISSING
    if said.video:
        found = bulk.search(_FILE_TYPE, end, bulk.size, 8)
        if found is None or found[0] + said.video > bulk.size:
            return VIDEO_MISSING
    return None


def _is_index_of(pictures: list[tuple[int, int]], end: int, *, slack: int) -> bool:
    """Whether a multi-picture index was made for the image that ends there, give or take a bit.

    Programs that change metadata ahead of it leave its lengths as they are.
    """
    return any(not first and abs(behind - end) <= slack for first, behind in pictures)


def _is_picture(bulk: Bulk, first: int, behind: int) -> bool:
    """Whether bytes can be a picture: neither all zeros in front nor, without its end, behind."""
    if not bulk.take(first, 16).strip(b"\0"):
        return False
    tail = bulk.take(max(behind - HOLE_BYTES, first), min(HOLE_BYTES, behind - first))
    return len(tail) < HOLE_BYTES or bool(tail.strip(b"\0")) or _ends_ahead(bulk, first, behind)


def _ends_ahead(bulk: Bulk, first: int, behind: int) -> bool:
    picture = picture_at(bulk, first)
    end = picture_end(bulk, picture) if isinstance(picture, Picture) else None
    return end is not None and end <= behind


def _of_parts(bulk: Bulk, end: int) -> str | None:
    """Walk the pictures that follow one another right behind the image, and what follows them."""
    for _ in range(_PART_LIMIT):
        start = _behind_zeros(bulk, end)
        picture = picture_at(bulk, start)
        if picture is None:
            return _of_trailer(bulk, end, start)
        found = _whole_picture(bulk, picture, start)
        if found is None:
            return PICTURE_MISSING
        end = found
    return None


def _whole_picture(bulk: Bulk, picture: Picture | str, start: int) -> int | None:
    """Where a further picture ends; None where a part of it is missing."""
    if not isinstance(picture, Picture):
        return None
    end = picture_end(bulk, picture)
    return None if end is None or has_hole(bulk, picture, start, end) else end


def _of_trailer(bulk: Bulk, end: int, start: int) -> str | None:
    """A video, or data of a camera or program; ``start`` is the first byte that is not zero."""
    if _SAMSUNG.match(bulk.take(end, 72)):
        return None if _has_samsung_end(bulk, end) else TRAILER_MISSING
    lead = bulk.take(start, 32)
    if lead[4:8] == b"ftyp":
        return VIDEO_MISSING if _is_cut(bulk, start) else None
    mark = next((mark for mark in _FRAMED if lead.startswith(mark)), None)
    return None if mark is None or _ends_framed(bulk, start, mark) else TRAILER_MISSING


def _behind_zeros(bulk: Bulk, offset: int) -> int:
    piece = bulk.take(offset, _GAP_BYTES)
    zeros = len(piece) - len(piece.lstrip(b"\0"))
    # The length of a video's first box begins with zeros.
    return offset if piece[4:8] == b"ftyp" else offset + zeros


def _is_cut(bulk: Bulk, start: int) -> bool:
    """Whether a video that begins at ``start`` lacks its index or the end of a box."""
    whole = False
    try:
        for box in boxes(Window(bulk.source), start, bulk.size):
            if not box.kind.isalnum():
                break
            if box.cut:
                return True
            whole = whole or box.kind in (b"moov", b"moof", b"meta")
    except Malformed:
        pass
    return not whole


def _ends_framed(bulk: Bulk, start: int, mark: bytes) -> bool:
    """Whether the mark that begins a trailer stands once more behind it."""
    first = max(start + len(mark), bulk.content_end(start) - _GAP_BYTES)
    return mark in bulk.take(first, bulk.size - first)


def _has_samsung_end(bulk: Bulk, start: int) -> bool:
    end = bulk.content_end(start)
    length = min(end - start, _GAP_BYTES)
    return _SAMSUNG_END in bulk.take(end - length, length)
