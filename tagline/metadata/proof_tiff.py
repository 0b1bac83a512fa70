"""Proof that an edited TIFF is the old one with other fields, before it may replace it.

Part of the product. It takes stock of both files anew and shares no code with the editor. Two
things are compared: what every directory of every page says, and the bytes at their offsets. A
byte may differ only where a touched tag had its entry or value and nothing else is.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from tagline.errors import EditRefused
from tagline.metadata import exif, proof_iptc, proof_xmp
from tagline.metadata.content import Content, Extent, same
from tagline.metadata.exif_piexif import read_ascii
from tagline.metadata.field_types import Edits, FieldEdit
from tagline.metadata.fields import describing
from tagline.metadata.proof_fields import ExifRules, Where, exif_rules
from tagline.metadata.tiff_survey import Survey, Tag
from tagline.model import source_of

_DESCRIPTION: Final[Where] = ("IFD0", 0x010E)
_XMP, _IPTC, _PHOTOSHOP = ("IFD0", 0x02BC), ("IFD0", 0x83BB), ("IFD0", 0x8649)
_BLOCKS: Final[frozenset[Where]] = frozenset({_XMP, _IPTC, _PHOTOSHOP})
_BYTE: Final = 1
"""The type of an XMP packet that is new (XMP specification part 3, 3.2)."""
# An appended directory may have had up to two bytes ahead of it, a value one behind it.
_MOST_PADDING: Final = 8


def prove_tiff(before: Content, after: Content, text: str | None) -> None:
    """Prove that nothing but the description differs; see ``prove_tiff_fields``."""
    prove_tiff_fields(before, after, (describing(text, None),))


def prove_tiff_fields(before: Content, after: Content, edits: Edits) -> None:
    """Prove that nothing but these fields differs, and that they read back.

    Identical: every page's image data and its place, every other tag of every directory, every
    byte that is not the fields' own.

    Args:
        before: the old file.
        after: the new one.
        edits: the fields, each with its new value.

    Raises:
        EditRefused: something else differs; the reason begins with ``proof:``.
    """
    old, new = Survey(before), _survey(after)
    rules = exif_rules(edits)
    touched = frozenset(rules.by_place) | _BLOCKS
    if before[:4] != after[:4]:
        raise EditRefused("proof: the header of the TIFF file changed")
    _prove_structure(old, new)
    _prove_tags(old, new, touched)
    _prove_bytes(old, new, touched)
    _prove_values(old, new, rules)
    for edit in edits:
        _prove_read_back(new, edit)
    proof_xmp.prove_fields(_value(old, _XMP), _value(new, _XMP), edits)
    _prove_iptc(old, new, edits)


def _survey(after: Content) -> Survey:
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


def _prove_tags(old: Survey, new: Survey, touched: frozenset[Where]) -> None:
    olds, news = ([t for t in s.tags if t.where not in touched] for s in (old, new))
    if len(olds) != len(news):
        raise EditRefused("proof: a TIFF tag was lost or added")
    for was, now in zip(olds, news, strict=True):
        if was[:3] != now[:3] or was.size != now.size or not _same_value(old, was, new, now):
            raise EditRefused(f"proof: TIFF tag 0x{was.where[1]:04x} changed")
        if was.size > 4 and was.start != now.start:
            raise EditRefused(f"proof: the value of TIFF tag 0x{was.where[1]:04x} moved")
    for where in (_IPTC, _PHOTOSHOP):
        if (_value(old, where) is None) != (_value(new, where) is None):
            raise EditRefused("proof: a TIFF tag was lost or added")
    for where in _BLOCKS:
        was, now = old.find(where), new.find(where)
        if now and now.kind != (was.kind if was else _BYTE):
            raise EditRefused(f"proof: TIFF tag 0x{where[1]:04x} changed")


def _same_value(old: Survey, was: Tag, new: Survey, now: Tag) -> bool:
    """Whether two values of one size hold the same bytes, as far as they lie inside the file."""
    if not was.size:
        return old.value(was) == new.value(now)
    here, there = ((tag.start, tag.start + tag.size) for tag in (was, now))
    inside = here[1] <= len(old.data), there[1] <= len(new.data)
    if not all(inside):
        return not any(inside)
    return same(old.data, here, new.data, there)


def _prove_bytes(old: Survey, new: Survey, touched: frozenset[Where]) -> None:
    """Bytes differ only where they may, and what was cut off was the fields' own."""
    protected = _merged(_protected(old, touched))
    free = list(_without(_merged(_free(old, new, touched)), protected))
    common = min(len(old.data), len(new.data))
    if protected[-1][1] > len(new.data):
        raise EditRefused("proof: the end of the TIFF file was lost")
    bounds = [(0, 0), *free, (common, common)]
    for (_, done), (start, _) in pairwise(bounds):
        kept = done, max(done, min(start, common))
        if not same(old.data, kept, new.data, kept):
            raise EditRefused("proof: other bytes of the TIFF file changed")
    cut = sum(min(end, len(old.data)) - max(start, common) for start, end in free if end > common)
    if len(old.data) - common - cut > _MOST_PADDING:
        raise EditRefused("proof: the end of the TIFF file was lost")
    for where in touched:
        tag = new.find(where)
        if tag and tag.size > 4 and _meets(protected, (tag.start, tag.start + tag.size)):
            raise EditRefused("proof: a value of the TIFF file lies over another one")


def _free(old: Survey, new: Survey, touched: frozenset[Where]) -> Iterator[Extent]:
    """The extents of the old file that an edit of these tags may change."""
    yield 4, 8
    start, end = old.directories["IFD0"]
    moved = old.first != new.first
    if moved:
        # The one that was left behind stays as it is, unless it was the end of the file.
        yield max(start, min(len(new.data), end)), end
    elif len(old.tags) != len(new.tags):
        yield start, end
    for tag in old.tags:
        if tag.where not in touched:
            continue
        if not moved or tag.where[0] != "IFD0":
            yield tag.position, tag.position + 12
        if tag.size > 4:
            # The zero that made its length even goes with a value (TIFF 6.0: word boundaries).
            end = tag.start + tag.size
            yield tag.start, end + (old.data[end : end + 1] == b"\0")


def _protected(survey: Survey, touched: frozenset[Where]) -> Iterator[Extent]:
    """All else that is in use: other directories and values, image data."""
    yield 0, 4
    for name, extent in survey.directories.items():
        if name != "IFD0":
            own = [tag for tag in survey.tags if tag.where[0] == name and tag.where in touched]
            entries = [(tag.position, tag.position + 12) for tag in own]
            yield from _without([extent], entries)
    length = len(survey.data)
    for tag in survey.tags:
        if tag.size > 4 and tag.where not in touched and tag.start < length:
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


def _prove_values(old: Survey, new: Survey, rules: ExifRules) -> None:
    """Each tag that may change says the new value, is gone, or may stay as it was and did."""
    for where, (rule, value) in rules.by_place.items():
        was, now = old.find(where), new.find(where)
        raw = new.value(now) if now else None
        if now is None:
            if was is not None and (rule.may_stay or not rule.may_go(value)):
                raise EditRefused(f"proof: TIFF tag 0x{where[1]:04x} was lost")
            continue
        stayed = was is not None and was.kind == now.kind and old.value(was) == raw
        if rule.may_stay and stayed:
            continue
        if raw is None or (was is None and not rule.may_come):
            raise EditRefused("proof: a TIFF tag was lost or added")
        if value is None and rule.may_come:
            raise EditRefused(f"proof: TIFF tag 0x{where[1]:04x} is still there")
        if not rule.says(raw, new.order, value):
            raise EditRefused(f"proof: tag 0x{where[1]:04x} does not read back from the TIFF file")


def _prove_read_back(new: Survey, edit: FieldEdit) -> None:
    """Read the description by the reader and by other code than ours, a date by the reader."""
    fault = "proof: the {} does not read back from the TIFF file"
    if edit.field.name == "taken_at" and exif.read(source_of(new.data)).taken_at != edit.new:
        raise EditRefused(fault.format("date"))
    if edit.field.name != "description" or edit.new is None:
        return
    text = str(edit.new)
    tag = new.find(_DESCRIPTION)
    if tag is None or tag.kind != 2 or exif.read(source_of(new.data)).description != text:
        raise EditRefused(fault.format("description"))
    if isinstance(new.data, bytes):
        found = read_ascii(new.data, _DESCRIPTION[1])
        if found is None or found.rstrip(b"\0") != text.encode():
            raise EditRefused(fault.format("description"))


def _value(survey: Survey, where: tuple[str, int]) -> bytes | None:
    tag = survey.find(where)
    return survey.value(tag) if tag else None


def _prove_iptc(old: Survey, new: Survey, edits: Edits) -> None:
    before, after = _value(old, _IPTC), _value(new, _IPTC)
    if before is not None and after is not None and before.strip(b"\0"):
        proof_iptc.prove_fields(_as_resource(before), _as_resource(after), edits)
    before, after = _value(old, _PHOTOSHOP), _value(new, _PHOTOSHOP)
    if before is not None and after is not None:
        proof_iptc.prove_fields(before, after, edits)


def _as_resource(iim: bytes) -> bytes:
    """IPTC data sets as the Photoshop resource that holds them in other files."""
    return b"8BIM\4\4\0\0" + len(iim).to_bytes(4, "big") + iim + bytes(len(iim) % 2)
