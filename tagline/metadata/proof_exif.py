"""Proof that an edited EXIF block differs from the old one in the fields asked for alone.

Written apart from the editor on purpose: own walk, own arithmetic, own table of what may change,
and the description is read back by piexif. Two things are compared: what every directory says, and
the bytes at their offsets.
"""

from collections.abc import Iterator
from typing import Final

from tagline.errors import EditRefused
from tagline.metadata import exif
from tagline.metadata.exif_piexif import read_ascii
from tagline.metadata.field_types import Edits
from tagline.metadata.fields import describing
from tagline.metadata.proof_fields import (
    DESCRIPTION,
    EXIF_POINTER,
    MADE_TAGS,
    ExifRules,
    Where,
    exif_rules,
)
from tagline.metadata.proof_view import Tag, View

_EXIF_IFD: Final = "IFD0/8769"
_EMPTY: Final = b"MM\0*\0\0\0\0"


def prove_block(
    before: bytes, after: bytes, text: str | None, *, rest: tuple[bytes, bytes] = (b"", b"")
) -> None:
    """Prove that only the description changed, and is the text now; see ``prove_fields``."""
    prove_fields(before, after, (describing(text, None),), rest=rest)


def prove_fields(
    before: bytes, after: bytes, edits: Edits, *, rest: tuple[bytes, bytes] = (b"", b"")
) -> None:
    """Prove that only these fields changed, and say what they are to say.

    Args:
        before: the old block from the TIFF header on.
        after: the new one.
        edits: the fields, each with its new value.
        rest: what follows the old and the new block in their files, as far as thumbnails run
            into it.

    Raises:
        EditRefused: something else changed, or a value does not read back.
    """
    old, new = View(before, rest[0]), View(after, rest[1])
    rules = exif_rules(edits)
    if before[:4] != after[:4]:
        raise EditRefused("proof: the byte order of the EXIF block changed")
    if _holds_fields_alone(old) and _holds_fields_alone(new):
        # Nothing is in the block that could mind being moved: it may be made anew.
        if _said(old, rules) != _said(new, rules):
            raise EditRefused("proof: another EXIF tag changed")
        _prove_values(old, new, rules)
    else:
        _prove_tags(old, new, rules)
        _prove_bytes(old, new, rules.free)
    _prove_read_back(after, edits)


def _holds_fields_alone(view: View) -> bool:
    """Whether the block has nothing in it but tags that Tagline makes, and no byte besides."""
    if not all(tag.where in MADE_TAGS and tag.value is not None for tag in view.tags):
        return False
    left = bytearray(view.block)
    extents = [(0, 8), *((at, end + 4) for at, (_, end) in view.directories.items())]
    extents += [(tag.start, tag.start + tag.size) for tag in view.tags]
    for start, end in extents:
        left[start:end] = bytes(max(0, min(end, len(left)) - start))
    return not any(left) and not any(view.links.values())


def _said(view: View, rules: ExifRules) -> list[tuple[Where, int, bytes | None]]:
    """Each tag that must stay as it is, wherever it lies."""
    free = rules.free | {EXIF_POINTER}
    return [(t.where, t.kind, t.value) for t in view.tags if t.where not in free]


def prove_fresh_block(block: bytes, text: str | None) -> None:
    """Prove that a block holds the description alone; see ``prove_fresh_fields``."""
    prove_fresh_fields(block, (describing(text, None),), gone=text is None)


def prove_fresh_fields(block: bytes, edits: Edits, *, gone: bool) -> None:
    """Prove that a block holds these fields and nothing else.

    Args:
        block: the block; the old one where it is gone.
        edits: the fields.
        gone: whether the block was taken away, so that its values do not matter any more.

    Raises:
        EditRefused: it holds something else, or not what they are to say.
    """
    rules = exif_rules(edits)
    view = View(block, b"")
    if not rules.free.issuperset(tag.where for tag in view.tags):
        raise EditRefused("proof: the new EXIF block holds more than was asked for")
    if not gone:
        _prove_values(View(_EMPTY, b""), view, rules)
        _prove_read_back(block, edits)


def _prove_read_back(block: bytes, edits: Edits) -> None:
    """Read the description by other code than ours, and a date by the reader."""
    for edit in edits:
        if edit.field.name == "taken_at" and exif.read(block).taken_at != edit.new:
            raise EditRefused("proof: the date does not read back from EXIF")
        if edit.field.name == "description":
            found = (read_ascii(block, DESCRIPTION[1]) or b"").rstrip(b"\0")
            if found != str(edit.new or "").encode():
                raise EditRefused("proof: the description does not read back from EXIF")


def _prove_tags(old: View, new: View, rules: ExifRules) -> None:
    free = rules.free

    def rest_of(view: View) -> list[Tag]:
        return [tag for tag in view.tags if tag.where not in free]

    olds, news = rest_of(old), rest_of(new)
    if len(olds) != len(news):
        raise EditRefused("proof: an EXIF tag was lost or added")
    for was, now in zip(olds, news, strict=True):
        if not _same(was, now):
            raise EditRefused(f"proof: EXIF tag 0x{was.where[1]:04x} changed")
    if old.links != new.links or not _same_data(old, new):
        raise EditRefused("proof: a directory or thumbnail of the EXIF block changed")
    _prove_values(old, new, rules)


def _prove_values(old: View, new: View, rules: ExifRules) -> None:
    """Each tag that may change says the new value, is gone, or may stay as it was and did."""
    for where, (rule, value) in rules.by_place.items():
        was = old.find(where)
        now = [tag for tag in new.tags if tag.where == where]
        if not now:
            if was is not None and (rule.may_stay or not rule.may_go(value)):
                raise EditRefused(f"proof: EXIF tag 0x{where[1]:04x} was lost")
            continue
        if rule.may_stay and was is not None and len(now) == 1 and _same(was, now[0]):
            continue
        raw = now[0].value
        if len(now) > 1 or raw is None or (was is None and not rule.may_come):
            raise EditRefused(f"proof: EXIF tag 0x{where[1]:04x} was added")
        if not rule.says(raw, new.order, value):
            raise EditRefused(f"proof: tag 0x{where[1]:04x} does not read back from EXIF")


def _same_data(old: View, new: View) -> bool:
    if len(old.data) != len(new.data):
        return False
    pairs = zip(old.data, new.data, strict=True)
    return all(was[:3] == now[:3] and was.content == now.content for was, now in pairs)


def _same(was: Tag, now: Tag) -> bool:
    moved = was.start != now.start and was.size > 4
    return was[:3] == now[:3] and was.value == now.value and not moved


def _prove_bytes(old: View, new: View, free_tags: frozenset[Where]) -> None:
    """Every byte at its offset, but for the entries and values of what may change."""
    before, after = bytearray(old.block), bytearray(new.block)
    common = min(len(before), len(after))
    for start, end in _free(old, new, free_tags):
        before[start:end] = bytes(max(0, min(end, len(before)) - start))
        if start < common:
            after[start : min(end, common)] = bytes(min(end, common) - start)
    reach = max((end for _, end in _claims(old, free_tags)), default=8)
    if any(before[common:]):
        raise EditRefused("proof: the end of the EXIF block was lost")
    # Zeros behind everything that is in use are padding, and may be put to use.
    padding = min(max(reach, len(old.block.rstrip(b"\0"))), common)
    if before[:padding] != after[:padding]:
        raise EditRefused("proof: other bytes of the EXIF block changed")


def _free(old: View, new: View, free_tags: frozenset[Where]) -> Iterator[tuple[int, int]]:
    """The extents of the old block that an edit of these tags may change."""
    yield from _free_of_directory(old, new, "IFD0", free_tags)
    if EXIF_POINTER in free_tags:
        yield from _free_of_directory(old, new, _EXIF_IFD, free_tags)
    for where in free_tags:
        tag, now = old.find(where), new.find(where)
        if tag is not None and (now is None or not _same(tag, now)):
            yield tag.position, tag.position + 12
            # The zero that made its length even goes with a value (TIFF 6.0: on word boundaries).
            stop = min(tag.start + tag.size, len(old.block))
            yield tag.start, stop + (old.block[stop : stop + 1] == b"\0")


def _free_of_directory(
    old: View, new: View, name: str, free_tags: frozenset[Where]
) -> Iterator[tuple[int, int]]:
    """What leads to a directory where that moved, and its entries where some of them went."""
    was, now = old.place_of(name), new.place_of(name)
    if was is None:
        return
    start, end = was
    if now is None or now[0] != start:
        if name == "IFD0":
            yield 4, 8
        if now is None or now[0] < start:
            yield start, end
    own = [tag for tag in old.tags if tag.where[0] == name and tag.where in free_tags]
    lost = [tag.position for tag in own if new.find(tag.where) is None]
    if now is not None and now[0] < start:
        # Back at an older place, which nothing led to meanwhile, and less what was lost there.
        older_end = now[0] + 6 + 12 * old.count_at(now[0])
        is_unused = not any(a < older_end and now[0] < b for a, b in _claims(old, free_tags))
        if is_unused and now[1] <= older_end <= now[1] + 12 * len(lost):
            yield now[0], older_end
    if lost:
        yield start, start + 2
        yield min(lost), end


def _claims(view: View, free_tags: frozenset[Where]) -> Iterator[tuple[int, int]]:
    """What is in use, apart from the values that may change."""
    for at, (_, end) in view.directories.items():
        yield at, end + 4
    for tag in view.tags:
        if tag.size > 4 and tag.where not in free_tags:
            yield tag.start, min(tag.start + tag.size, len(view.block))
    for datum in view.data:
        yield datum.start, min(datum.start + datum.size, len(view.block))
