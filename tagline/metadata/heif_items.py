"""The items of a HEIF file: what they are, where they lie, how they hang together.

ISO/IEC 14496-12, 8.11: pitm, iinf, iloc, iref; ISO/IEC 23008-12, 9.3: ipma and ipco.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from tagline.metadata.bmff import Box, Cursor, body, boxes
from tagline.metadata.window import Malformed, Window

ITEM_LIMIT = 16 * 1024
"""Items of a file that are looked at."""

IN_FILE, IN_IDAT = 0, 1
"""Construction methods of an item's location (14496-12, 8.11.3.3)."""


class Info(NamedTuple):
    """What an item is: its type, and for ``mime`` items the content type."""

    kind: bytes
    content_type: bytes


class Location(NamedTuple):
    """Where an item is: construction method, and offset and length of each extent."""

    method: int
    extents: tuple[tuple[int, int], ...]


class Items(msgspec.Struct, kw_only=True):
    """All that a file's meta box says of its items, by item number."""

    primary: int | None = None
    infos: dict[int, Info] = msgspec.field(default_factory=dict[int, Info])
    locations: dict[int, Location] = msgspec.field(default_factory=dict[int, Location])
    parts: dict[int, list[int]] = msgspec.field(default_factory=dict[int, list[int]])
    properties: dict[int, list[int]] = msgspec.field(default_factory=dict[int, list[int]])
    property_boxes: list[Box] = msgspec.field(default_factory=list[Box])
    idat: Box | None = None

    def properties_of(self, item: int) -> list[Box]:
        """The property boxes of an item, in the order in which they apply."""
        boxes_, numbers = self.property_boxes, self.properties.get(item, [])
        return [boxes_[number - 1] for number in numbers if 0 < number <= len(boxes_)]


def read_items(window: Window, meta: Box) -> Items:
    """The items of a meta box (a full box: its children begin behind four bytes).

    Raises:
        Malformed: the boxes are damaged, or beyond all bounds.
    """
    items = Items()
    for box in boxes(window, meta.start + 4, meta.end, 16 * 1024):
        if box.kind == b"idat":
            items.idat = box
        elif box.kind == b"iprp":
            _read_properties(window, box, items)
        else:
            parse = _PARSERS.get(box.kind)
            if parse is not None:
                parse(body(window, box), items)
    return items


def _primary(cursor: Cursor, items: Items) -> None:
    version, _ = cursor.version_and_flags()
    items.primary = cursor.number(2 if version == 0 else 4)


def _infos(cursor: Cursor, items: Items) -> None:
    version, _ = cursor.version_and_flags()
    count = cursor.number(2 if version == 0 else 4)
    for _ in range(min(count, ITEM_LIMIT)):
        length = cursor.number(4)
        if cursor.take(4) != b"infe" or length < 12:
            raise Malformed("The list of the file's items is damaged.")
        _info(Cursor(cursor.take(length - 8)), items)


def _info(cursor: Cursor, items: Items) -> None:
    version, _ = cursor.version_and_flags()
    if version < 2:
        return  # of a time before HEIF: no item types
    item = cursor.number(2 if version == 2 else 4)
    cursor.take(2)
    kind = cursor.take(4)
    cursor.text()
    items.infos[item] = Info(kind, cursor.text() if kind == b"mime" else b"")


def _locations(cursor: Cursor, items: Items) -> None:
    version, _ = cursor.version_and_flags()
    sizes = cursor.number(2)
    widths = [sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15 if version else 0]
    id_width = 4 if version == 2 else 2
    count = cursor.number(id_width)
    for _ in range(min(count, ITEM_LIMIT)):
        item = cursor.number(id_width)
        method = cursor.number(2) & 15 if version else IN_FILE
        elsewhere = cursor.number(2)
        extents = _item_extents(cursor, widths)
        if not elsewhere:
            items.locations[item] = Location(method, extents)


def _item_extents(cursor: Cursor, widths: list[int]) -> tuple[tuple[int, int], ...]:
    offset_width, length_width, base_width, index_width = widths
    base = cursor.number(base_width)
    extents: list[tuple[int, int]] = []
    count = cursor.number(2)
    if count and not offset_width and not length_width and not index_width:
        return ((base, 0),)
    for _ in range(count):
        cursor.number(index_width)
        offset = cursor.number(offset_width)
        extents.append((base + offset, cursor.number(length_width)))
    return tuple(extents)


def _references(cursor: Cursor, items: Items) -> None:
    version, _ = cursor.version_and_flags()
    width = 4 if version else 2
    while cursor.left >= 8:
        length, kind = cursor.number(4), cursor.take(4)
        inner = Cursor(cursor.take(max(length - 8, 0)))
        if kind == b"dimg":
            item = inner.number(width)
            count = inner.number(2)
            items.parts[item] = [inner.number(width) for _ in range(min(count, ITEM_LIMIT))]


def _read_properties(window: Window, iprp: Box, items: Items) -> None:
    for box in boxes(window, iprp.start, iprp.end):
        if box.kind == b"ipco":
            items.property_boxes = list(boxes(window, box.start, box.end))
        elif box.kind == b"ipma":
            _associations(body(window, box), items)


def _associations(cursor: Cursor, items: Items) -> None:
    version, flags = cursor.version_and_flags()
    width = 2 if flags & 1 else 1
    mask = (1 << 8 * width - 1) - 1
    count = cursor.number(4)
    for _ in range(min(count, ITEM_LIMIT)):
        item = cursor.number(4 if version else 2)
        numbers = [cursor.number(width) & mask for _ in range(cursor.number(1))]
        items.properties[item] = numbers


_PARSERS: Mapping[bytes, Callable[[Cursor, Items], None]] = {
    b"pitm": _primary,
    b"iinf": _infos,
    b"iloc": _locations,
    b"iref": _references,
}
