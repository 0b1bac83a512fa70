"""Finding a place for values in a TIFF block without moving anything that is there."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from tagline.errors import EditRefused
from tagline.metadata.exif_ifd import TYPE_BYTES
from tagline.metadata.exif_pointers import becomes_valid
from tagline.metadata.field_types import DirectoryName
from tagline.metadata.tiff_block import (
    EXIF_IFD,
    MAKER_NOTE,
    Block,
    Entry,
    overlaps,
)

# Zeros left untouched between what is in use and what is put into a block's zero padding.
_GUARD_BYTES: Final = 256
_NAMES: Final[tuple[DirectoryName, ...]] = ("IFD0", "Exif")
_NO_ROOM: Final = "there is no room in the EXIF block, and it must not grow"


class Wanted(NamedTuple):
    """A value to be stored; ``entry`` is its entry so far, None where it has none."""

    entry: Entry | None
    tag: int
    kind: int
    value: bytes
    directory: DirectoryName = "IFD0"


class Space(NamedTuple):
    """Where new values may go: from ``start`` up to ``limit``.

    The block will be at least ``floor`` bytes long. ``taken`` are the positions of those wanted
    values whose old place is part of the space.
    """

    start: int
    limit: int
    floor: int
    taken: frozenset[int]


class Plan(NamedTuple):
    """Where each wanted value goes (-1: into its entry), where new directories, and the end.

    ``directories`` has the place of the longer copy of each directory that needs one.
    """

    places: tuple[int, ...]
    directories: dict[DirectoryName, int]
    end: int


class Draft:
    """A block under change; ``data`` is what it has become so far."""

    def __init__(self, layout: Block[bytes], *, room: int, follow: bytes) -> None:
        self.layout = layout
        self.data = bytearray(layout.data)
        self.used = list(layout.used())
        self._room = room
        self._follow = follow

    @property
    def fixed(self) -> bool:
        """Whether the block must keep its length."""
        return self._room <= len(self.layout.data)

    def owns(self, entry: Entry) -> bool:
        """Whether no one else uses any byte of this entry's value, and all are in the block."""
        extent = entry.extent
        if extent[1] > len(self.layout.data):
            return False
        if entry.inline:
            return True
        return not any(overlaps(extent, u) for owner, u in self.used if owner is not entry)

    def blank(self, entry: Entry, keep: int) -> None:
        """Make the value all zeros but for its first ``keep`` bytes."""
        if self.owns(entry):
            kept = min(keep, entry.size)
            self.data[entry.offset + kept : entry.extent[1]] = bytes(entry.size - kept)
        else:
            empty = self.layout.entry.pack(entry.tag, 1, 4, bytes(4))
            self.data[entry.position : entry.position + 12] = empty

    def store(self, wanted: Sequence[Wanted]) -> bytes:
        """The block with these values.

        Raises:
            EditRefused: there is no safe place for them.
        """
        for space in (self._end_space(wanted), self._padding_space()):
            result = self._fill(wanted, space) if space else None
            if result is not None:
                return result
        raise EditRefused(_NO_ROOM)

    def _end_space(self, wanted: Sequence[Wanted]) -> Space:
        """From the end of the block, or from where former values stand there."""
        length = end = len(self.layout.data)
        floor, taken = 0, set[int]()
        while (last := self._last_value(wanted, taken, end)) is not None:
            index, entry = last
            if end - entry.extent[1] > 1:
                floor = max(floor, end)
            end = entry.offset
            taken.add(index)
        if self._room <= length or not taken:
            floor = length
        return Space(end, max(self._room, length), floor, frozenset(taken))

    def _last_value(
        self, wanted: Sequence[Wanted], taken: set[int], end: int
    ) -> tuple[int, Entry] | None:
        """The wanted value whose old place is the last thing in use before ``end``."""
        gone = [wanted[k].entry for k in taken]
        for index, item in enumerate(wanted):
            entry = item.entry
            if index in taken or entry is None or entry.inline or entry.offset % 2:
                continue
            if not self.owns(entry) or any(self.layout.data[entry.extent[1] : end]):
                continue
            others = (u for owner, u in self.used if owner is not entry and owner not in gone)
            others = (u for u in others if u[0] < len(self.layout.data))
            if all(u[1] <= entry.offset for u in others):
                return index, entry
        return None

    def _padding_space(self) -> Space | None:
        """Inside the zeros at the block's end, well behind all that is known to be in use."""
        data = self.layout.data
        length = len(data)
        last_used = max(min(u[1], length) for _, u in self.used)
        start = max(len(data.rstrip(b"\0")), last_used) + _GUARD_BYTES
        start += start % 2
        return Space(start, length, length, frozenset()) if start < length else None

    def _fill(self, wanted: Sequence[Wanted], space: Space) -> bytes | None:
        """Write everything; None when it does not fit into the space."""
        old = self.layout.data
        overhang = self._overhang() if space.start == len(old) else b""
        plan = self._plan(wanted, space, space.start + len(overhang))
        if plan.end > space.limit:
            return None
        if plan.end > len(old) and not self._may_grow(plan.end, len(overhang)):
            return None
        data = self.data
        data[:] = old[: space.start] + (overhang if plan.end > len(old) else b"")
        data.extend(bytes(max(plan.end, space.floor) - len(data)))
        for item in wanted:
            if item.entry and not item.entry.inline and self.owns(item.entry):
                start, end = item.entry.offset, min(item.entry.extent[1], len(data))
                data[start:end] = bytes(max(0, end - start))
        for item, place in zip(wanted, plan.places, strict=True):
            if place >= 0:
                data[place : place + len(item.value)] = item.value
            if item.entry:
                data[item.entry.position : item.entry.position + 12] = self._entry(item, place)
        for name in ("Exif", "IFD0"):
            if name in plan.directories:
                self._copy_directory(name, wanted, plan)
        return bytes(data)

    def _plan(self, wanted: Sequence[Wanted], space: Space, start: int) -> Plan:
        cursor = start + start % 2
        first = cursor
        new = Counter(item.directory for item in wanted if item.entry is None)
        if new["Exif"] and self.layout.exif is None:
            new["IFD0"] += 1
        directories: dict[DirectoryName, int] = {}
        for name in _NAMES:
            if not new[name]:
                continue
            directories[name] = cursor
            cursor += 2 + 12 * (len(self._entries(name)) + new[name]) + 4
        places: list[int] = []
        for index, item in enumerate(wanted):
            length = len(item.value)
            place = -1 if length <= 4 else cursor
            if place >= 0 and index not in space.taken and self._fits_old_place(item):
                place = item.entry.offset if item.entry else cursor
            elif place >= 0:
                cursor += length + length % 2
            places.append(place)
        return Plan(tuple(places), directories, cursor if cursor > first else space.start)

    def _fits_old_place(self, item: Wanted) -> bool:
        entry = item.entry
        return (
            entry is not None
            and not entry.inline
            and len(item.value) <= entry.size
            and self.owns(entry)
        )

    def _overhang(self) -> bytes:
        """What thumbnails that begin in the block and run past its end have there."""
        length = len(self.layout.data)
        ends = [end for start, end in self.layout.image_data() if start < length]
        over = max(ends, default=length) - length
        return self._follow[:over] if 0 < over <= len(self._follow) else b""

    def _may_grow(self, new_length: int, overhang: int) -> bool:
        """Whether nothing that points past the block's end would find new bytes there."""
        old = self.layout.data
        length = len(old)
        values = [u for owner, u in self.used if owner] + self.layout.dangling
        if any(length < end <= new_length for _, end in values):
            return False
        for start, end in self.layout.image_data():
            if end > length + overhang and start < new_length:
                return False
        note = self.layout.exif.find(MAKER_NOTE) if self.layout.exif else None
        return note is None or not becomes_valid(old, note.extent, new_length)

    def _entry(self, item: Wanted, place: int) -> bytes:
        """The entry of a value that lies at ``place``, or in the entry itself."""
        value = item.value.ljust(4, b"\0") if place < 0 else self.layout.pack_long(place)
        items = len(item.value) // TYPE_BYTES[item.kind]
        return self.layout.entry.pack(item.tag, item.kind, items, value)

    def _entries(self, name: DirectoryName) -> tuple[Entry, ...]:
        directory = self.layout.named(name)
        return directory.entries if directory else ()

    def _copy_directory(self, name: DirectoryName, wanted: Sequence[Wanted], plan: Plan) -> None:
        """Put a copy with the new entries at its place, and point to it what led to the old one."""
        directory = self.layout.named(name)
        if directory and directory.link is None:
            raise EditRefused("a directory of the EXIF block has no link")
        entries = [bytes(self.data[e.position : e.position + 12]) for e in self._entries(name)]
        entries += [
            self._entry(item, place)
            for item, place in zip(wanted, plan.places, strict=True)
            if item.entry is None and item.directory == name
        ]
        if name == "IFD0" and self.layout.exif is None and "Exif" in plan.directories:
            at = self.layout.pack_long(plan.directories["Exif"])
            entries.append(self.layout.entry.pack(EXIF_IFD, 4, 1, at))
        link = directory.link if directory else 0
        raw = self.layout.pack_short(len(entries))
        raw += b"".join(self._in_order(entries, len(self._entries(name))))
        raw += self.layout.pack_long(link or 0)
        at = plan.directories[name]
        self.data[at : at + len(raw)] = raw
        if directory:
            pointer = self.layout.pointer_to(name)
            self.data[pointer : pointer + 4] = self.layout.pack_long(at)

    def _in_order(self, entries: list[bytes], old: int) -> list[bytes]:
        """The entries with each new one, which stand last, ahead of the first with a higher tag."""
        result = entries[:old]
        for entry in entries[old:]:
            before = sum(self._tag(other) < self._tag(entry) for other in result)
            result.insert(before, entry)
        return result

    def _tag(self, entry: bytes) -> int:
        return self.layout.entry.unpack(entry)[0]
