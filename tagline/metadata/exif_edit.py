"""Changing the description in an EXIF block and nothing else.

Maker notes hold offsets from the start of the block, and nobody knows all of them. So every byte
stays where it is: a text that fits takes its old place, a longer one is appended and its entry
re-pointed, and where IFD0 has no entry to spare a longer copy of IFD0 is appended and the header
re-pointed. What former edits appended is at the end, is recognised there and used again.
"""

from typing import Final, NamedTuple

from tagline.errors import EditRefused
from tagline.metadata import exif_text
from tagline.metadata.exif_piexif import build_block
from tagline.metadata.exif_place import Draft, Wanted
from tagline.metadata.exif_remove import remove_description
from tagline.metadata.tiff_block import (
    IMAGE_DESCRIPTION,
    USER_COMMENT,
    XP_COMMENT,
    Block,
    Entry,
)

_ASCII_TYPE: Final = 2
_BYTE_TYPE: Final = 1
_UNDEFINED_TYPE: Final = 7


class Copies(NamedTuple):
    """The entries that held the old text beside ImageDescription."""

    user_comment: Entry | None
    xp_comment: Entry | None


def edit_block(
    block: bytes, text: str | None, *, room: int, follow: bytes = b"", old_text: str | None = None
) -> bytes:
    """The block with this ImageDescription, or without one.

    UserComment and XPComment are changed with it when they hold the old text.

    Args:
        block: from the TIFF header on.
        text: the description; None removes it.
        room: the most bytes that the new block may have. Where that is not more than the block
            has, its length stays exactly.
        follow: the bytes that follow the block in its file; thumbnails of some cameras run a few
            bytes into them, and keep them when the block grows.
        old_text: the description so far, where it may stand in other tags.

    Raises:
        EditRefused: it cannot be done without risk to something else in the block.
    """
    layout = Block(block)
    layout.check()
    copies = _copies(layout, old_text) if old_text is not None else Copies(None, None)
    if text is None:
        return _remove(layout, copies, fixed=room <= len(block))
    wanted = [w for w in _wanted(layout, text, copies) if not _holds(layout, w)]
    if not wanted:
        return block
    return Draft(layout, room=room, follow=follow).store(wanted)


def fresh_block(text: str) -> bytes:
    """A block that holds this description and nothing else."""
    return build_block({IMAGE_DESCRIPTION: text.encode()})


def is_fresh(block: bytes) -> bool:
    """Whether the block is exactly what ``fresh_block`` makes, so that nothing else is in it."""
    try:
        entry = Block(block).ifd0.find(IMAGE_DESCRIPTION)
        if entry is None or entry.size > len(block):
            return False
        raw = block[entry.offset : entry.offset + entry.size].rstrip(b"\0")
        return block == fresh_block(raw.decode())
    except (EditRefused, UnicodeDecodeError):
        return False


def _copies(layout: Block, old_text: str) -> Copies:
    xp = layout.ifd0.find(XP_COMMENT)
    if xp is not None and exif_text.utf16(layout.value(xp), "utf-16-le") != old_text:
        xp = None
    comment = layout.exif.find(USER_COMMENT) if layout.exif else None
    if comment is not None and not _is_comment(layout, comment, old_text):
        comment = None
    return Copies(comment, xp)


def _is_comment(layout: Block, entry: Entry, old_text: str) -> bool:
    found = exif_text.user_comment(layout.value(entry), layout.order)
    return found is not None and found.rstrip() == old_text.rstrip()


def _wanted(layout: Block, text: str, copies: Copies) -> list[Wanted]:
    wanted = [
        Wanted(
            layout.ifd0.find(IMAGE_DESCRIPTION),
            IMAGE_DESCRIPTION,
            _ASCII_TYPE,
            text.encode() + b"\0",
        )
    ]
    if copies.user_comment:
        value = exif_text.encode_user_comment(text, layout.order)
        wanted.append(Wanted(copies.user_comment, USER_COMMENT, _UNDEFINED_TYPE, value))
    if copies.xp_comment:
        value = exif_text.encode_xp(text)
        wanted.append(Wanted(copies.xp_comment, XP_COMMENT, _BYTE_TYPE, value))
    return wanted


def _holds(layout: Block, wanted: Wanted) -> bool:
    """Whether the tag has this value already, NUL padding aside."""
    entry = wanted.entry
    if entry is None or entry.kind != wanted.kind:
        return False
    value = layout.value(entry)
    return value == wanted.value or value.rstrip(b"\0") == wanted.value.rstrip(b"\0")


def _remove(layout: Block, copies: Copies, *, fixed: bool) -> bytes:
    draft = Draft(layout, room=len(layout.data), follow=b"")
    if copies.user_comment:
        draft.blank(copies.user_comment, keep=8)
    if copies.xp_comment:
        draft.blank(copies.xp_comment, keep=0)
    return remove_description(draft, fixed=fixed)
