"""Changing fields in an EXIF block and nothing else.

Maker notes hold offsets from the start of the block, and nobody knows all of them. So every byte
stays where it is: a value that fits takes its old place, a longer one is appended and its entry
re-pointed, and where a directory has no entry to spare a longer copy of it is appended and what
led to it re-pointed. What former edits appended is at the end, is recognised there and used again.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from tagline.errors import EditRefused
from tagline.metadata.exif_fresh import build_block, values_of
from tagline.metadata.exif_place import Draft, Wanted
from tagline.metadata.exif_remove import remove_tags
from tagline.metadata.field_types import Edits, ExifPlace, FieldEdit, When
from tagline.metadata.fields import describing
from tagline.metadata.tiff_block import Block, Entry

_TEXTUAL: Final = frozenset({1, 2, 7})


class Wish(NamedTuple):
    """A place to be written: its entry, if it has one, and its value; None for none."""

    place: ExifPlace
    entry: Entry | None
    value: bytes | None


def edit_block(
    block: bytes, text: str | None, *, room: int, follow: bytes = b"", old_text: str | None = None
) -> bytes:
    """The block with this description, or without one; see ``edit_fields``."""
    return edit_fields(block, (describing(text, old_text),), room=room, follow=follow)


def edit_fields(block: bytes, edits: Edits, *, room: int, follow: bytes = b"") -> bytes:
    """The block with these fields as they are to be.

    Args:
        block: from the TIFF header on.
        edits: what is to change; places that can say something else follow where they hold the
            old value.
        room: the most bytes that the new block may have. Where that is not more than the block
            has, its length stays exactly.
        follow: the bytes that follow the block in its file; thumbnails of some cameras run a few
            bytes into them, and keep them when the block grows.

    Raises:
        EditRefused: it cannot be done without risk to something else in the block.
    """
    layout = Block(block)
    layout.check()
    fixed = room <= len(block)
    block = _without(layout, [w for w in _wishes(layout, edits) if w.value is None], fixed=fixed)
    layout = Block(block)
    wanted = [
        Wanted(wish.entry, wish.place.tag, wish.place.kind, wish.value, wish.place.directory)
        for wish in _wishes(layout, edits)
        if wish.value is not None and not _holds(layout, wish)
    ]
    if not wanted:
        return block
    return Draft(layout, room=room, follow=follow).store(wanted)


def edit_or_make(
    block: bytes | None, edits: Edits, *, room: int, follow: bytes = b""
) -> bytes | None:
    """The block with these fields: made where there is none, gone where nothing is left in it.

    Raises:
        EditRefused: as for ``edit_fields``.
    """
    made = {} if block is None else values_of(block)
    if made is None and block is not None:
        return edit_fields(block, edits, room=room, follow=follow)
    values = made or {}
    for edit in edits:
        for place in edit.field.exif:
            value = place.encode(edit.new, ">")
            if value is not None and place.when is When.ALWAYS:
                values[place.directory, place.tag] = value
            else:
                values.pop((place.directory, place.tag), None)
    return build_block(values) if values else None


def fresh_block(text: str) -> bytes:
    """A block that holds this description and nothing else."""
    return edit_or_make(None, (describing(text, None),), room=0) or b""


def is_fresh(block: bytes) -> bool:
    """Whether the block is exactly what Tagline makes, so that nothing else is in it."""
    return values_of(block) is not None


def _wishes(layout: Block[bytes], edits: Edits) -> Iterator[Wish]:
    for edit in edits:
        for place in edit.field.exif:
            wish = _wish(layout, edit, place)
            if wish is not None:
                yield wish


def _wish(layout: Block[bytes], edit: FieldEdit, place: ExifPlace) -> Wish | None:
    """What is to be done at a place; None where it is to be left alone.

    Raises:
        EditRefused: the tag is there more than once.
    """
    directory = layout.named(place.directory)
    found = [e for e in directory.entries if e.tag == place.tag] if directory else []
    if len(found) > 1:
        raise EditRefused(f"the EXIF block holds tag 0x{place.tag:04x} twice")
    entry = found[0] if found else None
    value = place.encode(edit.new, layout.order)
    if entry is None and (place.when is not When.ALWAYS or value is None):
        return None
    if place.when is When.HELD and not (entry and _held(layout, entry, edit, place)):
        return None
    return Wish(place, entry, value)


def _held(layout: Block[bytes], entry: Entry, edit: FieldEdit, place: ExifPlace) -> bool:
    """Whether a place that can say something else holds the old value."""
    if edit.old is None or place.read is None:
        return False
    found = place.read(layout.value(entry), layout.order)
    return found is not None and found.rstrip() == str(edit.old).rstrip()


def _holds(layout: Block[bytes], wish: Wish) -> bool:
    """Whether the tag has this value already, NUL padding of a text aside."""
    entry, wanted = wish.entry, wish.value
    if entry is None or wanted is None or entry.kind != wish.place.kind:
        return False
    value = layout.value(entry)
    is_text = entry.kind in _TEXTUAL
    return value == wanted or (is_text and value.rstrip(b"\0") == wanted.rstrip(b"\0"))


def _without(layout: Block[bytes], wishes: list[Wish], *, fixed: bool) -> bytes:
    """The block with these places emptied: copies of a text blanked, all others taken out."""
    block = layout.data
    copies = [w for w in wishes if w.place.when is When.HELD and w.entry]
    if copies:
        draft = Draft(layout, room=len(block), follow=b"")
        for wish in copies:
            if wish.entry:
                draft.blank(wish.entry, keep=wish.place.kept_bytes)
        block = bytes(draft.data)
    for name in ("Exif", "IFD0"):
        own = [w.place for w in wishes if w.place.directory == name]
        gone = {place.tag for place in own if place.when is not When.HELD}
        block = remove_tags(block, name, gone, fixed=fixed) if gone else block
    return block
