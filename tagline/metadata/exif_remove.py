"""Taking the ImageDescription out of a block again."""

from typing import Final

from tagline.metadata.exif_place import Draft
from tagline.metadata.tiff_block import IMAGE_DESCRIPTION, Entry, overlaps

_EMPTY: Final = bytes(4)


def remove_description(draft: Draft, *, fixed: bool) -> bytes:
    """The block without ImageDescription; ``fixed`` keeps its length.

    Where the description stands in a copy of IFD0 that was appended for it, the header is pointed
    to the older IFD0 again and the copy cut off. Else its entry is taken out of IFD0, whose later
    entries move up. Where something else overlaps IFD0, the entry stays, with an empty text.
    """
    entry = draft.layout.ifd0.find(IMAGE_DESCRIPTION)
    if entry is None:
        return bytes(draft.data)
    if _return_to_older_directory(draft, entry, fixed=fixed):
        return bytes(draft.data)
    owned = draft.owns(entry)
    if owned and not entry.inline:
        draft.data[entry.offset : entry.extent[1]] = bytes(entry.size)
    if not _close_gap(draft, entry):
        empty = draft.layout.entry.pack(IMAGE_DESCRIPTION, 2, 1, _EMPTY)
        draft.data[entry.position : entry.position + 12] = empty
    if owned and not entry.inline and not fixed and _is_last(draft, entry):
        del draft.data[entry.offset :]
    return bytes(draft.data)


def _is_last(draft: Draft, entry: Entry) -> bool:
    """Whether the block ends with this value, but for a byte that makes its length even."""
    rest = draft.layout.data[entry.extent[1] :]
    if len(rest) > 1 or any(rest):
        return False
    return all(u[1] <= entry.offset for owner, u in draft.used if owner is not entry)


def _return_to_older_directory(draft: Draft, entry: Entry, *, fixed: bool) -> bool:
    """Undo the appending of IFD0, where that is all that was appended."""
    layout = draft.layout
    ifd0 = layout.ifd0
    start = ifd0.offset
    end = ifd0.end if entry.inline else entry.extent[1]
    in_order = entry.inline or entry.offset == ifd0.end
    if ifd0.link is None or len(ifd0.entries) < 2 or not in_order:
        return False
    if any(layout.data[end:]) or (len(layout.data) - end > 1 and not fixed):
        return False
    for owner, extent in draft.used:
        is_own = owner is entry or extent == (ifd0.offset, ifd0.end)
        if not is_own and extent[1] > start:
            return False
    entries = [
        bytes(draft.data[e.position : e.position + 12]) for e in ifd0.entries if e is not entry
    ]
    older = layout.pack_short(len(entries)) + b"".join(entries) + layout.pack_long(ifd0.link)
    at = draft.data.find(older, 8, start)
    if at < 0 or at % 2:
        return False
    draft.data[4:8] = layout.pack_long(at)
    draft.data[start:] = bytes(len(draft.data) - start) if fixed else b""
    return True


def _close_gap(draft: Draft, entry: Entry) -> bool:
    """Take the entry out of IFD0 in place; False where that could disturb something."""
    ifd0 = draft.layout.ifd0
    if ifd0.link is None or len(ifd0.entries) < 2:
        return False
    own = (ifd0.offset, ifd0.end)
    if any(overlaps((entry.position, ifd0.end), u) for _, u in draft.used if u != own):
        return False
    later = bytes(draft.data[entry.position + 12 : ifd0.end])
    draft.data[entry.position : ifd0.end] = later + bytes(12)
    count = draft.layout.pack_short(len(ifd0.entries) - 1)
    draft.data[ifd0.offset : ifd0.offset + 2] = count
    return True
