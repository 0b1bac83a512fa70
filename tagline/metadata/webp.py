"""WebP (RFC 9649): size, Exif and XMP."""

from struct import unpack

from tagline.metadata import riff
from tagline.metadata.draft import Draft, block, read_with, tiff_block
from tagline.metadata.values import Container
from tagline.metadata.window import Malformed, Window
from tagline.model import ByteSource

IMAGE_CHUNKS = (b"VP8 ", b"VP8L", b"ALPH", b"ANMF")


def read(source: ByteSource) -> Container:
    """The metadata blocks of a still or animated WebP. Never raises."""
    return read_with(source, _parse)


def _parse(window: Window, draft: Draft) -> None:
    for chunk in riff.chunks(window, b"WEBP"):
        if chunk.kind in IMAGE_CHUNKS:
            draft.add_image(chunk.offset, chunk.length)
            if draft.width is None:
                _frame_size(window, draft, chunk)
        elif chunk.kind == b"VP8X":
            draft.set_size(*canvas_size(window.at(chunk.offset, 10)))
        elif chunk.kind == b"EXIF":
            data = block(window, draft, chunk.offset, chunk.length)
            draft.exif = draft.exif or tiff_block(data)
        elif chunk.kind == b"XMP ":
            draft.xmp = draft.xmp or block(window, draft, chunk.offset, chunk.length)
    if not draft.extents:
        raise Malformed("The WebP file holds no image.")


def canvas_size(header: bytes) -> tuple[int, int]:
    """Width and height in a VP8X chunk (RFC 9649, 2.7.1: three bytes each, less one)."""
    width, height = header[4:7], header[7:10]
    return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1


def _frame_size(window: Window, draft: Draft, chunk: riff.Chunk) -> None:
    head = window.at(chunk.offset, min(chunk.length, 10))
    if chunk.kind == b"VP8 " and head[3:6] == b"\x9d\x01\x2a" and len(head) == 10:
        width, height = unpack("<HH", head[6:])
        draft.set_size(width & 0x3FFF, height & 0x3FFF)  # two bits of scale (RFC 6386, 9.1)
    elif chunk.kind == b"VP8L" and head[:1] == b"\x2f" and len(head) >= 5:
        bits = int.from_bytes(head[1:5], "little")  # RFC 9649, 3.4: 14 bits each, less one
        draft.set_size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
