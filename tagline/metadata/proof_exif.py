"""Proof that an edited EXIF block differs from the old one in the fields asked for alone.

Written apart from the editor on purpose: own walk, own arithmetic, own table of what may change,
and the description is read back by piexif. Two things are compared: what every directory says, and
the bytes at their offsets.
"""

from collections.abc import Iterator
from struct import Struct, unpack_from
from typing import Final, NamedTuple

from tagline.errors import EditRefused
from tagline.metadata import exif
from tagline.metadata.exif_piexif import read_ascii
from tagline.metadata.field_types import Edits
from tagline.metadata.fields import describing
from tagline.metadata.proof_fields import (
    DESCRIPTION,
    EXIF_POINTER,
    ExifRules,
    Where,
    exif_rules,
)

_WIDTHS: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_UTF8_TYPE: Final = 129
_LEADS: Final = (0x8769, 0x8825, 0xA005, 0x014A)
_DATA: Final = {0x0111: 0x0117, 0x0144: 0x0145, 0x0120: 0x0121, 0x0201: 0x0202}
_EXIF_IFD: Final = "IFD0/8769"
_EMPTY: Final = b"MM\0*\0\0\0\0"
_MAX_DIRECTORIES: Final = 1024


class _Tag(NamedTuple):
    """One entry as found: its place in the tree, what it says, and where.

    ``value`` is None where it does not lie wholly inside the block, which readers take for absent.
    """

    where: Where
    kind: int
    items: int
    start: int
    size: int
    value: bytes | None
    position: int


class _View:
    """A block read once: its tags in order, and the extents of its directories."""

    def __init__(self, block: bytes, rest: bytes) -> None:
        self.block = block
        self._all = block + rest
        self.order = "<" if block[:2] == b"II" else ">"
        self._entry = Struct(self.order + "HHII")
        self.tags: list[_Tag] = []
        self.directories: dict[int, tuple[str, int]] = {}
        self.links: dict[str, int] = {}
        self.data: list[tuple[str, int, bytes]] = []
        if len(block) < 8:
            raise EditRefused("proof: the EXIF block is too short")
        self.first = self._number("I", 4)
        waiting = [("IFD0", self.first)]
        while waiting:
            if len(self.directories) > _MAX_DIRECTORIES:
                raise EditRefused("proof: the EXIF block has too many directories")
            name, at = waiting.pop(0)
            if at not in self.directories:
                waiting += self._read(name, at)

    def _number(self, code: str, at: int) -> int:
        if at + Struct(code).size > len(self.block):
            return 0
        return unpack_from(self.order + code, self.block, at)[0]

    def _read(self, name: str, at: int) -> Iterator[tuple[str, int]]:
        count = self._number("H", at)
        end = at + 2 + 12 * count
        if at < 8 or not count or end > len(self.block):
            return
        self.directories[at] = (name, end)
        own = [self._tag(name, at + 2 + 12 * k) for k in range(count)]
        self.tags += own
        self._read_data(name, own)
        for tag in own:
            if tag.where[1] in _LEADS and tag.kind in (4, 9, 13) and tag.value is not None:
                for k in range(min(tag.items, _MAX_DIRECTORIES, len(tag.value) // 4)):
                    target = unpack_from(self.order + "I", tag.value, 4 * k)[0]
                    yield f"{name}/{tag.where[1]:04x}" + (f"/{k}" if k else ""), target
        if link := self._number("I", end):
            self.links[name] = link
            yield f"{name}+", link

    def _tag(self, name: str, position: int) -> _Tag:
        tag, kind, items, value = self._entry.unpack_from(self.block, position)
        size = _WIDTHS.get(kind, int(kind == _UTF8_TYPE)) * items
        start = position + 8 if size <= 4 else value
        # Of a value of unknown type the four bytes in its entry are all that can be compared.
        stop = position + 12 if size == 0 else start + size
        found = self.block[start if size else position + 8 : stop]
        inside = stop <= len(self.block)
        return _Tag((name, tag), kind, items, start, size, found if inside else None, position)

    def _read_data(self, name: str, own: list[_Tag]) -> None:
        """The strips, tiles or thumbnail that a directory names."""
        by_tag = {tag.where[1]: tag for tag in own}
        for starts, lengths in _DATA.items():
            if starts in by_tag and lengths in by_tag:
                pairs = zip(self._items(by_tag[starts]), self._items(by_tag[lengths]), strict=False)
                for start, length in pairs:
                    if length and start < len(self.block):
                        self.data.append((name, start, self._all[start : start + length]))

    def _items(self, tag: _Tag) -> tuple[int, ...]:
        code = {3: "H", 4: "I"}.get(tag.kind)
        if code is None or tag.value is None or len(tag.value) < tag.size:
            return ()
        return unpack_from(f"{self.order}{tag.items}{code}", tag.value)

    def find(self, where: Where) -> _Tag | None:
        """The first entry at this place."""
        return next((tag for tag in self.tags if tag.where == where), None)

    def place_of(self, name: str) -> tuple[int, int] | None:
        """Where a directory begins, and where its link ends."""
        places = self.directories.items()
        return next(((at, end + 4) for at, (own, end) in places if own == name), None)


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
    old, new = _View(before, rest[0]), _View(after, rest[1])
    rules = exif_rules(edits)
    if before[:4] != after[:4]:
        raise EditRefused("proof: the byte order of the EXIF block changed")
    _prove_tags(old, new, rules)
    _prove_bytes(old, new, rules.free)
    _prove_read_back(after, edits)


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
    view = _View(block, b"")
    if not rules.free.issuperset(tag.where for tag in view.tags):
        raise EditRefused("proof: the new EXIF block holds more than was asked for")
    if not gone:
        _prove_values(_View(_EMPTY, b""), view, rules)
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


def _prove_tags(old: _View, new: _View, rules: ExifRules) -> None:
    def rest_of(view: _View) -> list[_Tag]:
        return [tag for tag in view.tags if tag.where not in rules.free]

    olds, news = rest_of(old), rest_of(new)
    if len(olds) != len(news):
        raise EditRefused("proof: an EXIF tag was lost or added")
    for was, now in zip(olds, news, strict=True):
        if not _same(was, now):
            raise EditRefused(f"proof: EXIF tag 0x{was.where[1]:04x} changed")
    if old.links != new.links or old.data != new.data:
        raise EditRefused("proof: a directory or thumbnail of the EXIF block changed")
    _prove_values(old, new, rules)


def _prove_values(old: _View, new: _View, rules: ExifRules) -> None:
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


def _same(was: _Tag, now: _Tag) -> bool:
    moved = was.start != now.start and was.size > 4
    return was[:3] == now[:3] and was.value == now.value and not moved


def _prove_bytes(old: _View, new: _View, free_tags: frozenset[Where]) -> None:
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


def _free(old: _View, new: _View, free_tags: frozenset[Where]) -> Iterator[tuple[int, int]]:
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
    old: _View, new: _View, name: str, free_tags: frozenset[Where]
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
    if lost:
        yield start, start + 2
        yield min(lost), end


def _claims(view: _View, free_tags: frozenset[Where]) -> Iterator[tuple[int, int]]:
    """What is in use, apart from the values that may change."""
    for at, (_, end) in view.directories.items():
        yield at, end + 4
    for tag in view.tags:
        if tag.size > 4 and tag.where not in free_tags:
            yield tag.start, min(tag.start + tag.size, len(view.block))
    for _, start, data in view.data:
        yield start, min(start + len(data), len(view.block))
