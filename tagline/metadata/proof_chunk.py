"""Proof of the EXIF and XMP that PNG and WebP keep in chunks of their own."""

from typing import Final

from tagline.errors import EditRefused
from tagline.metadata.proof_exif import prove_block, prove_fresh_block
from tagline.metadata.proof_xmp import prove_packet

_PREFIX: Final = b"Exif\0\0"


def prove_exif(before: bytes | None, after: bytes | None, text: str | None) -> None:
    """Prove that the EXIF chunk differs in its description alone, and that this is the text.

    None stands for no chunk.

    Raises:
        EditRefused: something else changed, or the text does not read back.
    """
    if before is None and after is None:
        if text is not None:
            raise EditRefused("proof: the file has no EXIF description")
    elif before is None or after is None:
        if (after is None) != (text is None):
            raise EditRefused("proof: the EXIF chunk was lost, or made for nothing")
        prove_fresh_block(after or before or b"", text)
    elif before.startswith(_PREFIX) != after.startswith(_PREFIX):
        raise EditRefused("proof: the EXIF chunk's prefix was lost")
    else:
        old, new = (payload.removeprefix(_PREFIX) for payload in (before, after))
        prove_block(old, new, text)


def prove_xmp(before: bytes | None, after: bytes | None, text: str | None) -> None:
    """Prove that the XMP packet differs in its description alone, and that this is the text.

    None stands for no packet.

    Raises:
        EditRefused: something else changed, or the text does not read back.
    """
    if before is None and after is None and text is not None:
        raise EditRefused("proof: the file has no XMP description")
    prove_packet(before, after, text)
