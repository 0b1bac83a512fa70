"""EXIF blocks that Tagline makes itself: texts in IFD0 and the Exif IFD, and nothing else."""

from collections.abc import Mapping
from struct import pack
from typing import Final

from tagline.errors import EditRefused
from tagline.metadata.field_types import DirectoryName, When
from tagline.metadata.fields import FIELDS
from tagline.metadata.tiff_block import EXIF_IFD, Block

_ASCII: Final = 2
_LONG: Final = 4
_HEADER: Final = b"MM\0*\0\0\0\x08"

Values = dict[tuple[DirectoryName, int], bytes]
"""Values by directory and tag; each is a text with its closing NUL."""

_MADE: Final = frozenset(
    (place.directory, place.tag)
    for field in FIELDS
    for place in field.exif
    if place.when is When.ALWAYS
)


def build_block(values: Values) -> bytes:
    """A TIFF block with these texts, big-endian (TIFF 6.0, section 2)."""
    ifd0 = {tag: text for (name, tag), text in values.items() if name == "IFD0"}
    exif = {tag: text for (name, tag), text in values.items() if name == "Exif"}
    if not exif:
        return _HEADER + _directory(len(_HEADER), ifd0, None)
    first = _directory(len(_HEADER), ifd0, 0)
    exif_at = len(_HEADER) + len(first) + len(first) % 2
    first = _directory(len(_HEADER), ifd0, exif_at)
    return _HEADER + first + bytes(len(first) % 2) + _directory(exif_at, exif, None)


def values_of(block: bytes) -> Values | None:
    """The values of a block that Tagline made; None where something else is in it."""
    values: Values = {}
    try:
        layout = Block(block)
    except EditRefused:
        return None
    names: tuple[DirectoryName, ...] = ("IFD0", "Exif")
    for name in names:
        directory = layout.named(name)
        for entry in directory.entries if directory else ():
            if (name, entry.tag) == ("IFD0", EXIF_IFD):
                continue
            if (name, entry.tag) not in _MADE or entry.kind != _ASCII:
                return None
            values[name, entry.tag] = layout.value(entry)
    return values if values and block == build_block(values) else None


def _directory(at: int, texts: Mapping[int, bytes], exif_at: int | None) -> bytes:
    """A directory with its values behind it, each at an even offset."""
    count = len(texts) + (exif_at is not None)
    values_at = at + 2 + 12 * count + 4
    entries: list[bytes] = []
    values = b""
    for tag, text in sorted(texts.items()):
        values += bytes(len(values) % 2)
        place = text.ljust(4, b"\0") if len(text) <= 4 else pack(">I", values_at + len(values))
        entries.append(pack(">HHI", tag, _ASCII, len(text)) + place)
        values += text if len(text) > 4 else b""
    if exif_at is not None:
        # Its tag is higher than that of any text in IFD0.
        entries.append(pack(">HHII", EXIF_IFD, _LONG, 1, exif_at))
    return pack(">H", count) + b"".join(entries) + bytes(4) + values
