"""Fields in EXIF and XMP where a format keeps each in a chunk of its own: PNG and WebP."""

from typing import Final

from tagline.errors import EditRefused
from tagline.metadata import xmp, xmp_compare, xmp_edit
from tagline.metadata.draft import BLOCK_LIMIT
from tagline.metadata.exif_edit import edit_fields, edit_or_make
from tagline.metadata.field_types import Edits
from tagline.metadata.xmp_packet import TOOLKIT

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


def edit_xmp_chunk(packet: bytes | None, edits: Edits, *, create: bool) -> bytes | None:
    """The XMP chunk's packet with these fields; None for no chunk.

    A description alone is in EXIF already. For its sake another program's packet is not rewritten,
    and without ``create`` none is made.

    Raises:
        EditRefused: the packet cannot be edited without risk to something else in it, or another
            program's packet holds another description.
    """
    if any(edit.field.name != "description" for edit in edits):
        return edit_xmp(packet, edits)
    if packet is None:
        return edit_xmp(None, edits) if create else None
    if xmp_compare.toolkit(packet).startswith(TOOLKIT):
        return edit_xmp(packet, edits)
    if contradicts(packet, edits):
        raise EditRefused("the file's XMP, which another program wrote, holds another description")
    return packet


def contradicts(packet: bytes, edits: Edits) -> bool:
    """Whether a packet says another description than the one that is wanted."""
    said = xmp.read(packet)
    wanted = {edit.new for edit in edits if edit.field.name == "description"}
    return any(text and text not in wanted for text in (said.description, said.tiff_description))
