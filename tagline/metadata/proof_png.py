"""Proof that an edited PNG is the old one with other fields, before it may replace it.

Part of the product. It cuts both files itself and shares no code with the editor.
"""

import zlib
from typing import Final, NamedTuple

from tagline.errors import EditRefused
from tagline.metadata.content import Content, same, steps
from tagline.metadata.field_types import Edits
from tagline.metadata.fields import describing
from tagline.metadata.proof_chunk import prove_exif, prove_xmp

_XMP: Final = b"XML:com.adobe.xmp\0"
_WORDS: Final = b"description\0"
_EXIF_KIND, _XMP_KIND, _WORDS_KIND = b"eXIf", b"XMP", b"Description"
_MAX_BYTES: Final = 1 << 23


class _Part(NamedTuple):
    """A chunk; ``role`` is what it is of the three that may change, empty for all others."""

    role: bytes
    kind: bytes
    start: int
    end: int


def prove_png(before: Content, after: Content, text: str | None) -> None:
    """Prove that nothing but the description differs; see ``prove_png_fields``."""
    prove_png_fields(before, after, (describing(text, None),))


def prove_png_fields(before: Content, after: Content, edits: Edits) -> None:
    """Prove that nothing but these fields differs, and that they read back.

    Identical: every other chunk byte for byte, the order of all, whatever follows IEND, every
    other EXIF tag and XMP property. Every checksum of a changed chunk is right.

    Args:
        before: the old file.
        after: the new one.
        edits: the fields, each with its new value.

    Raises:
        EditRefused: something else differs; the reason begins with ``proof:``.
    """
    old, new = _cut(before), _cut(after)
    if before[: old[0].start] != after[: new[0].start]:
        raise EditRefused("proof: the PNG signature changed")
    if not same(before, (old[-1].end, len(before)), after, (new[-1].end, len(after))):
        raise EditRefused("proof: what follows the PNG image changed")
    olds, news = ([part for part in parts if not part.role] for parts in (old, new))
    if len(olds) != len(news):
        raise EditRefused("proof: a PNG chunk was lost or added")
    for was, now in zip(olds, news, strict=True):
        if not same(before, (was.start, was.end), after, (now.start, now.end)):
            raise EditRefused("proof: another PNG chunk changed")
    _prove_order(old, new)
    _prove_checksums(after, new)
    prove_exif(_only(before, old, _EXIF_KIND), _only(after, new, _EXIF_KIND), edits)
    prove_xmp(_packet(before, old), _packet(after, new), edits)
    texts = [str(e.new) if e.new else None for e in edits if e.field.name == "description"]
    words = _words(before, old), _words(after, new)
    if texts:
        _prove_words(*words, texts[0])
    elif words[0] != words[1]:
        raise EditRefused("proof: a PNG text changed")


def _cut(data: Content) -> list[_Part]:
    parts: list[_Part] = []
    at = 8
    while True:
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            raise EditRefused("proof: a PNG chunk runs past the end of the file")
        kind = data[at + 4 : at + 8]
        parts.append(_Part(_role(kind, data[at + 8 : min(end - 4, at + 40)]), kind, at, end))
        if kind == b"IEND":
            return parts
        at = end


def _role(kind: bytes, head: bytes) -> bytes:
    if kind == b"eXIf":
        return _EXIF_KIND
    if kind == b"iTXt" and head.startswith(_XMP):
        return _XMP_KIND
    is_text = kind in (b"tEXt", b"zTXt", b"iTXt")
    return _WORDS_KIND if is_text and head.lower().startswith(_WORDS) else b""


def _prove_order(old: list[_Part], new: list[_Part]) -> None:
    """What is new stands ahead of the image data; what was there is in the order it was in."""
    image = next((k for k, part in enumerate(new) if part.kind == b"IDAT"), 0)
    there = {part.role for part in old}
    for k, part in enumerate(new):
        if part.role and part.role not in there and k > image:
            raise EditRefused("proof: a new PNG chunk follows the image data")
    left = {part.role for part in new} & there
    orders = [
        [p.role or p.kind for p in parts if not p.role or p.role in left] for parts in (old, new)
    ]
    # Of several descriptions some may have gone with the text.
    if orders[0] != orders[1] and _without_words(orders[0]) != _without_words(orders[1]):
        raise EditRefused("proof: the order of the PNG chunks changed")


def _without_words(order: list[bytes]) -> list[bytes]:
    return [role for role in order if role != _WORDS_KIND]


def _prove_checksums(data: Content, parts: list[_Part]) -> None:
    for part in parts:
        if part.role:
            crc = 0
            for step in steps(data, part.start + 4, part.end - 4):
                crc = zlib.crc32(step, crc)
            if crc != int.from_bytes(data[part.end - 4 : part.end], "big"):
                raise EditRefused("proof: the checksum of a PNG chunk is wrong")


def _only(data: Content, parts: list[_Part], role: bytes) -> bytes | None:
    """The payload of the one chunk of a kind that may exist once."""
    found = [part for part in parts if part.role == role]
    if len(found) > 1:
        raise EditRefused("proof: a PNG chunk that may exist once is there twice")
    return data[found[0].start + 8 : found[0].end - 4] if found else None


def _packet(data: Content, parts: list[_Part]) -> bytes | None:
    payload = _only(data, parts, _XMP_KIND)
    return None if payload is None else _text(b"iTXt", payload)


def _text(kind: bytes, payload: bytes) -> bytes:
    """The expanded text of a chunk."""
    rest = payload.split(b"\0", 1)[1]
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":
        return _expand(rest[1:])
    text = rest[2:].split(b"\0", 2)[-1]
    return _expand(text) if rest[:1] == b"\1" else text


def _expand(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, _MAX_BYTES)
    except zlib.error as fault:
        raise EditRefused("proof: a compressed PNG text cannot be read") from fault


def _words(data: Content, parts: list[_Part]) -> list[tuple[bytes, bytes]]:
    """Type and payload of each of PNG's own descriptions."""
    found = [part for part in parts if part.role == _WORDS_KIND]
    return [(part.kind, data[part.start + 8 : part.end - 4]) for part in found]


def _prove_words(
    old: list[tuple[bytes, bytes]], new: list[tuple[bytes, bytes]], text: str | None
) -> None:
    """Every description of PNG's own is what it was, or is the text, or went with it."""
    if len(new) != len(old) and (text is not None or len(new) > len(old)):
        raise EditRefused("proof: a PNG text was lost or added")
    for kind, payload in new:
        if (kind, payload) in old:
            continue
        codec = "utf-8" if kind == b"iTXt" else "latin-1"
        if text is None or _text(kind, payload) != text.encode(codec, "replace"):
            raise EditRefused("proof: a PNG text changed")
