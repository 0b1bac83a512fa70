"""Sigma X3F: sections listed in a directory whose offset is the file's last four bytes.

All numbers are little-endian. The metadata is the Exif of a JPEG preview; the largest section
holds the sensor's data.
"""

from struct import iter_unpack, unpack

from tagline.metadata import jpeg_read
from tagline.metadata.draft import Draft, read_with
from tagline.metadata.values import Container
from tagline.metadata.window import Malformed, Slice, Window
from tagline.model import ByteSource

MARK = b"FOVb"

_IMAGES = (b"IMAG", b"IMA2")
SECTION_HEADER_BYTES = 28
_JPEG = 18
_SECTION_LIMIT = 64


def read(source: ByteSource) -> Container:
    """The metadata blocks of an X3F. Never raises."""

    def parse(window: Window, draft: Draft) -> None:
        if window.at(0, min(len(MARK), window.size)) != MARK:
            raise Malformed("This is no X3F file: its header is missing.")
        draft.set_size(*unpack("<II", window.at(28, 8)))
        sections = image_sections(window)
        if sections:
            draft.add_image(*max(sections, key=lambda each: each[1]))
        for offset, length in sections:
            if window.at(offset, SECTION_HEADER_BYTES)[12:16] == _JPEG.to_bytes(4, "little"):
                preview = Slice(
                    source, offset + SECTION_HEADER_BYTES, length - SECTION_HEADER_BYTES
                )
                draft.borrow(jpeg_read.read(preview))

    return read_with(source, parse)


def image_sections(window: Window) -> list[tuple[int, int]]:
    """Offset and length in bytes of each image section.

    Raises:
        Malformed: the file has no directory.
    """
    offset = int.from_bytes(window.at(window.size - 4, 4), "little")
    mark, _, count = unpack("<4sII", window.at(offset, 12))
    if mark != b"SECd":
        raise Malformed("The X3F file has no directory.")
    raw = window.at(offset + 12, min(count, _SECTION_LIMIT) * 12)
    return [(start, length) for start, length, kind in iter_unpack("<II4s", raw) if kind in _IMAGES]
