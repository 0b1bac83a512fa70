"""An XMP packet as a tree whose elements know which bytes they are, for editing and comparing.

Unlike reading for values, this is strict: what is not well formed, not in UTF-8, or holds a
document type declaration is refused.
"""

import re
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from tagline.errors import EditRefused
from tagline.metadata import xmp_names as names
from tagline.metadata.xmp_text import (
    PACKET_MAX_BYTES,
    declared_encoding,
    has_long_names,
    wide_encoding,
)

MAX_PARTS: Final = 10_000
"""Elements, attributes and namespace declarations together."""
MAX_DEPTH: Final = 100

_START_TAG = re.compile(rb"""<[^\s/>]++(?:[^"'>]++|"[^"]*+"|'[^']*+')*+>""")
_ATTRIBUTE = re.compile(rb"""\s+([^\s=]+)\s*=\s*("[^"]*+"|'[^']*+')""")
_LEAD = re.compile(rb"(?:\xef\xbb\xbf)?[\0 \t\r\n]*")


@dataclass(slots=True, eq=False)
class Element:
    """An element and where its bytes lie in the document's ``data``.

    ``start`` is the offset of its ``<``, ``tag_end`` the one just past its start tag, ``close`` the
    one of its end tag (``tag_end`` again when the tag closes itself) and ``end`` the one past it
    all. ``name`` and the keys of ``attributes`` are expanded names; ``prefix`` is the name's own;
    ``attribute_tags`` maps an attribute to the name it has in the tag. ``declared`` holds the
    namespaces declared here, prefix to URI. ``noted`` tells of a comment or a processing
    instruction directly inside.
    """

    name: str
    prefix: str
    parent: "Element | None"
    start: int
    tag_end: int
    attributes: dict[str, str]
    attribute_tags: dict[str, str]
    declared: dict[str, str]
    close: int = 0
    end: int = 0
    children: list["Element"] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    noted: bool = False

    @property
    def text(self) -> str:
        """The character data directly inside."""
        return "".join(self.parts)

    @property
    def tag(self) -> str:
        """The name as the document spells it, prefix included."""
        local = names.local_name(self.name)
        return f"{self.prefix}:{local}" if self.prefix else local

    @property
    def language(self) -> str | None:
        """Its xml:lang in lower case."""
        return self.attributes.get(names.XML_LANG, "").lower() or None

    def in_scope(self) -> dict[str, str]:
        """Every namespace prefix in force inside, with its URI."""
        outer = self.parent.in_scope() if self.parent else {}
        return outer | self.declared


@dataclass(slots=True, eq=False)
class Document:
    """A packet cut in three: ``lead`` (mark, blanks), ``data`` (XML) and ``tail`` (NUL padding).

    ``rdf`` is its one rdf:RDF element, None where there is none.
    """

    lead: bytes
    data: bytes
    tail: bytes
    root: Element
    rdf: Element | None

    def nodes(self) -> list[Element]:
        """The elements right below rdf:RDF, each of which holds properties."""
        return self.rdf.children if self.rdf else []

    def attribute_extent(self, element: Element, name: str) -> tuple[int, int, int]:
        """Where an attribute lies: its start, blanks before it included, its quoted value, its end.

        Raises:
            EditRefused: it is not to be found.
        """
        wanted = element.attribute_tags[name].encode()
        tag = self.data[element.start : element.tag_end]
        position = len(element.tag.encode()) + 1
        while (found := _ATTRIBUTE.match(tag, position)) is not None:
            if found[1] == wanted:
                start = element.start
                return start + found.start(), start + found.start(2), start + found.end()
            position = found.end()
        raise EditRefused("an attribute of the XMP packet is not found again")


def parse(packet: bytes) -> Document:
    """The packet as a tree.

    Raises:
        EditRefused: the packet is not UTF-8 or not well formed, holds a document type declaration,
            or is too large, too deep, has too many parts or more than one rdf:RDF.
    """
    if len(packet) > PACKET_MAX_BYTES or has_long_names(packet):
        raise EditRefused("the XMP packet is too large")
    if wide_encoding(packet) or declared_encoding(packet) not in {"utf-8", "us-ascii"}:
        raise EditRefused("the XMP packet is not in UTF-8")
    lead = _LEAD.match(packet)
    start = lead.end() if lead else 0
    data = packet[start:].rstrip(b"\0")
    tail = packet[start + len(data) :]
    builder = _Builder(data)
    return Document(packet[:start], data, tail, builder.build(), builder.rdf)


class _Builder:
    """Builds the tree while expat reads."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.rdf: Element | None = None
        self._root: Element | None = None
        self._open: list[Element] = []
        self._declared: dict[str, str] = {}
        self._parts = 0
        self._parser = parser = expat.ParserCreate("utf-8", " ")
        parser.buffer_text = True
        parser.namespace_prefixes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartNamespaceDeclHandler = self._declare
        parser.StartDoctypeDeclHandler = self._doctype
        parser.CommentHandler = self._note
        parser.ProcessingInstructionHandler = self._note

    def build(self) -> Element:
        try:
            self._parser.Parse(self._data, True)  # noqa: FBT003 - its parameter has no name
        except expat.ExpatError as error:
            raise EditRefused("the XMP packet is not well formed") from error
        if self._root is None:
            raise EditRefused("the XMP packet is empty")
        return self._root

    def _doctype(self, *_: object) -> None:
        raise EditRefused("the XMP packet holds a document type declaration")

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        self._declared[prefix or ""] = uri or ""

    def _note(self, *_: object) -> None:
        if self._open:
            self._open[-1].noted = True

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._parts += 1 + len(attributes) + len(self._declared)
        if self._parts > MAX_PARTS or len(self._open) >= MAX_DEPTH:
            raise EditRefused("the XMP packet is too large")
        start = self._parser.CurrentByteIndex
        tag = _START_TAG.match(self._data, start)
        if tag is None:
            raise EditRefused("the XMP packet is not well formed")
        parent = self._open[-1] if self._open else None
        expanded, prefix = _split(name)
        element = Element(
            name=expanded,
            prefix=prefix,
            parent=parent,
            start=start,
            tag_end=tag.end(),
            attributes={_split(key)[0]: value for key, value in attributes.items()},
            attribute_tags={_split(key)[0]: _tag_of(key) for key in attributes},
            declared=self._declared,
        )
        self._declared = {}
        if expanded == names.RDF:
            if self.rdf is not None:
                raise EditRefused("the XMP packet holds more than one rdf:RDF")
            self.rdf = element
        if parent is None:
            self._root = element
        else:
            parent.children.append(element)
        self._open.append(element)

    def _end(self, _name: str) -> None:
        element = self._open.pop()
        if self._data[element.tag_end - 2 : element.tag_end] == b"/>":
            element.close = element.end = element.tag_end
        else:
            element.close = self._parser.CurrentByteIndex
            element.end = self._data.index(b">", element.close) + 1

    def _characters(self, text: str) -> None:
        self._open[-1].parts.append(text)


def _split(name: str) -> tuple[str, str]:
    """The expanded name and the prefix of a name as expat gives it: URI, local name, prefix."""
    parts = name.split(" ")
    return (" ".join(parts[:2]), parts[2] if len(parts) > 2 else "")


def _tag_of(name: str) -> str:
    expanded, prefix = _split(name)
    local = names.local_name(expanded)
    return f"{prefix}:{local}" if prefix else local
