"""Proof that an edited JPEG is the old one with other fields, before it may replace it.

Part of the product. It shares no code with the editor: own cut into segments, own walk of the
EXIF block, own comparison of XMP and IPTC; the text is read back by the readers and by piexif.
"""

from struct import error, unpack_from
from typing import Final, NamedTuple

from tagline.errors import EditRefused
from tagline.metadata import proof_exif, proof_iptc, proof_xmp
from tagline.metadata.content import Content, same
from tagline.metadata.field_types import Edits
from tagline.metadata.fields import describing
from tagline.metadata.proof_fields import in_exif

FOLLOW_BYTES: Final = 4096
"""How far behind an EXIF block its values are followed, in bytes."""

_EXIF: Final = b"\xe1Exif\0\0"
_XMP: Final = b"\xe1http://ns.adobe.com/xap/1.0/\0"
_PHOTOSHOP: Final = b"\xedPhotoshop 3.0\0"
_MPF: Final = b"\xe2MPF\0"
_KINDS: Final = (_EXIF, _XMP, _PHOTOSHOP)


class _Part(NamedTuple):
    """A segment: its kind (one of the three that may change, else nothing), and where it lies."""

    kind: bytes
    data: Content
    at: int
    end: int

    @property
    def raw(self) -> bytes:
        return self.data[self.at : self.end]

    @property
    def body(self) -> bytes:
        return self.raw.lstrip(b"\xff")[3:][len(self.kind) - 1 :]


def prove_jpeg(before: Content, after: Content, text: str | None) -> None:
    """Prove that nothing but the description differs; see ``prove_jpeg_fields``."""
    prove_jpeg_fields(before, after, (describing(text, None),))


def prove_jpeg_fields(before: Content, after: Content, edits: Edits) -> None:
    """Prove that nothing but these fields differs, and that they read back.

    Identical: every byte from the start of the scan on, every other segment, the order of all,
    every other EXIF tag, byte and offset, every other XMP property, IPTC data set and Photoshop
    resource. At most one Exif and one XMP segment are new, or gone when a value is removed.

    Args:
        before: the old file.
        after: the new one.
        edits: the fields, each with its new value.

    Raises:
        EditRefused: something else differs; the reason begins with ``proof:``.
    """
    old, old_scan = _cut(before)
    new, new_scan = _cut(after)
    if not same(before, (old_scan, len(before)), after, (new_scan, len(after))):
        raise EditRefused("proof: the image data changed")
    olds, news = ([part for part in parts if not part.kind] for parts in (old, new))
    if len(olds) != len(news) or not all(map(_same_part, olds, news)):
        raise EditRefused("proof: another segment changed")
    if not _same_order(old, new):
        raise EditRefused("proof: the order of the segments changed")
    _prove_exif(_only(old, _EXIF), _only(new, _EXIF), (before, after), edits)
    _prove_xmp(_only(old, _XMP), _only(new, _XMP), edits)
    _prove_photoshop(old, new, edits)
    _prove_mpf(old, new, before, after)


def _cut(data: Content) -> tuple[list[_Part], int]:
    """The segments ahead of the scan, and where that starts."""
    parts: list[_Part] = []
    at = 2
    while True:
        body = at
        while data[body : body + 1] == b"\xff":
            body += 1
        if body == at or body + 3 > len(data):
            raise EditRefused("proof: the file has something between its segments")
        if data[body] == 0xDA:
            return parts, at
        end = body + 1 + (data[body + 1] << 8 | data[body + 2])
        if end > len(data) or end < body + 3:
            raise EditRefused("proof: a segment runs past the end of the file")
        start = data[body : body + 1] + data[body + 3 : min(end, body + 40)]
        kind = next((k for k in _KINDS if start.startswith(k)), b"")
        parts.append(_Part(kind, data, at, end))
        at = end


def _same_part(was: _Part, now: _Part) -> bool:
    return same(was.data, (was.at, was.end), now.data, (now.at, now.end))


def _same_order(old: list[_Part], new: list[_Part]) -> bool:
    """Whether old and new follow the same order, kinds that are new or gone left out.

    The other segments are known to be the same, one by one.
    """

    def common(parts: list[_Part], others: list[_Part]) -> list[bytes]:
        there = {part.kind for part in others}
        return [part.kind for part in parts if not part.kind or part.kind in there]

    return common(old, new) == common(new, old)


def _only(parts: list[_Part], kind: bytes) -> _Part | None:
    """The one segment of a kind that may exist once.

    Raises:
        EditRefused: there are more.
    """
    found = [part for part in parts if part.kind == kind]
    if len(found) > 1:
        raise EditRefused("proof: a segment that may exist once is there twice")
    return found[0] if found else None


def _prove_exif(
    old: _Part | None, new: _Part | None, files: tuple[Content, Content], edits: Edits
) -> None:
    if old is None and new is None:
        if in_exif(edits):
            raise EditRefused("proof: the file has no EXIF block")
    elif old is None or new is None:
        part = new or old
        if part and (new is None) <= (not in_exif(edits)):
            proof_exif.prove_fresh_fields(part.body, edits, gone=new is None)
            return
        raise EditRefused("proof: the Exif segment was lost, or made for nothing")
    else:
        ends = (old.end, new.end)
        rest = [data[end : end + FOLLOW_BYTES] for data, end in zip(files, ends, strict=True)]
        # What followed the old block may have been copied into the new one; what follows that
        # is the same again only where no value of the block reaches.
        proof_exif.prove_fields(old.body, new.body, edits, rest=(rest[0], rest[1]))


def _prove_xmp(old: _Part | None, new: _Part | None, edits: Edits) -> None:
    proof_xmp.prove_fields(old.body if old else None, new.body if new else None, edits)


def _prove_photoshop(old: list[_Part], new: list[_Part], edits: Edits) -> None:
    olds = [part.body for part in old if part.kind == _PHOTOSHOP]
    news = [part.body for part in new if part.kind == _PHOTOSHOP]
    if len(olds) != len(news):
        raise EditRefused("proof: a Photoshop segment was lost or added")
    if len(olds) == 1:
        proof_iptc.prove_fields(olds[0], news[0], edits)
    elif olds != news:
        raise EditRefused("proof: one of several Photoshop segments changed")


def _prove_mpf(old: list[_Part], new: list[_Part], before: Content, after: Content) -> None:
    """Every image that the multi-picture index led to is where it leads still (CIPA DC-007)."""
    for was, now in zip(_indexes(old), _indexes(new), strict=True):
        for offset in _targets(was):
            start, moved = _base(was) + offset, _base(now) + offset
            if before[start : start + 4] != after[moved : moved + 4]:
                raise EditRefused("proof: a further image of the file moved")


def _indexes(parts: list[_Part]) -> list[_Part]:
    return [part for part in parts if part.raw.lstrip(b"\xff")[3:].startswith(_MPF[1:])]


def _base(part: _Part) -> int:
    """Where the addresses of an index count from: its own TIFF header."""
    return part.at + part.raw.index(_MPF[1:]) + 4


def _targets(part: _Part) -> list[int]:
    """The addresses of the further images; those that cannot be read are none."""
    block = part.raw[part.raw.index(_MPF[1:]) + 4 :]
    order = "<" if block[:2] == b"II" else ">"
    try:
        at = unpack_from(order + "I", block, 4)[0]
        for k in range(unpack_from(order + "H", block, at)[0]):
            tag, _, size, start = unpack_from(order + "HHII", block, at + 2 + 12 * k)
            if tag == 0xB002:
                entries = range(start, min(start + size, len(block) - 15), 16)
                found = [unpack_from(order + "I", block, e + 8)[0] for e in entries]
                return [offset for offset in found if offset]
    except error:
        return []
    return []
