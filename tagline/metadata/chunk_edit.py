"""Fields in EXIF and XMP where a format keeps each in a chunk of its own: PNG and WebP."""

from typing import Final

from tagline.errors import EditRefused
from tagline.metadata import xmp_edit
from tagline.metadata.draft import BLOCK_LIMIT
from tagline.metadata.exif_edit import edit_fields, edit_or_make
from tagline.metadata.field_types import Edits

EXIF_PREFIX: Final = b"Exif\0\0"
"""What belongs before the block in a JPEG; some writers put it into chunks as well."""


def edit_exif(payload: bytes | None, edits: Edits) -> bytes | None:
    """The EXIF chunk's payload with these fields; None for no chunk.

    A prefix that is there stays. A block that says nothing but what Tagline wrote goes with it.

    Raises:
        EditRefused: the block cannot be edited without risk to something else in it.
    """
    if payload is not None and len(payload) > BLOCK_LIMIT:
        raise EditRefused("the EXIF block is too large")
    prefix = EXIF_PREFIX if payload and payload.startswith(EXIF_PREFIX) else b""
    block = payload[len(prefix) :] if payload is not None else None
    if prefix and block is not None:
        return prefix + edit_fields(block, edits, room=BLOCK_LIMIT)
    return edit_or_make(block, edits, room=BLOCK_LIMIT)


def edit_xmp(packet: bytes | None, edits: Edits) -> bytes | None:
    """The XMP chunk's packet with these fields; None for no chunk.

    Raises:
        EditRefused: the packet cannot be edited without risk to something else in it.
    """
    if packet is None and all(edit.removes for edit in edits):
        return None
    if packet is not None and len(packet) > BLOCK_LIMIT:
        raise EditRefused("the XMP packet is too large")
    return xmp_edit.edit_fields(packet, edits)
