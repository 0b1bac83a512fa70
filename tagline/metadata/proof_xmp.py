"""Proof that an edited XMP packet differs from the old one in its description alone."""

from typing import Final
from xml.parsers import expat

from tagline.errors import EditRefused
from tagline.metadata import xmp

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns# RDF"
_ABOUT: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns# about"
_DESCRIPTION: Final = "http://purl.org/dc/elements/1.1/ description"
# Properties that say the description again in some files, and follow it.
_FOLLOWERS: Final = (
    "http://ns.adobe.com/tiff/1.0/ ImageDescription",
    "http://ns.adobe.com/exif/1.0/ UserComment",
)
_LANGUAGE: Final = "http://www.w3.org/XML/1998/namespace lang"
_MAX_DEPTH: Final = 200

_Item = tuple[str, str]
"""One thing that a packet says: the path to it, and the text there."""


def prove_packet(before: bytes | None, after: bytes | None, text: str | None) -> None:
    """Prove that every other property is what it was, and that the description is the text.

    None stands for no packet.

    Raises:
        EditRefused: something else changed, or the text does not read back.
    """
    if before == after and text is None:
        if after is not None and xmp.read(after).description is not None:
            raise EditRefused("proof: the XMP description is still there")
        return
    old, new = _Said(before), _Said(after)
    if old.rest(text) != new.rest(text):
        raise EditRefused("proof: another XMP property changed")
    if old.followers != new.followers:
        shown = [value for _, value in new.followers if value.strip()]
        if any(value != text for value in shown if value not in old.follower_texts):
            raise EditRefused("proof: a copy of the description in the XMP packet is wrong")
    if new.shown != text:
        raise EditRefused("proof: the description does not read back from XMP")


class _Said:
    """All that a packet says, sorted by what it is to the description."""

    def __init__(self, packet: bytes | None) -> None:
        reader = _Reader()
        if packet is not None:
            reader.read(packet)
        self.shown = xmp.read(packet).description if packet is not None else None
        self.followers = [i for i in reader.items if i[0].split("\n")[0] in _FOLLOWERS]
        self.follower_texts = {value for _, value in self.followers}
        self._others = [i for i in reader.items if i[0].split("\n")[0] not in _FOLLOWERS]

    def rest(self, text: str | None) -> list[_Item]:
        """What an edit must leave as it is."""
        return sorted(item for item in self._others if not self._is_description(item, text))

    def _is_description(self, item: _Item, text: str | None) -> bool:
        path, value = item
        if not path.startswith(_DESCRIPTION):
            return False
        # With the text goes every language of it. Else translations with words of their own stay.
        for_all = _LANGUAGE not in path or path.endswith(f"[{_LANGUAGE}=x-default]")
        return text is None or for_all or value in ("", text, self.shown)


class _Reader:
    """Walks a packet once; collects each attribute and each leaf's text with its path."""

    def __init__(self) -> None:
        self.items: list[_Item] = []
        self._path: list[str] = []
        self._texts: list[str] = []
        self._leaf = False

    def read(self, packet: bytes) -> None:
        body = packet.rstrip(b"\0 \t\r\n")
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        try:
            parser.Parse(body, True)  # noqa: FBT003 -- its parameter has no name
        except expat.ExpatError as fault:
            raise EditRefused("proof: the XMP packet is not well formed") from fault

    def _refuse(self, *_: object) -> None:
        raise EditRefused("proof: the XMP packet declares a document type")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._path) >= _MAX_DEPTH:
            raise EditRefused("proof: the XMP packet is nested too deep")
        language = attributes.get(_LANGUAGE, "").lower()
        self._path.append(f"{name}[{_LANGUAGE}={language}]" if language else name)
        self._texts.append("")
        self._leaf = True
        for key, value in attributes.items():
            if key not in (_LANGUAGE, _ABOUT) or (key == _ABOUT and value):
                self._say(key, value)

    def _characters(self, text: str) -> None:
        if self._texts:
            self._texts[-1] += text

    def _end(self, _name: str) -> None:
        text = self._texts[-1]
        if self._leaf or text.strip():
            self._say("", text)
        self._path.pop()
        self._texts.pop()
        self._leaf = False

    def _say(self, key: str, text: str) -> None:
        """Note a text, its path counted from the property that it belongs to."""
        if _RDF in self._path:
            # Below rdf:RDF come the nodes; which node a property stands in says nothing.
            path = self._path[self._path.index(_RDF) + 2 :] + [key] * bool(key)
            if path:
                self.items.append(("\n".join(path), text))
