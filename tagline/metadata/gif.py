"""GIF (GIF89a specification): size, and XMP in an application extension.

Image data comes in blocks of at most 255 bytes, which can only be found one behind the other. So
only the first ``IMAGE_LIMIT`` bytes of them are looked at; metadata behind is not found.
"""

from struct import unpack

from tagline.metadata.draft import Draft, read_with
from tagline.metadata.values import Container
from tagline.metadata.window import Malformed, Window
from tagline.model import ByteSource

IMAGE_LIMIT = 1024 * 1024
"""Bytes of image data that are walked, and that make the fingerprint."""

EXTENSION_LIMIT = 1024 * 1024
"""Bytes of extensions that are walked."""

PART_LIMIT = 16 * 1024
"""Images and extensions that a file may have."""

_EXTENSION = 0x21
_IMAGE = 0x2C
_TRAILER = 0x3B
_APPLICATION = 0xFF
_PAGE = 64 * 1024
_STEP = 8 * 1024

# XMP specification part 3, 1.1.2: behind the packet stands a ramp of bytes 01 FF FE ... 01 00 00,
# which leads any reader that takes the packet for blocks to the end of the extension.
_XMP_APPLICATION = b"\x0bXMP DataXMP"
_RAMP_BYTES = 258


def read(source: ByteSource) -> Container:
    """The metadata blocks of a GIF. Never raises; reads at most some MiB."""
    return read_with(source, _parse)


def _parse(window: Window, draft: Draft) -> None:
    header = window.at(0, min(13, window.size))
    if header[:6] not in (b"GIF87a", b"GIF89a") or len(header) < 13:
        raise Malformed("This is no GIF file: its header is missing.")
    width, height, flags = unpack("<HHB", header[6:11])
    draft.set_size(width, height)
    offset = 13 + palette_bytes(flags)
    # Indexed pixels are no picture without their colours.
    draft.add_image(13, offset - 13)
    left, allowance = IMAGE_LIMIT, EXTENSION_LIMIT
    for _ in range(PART_LIMIT):
        mark = window.at(offset, 1, _PAGE)[0]
        if mark == _TRAILER or left <= 0:
            return
        if mark == _EXTENSION:
            end = _extension(window, draft, offset, allowance)
            allowance -= end - offset
        elif mark == _IMAGE:
            end = _image_end(window, offset, left)
            draft.add_image(offset, min(end - offset, left))
            left -= end - offset
        else:
            raise Malformed("The GIF file holds bytes that are no part of it.")
        offset = end
    raise Malformed("The GIF file has too many parts.")


def palette_bytes(flags: int) -> int:
    """Size of the colour table that a descriptor's flags announce (GIF89a, 18 and 20)."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _image_end(window: Window, offset: int, left: int) -> int:
    """Where the image that starts at ``offset`` ends, or some place beyond ``left`` bytes."""
    flags = window.at(offset + 9, 1, _PAGE)[0]
    return skip_blocks(window, offset + 10 + palette_bytes(flags) + 1, offset + left)


def skip_blocks(window: Window, offset: int, limit: int) -> int:
    """Where the chain of data blocks at ``offset`` ends, or the first block at ``limit``."""
    while offset < limit:
        base = offset
        page = window.some(base, _STEP, _PAGE)
        at = 0
        while at < len(page):
            length = page[at]
            at += 1 + length
            if not length:
                return base + at
        offset = base + at
    return offset


def _extension(window: Window, draft: Draft, offset: int, allowance: int) -> int:
    """Take what an extension holds; return where it ends."""
    head = window.at(offset, min(14, window.size - offset), _PAGE)
    is_xmp = head[1:] == bytes([_APPLICATION]) + _XMP_APPLICATION
    start = offset + (14 if is_xmp else 2)
    end = skip_blocks(window, start, start + allowance)
    if end - start > allowance:
        raise Malformed("A metadata block is too large to be read.")
    if is_xmp:
        draft.xmp = draft.xmp or window.at(start, max(end - start - _RAMP_BYTES, 0), 0)
    return end
