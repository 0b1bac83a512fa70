"""Reading a JPEG's metadata blocks from its head (ITU-T T.81, annex B; JEITA CP-3461, 4.7).

The first 64 KiB hold everything in almost every file; what lies behind is fetched piece by piece.
"""

from struct import Struct
from typing import Final

from tagline.metadata import photoshop
from tagline.metadata.values import Container
from tagline.model import ByteSource

HEAD_BYTES: Final = 65536
_WINDOW_BYTES: Final = 4096
_MAX_SEGMENTS: Final = 4096
MAX_PHOTOSHOP: Final = 16

_SEGMENT: Final = Struct(">BBH")
_FRAME: Final = Struct(">xHH")
XMP_ID: Final = b"http://ns.adobe.com/xap/1.0/\0"
# Start of frame, all kinds but the three numbers that mean something else (T.81, table B.1).
SOF_MARKERS: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SOS, _APP1, _APP13 = 0xDA, 0xE1, 0xED
_WANTED: Final = SOF_MARKERS | {_APP1, _APP13}
# Markers that no length follows: TEM, RSTn, SOI, EOI, and the bytes that are no marker.
BARE_MARKERS: Final = frozenset({0x00, 0x01, 0xFF, *range(0xD0, 0xDA)})


class _Findings:
    """What the segments seen so far hold."""

    __slots__ = ("exif", "framed", "height", "photoshop", "width", "xmp")

    def __init__(self) -> None:
        self.exif: bytes | None = None
        self.xmp: bytes | None = None
        self.photoshop: list[bytes] = []
        self.framed = False
        self.width: int | None = None
        self.height: int | None = None

    def take(self, marker: int, data: bytes, start: int, end: int) -> None:
        """Keep the payload of a wanted segment; the first Exif block and XMP packet win."""
        if marker == _APP1:
            if data.startswith(b"Exif\0", start, end):
                if self.exif is None:
                    self.exif = data[start + 6 : end]
            elif self.xmp is None and data.startswith(XMP_ID, start, end):
                self.xmp = data[start + len(XMP_ID) : end]
        elif marker == _APP13:
            if len(self.photoshop) < MAX_PHOTOSHOP and data.startswith(
                photoshop.HEADER, start, end
            ):
                self.photoshop.append(data[start + len(photoshop.HEADER) : end])
        elif not self.framed and end - start >= 5:
            self.framed = True
            height, width = _FRAME.unpack_from(data, start)
            # 0 lines means that a DNL segment behind the first scan gives the number (B.2.5).
            if height and width:
                self.height, self.width = height, width


class _Window:
    """The bytes around a moving position, fetched as needed."""

    __slots__ = ("base", "data", "source")

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self.base = 0
        self.data = source.read_at(0, HEAD_BYTES)

    def locate(self, offset: int, length: int) -> tuple[int, int]:
        """Where in ``data`` up to ``length`` bytes from ``offset`` start and end.

        There are fewer only at the end of the file, none where the end is not behind the start.
        """
        start = offset - self.base
        end = start + length
        if start >= 0 and end <= len(self.data):
            return start, end
        if self.base or len(self.data) >= HEAD_BYTES:
            self.base, start, end = offset, 0, length
            self.data = self.source.read_at(offset, max(length, _WINDOW_BYTES))
        return start, min(end, len(self.data))


def read(source: ByteSource) -> Container:
    """The metadata blocks up to the first scan; never raises, whatever the bytes.

    ``image_data`` is one extent, from the start-of-scan marker to the end of the file.
    """
    window = _Window(source)
    if window.data[:2] != b"\xff\xd8":
        return Container(problem="This is not a JPEG file: it does not begin with its signature.")
    found = _Findings()
    scan, problem = _walk(window, found)
    iptc = digest = None
    if found.photoshop:
        iptc, digest = photoshop.find_iptc(b"".join(found.photoshop))
    if problem is None and not found.framed:
        problem = "This JPEG file has no frame header."
    return Container(
        width=found.width,
        height=found.height,
        exif=found.exif,
        xmp=found.xmp,
        iptc=iptc,
        iptc_digest=digest,
        image_data=() if scan is None else ((scan, source.size - scan),),
        problem=problem,
    )


def _walk(window: _Window, found: _Findings) -> tuple[int | None, str | None]:
    """Visit each segment; the offset of the start-of-scan marker, and what is wrong."""
    position = 2
    problem: str | None = None
    for _ in range(_MAX_SEGMENTS):
        start, end = window.locate(position, _SEGMENT.size)
        if end - start < _SEGMENT.size:
            return None, "This JPEG file ends before its image data."
        lead, marker, length = _SEGMENT.unpack_from(window.data, start)
        if lead != 0xFF or marker in BARE_MARKERS:
            if marker == 0xD9 and lead == 0xFF:
                return None, "This JPEG file has no image data."
            position, odd = _resynchronise(window, position)
            if position < 0:
                return None, "This JPEG file is damaged: no segment where one has to begin."
            if odd:
                problem = "This JPEG file has bytes between its segments that belong to none."
            continue
        if marker == _SOS:
            return position, problem
        position += 4
        length -= 2
        if marker in _WANTED:
            start, end = window.locate(position, length)
            if end - start < length:
                problem = "This JPEG file is cut short."
            found.take(marker, window.data, start, end)
        position += max(length, 0)
    return None, "This JPEG file has too many segments."


def _resynchronise(window: _Window, position: int) -> tuple[int, bool]:
    """The next marker within reach, -1 where there is none; whether odd bytes were skipped."""
    start, end = window.locate(position, _WINDOW_BYTES)
    piece = window.data[start:end]
    at = 0
    while (at := piece.find(b"\xff", at)) >= 0 and at + 1 < len(piece):
        if piece[at + 1] == _SOS or piece[at + 1] not in BARE_MARKERS:
            # Any number of 0xFF bytes may stand ahead of a marker as fill (B.1.1.2).
            return position + at, piece[:at].strip(b"\xff") != b""
        at += 1
    return -1, True
