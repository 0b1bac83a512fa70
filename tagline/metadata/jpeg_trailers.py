"""Metadata behind a JPEG's image: trailers that programs add, rewrite and remove at will.

Each is recognised by its last bytes, so that they are found from the end of the file, one before
the other. Trailers that hold pictures (previews, motion photos) are not among them.
"""

from collections.abc import Callable

from tagline.metadata.values import Container
from tagline.metadata.window import Window
from tagline.model import ByteSource

TRAILER_LIMIT = 16
"""Trailers, or pieces of padding, that are taken off one file."""

_TAIL = 64
_SEARCH = 64 * 1024
_VRD_MARK = b"CANON OPTIONAL DATA\0"
_VRD_FRAME = 0x5C
_MIE_MARK = b"~\0\4\0zmie~\0\0"


def without_trailers(source: ByteSource, container: Container) -> int:
    """Where the image of a JPEG ends: its file's size less the metadata trailers.

    Raises:
        Malformed: a trailer claims what is not there.
    """
    start = container.image_data[-1][0] if container.image_data else 0
    window = Window(source)
    end = source.size
    for _ in range(TRAILER_LIMIT):
        if end - start <= _TAIL:
            break
        tail = window.at(end - _TAIL, _TAIL, 0)
        length = next((size for size in (f(window, tail, end) for f in _LENGTHS) if size), 0)
        if not 0 < length < end - start:
            break
        end -= length
    return end


def _afcp(window: Window, tail: bytes, end: int) -> int:
    """AFCP: the last twelve bytes are a mark and the offset of the first mark in the file.

    Programs that move the image without knowing the trailer leave the offset wrong; the first mark
    is then looked for.
    """
    mark = tail[-12:-8]
    if mark not in (b"AXS!", b"AXS*"):
        return 0
    start = int.from_bytes(tail[-8:-4], "big" if mark == b"AXS!" else "little")
    if start + 24 <= end and window.at(start, 4, 0) == mark:
        return end - start
    area = min(_SEARCH, end)
    place = window.at(end - area, area - 12).find(mark)
    return area - place if place >= 0 else 0


def _foto_station(_window: Window, tail: bytes, _end: int) -> int:
    """FotoStation: length of the whole in four bytes, then a mark of four."""
    return int.from_bytes(tail[-8:-4], "big") if tail.endswith(b"\xa1\xb2\xc3\xd4") else 0


def _photo_mechanic(_window: Window, tail: bytes, _end: int) -> int:
    """Photo Mechanic: length of what is before the last twelve bytes in four, then a mark."""
    length = int.from_bytes(tail[-12:-8], "big")
    return length + 12 if tail.endswith(b"cbipcbbl") else 0


def _canon_vrd(_window: Window, tail: bytes, _end: int) -> int:
    """Canon's development recipe: the last 64 bytes begin with a mark and the content's length."""
    length = int.from_bytes(tail[20:24], "big")
    return length + _VRD_FRAME if tail.startswith(_VRD_MARK) else 0


def _mie(_window: Window, tail: bytes, _end: int) -> int:
    """MIE: an end mark that gives the whole's length in four or eight bytes, and the byte order."""
    width = tail[-1]
    frame = len(_MIE_MARK) + 1 + width + 2
    if width not in (4, 8) or not tail[-frame:].startswith(_MIE_MARK):
        return 0
    return int.from_bytes(tail[-2 - width : -2], "big" if tail[-2] == 0x10 else "little")


def _padding(_window: Window, tail: bytes, _end: int) -> int:
    """NUL bytes behind everything: programs that rewrite a trailer add some."""
    return len(tail) - len(tail.rstrip(b"\0"))


_LENGTHS: tuple[Callable[[Window, bytes, int], int], ...] = (
    _afcp,
    _foto_station,
    _photo_mechanic,
    _canon_vrd,
    _mie,
    _padding,
)
