"""JPEG XL (ISO/IEC 18181): size and turning from the codestream, Exif and XMP from its boxes."""

from tagline.metadata.bmff import Box, boxes
from tagline.metadata.draft import Draft, block, read_with
from tagline.metadata.heif import exif_item
from tagline.metadata.values import Container
from tagline.metadata.window import Malformed, Window
from tagline.model import ByteSource

CODESTREAM_MARK = b"\xff\x0a"
CONTAINER_MARK = b"\0\0\0\x0cJXL \r\n\x87\n"

_HEADER_BYTES = 16
_SIZE_BITS = (9, 13, 18, 30)
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


def read(source: ByteSource) -> Container:
    """The metadata blocks of a JPEG XL, bare or in boxes. Never raises."""
    return read_with(source, _parse)


def _parse(window: Window, draft: Draft) -> None:
    if window.at(0, min(2, window.size)) == CODESTREAM_MARK:
        draft.add_image(0, window.size)
    elif window.at(0, min(12, window.size)) == CONTAINER_MARK:
        for box in boxes(window, 0, window.size, 4096):
            _take_box(window, draft, box)
    else:
        raise Malformed("This is no JPEG XL file: its signature is missing.")
    if not draft.extents:
        raise Malformed("The JPEG XL file holds no image.")
    offset, length = draft.extents[0]
    read_header(window.at(offset, min(length, _HEADER_BYTES, window.size - offset)), draft)


def _take_box(window: Window, draft: Draft, box: Box) -> None:
    if box.kind == b"jxlc":
        draft.add_image(box.start, box.length)
    elif box.kind == b"jxlp" and box.length > 4:  # a number comes before each part (18181-2, 9.9)
        draft.add_image(box.start + 4, box.length - 4)
    elif box.kind == b"Exif":
        draft.exif = draft.exif or exif_item(block(window, draft, box.start, box.length))
    elif box.kind == b"xml ":
        draft.xmp = draft.xmp or block(window, draft, box.start, box.length)


def read_header(head: bytes, draft: Draft) -> None:
    """Size and orientation from the first bytes of a codestream (18181-1, D.2 and D.3).

    Raises:
        Malformed: these are no such bytes, or too few.
    """
    if not head.startswith(CODESTREAM_MARK):
        raise Malformed("The JPEG XL image is damaged: its signature is missing.")
    bits = _Bits(head[len(CODESTREAM_MARK) :])
    small = bits.take(1)
    height = _dimension(bits, small)
    ratio = bits.take(3)
    if ratio:
        numerator, denominator = _RATIOS[ratio - 1]
        width = height * numerator // denominator
    else:
        width = _dimension(bits, small)
    draft.set_size(width, height)
    all_default = bits.take(1)
    if not all_default and bits.take(1):
        orientation = 1 + bits.take(3)
        draft.orientation = orientation if orientation > 1 else None


def _dimension(bits: "_Bits", small: int) -> int:
    if small:
        return 8 * (1 + bits.take(5))
    return 1 + bits.take(_SIZE_BITS[bits.take(2)])


class _Bits:
    """Reads numbers whose bits begin at the least significant one of the first byte."""

    __slots__ = ("_left", "_value")

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        """The number in the next ``count`` bits."""
        self._left -= count
        if self._left < 0:
            raise Malformed("The JPEG XL image ends early.")
        number = self._value & (1 << count) - 1
        self._value >>= count
        return number
