"""Writing fields into a TIFF: its tags and XMP, and IPTC where that is there.

Image data, pages and every other tag stay where they are; see ``tiff_place`` for what is written
where. BigTIFF, RAW photos, scientific images and descriptions that programs read are refused.
"""

from hashlib import md5
from typing import Final

from tagline.errors import EditRefused
from tagline.metadata import exif_text, iptc_edit, photoshop, tiff_metadata
from tagline.metadata.chunk_edit import edit_xmp
from tagline.metadata.content import Content
from tagline.metadata.draft import BLOCK_LIMIT
from tagline.metadata.field_types import Edits, FieldEdit, When
from tagline.metadata.fields import DESCRIPTION, describing
from tagline.metadata.proof_tiff import prove_tiff_fields
from tagline.metadata.tiff_admission import admit, is_structured
from tagline.metadata.tiff_block import IMAGE_DESCRIPTION, USER_COMMENT, XP_COMMENT, Block, Entry
from tagline.metadata.tiff_place import Change, apply
from tagline.metadata.tiff_survey import Survey

_BYTE, _ASCII, _LONG, _UNDEFINED, _UTF8 = 1, 2, 4, 7, 129
_IPTC_TYPES: Final = (_BYTE, _ASCII, _LONG, _UNDEFINED)
_BLOB_TYPES: Final = (_BYTE, _UNDEFINED)
_TEXT_TYPES: Final = (_BYTE, _ASCII, _UNDEFINED, _UTF8)


def embed(data: Content, text: str | None, old_text: str | None) -> Content:
    """The file with this description, or without one; see ``embed_fields``."""
    return embed_fields(data, (describing(text, old_text),))


def embed_fields(data: Content, edits: Edits) -> Content:
    """The file with these fields in every place that would otherwise contradict them.

    Args:
        data: the whole file.
        edits: the fields, each with the value that the file shows now: places that can say
            something else as well follow where they hold it.

    Returns:
        The new file, proven; equal to ``data`` when nothing has to change.

    Raises:
        EditRefused: it cannot be done provably safely.
    """
    for edit in edits:
        data = _embed_one(data, edit)
    return data


def _embed_one(data: Content, edit: FieldEdit) -> Content:
    text = str(edit.new) if edit.new and edit.field is DESCRIPTION else None
    if text is not None and is_structured(text.encode()):
        raise EditRefused("programs would take a description of this form for data of their own")
    admit(Survey(data))
    layout = Block(data)
    layout.check()
    changes = _TiffChanges(layout)
    if edit.field is DESCRIPTION:
        changes.description(text)
        changes.copies(text, str(edit.old) if edit.old else None)
    else:
        changes.tags(edit)
    changes.xmp((edit,))
    changes.iptc((edit,))
    if not changes.found:
        return data
    result = apply(layout, changes.found)
    prove_tiff_fields(data, result, (edit,))
    return result


class _TiffChanges:
    """Collects what has to change in the tags of a file."""

    def __init__(self, layout: Block[Content]) -> None:
        self._layout = layout
        self.found: list[Change] = []

    def description(self, text: str | None) -> None:
        """Set or remove ImageDescription; it is ASCII by its type, and UTF-8 by content."""
        entry = self._layout.ifd0.find(IMAGE_DESCRIPTION)
        if entry is not None and entry.kind not in _TEXT_TYPES:
            raise EditRefused("the description of the TIFF file is no text")
        if text is None:
            if entry is not None:
                self.found.append(Change(entry, IMAGE_DESCRIPTION, _ASCII, None))
            return
        value = text.encode() + b"\0"
        same = entry is not None and entry.kind == _ASCII
        if not (same and entry and self._layout.value(entry).rstrip(b"\0") == value.rstrip(b"\0")):
            self.found.append(Change(entry, IMAGE_DESCRIPTION, _ASCII, value))

    def tags(self, edit: FieldEdit) -> None:
        """Set or remove the tags of a field; those of the Exif IFD only where they are."""
        for place in edit.field.exif:
            directory = self._layout.named(place.directory)
            entry = directory.find(place.tag) if directory else None
            value = place.encode(edit.new, self._layout.order)
            if entry is None and (value is None or place.when is not When.ALWAYS):
                continue
            if place.directory != "IFD0" and (entry is None or value is None):
                raise EditRefused("the Exif directory of a TIFF file cannot get or lose tags")
            if entry is not None and value is not None:
                self._replace(entry, place.kind, value)
            else:
                self.found.append(Change(entry, place.tag, place.kind, value))

    def copies(self, text: str | None, old_text: str | None) -> None:
        """Have XPComment and UserComment follow where they held the old text."""
        if not old_text:
            return
        order = self._layout.order
        xp = self._layout.ifd0.find(XP_COMMENT)
        if xp and exif_text.utf16(self._layout.value(xp), "utf-16-le") == old_text:
            value = exif_text.encode_xp(text or "")
            self._replace(xp, _BYTE, value if text else bytes(xp.size))
        comment = self._layout.exif.find(USER_COMMENT) if self._layout.exif else None
        if comment is None:
            return
        was = self._layout.value(comment)
        if (exif_text.user_comment(was, order) or "").rstrip() == old_text.rstrip():
            blank = was[:8].ljust(comment.size, b"\0")
            value = exif_text.encode_user_comment(text, order) if text else blank
            self._replace(comment, _UNDEFINED, value)

    def xmp(self, edits: Edits) -> None:
        """Edit the XMP packet; make one where there is none and a field has a value."""
        entry = self._layout.ifd0.find(tiff_metadata.XMP)
        old = self._blob(entry, _BLOB_TYPES) if entry else None
        new = edit_xmp(old, edits)
        if new == old:
            return
        if new is not None and old is not None:
            # White space may follow the packet (ISO 16684-1, 7.3.2), and keeps its place big.
            new = new.ljust(len(old))
        kind = entry.kind if entry else _BYTE
        self.found.append(Change(entry, tiff_metadata.XMP, kind, new))

    def iptc(self, edits: Edits) -> None:
        """Edit the fields' data sets where there is IPTC: in a tag of its own, in Photoshop's."""
        own = self._layout.ifd0.find(tiff_metadata.IPTC)
        old = self._iim(own) if own else b""
        new = iptc_edit.edit_data_sets(old, edits) if old else b""
        raw = self._layout.value(own) if own else b""
        new_raw = raw
        if own and new != old:
            new_raw = new + bytes(-len(new) % 4 if own.kind == _LONG else 0)
            self._replace(own, own.kind, new_raw)
        entry = self._layout.ifd0.find(tiff_metadata.PHOTOSHOP)
        if entry is None:
            return
        payload = self._blob(entry, _BLOB_TYPES)
        resources = iptc_edit.edit_fields(payload, edits)
        if old and photoshop.find_iptc(payload).iptc is None:
            for before, after in ((old, new), (raw, new_raw)):
                resources = _with_digest(resources, before, after)
        if resources != payload:
            self._replace(entry, entry.kind, resources)

    def _iim(self, entry: Entry) -> bytes:
        """The data sets of the IPTC tag, without what fills up its last LONG.

        Raises:
            EditRefused: they are in no known order.
        """
        raw = self._blob(entry, _IPTC_TYPES)
        if raw.strip(b"\0") and raw[:1] != b"\x1c":
            raise EditRefused("the IPTC of the TIFF file is in an unknown order")
        return raw.rstrip(b"\0") if entry.kind == _LONG and _is_padded(raw) else raw

    def _blob(self, entry: Entry, kinds: tuple[int, ...]) -> bytes:
        if entry.kind not in kinds or entry.size > BLOCK_LIMIT:
            raise EditRefused(f"TIFF tag 0x{entry.tag:04x} is of an unknown type, or too large")
        return self._layout.value(entry)

    def _replace(self, entry: Entry, kind: int, value: bytes) -> None:
        if value != self._layout.value(entry) or kind != entry.kind:
            self.found.append(Change(entry, entry.tag, kind, value))


def _is_padded(raw: bytes) -> bool:
    """Whether at most three zeros stand behind the last data set, as a LONG may need."""
    return 0 < len(raw) - len(raw.rstrip(b"\0")) <= 3


def _with_digest(payload: bytes, old: bytes, new: bytes) -> bytes:
    """The resources with the digest of the IPTC tag renewed where it was right before."""
    for block in photoshop.resources(payload).all_of(photoshop.IPTC_DIGEST):
        if payload[block.data_start : block.data_end] == _digest(old):
            payload = payload[: block.data_start] + _digest(new) + payload[block.data_end :]
    return payload


def _digest(iim: bytes) -> bytes:
    return md5(iim, usedforsecurity=False).digest()
