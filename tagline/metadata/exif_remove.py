"""Taking tags out of a block again."""

from collections.abc import Collection, Sequence
from typing import Final

from tagline.errors import EditRefused
from tagline.metadata.exif_place import Draft
from tagline.metadata.field_types import DirectoryName
from tagline.metadata.tiff_block import (
    EXIF_IFD,
    IMAGE_DESCRIPTION,
    Block,
    Directory,
    Entry,
    Extent,
    overlaps,
)

_EMPTY: Final = bytes(4)


def remove_tags(block: bytes, name: DirectoryName, tags: Collection[int], *, fixed: bool) -> bytes:
    """The block without these tags of one directory; ``fixed`` keeps its length.

    Where they stand in a copy of the directory that was appended for them, what led to it is
    pointed to the older one again and the copy cut off. Else each entry is taken out of its
    directory, whose later entries move up. Where something else overlaps IFD0, a description's
    entry stays, with an empty text. An Exif IFD that would be empty goes.

    Raises:
        EditRefused: a tag cannot be taken out without risk to something else.
    """
    layout = Block(block)
    directory = layout.named(name)
    entries = [entry for entry in directory.entries if entry.tag in tags] if directory else []
    if directory is None or not entries:
        return block
    if name == "Exif" and len(entries) == len(directory.entries):
        pointers = [entry for entry in layout.ifd0.entries if entry.tag == EXIF_IFD]
        layout.pointer_to(name)
        inside = [(directory.offset, directory.end), *_values(layout, entries)]
        return _remove(layout, "IFD0", pointers, inside, fixed=fixed)
    draft = _draft(layout, fixed=fixed)
    if _return_to_older_directory(draft, name, entries, ()):
        return bytes(draft.data)
    for entry in sorted(entries, key=lambda entry: entry.offset, reverse=True):
        layout = Block(block)
        again = layout.named(name)
        found = again.find(entry.tag) if again else None
        if found is not None:
            block = _remove(layout, name, [found], _values(layout, [found]), fixed=fixed)
    return block


def _draft(layout: Block[bytes], *, fixed: bool) -> Draft:
    return Draft(layout, room=len(layout.data) + (not fixed), follow=b"")


def _values(layout: Block[bytes], entries: Sequence[Entry]) -> list[Extent]:
    """The values of these entries that nobody else uses, outside of the entries themselves."""
    draft = _draft(layout, fixed=True)
    return [entry.extent for entry in entries if not entry.inline and draft.owns(entry)]


def _remove(
    layout: Block[bytes],
    name: DirectoryName,
    entries: Sequence[Entry],
    extents: Sequence[Extent],
    *,
    fixed: bool,
) -> bytes:
    """The block without these entries and what lies in these extents for them."""
    draft = _draft(layout, fixed=fixed)
    if _return_to_older_directory(draft, name, entries, extents):
        return bytes(draft.data)
    for start, end in extents:
        draft.data[start:end] = bytes(end - start)
    if not _close_gap(draft, name, entries[0]):
        if entries[0].tag != IMAGE_DESCRIPTION:
            raise EditRefused(f"EXIF tag 0x{entries[0].tag:04x} cannot be taken out")
        empty = layout.entry.pack(IMAGE_DESCRIPTION, 2, 1, _EMPTY)
        draft.data[entries[0].position : entries[0].position + 12] = empty
    if extents and not fixed and _are_last(draft, entries, extents):
        del draft.data[min(start for start, _ in extents) :]
    return bytes(draft.data)


def _is_gone(
    used: tuple[Entry | None, Extent], entries: Sequence[Entry], extents: Sequence[Extent]
) -> bool:
    """Whether what is in use belongs to the entries that go."""
    return used[0] in entries or used[1] in extents


def _are_last(draft: Draft, entries: Sequence[Entry], extents: Sequence[Extent]) -> bool:
    """Whether the block ends with these extents, but for a byte that makes its length even."""
    rest = draft.layout.data[max(end for _, end in extents) :]
    if len(rest) > 1 or any(rest):
        return False
    start = min(start for start, _ in extents)
    if any(draft.data[start:]):
        return False
    return all(u[1][1] <= start for u in draft.used if not _is_gone(u, entries, extents))


def _return_to_older_directory(
    draft: Draft, name: DirectoryName, entries: Sequence[Entry], extents: Sequence[Extent]
) -> bool:
    """Undo the appending of a directory, where that and its values is all that was appended."""
    layout = draft.layout
    directory = layout.named(name)
    if directory is None or directory.link is None or len(directory.entries) <= len(entries):
        return False
    start = directory.offset
    own = [(start, directory.end), *extents, *(e.extent for e in entries if not e.inline)]
    end = max(end for _, end in own)
    covered = bytearray(layout.data)
    for first, last in own:
        covered[first:last] = bytes(max(0, min(last, len(covered)) - first))
    if any(covered[start:]) or (len(layout.data) - end > 1 and not draft.fixed):
        return False
    for used in draft.used:
        if used[1] not in own and not _is_gone(used, entries, extents) and used[1][1] > start:
            return False
    at = _older(draft, directory, entries)
    if at is None:
        return False
    pointer = layout.pointer_to(name)
    draft.data[pointer : pointer + 4] = layout.pack_long(at)
    draft.data[start:] = bytes(len(draft.data) - start) if draft.fixed else b""
    return True


def _older(draft: Draft, directory: Directory, entries: Sequence[Entry]) -> int | None:
    """Where the directory stands without these entries, ahead of the place it has now."""
    kept = [entry for entry in directory.entries if entry not in entries]
    raw = draft.layout.pack_short(len(kept))
    raw += b"".join(bytes(draft.data[e.position : e.position + 12]) for e in kept)
    raw += draft.layout.pack_long(directory.link or 0)
    at = draft.data.find(raw, 8, directory.offset)
    return at if at >= 0 and at % 2 == 0 else None


def _close_gap(draft: Draft, name: DirectoryName, entry: Entry) -> bool:
    """Take the entry out of its directory in place; False where that could disturb something."""
    directory = draft.layout.named(name)
    if directory is None or directory.link is None or len(directory.entries) < 2:
        return False
    first, second = directory.entries[:2]
    if entry.position == first.position and not second.has_known_type:
        # Readers take a directory that begins with a damaged entry for damaged as a whole.
        return False
    own = (directory.offset, directory.end)
    if any(overlaps((entry.position, directory.end), u) for _, u in draft.used if u != own):
        return False
    later = bytes(draft.data[entry.position + 12 : directory.end])
    draft.data[entry.position : directory.end] = later + bytes(12)
    count = draft.layout.pack_short(len(directory.entries) - 1)
    draft.data[directory.offset : directory.offset + 2] = count
    return True
