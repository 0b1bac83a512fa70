"""Photoshop image resources: the blocks in a JPEG's APP13, a TIFF's tag 34377, a PNG's profile.

Adobe Photoshop File Formats Specification, "Image Resource Blocks": a signature of four bytes, an
identifier of two, a Pascal string padded to even length, the length of the data in four bytes, the
data padded to even length. All numbers are big-endian.

Every function here takes the resources with or without the ``Photoshop 3.0`` header that stands
before them in an APP13 segment, and never raises, whatever the bytes.
"""

import re
from typing import NamedTuple

HEADER = b"Photoshop 3.0\0"
"""What a JPEG's APP13 segment with image resources begins with."""

IPTC = 0x0404
"""Identifier of the resource that holds IPTC IIM data sets."""

IPTC_DIGEST = 0x0425
"""Identifier of the MD5 of the IPTC resource as it was when the XMP was last in step with it."""

MAX_BLOCKS = 4096
"""Blocks that are looked at; Photoshop itself writes some dozens."""

_SIGNATURE = re.compile(rb"[A-Za-z0-9]{4}")
_KNOWN_SIGNATURES = frozenset({b"8BIM", b"PHUT", b"AgHg", b"DCSR", b"MeSa"})


class Resource(NamedTuple):
    """One block; offsets count from the first byte that was given, header included.

    The block runs from ``start`` to ``end``, padding included; its data from ``data_start`` to
    ``data_end``, and the four bytes before ``data_start`` hold the data's length.
    """

    signature: bytes
    identifier: int
    start: int
    data_start: int
    data_end: int
    end: int

    def holds(self, identifier: int) -> bool:
        """Whether this is Photoshop's own resource of that identifier."""
        return self.signature == b"8BIM" and self.identifier == identifier


class Resources(NamedTuple):
    """The blocks in their order; ``whole`` says that nothing but NUL padding follows the last."""

    blocks: tuple[Resource, ...]
    whole: bool

    def all_of(self, identifier: int) -> tuple[Resource, ...]:
        """Photoshop's own blocks of that identifier."""
        return tuple(block for block in self.blocks if block.holds(identifier))


class IptcBlocks(NamedTuple):
    """The IIM data sets and the digest recorded for them, where they are."""

    iptc: bytes | None
    digest: bytes | None


def resources(payload: bytes) -> Resources:
    """The image resource blocks up to the first byte that belongs to none."""
    position = len(HEADER) if payload.startswith(HEADER) else 0
    blocks: list[Resource] = []
    while len(blocks) < MAX_BLOCKS and (block := _block_at(payload, position)) is not None:
        blocks.append(block)
        position = block.end
    return Resources(tuple(blocks), whole=not payload[position:].strip(b"\0"))


def find_iptc(payload: bytes) -> IptcBlocks:
    """The first IPTC resource and the first digest; each ``None`` where there is none."""
    iptc: bytes | None = None
    digest: bytes | None = None
    for block in resources(payload).blocks:
        if iptc is None and block.holds(IPTC):
            iptc = payload[block.data_start : block.data_end]
        elif (
            digest is None and block.holds(IPTC_DIGEST) and block.data_end - block.data_start == 16
        ):
            digest = payload[block.data_start : block.data_end]
    return IptcBlocks(iptc, digest)


def _block_at(payload: bytes, start: int) -> Resource | None:
    if start + 12 > len(payload) or not _SIGNATURE.match(payload, start, start + 4):
        return None
    name_bytes = payload[start + 6] + 1
    length_at = start + 6 + name_bytes + name_bytes % 2
    data_start = length_at + 4
    if data_start > len(payload):
        return None
    data_end = data_start + int.from_bytes(payload[length_at:data_start], "big")
    if data_end > len(payload):
        return None
    return Resource(
        signature=payload[start : start + 4],
        identifier=int.from_bytes(payload[start + 4 : start + 6], "big"),
        start=start,
        data_start=data_start,
        data_end=data_end,
        end=_padded_end(payload, data_start, data_end),
    )


def _padded_end(payload: bytes, data_start: int, data_end: int) -> int:
    """Where the next block begins; some writers leave the padding byte out."""
    if (data_end - data_start) % 2 == 0:
        return data_end
    if payload[data_end : data_end + 4] in _KNOWN_SIGNATURES:
        return data_end
    return min(data_end + 1, len(payload))
