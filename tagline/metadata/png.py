"""PNG (ISO/IEC 15948, third edition): size, Exif, XMP and the legacy raw profiles."""

from struct import unpack

from tagline.metadata.draft import Draft, block, read_with, tiff_block
from tagline.metadata.png_text import TEXT_CHUNKS, TextChunks
from tagline.metadata.values import Container
from tagline.metadata.window import PAGE_BYTES, Malformed, Window
from tagline.model import ByteSource

SIGNATURE = b"\x89PNG\r\n\x1a\n"

EXTENT_LIMIT = 16 * 1024
"""Chunks of image data that are told apart; what follows them counts as one image with them."""

CHUNK_LIMIT = 16 * 1024
"""Other chunks, and runs of equal ones, that a file may have."""

_FRAME = 12
_PROBE = 8


def read(source: ByteSource) -> Container:
    """The metadata blocks of a PNG or APNG. Never raises; few reads however many chunks."""
    return read_with(source, _parse)


def _parse(window: Window, draft: Draft) -> None:
    if window.at(0, min(8, window.size)) != SIGNATURE:
        raise Malformed("This is no PNG file: its signature is missing.")
    offset = len(SIGNATURE)
    texts = TextChunks(draft)
    for _ in range(CHUNK_LIMIT):
        length, kind = unpack(">I4s", window.at(offset, 8, _PROBE if draft.extents else PAGE_BYTES))
        if kind == b"IEND":
            return
        if kind == b"IDAT":
            offset = _image_run(window, draft, offset, length)
            continue
        if kind in TEXT_CHUNKS:
            texts.take(window, kind, offset + 8, length)
        else:
            _chunk(window, draft, kind, (offset + 8, length))
        offset += _FRAME + length
    raise Malformed("The PNG file has too many chunks.")


def _image_run(window: Window, draft: Draft, offset: int, length: int) -> int:
    """Take the IDAT chunk at ``offset`` and those of equal length behind it; return their end.

    Encoders cut the image data into thousands of equal chunks. Looking at every one of them would
    read the whole file, so the end of the run is found by doubling steps, then halving ones.
    """
    stride = _FRAME + length
    run = _equal_chunks(window, offset, length)
    wanted = min(run, EXTENT_LIMIT - len(draft.extents))
    draft.extents.extend((offset + i * stride + 8, length) for i in range(wanted))
    return offset + run * stride


def _equal_chunks(window: Window, offset: int, length: int) -> int:
    header = length.to_bytes(4, "big") + b"IDAT"
    stride = _FRAME + length

    def reaches(count: int) -> bool:
        last = offset + (count - 1) * stride
        return last + 8 <= window.size and window.at(last, 8, _PROBE) == header

    run, step = 1, 1
    while reaches(run + step):
        run += step
        step *= 2
    while step := step // 2:
        if reaches(run + step):
            run += step
    return run


def _chunk(window: Window, draft: Draft, kind: bytes, payload: tuple[int, int]) -> None:
    offset, length = payload
    if kind == b"IHDR" and length >= 8:
        draft.set_size(*unpack(">II", window.at(offset, 8)))
    elif kind == b"PLTE":
        # Indexed pixels are no picture without their colours.
        draft.add_image(offset, length)
    elif kind == b"fdAT" and length > 4 and len(draft.extents) < EXTENT_LIMIT:
        draft.add_image(offset + 4, length - 4)
    elif kind == b"eXIf":
        draft.exif = tiff_block(block(window, draft, offset, length)) or draft.exif
