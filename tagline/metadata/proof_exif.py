"""Proof that an edited EXIF block differs from the old one in its description and nowhere else.

Written apart from the editor on purpose: own walk, own arithmetic, and the text is read back by
piexif. Two things are compared: what every directory says, and the bytes at their offsets.
"""

from collections.abc import Iterator
from struct import Struct, unpack_from
from typing import Final, NamedTuple

from tagline.errors import EditRefused
from tagline.metadata import exif_text
from tagline.metadata.exif_piexif import read_ascii

_WIDTHS: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_UTF8_TYPE: Final = 129
_LEADS: Final = (0x8769, 0x8825, 0xA005, 0x014A)
_DATA: Final = {0x0111: 0x0117, 0x0144: 0x0145, 0x0120: 0x0121, 0x0201: 0x0202}
_DESCRIPTION, _XP, _COMMENT = ("IFD0", 0x010E), ("IFD0", 0x9C9C), ("IFD0/8769", 0x9286)
_MAX_DIRECTORIES: Final = 1024


class _Tag(NamedTuple):
    """One entry as found: its place in the tree, what it says, and where.

    ``value`` is None where it does not lie wholly inside the block, which readers take for absent.
    """

    where: tuple[str, int]
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

    def find(self, where: tuple[str, int]) -> _Tag | None:
        """The first entry at this place."""
        return next((tag for tag in self.tags if tag.where == where), None)


def prove_block(
    before: bytes, after: bytes, text: str | None, *, rest: tuple[bytes, bytes] = (b"", b"")
) -> None:
    """Prove that only the description changed, and is the text now.

    Args:
        before: the old block from the TIFF header on.
        after: the new one.
        text: the description, None when it was removed.
        rest: what follows the old and the new block in their files, as far as thumbnails run
            into it.

    Raises:
        EditRefused: something else changed, or the text does not read back.
    """
    old, new = _View(before, rest[0]), _View(after, rest[1])
    if before[:4] != after[:4]:
        raise EditRefused("proof: the byte order of the EXIF block changed")
    _prove_tags(old, new, text)
    _prove_bytes(old, new)
    _prove_text(after, text)


def prove_fresh_block(block: bytes, text: str | None) -> None:
    """Prove that a block holds the description and nothing else.

    Raises:
        EditRefused: it does not.
    """
    if [tag.where for tag in _View(block, b"").tags] != [_DESCRIPTION]:
        raise EditRefused("proof: the new EXIF block holds more than the description")
    if text is not None:
        _prove_text(block, text)


def _prove_text(block: bytes, text: str | None) -> None:
    found = read_ascii(block, _DESCRIPTION[1])
    if text is None:
        if found is not None and found.strip(b"\0"):
            raise EditRefused("proof: the description is still there")
    elif found is None or found.rstrip(b"\0") != text.encode():
        raise EditRefused("proof: the description does not read back from EXIF")


def _prove_tags(old: _View, new: _View, text: str | None) -> None:
    def rest_of(view: _View) -> list[_Tag]:
        return [tag for tag in view.tags if tag.where != _DESCRIPTION]

    olds, news = rest_of(old), rest_of(new)
    if len(olds) != len(news):
        raise EditRefused("proof: an EXIF tag was lost or added")
    for was, now in zip(olds, news, strict=True):
        if not _same(was, now) and not _is_copy(was, now, text, new.order):
            raise EditRefused(f"proof: EXIF tag 0x{was.where[1]:04x} changed")
    if old.links != new.links or old.data != new.data:
        raise EditRefused("proof: a directory or thumbnail of the EXIF block changed")


def _same(was: _Tag, now: _Tag) -> bool:
    moved = was.start != now.start and was.size > 4
    return was[:3] == now[:3] and was.value == now.value and not moved


def _is_copy(was: _Tag, now: _Tag, text: str | None, order: str) -> bool:
    """Whether a tag that may hold the description as well has been brought into line."""
    if was.where != now.where or now.value is None or was.where not in (_XP, _COMMENT):
        return False
    if was.where == _XP:
        return exif_text.utf16(now.value, "utf-16-le") == _shown(text)
    return exif_text.user_comment(now.value, order) == _shown(text)


def _shown(text: str | None) -> str | None:
    return None if text is None or not text.strip() else text


def _prove_bytes(old: _View, new: _View) -> None:
    """Every byte at its offset, but for the description's entries and values."""
    before, after = bytearray(old.block), bytearray(new.block)
    free = list(_free(old, new))
    common = min(len(before), len(after))
    for start, end in free:
        before[start:end] = bytes(max(0, min(end, len(before)) - start))
        if start < common:
            after[start : min(end, common)] = bytes(min(end, common) - start)
    reach = max((end for _, end in _claims(old)), default=8)
    if any(before[common:]):
        raise EditRefused("proof: the end of the EXIF block was lost")
    # Zeros behind everything that is in use are padding, and may be put to use.
    padding = min(max(reach, len(old.block.rstrip(b"\0"))), common)
    if before[:padding] != after[:padding]:
        raise EditRefused("proof: other bytes of the EXIF block changed")


def _free(old: _View, new: _View) -> Iterator[tuple[int, int]]:
    """The extents of the old block that an edit of the description may change."""
    description = old.find(_DESCRIPTION)
    name, end = old.directories.get(old.first, ("", 0))
    if name and (description is None or old.first != new.first):
        yield 4, 8
    if name and description is not None:
        removed = new.find(_DESCRIPTION) is None
        if removed:
            yield old.first, old.first + 2
        yield description.position, end + 4 if removed else description.position + 12
        if old.first != new.first and new.first < old.first:
            yield old.first, end + 4
    for where in (_DESCRIPTION, _XP, _COMMENT):
        tag = old.find(where)
        now = new.find(where)
        if tag is not None and (where == _DESCRIPTION or now is None or not _same(tag, now)):
            yield tag.position, tag.position + 12
            # The zero that made its length even goes with a value (TIFF 6.0: on word boundaries).
            stop = min(tag.start + tag.size, len(old.block))
            yield tag.start, stop + (old.block[stop : stop + 1] == b"\0")


def _claims(view: _View) -> Iterator[tuple[int, int]]:
    """What is in use, apart from the values that may change."""
    for at, (_, end) in view.directories.items():
        yield at, end + 4
    for tag in view.tags:
        if tag.size > 4 and tag.where not in (_DESCRIPTION, _XP, _COMMENT):
            yield tag.start, min(tag.start + tag.size, len(view.block))
    for _, start, data in view.data:
        yield start, min(start + len(data), len(view.block))
