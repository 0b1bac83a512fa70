"""Fujifilm RAF: a header that points at a JPEG with the metadata, and at the sensor's data.

All numbers are big-endian: at 84 offset and length in bytes of the JPEG, at 92 those of the list
of sensor tags, at 100 those of the sensor's data.
"""

from struct import unpack

from tagline.metadata import jpeg_read
from tagline.metadata.draft import Draft, read_with
from tagline.metadata.values import Container
from tagline.metadata.window import Malformed, Slice, Window
from tagline.model import ByteSource

MARK = b"FUJIFILMCCD-RAW "

_FULL_SIZE, _CROPPED_SIZE, _IMAGE_SIZE = 0x0100, 0x0111, 0x0121
_TAG_LIMIT = 256


def read(source: ByteSource) -> Container:
    """The metadata blocks of a RAF. Never raises."""

    def parse(window: Window, draft: Draft) -> None:
        if window.at(0, min(len(MARK), window.size)) != MARK:
            raise Malformed("This is no RAF file: its header is missing.")
        jpeg, jpeg_length, tags, _, data, data_length = unpack(">6I", window.at(84, 24))
        draft.borrow(jpeg_read.read(Slice(source, jpeg, jpeg_length)))
        draft.add_image(data, data_length)
        _size(window, draft, tags)

    return read_with(source, parse)


def _size(window: Window, draft: Draft, offset: int) -> None:
    """Size from the list of sensor tags: a count, then number, length and value of each."""
    found: dict[int, tuple[int, int]] = {}
    count = int.from_bytes(window.at(offset, 4), "big")
    offset += 4
    for _ in range(min(count, _TAG_LIMIT)):
        tag, length = unpack(">HH", window.at(offset, 4))
        if length == 4:
            height, width = unpack(">HH", window.at(offset + 4, 4))
            found[tag] = width, height
        offset += 4 + length
    for tag in (_CROPPED_SIZE, _IMAGE_SIZE, _FULL_SIZE):
        if tag in found and draft.width is None:
            draft.set_size(*found[tag])
