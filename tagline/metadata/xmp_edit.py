"""Writing fields into an XMP packet; every byte that need not change stays.

Each field has a property that always says it, and others that follow where they are there, or
where they held the old value. The packet keeps its length as far as its padding allows. Every edit
is parsed again: it is refused unless each value reads back and every other property is what it was.
"""

from collections.abc import Callable, Collection, Mapping

from tagline.errors import EditRefused
from tagline.metadata import xmp, xmp_change, xmp_compare
from tagline.metadata import xmp_names as names
from tagline.metadata.defaults import is_default
from tagline.metadata.field_types import Edits, FieldEdit, When, Words, XmpPlace
from tagline.metadata.fields import describing
from tagline.metadata.xmp_change import Splice
from tagline.metadata.xmp_packet import TOOLKIT, fitted, new_packet
from tagline.metadata.xmp_text import check_text
from tagline.metadata.xmp_tree import Document, parse


def edit(packet: bytes | None, text: str | None, *, old_text: str | None = None) -> bytes | None:
    """The packet with this description, or without one; see ``edit_fields``."""
    return edit_fields(packet, (describing(text, old_text),))


def edit_fields(packet: bytes | None, edits: Edits) -> bytes | None:
    """The packet with these fields as they are to be.

    Without a packet a new one is made, wrapped and padded. tiff:ImageDescription and
    exif:UserComment follow the description where they held the old one, or what dc:description
    showed; with the description removed, any tiff:ImageDescription that would be shown in its stead
    goes as well. Equal bytes come back when nothing changes; None when nothing is left that Tagline
    did not make.

    Raises:
        EditRefused: the packet is not UTF-8, not well formed or not made the usual way, a value has
            a character that XML cannot hold, or the result does not prove right.
    """
    if packet is None or not packet.strip(b"\0 \t\r\n"):
        said = _checked(new_properties(edits))
        return new_packet(said, padded=True) if said else packet
    document = parse(packet)
    wanted: dict[str, Words | None] = {}
    for edit in edits:
        wanted |= _wanted(document, edit)
    changed = change(packet, wanted, keep_length=True)
    removes = any(edit.removes for edit in edits)
    return None if removes and is_own_and_empty(changed) else changed


def new_properties(edits: Edits, *, in_sidecar: bool = False) -> dict[str, Words | None]:
    """What a packet that is made for these fields says."""
    return {
        place.name: place.encode(edit, ())
        for edit in edits
        for place in edit.field.xmp
        if (place.in_sidecar if in_sidecar else place.in_file) is When.ALWAYS
    }


def sidecar_properties(packet: bytes, edits: Edits) -> dict[str, Words | None]:
    """What the properties of a sidecar that is there are to say."""
    wanted: dict[str, Words | None] = {}
    for edit in edits:
        for place in edit.field.xmp:
            now = xmp.texts(packet, place.name)
            if place.in_sidecar is When.ALWAYS or (place.in_sidecar is When.THERE and any(now)):
                wanted[place.name] = place.encode(edit, now)
    return wanted


def change(
    packet: bytes, wanted: Mapping[str, Words | None], *, keep_length: bool = False
) -> bytes:
    """The packet with each property set to its words, made where it is missing, or removed.

    With ``keep_length`` the padding gives and takes, so that the length stays as far as it can.

    Raises:
        EditRefused: as for ``edit_fields``.
    """
    setting = _checked(wanted)
    removed = _apply(packet, lambda found: xmp_change.removing(found, _gone(found, wanted)))
    changed = _apply(removed, lambda found: _setting(found, setting))
    if keep_length:
        changed = _fitted(packet, changed)
    if changed != packet:
        _prove(packet, changed, wanted)
    return changed


def is_own_and_empty(packet: bytes, own: Collection[str] = ()) -> bool:
    """Whether Tagline made the packet and it says nothing, properties in ``own`` apart.

    Raises:
        EditRefused: the packet is not well formed.
    """
    if not xmp_compare.toolkit(packet).startswith(TOOLKIT):
        return False
    return not xmp_compare.without(xmp_compare.properties(packet), own)


def _wanted(document: Document, edit: FieldEdit) -> dict[str, Words | None]:
    """What the field's properties in the packet of a file are to say."""
    main = edit.field.xmp[0].name
    shown = xmp_change.shown_texts(document, main)
    olds = [*shown, edit.old if isinstance(edit.old, str) else ""]
    wanted: dict[str, Words | None] = {}
    for place in edit.field.xmp:
        if _is_wanted(document, place, olds, removes=edit.removes):
            wanted[place.name] = place.encode(edit, xmp_change.all_texts(document, place.name))
    return wanted


def _is_wanted(
    document: Document, place: XmpPlace, olds: Collection[str], *, removes: bool
) -> bool:
    """Whether a property is to be written in a file."""
    if place.in_file is When.HELD:
        would_show = removes and place.name == names.TIFF_DESCRIPTION
        return _holds(document, place.name, olds) or (
            would_show and _would_show(document, place.name)
        )
    is_there = any(xmp_change.all_texts(document, place.name))
    return is_there or (place.in_file is When.ALWAYS and not removes)


def _gone(document: Document, wanted: Mapping[str, Words | None]) -> list[str]:
    """Properties that go, and those of a list that is made anew since it is none as it stands."""
    return [
        name
        for name, words in wanted.items()
        if not words or (isinstance(words, tuple) and not _stays_list(document, name, words))
    ]


def _stays_list(document: Document, name: str, words: tuple[str, ...]) -> bool:
    is_said = xmp_change.all_texts(document, name) == list(words)
    return is_said or xmp_change.is_list(document, name)


def _apply(packet: bytes, plan: Callable[[Document], list[Splice]]) -> bytes:
    """The packet with the planned changes."""
    document = parse(packet)
    splices = plan(document)
    if not splices:
        return packet
    return document.lead + xmp_change.apply(document.data, splices) + document.tail


def _fitted(before: bytes, after: bytes) -> bytes:
    """The packet at the length it had, as far as its padding allows, NULs behind it apart."""
    data = after.rstrip(b"\0")
    return fitted(data, len(data) + len(before) - len(after)) + after[len(data) :]


def _setting(document: Document, said: Mapping[str, Words]) -> list[Splice]:
    splices: list[Splice] = []
    missing: dict[str, Words] = {}
    for name, words in said.items():
        if xmp_change.shown_texts(document, name):
            splices += xmp_change.setting(document, name, words)
        else:
            missing[name] = words
    return splices + xmp_change.adding(document, missing)


def _checked(wanted: Mapping[str, Words | None]) -> dict[str, Words]:
    """The properties that get words, each fit for XML."""
    setting = {name: words for name, words in wanted.items() if words}
    for words in setting.values():
        for text in words if isinstance(words, tuple) else (words,):
            check_text(text)
    return setting


def _holds(document: Document, name: str, olds: Collection[str]) -> bool:
    """Whether the property shows one of the old texts, line ends and outer blanks apart."""
    known = {_plain(text) for text in olds} - {""}
    return any(_plain(text) in known for text in xmp_change.shown_texts(document, name))


def _would_show(document: Document, name: str) -> bool:
    """Whether the property shows a text that a person wrote."""
    texts = xmp_change.shown_texts(document, name)
    return any(text.strip() and not is_default(text) for text in texts)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _prove(before: bytes, after: bytes, wanted: Mapping[str, Words | None]) -> None:
    if xmp_compare.differences(before, after, wanted.keys()):
        raise EditRefused("another property of the XMP packet would change")
    for name, words in wanted.items():
        texts = xmp.texts(after, name)
        read = tuple(texts) if isinstance(words, tuple) else xmp.shown_text(after, name)
        if (read or None) != (words or None):
            raise EditRefused(f"the XMP {names.local_name(name)} does not read back")
