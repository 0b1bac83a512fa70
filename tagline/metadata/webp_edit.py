"""Writing fields into a WebP: its EXIF chunk, and its XMP chunk for what EXIF cannot hold.

A simple file becomes an extended one, since only that may hold metadata (RFC 9649, 2.7); it
becomes simple again when nothing but Tagline's own made it extended. Every other chunk, padding
byte and whatever follows the RIFF container stay byte for byte.
"""

from typing import Final, NamedTuple

from tagline.errors import EditRefused
from tagline.metadata import xmp
from tagline.metadata.chunk_edit import edit_exif, edit_xmp_chunk
from tagline.metadata.content import Content, Extent, joined
from tagline.metadata.draft import BLOCK_LIMIT
from tagline.metadata.field_types import Edits
from tagline.metadata.fields import describing
from tagline.metadata.proof_webp import prove_webp_fields
from tagline.metadata.xmp_text import PACKET_MAX_BYTES

_CHUNK_LIMIT: Final = 1 << 16
_MAX_RIFF_BYTES: Final = (1 << 32) - 10
_VP8X_BYTES: Final = 10
_FRAME_HEAD_BYTES: Final = 16
_ALPHA, _EXIF_FLAG, _XMP_FLAG = 0x10, 0x08, 0x04
_EXTENDED_ONLY: Final = frozenset({b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_ONCE: Final = (b"VP8X", b"EXIF", b"XMP ")


class _Chunk(NamedTuple):
    """A chunk: its four-character code, where its payload is, and where it is with all of it.

    ``payload`` and ``raw`` are in ``data``, the file or the chunk by itself; ``raw`` has header and
    padding.
    """

    kind: bytes
    data: Content
    payload: Extent
    raw: Extent

    def head(self, most: int) -> bytes:
        """The first bytes of the payload."""
        start, end = self.payload
        return self.data[start : min(start + most, end)]

    @property
    def part(self) -> bytes | Extent:
        """The chunk, to be joined: the bytes of a new one, the place of one of the file."""
        whole = self.raw == (0, len(self.data))
        return self.data if isinstance(self.data, bytes) and whole else self.raw


def embed(data: Content, text: str | None, old_text: str | None) -> Content:
    """The file with this description, or without one; see ``embed_fields``."""
    return embed_fields(data, (describing(text, old_text),))


def embed_fields(data: Content, edits: Edits) -> Content:
    """The file with these fields in every place that would otherwise contradict them.

    Args:
        data: the whole file.
        edits: the fields, each with the value that the file shows now: places that can say
            something else as well follow where they hold it.

    Returns:
        The new file, proven; equal to ``data`` when nothing has to change.

    Raises:
        EditRefused: it cannot be done provably safely.
    """
    chunks, end = _split(data)
    _check(chunks)
    block, packet = (_payload(chunks, kind) for kind in (b"EXIF", b"XMP "))
    new_block = edit_exif(block, edits)
    # A new chunk would change a flag in the header that is no part of a description.
    new_packet = edit_xmp_chunk(packet, edits, create=False)
    if (new_block, new_packet) == (block, packet):
        return data
    if new_block != block:
        chunks = _with(chunks, b"EXIF", new_block)
    if new_packet != packet:
        chunks = _with(chunks, b"XMP ", new_packet)
    removed = new_block is None and new_packet is None
    parts = _padded(_simple(chunks) if removed else _extended(chunks))
    length = len(b"WEBP") + sum(_length(part) for part in parts)
    if length > _MAX_RIFF_BYTES:
        raise EditRefused("the WebP file would be larger than its format allows")
    head = b"RIFF" + length.to_bytes(4, "little") + b"WEBP"
    result = joined(data, [head, *parts, (end, len(data))])
    prove_webp_fields(data, result, edits)
    return result


def _split(data: Content) -> tuple[list[_Chunk], int]:
    """The chunks, and where the RIFF container ends.

    Raises:
        EditRefused: the file is cut short, or not laid out as it has to be.
    """
    end = 8 + int.from_bytes(data[4:8], "little")
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WEBP" or end > len(data):
        raise EditRefused("the WebP file is cut short")
    chunks: list[_Chunk] = []
    at = 12
    while at < end:
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        stop = at + 8 + length
        if at + 8 > end or stop > end or len(chunks) >= _CHUNK_LIMIT:
            raise EditRefused("the WebP file has a chunk that leaves it")
        raw = at, min(stop + length % 2, end)
        chunks.append(_Chunk(data[at : at + 4], data, (at + 8, stop), raw))
        at = raw[1]
    return chunks, end


def _check(chunks: list[_Chunk]) -> None:
    """Refuse what an edit would break, or could not be sure of."""
    kinds = [chunk.kind for chunk in chunks]
    if not kinds or kinds[0] not in (b"VP8X", b"VP8 ", b"VP8L"):
        raise EditRefused("the WebP file does not begin with its image or header")
    if any(kinds.count(kind) > 1 for kind in _ONCE):
        raise EditRefused("the WebP file has a chunk twice that may exist once")
    if b"C2PA" in kinds:
        raise EditRefused("the file carries Content Credentials, which an edit would break")
    if any(_speaks_amiss(chunk) for chunk in chunks):
        raise EditRefused("the WebP file has a description in a misspelt chunk")
    if kinds[0] == b"VP8X":
        if _length(chunks[0].payload) != _VP8X_BYTES:
            raise EditRefused("the WebP file's header has an unknown length")
        if not {b"VP8 ", b"VP8L", b"ANMF"} & set(kinds):
            raise EditRefused("the WebP file holds no image")
    elif _EXTENDED_ONLY & set(kinds) or sum(k in (b"VP8 ", b"VP8L") for k in kinds) > 1:
        raise EditRefused("the WebP file needs a header that it has not got")


def _speaks_amiss(chunk: _Chunk) -> bool:
    """Whether a chunk whose code some program got wrong would go on to show another description."""
    name = chunk.kind.strip(b"\0 ").upper()
    if chunk.kind in _ONCE or name not in (b"EXIF", b"XMP"):
        return False
    shown = xmp.read(chunk.head(PACKET_MAX_BYTES)) if name == b"XMP" else None
    return shown is None or bool(shown.description or shown.tiff_description)


def _payload(chunks: list[_Chunk], kind: bytes) -> bytes | None:
    # Of what is too large to be edited, enough to tell that.
    found = (chunk.head(BLOCK_LIMIT + 1) for chunk in chunks if chunk.kind == kind)
    return next(found, None)


def _chunk(kind: bytes, payload: bytes) -> _Chunk:
    """A chunk, padded to even length (RFC 9649, 2.3)."""
    length = len(payload).to_bytes(4, "little")
    raw = kind + length + payload + bytes(len(payload) % 2)
    return _Chunk(kind, raw, (8, 8 + len(payload)), (0, len(raw)))


def _length(part: bytes | Extent) -> int:
    return len(part) if isinstance(part, bytes) else part[1] - part[0]


def _with(chunks: list[_Chunk], kind: bytes, payload: bytes | None) -> list[_Chunk]:
    """The chunks with this one changed, dropped or, EXIF before XMP, added."""
    kinds = [chunk.kind for chunk in chunks]
    new = [] if payload is None else [_chunk(kind, payload)]
    if kind in kinds:
        at = kinds.index(kind)
        return [*chunks[:at], *new, *chunks[at + 1 :]]
    at = kinds.index(b"XMP ") if kind == b"EXIF" and b"XMP " in kinds else len(chunks)
    return [*chunks[:at], *new, *chunks[at:]]


def _padded(chunks: list[_Chunk]) -> list[bytes | Extent]:
    """All chunks; one that lacked its padding byte at the end of the file gets it elsewhere."""
    parts: list[bytes | Extent] = []
    for chunk in chunks[:-1]:
        parts += [chunk.part, bytes(_length(chunk.raw) % 2)]
    return [*parts, *(chunk.part for chunk in chunks[-1:])]


def _extended(chunks: list[_Chunk]) -> list[_Chunk]:
    """The chunks headed by a VP8X that says which metadata there is."""
    first = chunks[0]
    header = bytearray(first.head(_VP8X_BYTES) if first.kind == b"VP8X" else _header(first))
    kinds = {chunk.kind for chunk in chunks}
    header[0] &= ~(_EXIF_FLAG | _XMP_FLAG)
    header[0] |= _EXIF_FLAG * (b"EXIF" in kinds) | _XMP_FLAG * (b"XMP " in kinds)
    rest = chunks[1:] if first.kind == b"VP8X" else chunks
    return [_chunk(b"VP8X", bytes(header)), *rest]


def _simple(chunks: list[_Chunk]) -> list[_Chunk]:
    """The chunks without a VP8X that says nothing any more, as in a file that had none."""
    extended = _extended(chunks)
    header, *rest = extended
    if (
        len(rest) == 1
        and rest[0].kind in (b"VP8 ", b"VP8L")
        and header.head(_VP8X_BYTES) == _header(rest[0])
    ):
        return rest
    return extended


def _header(frame: _Chunk) -> bytes:
    """The VP8X payload that a simple file's image needs: its alpha flag and size.

    Raises:
        EditRefused: the image does not begin as it has to.
    """
    data = frame.head(_FRAME_HEAD_BYTES)
    if frame.kind == b"VP8 " and data[3:6] == b"\x9d\x01\x2a" and len(data) >= 10:
        # RFC 6386, 9.1: 14 bits of size, two of scale.
        width, height = (int.from_bytes(data[k : k + 2], "little") & 0x3FFF for k in (6, 8))
        flags = 0
    elif frame.kind == b"VP8L" and data[:1] == b"\x2f" and len(data) >= 5:
        bits = int.from_bytes(data[1:5], "little")  # RFC 9649, 3.4
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        flags = _ALPHA * (bits >> 28 & 1)
    else:
        raise EditRefused("the WebP image does not begin as it has to")
    if not width or not height:
        raise EditRefused("the WebP image has no size")
    sizes = ((size - 1).to_bytes(3, "little") for size in (width, height))
    return bytes((flags, 0, 0, 0)) + b"".join(sizes)
