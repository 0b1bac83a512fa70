"""A JPEG from its first to its last marker, as far as that tells whether it is all there.

ITU-T T.81, annex B. Unlike the editor, which refuses what is odd (``jpeg_segments``), this finds
its way through odd files too, and reads a file of any size piece by piece.
"""

import re
from typing import Final, NamedTuple

from tagline.metadata.bulk import SEARCH_LIMIT, Bulk
from tagline.metadata.holes import HOLE_BYTES
from tagline.metadata.jpeg_read import BARE_MARKERS
from tagline.metadata.unfinished import END_MISSING, HEADER_MISSING

SOS: Final = 0xDA

_EOI: Final = b"\xff\xd9"
_SCAN: Final = b"\xff\xda"
_SEGMENT_LIMIT: Final = 16 * 1024
_MARKER_LIMIT: Final = 50_000
_JUNK_BYTES: Final = 64 * 1024
_FILL: Final = re.compile(rb"\xff*+")
# What begins a segment or a scan, to be looked for behind bytes that belong to none.
_LEAD: Final = re.compile(rb"\xff[\xc0-\xcf\xda-\xef\xfe]")
# In entropy-coded data 0xFF is followed by 0 (stuffing) or RSTn, or is fill ahead of a marker.
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# Segments that may stand between two scans (B.2.1): tables, application data, comments.
_BETWEEN: Final = frozenset({0xC4, 0xCC, SOS, 0xDB, 0xDC, 0xDD, *range(0xE0, 0xF0), 0xFE})


class Segment(NamedTuple):
    """A marker segment: its marker's second byte, and where its payload begins and ends."""

    marker: int
    start: int
    end: int


class Picture(NamedTuple):
    """The segments ahead of a JPEG's first scan, and the offset of that scan's marker."""

    segments: list[Segment]
    scan_at: int


def picture_at(bulk: Bulk, start: int) -> Picture | str | None:
    """The JPEG that begins at an offset, or what is missing of it.

    None where there is no JPEG, one without a scan, or one whose damage has another cause.
    """
    if bulk.take(start, 2) != b"\xff\xd8":
        return None
    segments: list[Segment] = []
    position: int | str | None = start + 2
    while isinstance(position, int) and len(segments) < _SEGMENT_LIMIT:
        lead = bulk.take(position, 4)
        if lead[:2] == _SCAN:
            return Picture(segments, position)
        position = _next(bulk, position, lead, segments)
    return position if isinstance(position, str) else None


def _next(bulk: Bulk, position: int, lead: bytes, segments: list[Segment]) -> int | str | None:
    """Where the next marker is, behind a segment, which is added to the list, or behind junk.

    What is missing where the file ends before it, None where the image ends there.
    """
    if lead[:2] == _EOI:
        return None
    if len(lead) < 4:
        return END_MISSING
    if lead[0] != 0xFF or lead[1] in BARE_MARKERS:
        return _behind_junk(bulk, position)
    end = max(position + 2 + int.from_bytes(lead[2:], "big"), position + 4)
    if end > bulk.size:
        return HEADER_MISSING
    segments.append(Segment(lead[1], position + 4, end))
    return end


def _behind_junk(bulk: Bulk, position: int) -> int | str | None:
    """The next marker behind fill bytes and bytes that belong to no segment.

    Files exist that hold some, and programs show them; zeros in number are none of these.
    """
    fill = _FILL.match(bulk.take(position, _JUNK_BYTES))
    if fill is not None and fill.end() > 1:
        return position + fill.end() - 1
    piece = bulk.take(position, HOLE_BYTES)
    if not piece.strip(b"\0") and (len(piece) == HOLE_BYTES or position + len(piece) == bulk.size):
        return HEADER_MISSING
    found = _LEAD.search(bulk.take(position, _JUNK_BYTES), 1)
    if found is not None:
        return position + found.start()
    return None if ends_with_mark(bulk, position) else END_MISSING


def ends_with_mark(bulk: Bulk, start: int) -> bool:
    """Whether the file ends with an end-of-image marker behind ``start``, but for zeros."""
    end = bulk.content_end(start)
    return end - 2 >= start and bulk.take(end - 2, 2) == _EOI


def picture_end(bulk: Bulk, picture: Picture) -> int | None:
    """The offset behind a JPEG's end-of-image marker; None where there is none.

    The file's size stands for it where more bytes or markers stand ahead of it than are visited.
    """
    position = picture.scan_at
    for _ in range(_MARKER_LIMIT):
        found = bulk.search(_MARKER, position, bulk.size)
        if found is None:
            return None if bulk.size - position <= SEARCH_LIMIT else bulk.size
        start, position = found
        marker = bulk.take(start + 1, 1)[0]
        if marker == 0xD9:
            return position
        if marker in _BETWEEN:
            position += max(int.from_bytes(bulk.take(position, 2), "big"), 2)
    return bulk.size


def tables_before(bulk: Bulk, picture: Picture, offset: int) -> list[Segment]:
    """Every segment and scan header of a JPEG ahead of an offset, in order."""
    found = list(picture.segments)
    position = picture.scan_at
    while len(found) < _SEGMENT_LIMIT:
        place = bulk.search(_MARKER, position, offset)
        if place is None:
            return found
        marker, position = bulk.take(place[0] + 1, 1)[0], place[1]
        if marker in _BETWEEN:
            end = position + max(int.from_bytes(bulk.take(position, 2), "big"), 2)
            found.append(Segment(marker, position + 2, end))
            position = end
    return found
