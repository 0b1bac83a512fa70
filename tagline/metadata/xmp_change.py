"""Which bytes of a packet change when a property is set or removed; pure planning.

A language alternative shows its ``x-default`` item, else its first. Setting it sets that item, and
every other item that held the same words (they are its twins in a named language); where no item
is meant for everybody, an ``x-default`` is put first. Translations with words of their own stay.
Removing takes the whole property away, since some reader would show what is left.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tagline.errors import EditRefused
from tagline.metadata import xmp_names as names
from tagline.metadata.field_types import Words
from tagline.metadata.xmp_packet import (
    alternative_xml,
    item_xml,
    node_xml,
    plain_item_xml,
    property_xml,
)
from tagline.metadata.xmp_text import escape, escape_attribute
from tagline.metadata.xmp_tree import Document, Element

_BLANKS = b" \t\r\n"
_OWN_NAMESPACES = frozenset(names.PREFIXES)


class Splice(NamedTuple):
    """Bytes from ``start`` to ``end`` give way to ``new``."""

    start: int
    end: int
    new: bytes


def apply(data: bytes, splices: Iterable[Splice]) -> bytes:
    """The data with every splice made; none of them overlaps another."""
    parts: list[bytes] = []
    position = 0
    for splice in sorted(splices):
        parts += data[position : splice.start], splice.new
        position = splice.end
    return b"".join([*parts, data[position:]])


def shown_texts(document: Document, name: str) -> list[str]:
    """What each occurrence of a property shows, in document order."""
    texts = [node.attributes[name] for node in document.nodes() if name in node.attributes]
    return texts + [_shown(element) for element in _occurrences(document, name)]


def all_texts(document: Document, name: str) -> list[str]:
    """Every text of a property: the items of its lists, and what it says by itself."""
    texts = [node.attributes[name] for node in document.nodes() if name in node.attributes]
    for element in _occurrences(document, name):
        texts += [i.text for i in _items(element)] if _array(element) else [element.text]
    return texts


def is_list(document: Document, name: str) -> bool:
    """Whether every occurrence of a property is an array of plain items."""
    if any(name in node.attributes for node in document.nodes()):
        return False
    arrays = [_array(element) for element in _occurrences(document, name)]
    return bool(arrays) and all(array is not None for array in arrays)


def setting(document: Document, name: str, words: Words) -> list[Splice]:
    """Every occurrence of the property says the words; nothing where it does already.

    Raises:
        EditRefused: the property is not made the usual way.
    """
    if isinstance(words, tuple):
        elements = _occurrences(document, name)
        return [splice for element in elements for splice in _set_list(document, element, words)]
    return _set_text(document, name, words)


def _set_text(document: Document, name: str, text: str) -> list[Splice]:
    splices: list[Splice] = []
    for node in document.nodes():
        if node.attributes.get(name, text) != text:
            _, start, end = document.attribute_extent(node, name)
            quote = document.data[start : start + 1]
            splices.append(Splice(start, end, quote + escape_attribute(text) + quote))
    for element in _occurrences(document, name):
        if _shown(element) != text:
            splices += _set_element(element, text)
    return splices


def adding(document: Document, properties: Mapping[str, Words]) -> list[Splice]:
    """The properties stand in the packet's first fitting rdf:Description, or in a new one.

    Raises:
        EditRefused: there is no rdf:RDF to put it into.
    """
    if not properties:
        return []
    node = _fitting_node(document, next(iter(properties)))
    if node is not None:
        scope = node.in_scope()
        indent = _indent(document, node)
        lines = (indent + property_xml(name, said, scope) for name, said in properties.items())
        return [_insertion(document, node, b"".join(lines))]
    rdf = document.rdf
    if rdf is None:
        raise EditRefused("the XMP packet holds no rdf:RDF")
    new = node_xml(properties, rdf.prefix or None, _indent(document, rdf))
    return [_insertion(document, rdf, new)]


def removing(document: Document, wanted: Iterable[str]) -> list[Splice]:
    """The properties are gone, and so is an rdf:Description that held nothing else."""
    taken = frozenset(wanted)
    splices: list[Splice] = []
    for node in document.nodes():
        splices += _without(document, node, taken)
    return splices


def _occurrences(document: Document, name: str) -> list[Element]:
    nodes = document.nodes()
    return [child for node in nodes for child in node.children if child.name == name]


def _array(element: Element) -> Element | None:
    """The array that is the element's only content."""
    if len(element.children) != 1 or element.children[0].name not in names.RDF_ARRAYS:
        return None
    return element.children[0]


def _items(element: Element) -> list[Element]:
    array = _array(element)
    return [item for item in array.children if item.name == names.RDF_LI] if array else []


def _default(items: list[Element]) -> Element:
    default = [item for item in items if item.language == names.X_DEFAULT and item.text]
    return (default or [item for item in items if item.text] or items)[0]


def _shown(element: Element) -> str:
    items = _items(element)
    return _default(items).text if items else element.text


def _set_element(element: Element, text: str) -> list[Splice]:
    array = _array(element)
    if array is not None:
        return _set_items(array, _items(element), text)
    if element.children or element.noted or set(element.attributes) - {names.XML_LANG}:
        raise EditRefused("the XMP holds markup inside the description")
    if element.name not in names.ALTERNATIVES:
        return [_content(element, escape(text))]
    rdf = next((p for p, uri in element.in_scope().items() if p and uri == names.RDF_NS), None)
    if rdf is None:
        raise EditRefused("the XMP packet has no prefix for RDF")
    return [_content(element, alternative_xml(text, rdf))]


def _set_items(array: Element, items: list[Element], text: str) -> list[Splice]:
    shown = _default(items).text if items else None
    for_all = {names.X_DEFAULT, None}
    splices: list[Splice] = []
    for item in items:
        if item.language not in for_all and item.text != shown:
            continue
        if item.children or item.noted:
            raise EditRefused("the XMP holds markup inside the description")
        splices.append(_content(item, escape(text)))
    if all(item.language not in for_all for item in items):
        tag = items[0].tag if items else _sibling_tag(array, "li")
        splices.append(_content_start(array, item_xml(text, tag)))
    return splices


def _set_list(document: Document, element: Element, words: tuple[str, ...]) -> list[Splice]:
    """The items are these, in this order; those that stay keep their bytes, new ones their look."""
    array, items = _array(element), _items(element)
    if not array and [element.text] == list(words):
        return []
    if array is None or array.noted or len(items) < len(array.children):
        raise EditRefused("the XMP holds markup inside a list")
    if [item.text for item in items] == list(words):
        return []
    if any(item.children or item.noted or item.attributes for item in items):
        raise EditRefused("the XMP holds markup inside a list")
    kept = {item.text: document.data[item.start : item.end] for item in items}
    tag = items[0].tag if items else _sibling_tag(array, "li")
    between = _blanks_before(document, items[0]) if items else b""
    raw = [kept.get(word) or plain_item_xml(word, tag) for word in words]
    end = document.data[items[-1].end : array.close] if items else b""
    return [_content(array, b"".join(between + item for item in raw) + end)]


def _sibling_tag(element: Element, local: str) -> str:
    return f"{element.prefix}:{local}" if element.prefix else local


def _content(element: Element, new: bytes) -> Splice:
    """Everything inside the element gives way to ``new``."""
    if element.end == element.tag_end:
        return _content_start(element, new)
    return Splice(element.tag_end, element.close, new)


def _content_start(element: Element, new: bytes) -> Splice:
    """``new`` stands first inside the element, which is opened if its tag closes itself."""
    if element.end != element.tag_end:
        return Splice(element.tag_end, element.tag_end, new)
    end_tag = f"</{element.tag}>".encode()
    return Splice(element.tag_end - 2, element.tag_end, b">" + new + end_tag)


def _insertion(document: Document, element: Element, new: bytes) -> Splice:
    if element.end == element.tag_end and element.name == names.RDF:
        new += _blanks_before(document, element)
    return _content_start(element, new)


def _fitting_node(document: Document, name: str) -> Element | None:
    """The rdf:Description about the photo itself that knows the namespace, else the first."""
    nodes = [node for node in document.nodes() if node.name == names.RDF_DESCRIPTION]
    own = [node for node in nodes if not node.attributes.get(names.RDF_ABOUT)] or nodes
    uri = names.namespace_of(name)
    knowing = [node for node in own if uri in node.in_scope().values()]
    return next(iter(knowing or own), None)


def _indent(document: Document, element: Element) -> bytes:
    """The line break and blanks that stand before the element's children, or would."""
    if element.children:
        return _blanks_before(document, element.children[0])
    blanks = _blanks_before(document, element)
    return blanks + b" " if blanks else b""


def _blanks_before(document: Document, element: Element) -> bytes:
    """The blanks between the element and the markup before it."""
    start = element.start
    while start > 0 and document.data[start - 1] in _BLANKS:
        start -= 1
    if start == 0 or document.data[start - 1 : start] != b">":
        return b""
    return document.data[start : element.start]


def _without(document: Document, node: Element, taken: frozenset[str]) -> list[Splice]:
    data = document.data
    splices: list[Splice] = []
    for name in taken.intersection(node.attributes):
        start, _, end = document.attribute_extent(node, name)
        splices.append(Splice(start, end, b""))
    gone = [child for child in node.children if child.name in taken]
    for child in gone:
        start = child.start - len(_blanks_before(document, child))
        splices.append(Splice(start, child.end, b""))
    if not splices:
        return []
    inside = data[node.tag_end : node.close]
    cuts = [s for s in splices if s.start >= node.tag_end]
    rest = apply(inside, (Splice(s.start - node.tag_end, s.end - node.tag_end, b"") for s in cuts))
    if rest.strip(_BLANKS):
        return splices
    if _is_shell(node, taken):
        start = node.start - len(_blanks_before(document, node))
        return [Splice(start, node.end, b"")]
    if gone and not rest:
        splices = [s for s in splices if s.start < node.tag_end]
        splices.append(Splice(node.tag_end - 1, node.end, b"/>"))
    return splices


def _is_shell(node: Element, taken: frozenset[str]) -> bool:
    """Whether nothing but the properties taken away gave the rdf:Description a purpose."""
    said = set(node.attributes) - {names.RDF_ABOUT} - taken
    declared = set(node.declared.values())
    return not said and bool(declared) and declared <= _OWN_NAMESPACES
