"""Reading XMP packets (ISO 16684-1): one pass over the XML, whatever the bytes, never an error.

The XML is read by expat; a document type declaration ends the reading, so that there are no
entities to expand, and so do too many elements, too deep a nesting and too long a packet. What
stood before a fault counts.
"""

from typing import Final
from xml.parsers import expat

from tagline.metadata import xmp_names as names
from tagline.metadata.values import XmpValues
from tagline.metadata.xmp_text import has_long_names, to_utf_8
from tagline.metadata.xmp_values import gps_from, orientation_from, rating_from, taken_at_from

MAX_ELEMENTS: Final = 100_000
MAX_DEPTH: Final = 200

_WANTED = frozenset(
    {
        names.DC_DESCRIPTION,
        names.TIFF_DESCRIPTION,
        names.TIFF_MAKE,
        names.TIFF_MODEL,
        names.TIFF_ORIENTATION,
        names.EXIF_USER_COMMENT,
        names.EXIF_TAKEN_AT,
        names.EXIF_LATITUDE,
        names.EXIF_LONGITUDE,
        names.EXIF_ALTITUDE,
        names.EXIF_ALTITUDE_REF,
        names.EXIF_EX_LENS,
        names.EXIF_EX_OFFSET,
        names.AUX_LENS,
        names.PHOTOSHOP_CREATED,
        names.FINGERPRINT,
        names.DC_TITLE,
        names.DC_SUBJECT,
        names.XMP_RATING,
    }
)
_SHORT_BYTES = 65536
_LOCAL_NAMES = tuple(sorted({names.local_name(name).encode() for name in _WANTED}))

_NOTHING: Final = XmpValues()

Item = tuple[str | None, str]
"""The language of an item of a property, in lower case, and its text."""


class _Stop(Exception):
    """The packet goes beyond what is read."""


def read(packet: bytes) -> XmpValues:
    """What the packet says: in any encoding, with or without its wrapper, padded or not."""
    body = to_utf_8(packet)
    # Of a short packet it costs more to look for the names than to read it.
    if len(body) > _SHORT_BYTES and not any(name in body for name in _LOCAL_NAMES):
        return _NOTHING
    found = _Properties(_WANTED)
    found.feed(body)
    if not found.items:
        return _NOTHING
    said = {name: shown(items) for name, items in found.items.items()}
    say = said.get
    taken_at = taken_at_from(say(names.EXIF_TAKEN_AT), say(names.EXIF_EX_OFFSET))
    return XmpValues(
        description=say(names.DC_DESCRIPTION),
        tiff_description=say(names.TIFF_DESCRIPTION),
        user_comment=say(names.EXIF_USER_COMMENT),
        title=_unless_blank(say(names.DC_TITLE)),
        keywords=_distinct(found.items.get(names.DC_SUBJECT, [])),
        rating=rating_from(say(names.XMP_RATING)),
        taken_at=taken_at or taken_at_from(say(names.PHOTOSHOP_CREATED), None),
        orientation=orientation_from(say(names.TIFF_ORIENTATION)),
        make=_trimmed(say(names.TIFF_MAKE)),
        model=_trimmed(say(names.TIFF_MODEL)),
        lens=_trimmed(say(names.EXIF_EX_LENS)) or _trimmed(say(names.AUX_LENS)),
        gps=gps_from(
            say(names.EXIF_LATITUDE),
            say(names.EXIF_LONGITUDE),
            say(names.EXIF_ALTITUDE),
            say(names.EXIF_ALTITUDE_REF),
        ),
        fingerprint=_trimmed(say(names.FINGERPRINT)),
    )


def texts(packet: bytes, name: str) -> list[str]:
    """Every text of a property: the items of its list, or the one that it holds."""
    return [text for _, text in _items(packet, name)]


def shown_text(packet: bytes, name: str) -> str | None:
    """The text of a property that a reader shows."""
    return shown(_items(packet, name))


def _items(packet: bytes, name: str) -> list[Item]:
    found = _Properties(frozenset({name}))
    found.feed(to_utf_8(packet))
    return found.items.get(name, [])


def shown(items: list[Item]) -> str | None:
    """The text that a reader shows: ``x-default``'s, else the first that is not empty."""
    texts = [text for language, text in items if language == names.X_DEFAULT and text]
    texts += [text for _, text in items if text]
    return texts[0] if texts else None


def _unless_blank(text: str | None) -> str | None:
    return text if text and text.strip() else None


def _distinct(items: list[Item]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.strip() for _, text in items if text.strip()))


def _trimmed(text: str | None) -> str | None:
    return (text.strip() or None) if text else None


class _Properties:
    """Collects the items of the wanted properties of the packet's rdf:Description elements."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self._wanted = wanted
        self.items: dict[str, list[Item]] = {}
        self._elements = 0
        self._depth = 0
        self._rdf_depth = 0
        self._property: str | None = None
        self._language: str | None = None
        self._in_array = False
        self._text: list[str] = []
        self._value: str | None = None

    def feed(self, body: bytes) -> None:
        if has_long_names(body):
            return
        self._parser = parser = expat.ParserCreate("utf-8", " ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._doctype
        try:
            parser.Parse(body, True)  # noqa: FBT003 - its parameter has no name
        except (expat.ExpatError, _Stop):
            return
        finally:
            del self._parser

    def _doctype(self, *_: object) -> None:
        raise _Stop

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._depth += 1
        if self._elements > MAX_ELEMENTS or self._depth > MAX_DEPTH:
            raise _Stop
        if self._rdf_depth == 0:
            if name == names.RDF:
                self._rdf_depth = self._depth
            return
        level = self._depth - self._rdf_depth
        if level == 1:
            for key in self._wanted.intersection(attributes):
                self._add(key, None, attributes[key])
        elif level == 2:
            self._open(name if name in self._wanted else None, attributes)
        elif self._property is not None:
            self._inside(name, attributes)

    def _open(self, name: str | None, attributes: dict[str, str]) -> None:
        if name is not None:
            self._property = name
            self._in_array = False
            self._begin(attributes)
            self._parser.CharacterDataHandler = self._text.append

    def _begin(self, attributes: dict[str, str]) -> None:
        self._language = attributes.get(names.XML_LANG, "").lower() or None
        self._text.clear()
        self._value = None

    def _inside(self, name: str, attributes: dict[str, str]) -> None:
        if name in names.RDF_ARRAYS:
            self._in_array = True
        elif name == names.RDF_LI:
            self._begin(attributes)
        elif name == names.RDF_VALUE:
            self._text.clear()

    def _end(self, name: str) -> None:
        level = self._depth - self._rdf_depth
        self._depth -= 1
        if self._property is not None:
            if name == names.RDF_VALUE:
                self._value = "".join(self._text)
            elif name == names.RDF_LI or (level == 2 and not self._in_array):
                text = "".join(self._text) if self._value is None else self._value
                self._add(self._property, self._language, text)
            if level == 2:
                self._property = None
                self._parser.CharacterDataHandler = None
        elif level == 0 and self._rdf_depth:
            self._rdf_depth = 0

    def _add(self, name: str, language: str | None, text: str) -> None:
        self.items.setdefault(name, []).append((language, text))
