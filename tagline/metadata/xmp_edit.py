"""Writing a description into an XMP packet; every byte that need not change stays.

dc:description says the text; tiff:ImageDescription and exif:UserComment follow where they held the
old one. The packet keeps its length as far as its padding allows. Every edit is parsed again: it is
refused unless the text reads back and every other property is what it was.
"""

from collections.abc import Callable, Collection, Mapping

from tagline.errors import EditRefused
from tagline.metadata import xmp, xmp_change, xmp_compare
from tagline.metadata import xmp_names as names
from tagline.metadata.defaults import is_default
from tagline.metadata.xmp_change import Splice
from tagline.metadata.xmp_packet import TOOLKIT, fitted, new_packet
from tagline.metadata.xmp_text import check_text
from tagline.metadata.xmp_tree import Document, parse

FOLLOWERS = (names.TIFF_DESCRIPTION, names.EXIF_USER_COMMENT)
"""Properties that say the description again in some files."""

TOUCHED = (names.DC_DESCRIPTION, *FOLLOWERS)
"""Every property that an edit may change."""


def edit(packet: bytes | None, text: str | None, *, old_text: str | None = None) -> bytes | None:
    """The packet with dc:description saying ``text``; None or empty removes it.

    Without a packet a new one is made, wrapped and padded. tiff:ImageDescription and
    exif:UserComment follow where they held ``old_text`` or what dc:description showed; with the
    description removed, any tiff:ImageDescription that would be shown in its stead goes as well.
    Equal bytes come back when nothing changes; None when nothing is left that Tagline did not make.

    Raises:
        EditRefused: the packet is not UTF-8, not well formed or not made the usual way, the text
            has a character that XML cannot hold, or the result does not prove right.
    """
    text = text or None
    if packet is None or not packet.strip(b"\0 \t\r\n"):
        return new_packet(_checked({names.DC_DESCRIPTION: text}), padded=True) if text else packet
    document = parse(packet)
    shown = xmp_change.shown_texts(document, names.DC_DESCRIPTION)
    olds = [*shown, old_text or ""]
    wanted: dict[str, str | None] = {names.DC_DESCRIPTION: text} if text or any(shown) else {}
    for name in FOLLOWERS:
        if _holds(document, name, olds):
            wanted[name] = text
    if text is None and _would_show(document, names.TIFF_DESCRIPTION):
        wanted[names.TIFF_DESCRIPTION] = None
    changed = change(packet, wanted, keep_length=True)
    return None if text is None and is_own_and_empty(changed) else changed


def change(packet: bytes, wanted: Mapping[str, str | None], *, keep_length: bool = False) -> bytes:
    """The packet with each property set to its text, made where it is missing, or removed.

    With ``keep_length`` the padding gives and takes, so that the length stays as far as it can.

    Raises:
        EditRefused: as for ``edit``.
    """
    setting = _checked(wanted)
    removed = _apply(
        packet, lambda found: xmp_change.removing(found, wanted.keys() - setting.keys())
    )
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


def _setting(document: Document, texts: Mapping[str, str]) -> list[Splice]:
    splices: list[Splice] = []
    missing: dict[str, str] = {}
    for name, text in texts.items():
        if xmp_change.shown_texts(document, name):
            splices += xmp_change.setting(document, name, text)
        else:
            missing[name] = text
    return splices + xmp_change.adding(document, missing)


def _checked(wanted: Mapping[str, str | None]) -> dict[str, str]:
    """The properties that get a text, each fit for XML."""
    setting = {name: text for name, text in wanted.items() if text}
    for text in setting.values():
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


def _prove(before: bytes, after: bytes, wanted: Mapping[str, str | None]) -> None:
    if xmp_compare.differences(before, after, wanted.keys()):
        raise EditRefused("another property of the XMP packet would change")
    values = xmp.read(after)
    read = {
        names.DC_DESCRIPTION: values.description,
        names.TIFF_DESCRIPTION: values.tiff_description,
        names.EXIF_USER_COMMENT: values.user_comment,
        names.FINGERPRINT: values.fingerprint,
    }
    if any(read[name] != (text or None) for name, text in wanted.items()):
        raise EditRefused("the XMP description does not read back")
