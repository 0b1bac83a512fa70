"""Changing tags of a TIFF file without moving anything that is there.

A value that fits takes its old place; others go to the end of the file. For a new tag a copy of
IFD0 is appended and the header re-pointed. What former edits appended is at the end, and is used
again; when the tags go, the header returns to the older IFD0 and the end is cut off.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tagline.errors import EditRefused
from tagline.metadata.content import SLICE_MAX_BYTES, Content, Extent, joined
from tagline.metadata.exif_pointers import becomes_valid
from tagline.metadata.tiff_block import MAKER_NOTE, Block, Directory, Entry, overlaps
from tagline.metadata.tiff_survey import WIDTHS

_MAX_FILE_BYTES: Final = (1 << 32) - 1
# What stands ahead of an appended directory: its last byte tells how many bytes it has, so that
# they can be taken away again. Nothing is needed behind any other byte at an even offset.
_ODD_PAD, _EVEN_PAD = b"\1", b"\0\2"


class Change(NamedTuple):
    """A tag's new type and value (None: remove it); ``entry`` is None where it has none so far."""

    entry: Entry | None
    tag: int
    kind: int
    value: bytes | None


def apply(layout: Block[Content], changes: Sequence[Change]) -> Content:
    """The file with these changes; new and removed tags are those of IFD0.

    Raises:
        EditRefused: there is no safe way to make them.
    """
    edit = _TiffEdit(layout, changes)
    if any(change.value is None for change in changes):
        edit.remove()
    else:
        edit.store()
    return edit.result()


class _TiffEdit:
    """A file under change: the bytes kept of it, what is put over them, and behind them."""

    def __init__(self, layout: Block[Content], changes: Sequence[Change]) -> None:
        self._layout = layout
        self._changes = changes
        if any(c.entry and c.entry.size > SLICE_MAX_BYTES for c in changes):
            raise EditRefused("a tag of the TIFF file is too large to be edited")
        self._used = list(layout.used())
        self._freed = [c.entry for c in changes if c.entry and self._is_free(c.entry)]
        self._patches: list[tuple[int, bytes]] = []
        self._end = len(layout.data)
        self._tail = bytearray()

    def _is_free(self, entry: Entry) -> bool:
        """Whether the value has bytes of its own that nobody else uses."""
        if entry.inline or entry.extent[1] > len(self._layout.data):
            return False
        return not any(overlaps(entry.extent, u) for owner, u in self._used if owner is not entry)

    def store(self) -> None:
        """Give every tag its value."""
        self._cut_tail(self._others_end())
        adding = [change for change in self._changes if change.entry is None]
        at = 0
        if adding:
            self._tail += self._pad()
            at = self._end + len(self._tail)
            self._tail += bytes(6 + 12 * (len(self._layout.ifd0.entries) + len(adding)))
        entries = [(change, self._entry(change)) for change in self._changes]
        ifd0 = self._layout.ifd0
        for change, raw in entries:
            if change.entry and not (adding and change.entry in ifd0.entries):
                self._patches.append((change.entry.position, raw))
        if adding:
            self._point_to(at)
            directory = self._copy(entries)
            start = at - self._end
            self._tail[start : start + len(directory)] = directory
        self._check_growth()

    def remove(self) -> None:
        """Take tags out of IFD0; give the others their values."""
        ifd0 = self._layout.ifd0
        gone = [c.entry for c in self._changes if c.value is None]
        if ifd0.link is None or len(ifd0.entries) <= len(gone):
            raise EditRefused("nothing would be left of the TIFF file's first directory")
        kept = [(c, c.entry) for c in self._changes if c.value is not None]
        if any(entry and not self._fits(change) for change, entry in kept):
            raise EditRefused("a value of the TIFF file cannot be changed in its place")
        older = None if any(e and e in ifd0.entries for _, e in kept) else self._older(gone)
        if older is not None:
            self._point_to(older)
            self._end = self._end_before(ifd0.offset)
            self._freed = [entry for entry in self._freed if entry.offset < self._end]
        else:
            self._cut_tail(self._others_end())
        patches = {e.position: self._entry(change) for change, e in kept if e}
        if older is None:
            self._close_gap(ifd0, gone, patches)
        self._patches += patches.items()
        for change in self._changes:
            place = self._old_place(change)
            if change.value is None and place:
                self._blank(place)

    def _close_gap(
        self, ifd0: Directory, gone: list[Entry | None], patches: dict[int, bytes]
    ) -> None:
        """Write IFD0 where it is, with fewer entries."""
        own = (ifd0.offset, ifd0.end)
        if any(overlaps(own, u) for _, u in self._used if u != own):
            raise EditRefused("something else uses the bytes of the TIFF file's first directory")
        raws = [
            patches.pop(e.position, self._layout.data[e.position : e.position + 12])
            for e in ifd0.entries
            if e not in gone
        ]
        directory = self._directory(raws).ljust(ifd0.end - ifd0.offset, b"\0")
        self._patches.append((ifd0.offset, directory))

    def _older(self, gone: list[Entry | None]) -> int | None:
        """Offset of the IFD0 that the present one was copied from, where no more is at the end."""
        ifd0, data = self._layout.ifd0, self._layout.data
        own = (ifd0.offset, ifd0.end)
        if self._others_end([own]) > ifd0.offset:
            return None
        rest = bytearray(data[ifd0.end :])
        covered = 0
        for entry in self._freed:
            if entry.offset >= ifd0.end:
                start = entry.offset - ifd0.end
                rest[start : start + entry.size] = bytes(entry.size)
                covered += entry.size
        if any(rest) or len(rest) > covered + len(self._freed):
            return None
        raws = [data[e.position : e.position + 12] for e in ifd0.entries if e not in gone]
        at = data.find(self._directory(raws), 8, ifd0.offset)
        return at if at >= 0 else None

    def _end_before(self, directory_at: int) -> int:
        """Where the file ended before this directory was appended."""
        data = self._layout.data
        for pad in (_ODD_PAD, _EVEN_PAD):
            end = directory_at - len(pad)
            if (
                data[end:directory_at] == pad
                and self._others_end([(self._layout.ifd0.offset, self._layout.ifd0.end)]) <= end
            ):
                return end
        return directory_at

    def _pad(self) -> bytes:
        """What brings an appended directory to an even offset, and tells where it began."""
        if self._end % 2:
            return _ODD_PAD
        last = self._layout.data[self._end - 1 : self._end]
        return _EVEN_PAD if last in (_ODD_PAD, _EVEN_PAD[-1:]) else b""

    def _others_end(self, besides: Sequence[Extent] = ()) -> int:
        """Where the last thing ends that is neither a freed value nor one of these."""
        length = len(self._layout.data)
        others = (
            min(u[1], length)
            for owner, u in self._used
            if u[0] < length and u not in besides and not any(owner is e for e in self._freed)
        )
        return max(others, default=8)

    def _cut_tail(self, others_end: int) -> None:
        """Take freed values off the end of the file, with the bytes that make them even."""
        data = self._layout.data
        for entry in sorted(self._freed, key=lambda e: -e.offset):
            end = entry.extent[1]
            if entry.offset < others_end or self._end - end > 1 or any(data[end : self._end]):
                return
            self._end = entry.offset

    def _old_place(self, change: Change) -> Entry | None:
        """The entry of a value that has bytes of its own ahead of what is cut off."""
        entry = change.entry
        return entry if entry and entry in self._freed and entry.offset < self._end else None

    def _fits(self, change: Change) -> bool:
        """Whether a value fits into its entry, or where it has been."""
        length, place = len(change.value or b""), self._old_place(change)
        return length <= 4 or (place is not None and length <= place.size)

    def _entry(self, change: Change) -> bytes:
        """Find a place for a value and return its entry."""
        value = change.value or b""
        field = value.ljust(4, b"\0")
        place = self._old_place(change)
        if place:
            self._blank(place)
        if len(value) > 4:
            if place and self._fits(change):
                at = place.offset
                self._patches.append((at, value))
            else:
                self._tail += bytes((self._end + len(self._tail)) % 2)
                at = self._end + len(self._tail)
                self._tail += value
            field = self._layout.pack_long(at)
        items = len(value) // WIDTHS[change.kind]
        return self._layout.entry.pack(change.tag, change.kind, items, field)

    def _blank(self, entry: Entry) -> None:
        self._patches.append((entry.offset, bytes(entry.size)))

    def _copy(self, entries: list[tuple[Change, bytes]]) -> bytes:
        """IFD0 with the new and changed entries."""
        ifd0 = self._layout.ifd0
        changed = {c.entry.position: raw for c, raw in entries if c.entry}
        raws = [
            changed.get(e.position, self._layout.data[e.position : e.position + 12])
            for e in ifd0.entries
        ]
        tags = [e.tag for e in ifd0.entries]
        for change, raw in entries:
            if change.entry is None:
                before = sum(tag < change.tag for tag in tags)
                tags.insert(before, change.tag)
                raws.insert(before, raw)
        return self._directory(raws)

    def _directory(self, raws: Sequence[bytes]) -> bytes:
        link = self._layout.pack_long(self._layout.ifd0.link or 0)
        return self._layout.pack_short(len(raws)) + b"".join(raws) + link

    def _point_to(self, at: int) -> None:
        self._patches.append((4, self._layout.pack_long(at)))

    def _check_growth(self) -> None:
        """Refuse where something that points past the end of the file would find new bytes."""
        length, new = len(self._layout.data), self._end + len(self._tail)
        if new > _MAX_FILE_BYTES:
            raise EditRefused("the TIFF file would be larger than its format allows")
        if new <= length:
            return
        claims = [u for _, u in self._used] + self._layout.dangling
        note = self._layout.exif.find(MAKER_NOTE) if self._layout.exif else None
        if any(length < end <= new for _, end in claims) or (
            note and becomes_valid(self._layout.data, note.extent, new)
        ):
            raise EditRefused("something in the TIFF file points past its end")

    def result(self) -> Content:
        """The file as it is now; where patches overlap, the later one counts."""
        merged: dict[int, bytes] = {}
        for at, raw in self._patches:
            merged[at] = raw + merged.get(at, b"")[len(raw) :]
        parts: list[bytes | Extent] = []
        done = 0
        for at, raw in sorted(merged.items()):
            if at >= done and at < self._end:
                parts += [(done, at), raw]
                done = at + len(raw)
        parts += [(done, max(done, self._end)), bytes(self._tail)]
        return joined(self._layout.data, parts)
