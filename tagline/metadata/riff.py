"""RIFF chunks: the frame of WebP (RFC 9649, 2.3)."""

from collections.abc import Iterator
from struct import unpack
from typing import NamedTuple

from tagline.metadata.window import Malformed, Window

CHUNK_LIMIT = 16 * 1024
"""Chunks that a file may have."""


class Chunk(NamedTuple):
    """A chunk's four-character code, and offset and length in bytes of its payload."""

    kind: bytes
    offset: int
    length: int


def chunks(window: Window, form: bytes) -> Iterator[Chunk]:
    """Chunks of a RIFF file of the given form, in order; a cut one is yielded, then raised for.

    Raises:
        Malformed: no such file, or it ends early.
    """
    if window.size < 12 or window.at(0, 4) != b"RIFF" or window.at(8, 4) != form:
        raise Malformed(f"This is no {form.decode('ascii').title()} file: its header is missing.")
    offset = 12
    end = min(window.size, 8 + int.from_bytes(window.at(4, 4), "little"))
    for _ in range(CHUNK_LIMIT):
        if offset + 8 > end:
            break
        kind, length = unpack("<4sI", window.at(offset, 8, _ahead(offset)))
        yield Chunk(kind, offset + 8, length)
        offset += 8 + length + (length & 1)
    if offset > window.size + 1:
        raise Malformed("The file ends in the middle of a chunk.")


def _ahead(offset: int) -> int:
    """Chunks stand close together only in the beginning."""
    return 4096 if offset < 4096 else 64
