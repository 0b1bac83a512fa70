"""Proof that an edited WebP is the old one with other fields, before it may replace it.

Part of the product. It cuts both files itself and shares no code with the editor; a new header is
checked against the image by the reader's own measure.
"""

from typing import Final, NamedTuple

from tagline.errors import EditRefused
from tagline.metadata import webp
from tagline.metadata.content import Content, same
from tagline.metadata.field_types import Edits
from tagline.metadata.fields import describing
from tagline.metadata.proof_chunk import prove_exif, prove_xmp
from tagline.model import source_of

_TOUCHED: Final = (b"VP8X", b"EXIF", b"XMP ")
_FLAGS: Final = {b"EXIF": 0x08, b"XMP ": 0x04}
_ALPHA: Final = 0x10
_METADATA: Final = 0x08 | 0x04


class _Part(NamedTuple):
    kind: bytes
    start: int
    end: int


class _File:
    """A WebP cut into its chunks; ``end`` is where the RIFF container ends."""

    def __init__(self, data: Content) -> None:
        self.data = data
        self.parts: list[_Part] = []
        at = 12
        self.end = int.from_bytes(data[4:8], "little") + 8
        if data[:4] + data[8:12] != b"RIFFWEBP" or self.end > len(data):
            raise EditRefused("proof: the RIFF container is damaged")
        while at < self.end:
            size = int.from_bytes(data[at + 4 : at + 8], "little")
            self.parts.append(_Part(data[at : at + 4], at + 8, at + 8 + size))
            at += 8 + size + (size & 1)
        if at not in (self.end, self.end + 1):
            raise EditRefused("proof: a WebP chunk leaves the file")

    def only(self, kind: bytes) -> bytes | None:
        """The payload of a chunk that may exist once."""
        found = [self.data[part.start : part.end] for part in self.parts if part.kind == kind]
        if len(found) > 1:
            raise EditRefused("proof: a WebP chunk that may exist once is there twice")
        return found[0] if found else None

    def others(self) -> list[_Part]:
        """The chunks that no edit touches."""
        return [part for part in self.parts if part.kind not in _TOUCHED]

    def padding(self, part: _Part) -> bytes:
        """The byte that makes a chunk's length even, where it is there."""
        return self.data[part.end : min(part.end + (part.end - part.start) % 2, self.end)]


def prove_webp(before: Content, after: Content, text: str | None) -> None:
    """Prove that nothing but the description differs; see ``prove_webp_fields``."""
    prove_webp_fields(before, after, (describing(text, None),))


def prove_webp_fields(before: Content, after: Content, edits: Edits) -> None:
    """Prove that nothing but these fields differs, and that they read back.

    Identical: every other chunk with its padding, their order, whatever follows the container, the
    header but for its two metadata flags, every other EXIF tag and XMP property. A header that is
    new or gone says nothing that the image does not.

    Args:
        before: the old file.
        after: the new one.
        edits: the fields, each with its new value.

    Raises:
        EditRefused: something else differs; the reason begins with ``proof:``.
    """
    old, new = _File(before), _File(after)
    if not same(before, (old.end, len(before)), after, (new.end, len(after))):
        raise EditRefused("proof: what follows the WebP image changed")
    olds, news = old.others(), new.others()
    if len(olds) != len(news):
        raise EditRefused("proof: a WebP chunk was lost or added")
    for was, now in zip(olds, news, strict=True):
        was_at, now_at = ((part.start, part.end) for part in (was, now))
        is_same = was.kind == now.kind and same(before, was_at, after, now_at)
        if not is_same or not (new.padding(now) or b"\0").startswith(old.padding(was)):
            raise EditRefused("proof: another WebP chunk changed")
    _prove_order(old, new)
    _prove_header(old, new)
    prove_exif(old.only(b"EXIF"), new.only(b"EXIF"), edits)
    prove_xmp(old.only(b"XMP "), new.only(b"XMP "), edits)


def _prove_order(old: _File, new: _File) -> None:
    kinds = [[part.kind for part in file.parts] for file in (old, new)]
    common = set(kinds[0]) & set(kinds[1])
    orders = [[kind for kind in order if kind in common] for order in kinds]
    if orders[0] != orders[1] or (b"VP8X" in kinds[1] and kinds[1][0] != b"VP8X"):
        raise EditRefused("proof: the order of the WebP chunks changed")


def _prove_header(old: _File, new: _File) -> None:
    """The VP8X chunk says of the metadata what is there, and of all else what it said."""
    was, now = old.only(b"VP8X"), new.only(b"VP8X")
    if now is not None:
        flags = sum(flag for kind, flag in _FLAGS.items() if new.only(kind) is not None)
        if now[0] & _METADATA != flags:
            raise EditRefused("proof: the WebP header is wrong about the metadata")
    elif any(new.only(kind) is not None for kind in _FLAGS):
        raise EditRefused("proof: the WebP header is missing")
    if was is not None and now is not None:
        if was[0] | _METADATA != now[0] | _METADATA or was[1:] != now[1:]:
            raise EditRefused("proof: the WebP header changed")
    elif was is not None or now is not None:
        _prove_empty(was or now or b"", old if was is None else new)


def _prove_empty(header: bytes, simple: _File) -> None:
    """A header says no more than the only image of a simple file."""
    frames = [part for part in simple.parts if part.kind in webp.IMAGE_CHUNKS]
    shown = webp.read(source_of(simple.data))
    if len(frames) != 1 or (shown.width, shown.height) != webp.canvas_size(header):
        raise EditRefused("proof: the WebP header does not fit the image")
    frame = frames[0]
    # RFC 9649, 3.4: the 29th bit behind the signature byte says whether alpha is used.
    alpha = frame.kind == b"VP8L" and simple.data[frame.start + 4] & 0x10
    if header[0] & ~_METADATA != (_ALPHA if alpha else 0) or any(header[1:4]):
        raise EditRefused("proof: the WebP header does not fit the image")
