"""Proof that an edited TIFF is the old one with another description, before it may replace it.

Part of the product. It takes stock of both files anew and shares no code with the editor. Two
things are compared: what every directory of every page says, and the bytes at their offsets. A
byte may differ only where a touched tag had its entry or value and nothing else is.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from tagline.errors import EditRefused
from tagline.metadata import exif, exif_text
from tagline.metadata.exif_piexif import read_ascii
from tagline.metadata.proof_iptc import prove_app13
from tagline.metadata.proof_xmp import prove_packet
from tagline.metadata.tiff_survey import Extent, Survey, Tag
from tagline.model import BytesSource

_DESCRIPTION, _XP = ("IFD0", 0x010E), ("IFD0", 0x9C9C)
_COMMENT: Final = ("IFD0/8769", 0x9286)
_XMP, _IPTC, _PHOTOSHOP = ("IFD0", 0x02BC), ("IFD0", 0x83BB), ("IFD0", 0x8649)
_TOUCHED: Final = frozenset({_DESCRIPTION, _XP, _COMMENT, _XMP, _IPTC, _PHOTOSHOP})
_NEVER_ADDED: Final = (_XP, _COMMENT, _IPTC, _PHOTOSHOP)
_STEP_BYTES: Final = 1 << 20
_PIEXIF_MAX_BYTES: Final = 1 << 24
# An appended directory may have had up to two bytes ahead of it, a value one behind it.
_MOST_PADDING: Final = 8


def prove_tiff(before: bytes, after: bytes, text: str | None) -> None:
    """Prove that nothing but the description differs, and that it reads back.

    Identical: every page's image data and its place, every other tag of every directory, every
    byte that is not the description's own.

    Args:
        before: the old file.
        after: the new one.
        text: the description, None when it was removed.

    Raises:
        EditRefused: something else differs; the reason begins with ``proof:``.
    """
    old, new = Survey(before), _survey(after)
    if before[:4] != after[:4]:
        raise EditRefused("proof: the header of the TIFF file changed")
    _prove_structure(old, new)
    _prove_tags(old, new)
    _prove_bytes(old, new)
    _prove_description(new, text)
    for where in (_XP, _COMMENT):
        _prove_copy(old.find(where), new.find(where), (old, new), text)
    _prove_xmp(old, new, text)
    _prove_iptc(old, new, text)


def _survey(after: bytes) -> Survey:
    try:
        return Survey(after)
    except EditRefused as fault:
        raise EditRefused(f"proof: {fault.reason}") from fault


def _prove_structure(old: Survey, new: Survey) -> None:
    """Every page, directory, strip and tile is where it was; IFD0 alone may move."""

    def places(survey: Survey) -> list[tuple[str, Extent]]:
        return [item for item in survey.directories.items() if item[0] != "IFD0"]

    if places(old) != places(new) or old.links != new.links:
        raise EditRefused("proof: a page of the TIFF file changed")
    if old.images != new.images:
        raise EditRefused("proof: the image data moved")


def _prove_tags(old: Survey, new: Survey) -> None:
    olds, news = ([t for t in s.tags if t.where not in _TOUCHED] for s in (old, new))
    if len(olds) != len(news):
        raise EditRefused("proof: a TIFF tag was lost or added")
    for was, now in zip(olds, news, strict=True):
        if was[:3] != now[:3] or was.size != now.size or old.value(was) != new.value(now):
            raise EditRefused(f"proof: TIFF tag 0x{was.where[1]:04x} changed")
        if was.size > 4 and was.start != now.start:
            raise EditRefused(f"proof: the value of TIFF tag 0x{was.where[1]:04x} moved")
    for where in _NEVER_ADDED:
        if (old.find(where) is None) != (new.find(where) is None):
            raise EditRefused("proof: a TIFF tag was lost or added")


def _prove_bytes(old: Survey, new: Survey) -> None:
    """Bytes differ only where they may, and what was cut off was the description's."""
    protected = _merged(_protected(old))
    free = list(_without(_merged(_free(old, new)), protected))
    common = min(len(old.data), len(new.data))
    if protected[-1][1] > len(new.data):
        raise EditRefused("proof: the end of the TIFF file was lost")
    bounds = [(0, 0), *free, (common, common)]
    for (_, done), (start, _) in pairwise(bounds):
        for at in range(done, min(start, common), _STEP_BYTES):
            stop = min(at + _STEP_BYTES, start, common)
            if old.data[at:stop] != new.data[at:stop]:
                raise EditRefused("proof: other bytes of the TIFF file changed")
    kept = sum(min(end, len(old.data)) - max(start, common) for start, end in free if end > common)
    if len(old.data) - common - kept > _MOST_PADDING:
        raise EditRefused("proof: the end of the TIFF file was lost")
    for where in _TOUCHED:
        tag = new.find(where)
        if tag and tag.size > 4 and _meets(protected, (tag.start, tag.start + tag.size)):
            raise EditRefused("proof: a value of the TIFF file lies over another one")


def _free(old: Survey, new: Survey) -> Iterator[Extent]:
    """The extents of the old file that an edit of the description may change."""
    yield 4, 8
    start, end = old.directories["IFD0"]
    moved = old.first != new.first
    if moved:
        # The one that was left behind stays as it is, unless it was the end of the file.
        yield max(start, min(len(new.data), end)), end
    elif len(old.tags) != len(new.tags):
        yield start, end
    for tag in old.tags:
        if tag.where not in _TOUCHED:
            continue
        if not moved or tag.where == _COMMENT:
            yield tag.position, tag.position + 12
        if tag.size > 4:
            # The zero that made its length even goes with a value (TIFF 6.0: word boundaries).
            end = tag.start + tag.size
            yield tag.start, end + (old.data[end : end + 1] == b"\0")


def _protected(survey: Survey) -> Iterator[Extent]:
    """All else that is in use: other directories and values, image data."""
    yield 0, 4
    for name, (start, end) in survey.directories.items():
        if name == "IFD0":
            continue
        comment = survey.find(_COMMENT) if name == _COMMENT[0] else None
        yield start, comment.position if comment else end
        if comment:
            yield comment.position + 12, end
    length = len(survey.data)
    for tag in survey.tags:
        if tag.size > 4 and tag.where not in _TOUCHED and tag.start < length:
            yield tag.start, min(tag.start + tag.size, length)
    for _, extent in survey.images:
        yield extent


def _merged(extents: Iterator[Extent]) -> list[Extent]:
    """Extents in order, those that touch made one."""
    merged: list[Extent] = []
    for start, end in sorted(extents):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _without(extents: list[Extent], taken: list[Extent]) -> Iterator[Extent]:
    """What is left of extents in order without those that are taken, also in order."""
    for start, end in extents:
        at = start
        for first, last in taken:
            if last <= at or first >= end:
                continue
            if first > at:
                yield at, first
            at = max(at, last)
        if at < end:
            yield at, end


def _meets(extents: list[Extent], extent: Extent) -> bool:
    return any(start < extent[1] and extent[0] < end for start, end in extents)


def _prove_description(new: Survey, text: str | None) -> None:
    tag = new.find(_DESCRIPTION)
    if text is None:
        if tag is not None:
            raise EditRefused("proof: the description is still there")
        return
    value = new.value(tag) if tag and tag.kind == 2 else None
    if value is None or value.rstrip(b"\0") != text.encode():
        raise EditRefused("proof: the description does not read back from the TIFF file")
    if exif.read(BytesSource(new.data)).description != text:
        raise EditRefused("proof: the description does not read back from the TIFF file")
    if len(new.data) <= _PIEXIF_MAX_BYTES:
        found = read_ascii(new.data, _DESCRIPTION[1])
        if found is None or found.rstrip(b"\0") != text.encode():
            raise EditRefused("proof: the description does not read back from the TIFF file")


def _prove_copy(
    was: Tag | None, now: Tag | None, files: tuple[Survey, Survey], text: str | None
) -> None:
    """A tag that may hold the description as well is what it was, or in line with it."""
    if was is None or now is None:
        return
    before, after = files[0].value(was), files[1].value(now)
    if before == after and was.kind == now.kind:
        return
    shown = None
    if after is not None:
        is_xp = was.where == _XP
        shown = (
            exif_text.utf16(after, "utf-16-le")
            if is_xp
            else exif_text.user_comment(after, files[1].order)
        )
    if after is None or shown != (text if text and text.strip() else None):
        raise EditRefused("proof: a copy of the description does not read back")


def _value(survey: Survey, where: tuple[str, int]) -> bytes | None:
    tag = survey.find(where)
    return survey.value(tag) if tag else None


def _prove_xmp(old: Survey, new: Survey, text: str | None) -> None:
    before, after = _value(old, _XMP), _value(new, _XMP)
    if before is None and after is None and text is not None:
        raise EditRefused("proof: the file has no XMP description")
    prove_packet(before, after, text)


def _prove_iptc(old: Survey, new: Survey, text: str | None) -> None:
    before, after = _value(old, _IPTC), _value(new, _IPTC)
    if before is not None and after is not None and before.strip(b"\0"):
        prove_app13(_as_resource(before), _as_resource(after), text)
    before, after = _value(old, _PHOTOSHOP), _value(new, _PHOTOSHOP)
    if before is not None and after is not None:
        prove_app13(before, after, text)


def _as_resource(iim: bytes) -> bytes:
    """IPTC data sets as the Photoshop resource that holds them in other files."""
    return b"8BIM\4\4\0\0" + len(iim).to_bytes(4, "big") + iim + bytes(len(iim) % 2)
