"""Proof of the EXIF and XMP that PNG and WebP keep in chunks of their own."""

from typing import Final

from tagline.errors import EditRefused
from tagline.metadata import proof_exif, proof_xmp, xmp
from tagline.metadata.field_types import Edits
from tagline.metadata.proof_fields import in_exif

_PREFIX: Final = b"Exif\0\0"


def prove_exif(before: bytes | None, after: bytes | None, edits: Edits) -> None:
    """Prove that the EXIF chunk differs in these fields alone, and that they read back.

    None stands for no chunk.

    Raises:
        EditRefused: something else changed, or a value does not read back.
    """
    if before is None and after is None:
        if in_exif(edits):
            raise EditRefused("proof: the file has no EXIF description")
    elif before is None or after is None:
        if after is None and in_exif(edits):
            raise EditRefused("proof: the EXIF chunk was lost, or made for nothing")
        proof_exif.prove_fresh_fields(after or before or b"", edits, gone=after is None)
    elif before.startswith(_PREFIX) != after.startswith(_PREFIX):
        raise EditRefused("proof: the EXIF chunk's prefix was lost")
    else:
        old, new = (payload.removeprefix(_PREFIX) for payload in (before, after))
        proof_exif.prove_fields(old, new, edits)


def prove_xmp(before: bytes | None, after: bytes | None, edits: Edits) -> None:
    """Prove that the XMP packet differs in these fields alone, and that they read back.

    None stands for no packet.

    Raises:
        EditRefused: something else changed, or a value does not read back.
    """
    if before == after and all(edit.field.name == "description" for edit in edits):
        if after is not None and _contradicts(after, edits):
            raise EditRefused("proof: the XMP packet holds another description")
        return
    proof_xmp.prove_fields(before, after, edits)


def _contradicts(packet: bytes, edits: Edits) -> bool:
    said = xmp.read(packet)
    wanted = {edit.new for edit in edits}
    return any(text and text not in wanted for text in (said.description, said.tiff_description))
