"""A JPEG cut into its segments, for editing: strict, since what is odd is not edited.

ITU-T T.81, annex B; the application segments are those of EXIF 3.0 (4.7), XMP part 3 (1.1.3),
CIPA DC-007 (MPF) and JPEG Systems (JUMBF, ISO/IEC 19566-5).
"""

import re
from typing import Final, NamedTuple

from tagline.errors import EditRefused
from tagline.metadata.content import Content, matches
from tagline.metadata.jpeg_read import BARE_MARKERS, SOF_MARKERS, XMP_ID
from tagline.metadata.photoshop import HEADER as PHOTOSHOP_ID

EXIF_ID: Final = b"Exif\0\0"
MAX_PAYLOAD_BYTES: Final = 65533
_SOS: Final = 0xDA
_MAX_SEGMENTS: Final = 4096
_MAX_FILL_BYTES: Final = 4096
_MAX_MARKERS: Final = 100_000
# In entropy-coded data 0xFF is followed by 0 (stuffing) or RSTn, or is fill ahead of a marker.
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# The second byte is looked for: the first one is frequent in image data.
_EOI: Final = re.compile(rb"\xd9(?<=\xff\xd9)")


class Segment(NamedTuple):
    """A marker segment: its marker's second byte, and where it lies in the file.

    It begins with any fill bytes ahead of the marker; ``header`` is the length of the bytes ahead
    of the payload. The bytes stay in the file: there may be thousands of segments.
    """

    marker: int
    data: Content
    offset: int
    header: int
    end: int

    @property
    def raw(self) -> bytes:
        """All its bytes."""
        return self.data[self.offset : self.end]

    @property
    def payload(self) -> bytes:
        """What the segment carries, after its length."""
        return self.data[self.offset + self.header : self.end]

    def starts(self, marker: int, identifier: bytes) -> bool:
        """Whether this is such an application segment."""
        if self.marker != marker:
            return False
        start = self.offset + self.header
        return self.data[start : min(start + len(identifier), self.end)] == identifier

    @property
    def is_exif(self) -> bool:
        """Whether it claims to be an Exif segment, in good order or not."""
        return self.starts(0xE1, b"Exif")

    @property
    def is_xmp(self) -> bool:
        """Whether it holds a main XMP packet."""
        return self.starts(0xE1, XMP_ID)

    @property
    def is_photoshop(self) -> bool:
        """Whether it holds Photoshop image resources."""
        return self.starts(0xED, PHOTOSHOP_ID)

    @property
    def is_mpf(self) -> bool:
        """Whether it is the index of a multi-picture file."""
        return self.starts(0xE2, b"MPF\0")


class Jpeg(NamedTuple):
    """The segments ahead of the first scan, and the offset of that scan's marker."""

    segments: tuple[Segment, ...]
    scan_at: int


def split(data: Content) -> Jpeg:
    """Cut a JPEG into segments.

    Raises:
        EditRefused: there is anything but whole segments ahead of the image data, or none of it.
    """
    if data[:2] != b"\xff\xd8":
        raise EditRefused("not a JPEG file")
    segments: list[Segment] = []
    position = 2
    while len(segments) < _MAX_SEGMENTS:
        at = position
        while data[at : at + 2] == b"\xff\xff":
            at += 1
            if at - position > _MAX_FILL_BYTES:
                raise EditRefused("the file has a long run of fill bytes between its segments")
        if data[at : at + 1] != b"\xff" or at + 4 > len(data):
            raise EditRefused("the file has bytes between its segments, or ends too early")
        marker = data[at + 1]
        if marker == _SOS:
            if not any(segment.marker in SOF_MARKERS for segment in segments):
                raise EditRefused("the file has no frame header")
            return Jpeg(tuple(segments), position)
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in BARE_MARKERS or end < at + 4 or end > len(data):
            raise EditRefused("the file has a damaged segment, or no image data")
        segments.append(Segment(marker, data, position, at + 4 - position, end))
        position = end
    raise EditRefused("the file has too many segments")


def build(marker: int, payload: bytes, what: str) -> bytes:
    """A whole segment.

    Raises:
        EditRefused: the payload does not fit into one; ``what`` names it for people.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise EditRefused(f"{what} would not fit into one segment of the file")
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def image_end(data: Content, jpeg: Jpeg) -> int:
    """The offset behind the end-of-image marker; the length of the file where there is none.

    Raises:
        EditRefused: there are too many markers ahead of it.
    """
    if _ends_file(data, jpeg):
        return len(data)
    position, visited = jpeg.scan_at, 0
    for start, end in matches(_MARKER, data, position):
        if start < position:  # inside a segment
            continue
        if visited == _MAX_MARKERS:
            raise EditRefused("the image data has too many markers")
        visited += 1
        marker = data[start + 1]
        if marker == 0xD9:
            return end
        position = end
        if marker not in BARE_MARKERS:
            position += int.from_bytes(data[position : position + 2], "big")
    return len(data)


def _ends_file(data: Content, jpeg: Jpeg) -> bool:
    """Whether the first end-of-image marker ends the file: told faster than by visiting them all.

    Files that say where further images lie hold more of these markers, and are not looked at.
    """
    if not data.endswith(b"\xff\xd9") or any(segment.is_mpf for segment in jpeg.segments):
        return False
    first = next(matches(_EOI, data, jpeg.scan_at), None)
    return first is not None and first[1] == len(data)
