"""The description in EXIF and XMP where a format keeps each in a chunk of its own: PNG and WebP."""

from typing import Final

from tagline.errors import EditRefused
from tagline.metadata import xmp_edit
from tagline.metadata.draft import BLOCK_LIMIT
from tagline.metadata.exif_edit import edit_block, fresh_block, is_fresh

EXIF_PREFIX: Final = b"Exif\0\0"
"""What belongs before the block in a JPEG; some writers put it into chunks as well."""


def edit_exif(payload: bytes | None, text: str | None, old_text: str | None) -> bytes | None:
    """The EXIF chunk's payload with this description; None for no chunk.

    A prefix that is there stays. A block that says nothing but a description that Tagline wrote
    goes with the text.

    Raises:
        EditRefused: the block cannot be edited without risk to something else in it.
    """
    if payload is None:
        return fresh_block(text) if text is not None else None
    if len(payload) > BLOCK_LIMIT:
        raise EditRefused("the EXIF block is too large")
    if is_fresh(payload):
        return fresh_block(text) if text is not None else None
    prefix = payload[: len(EXIF_PREFIX) * payload.startswith(EXIF_PREFIX)]
    block = payload[len(prefix) :]
    return prefix + edit_block(block, text, room=BLOCK_LIMIT, old_text=old_text)


def edit_xmp(packet: bytes | None, text: str | None, old_text: str | None) -> bytes | None:
    """The XMP chunk's packet with this description; None for no chunk.

    Raises:
        EditRefused: the packet cannot be edited without risk to something else in it.
    """
    if packet is None and text is None:
        return None
    if packet is not None and len(packet) > BLOCK_LIMIT:
        raise EditRefused("the XMP packet is too large")
    return xmp_edit.edit(packet, text, old_text=old_text)
