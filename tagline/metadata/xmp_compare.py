"""What a packet says as a flat listing, to prove that an edit changed nothing else.

A path names a property as ISO 16684-1 sees it: attribute or element, and the order of properties,
make no difference; the order of array items does.
"""

from collections import Counter
from collections.abc import Collection, Mapping

from tagline.errors import EditRefused
from tagline.metadata import xmp_names as names
from tagline.metadata.xmp_text import NAMES_MAX_BYTES
from tagline.metadata.xmp_tree import Element, parse

_MARKS = frozenset({names.RDF_ABOUT, names.RDF_PARSE_TYPE})


def properties(packet: bytes) -> dict[str, str]:
    """Every property of the packet, its path to its text.

    Top-level paths are expanded names (namespace URI, space, local name); below them stand
    ``/name`` for a structure's field, ``[n]`` for an array's item from 1 on, ``/@name`` for an
    attribute of an element that is not an rdf:Description. An array's own path holds its kind.

    Raises:
        EditRefused: the packet is not well formed, not UTF-8, too large, or has more than one
            rdf:RDF.
    """
    listing = _Listing()
    for node in parse(packet).nodes():
        prefix = "" if node.name == names.RDF_DESCRIPTION else f"{node.name}/"
        listing.add_fields(node, prefix)
    return listing.texts


def toolkit(packet: bytes) -> str:
    """The program that the packet says it was written by (x:xmptk); empty where it does not.

    Raises:
        EditRefused: as for ``properties``.
    """
    return parse(packet).root.attributes.get(names.X_TOOLKIT, "")


def without(listing: Mapping[str, str], excluded: Collection[str]) -> dict[str, str]:
    """The listing less the properties named, with all that is below them."""
    return {path: text for path, text in listing.items() if _top(path) not in excluded}


def differences(before: bytes, after: bytes, excluded: Collection[str] = ()) -> tuple[str, ...]:
    """Paths that one packet has and the other has not, or that differ, properties named apart.

    Raises:
        EditRefused: as for ``properties``.
    """
    old = without(properties(before), excluded)
    new = without(properties(after), excluded)
    return tuple(sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path)))


def _top(path: str) -> str:
    """The name of the property that a path begins with."""
    uri, blank, rest = path.partition(" ")
    for mark in "/[#":
        rest = rest.partition(mark)[0]
    return f"{uri}{blank}{rest}"


class _Listing:
    """Gathers paths and texts; a path that comes again is numbered, ``#2`` and on."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._times: Counter[str] = Counter()
        self._left = NAMES_MAX_BYTES

    def add_fields(self, element: Element, prefix: str) -> None:
        """Attributes and children of a node or structure, as properties."""
        for name, text in element.attributes.items():
            if name not in _MARKS:
                self._put(prefix + name, text)
            elif text:
                self._put(f"{prefix}@{name}", text)
        for child in element.children:
            self._add_value(child, prefix + child.name)

    def _add_value(self, element: Element, path: str) -> None:
        """A property's or an item's value: a text, an array, or a structure."""
        path = self._put(path, "" if element.children else element.text)
        for name, text in element.attributes.items():
            self._tell(f"{path}/@{name}", text)
        for child in element.children:
            if child.name in names.RDF_ARRAYS:
                self.texts[path] = child.name
                for number, item in enumerate(child.children, start=1):
                    self._add_value(item, f"{path}[{number}]")
            elif child.name == names.RDF_DESCRIPTION:
                self.add_fields(child, f"{path}/")
            else:
                self._add_value(child, f"{path}/{child.name}")

    def _put(self, path: str, text: str) -> str:
        self._times[path] += 1
        if self._times[path] > 1:
            path = f"{path}#{self._times[path]}"
        self._tell(path, text)
        return path

    def _tell(self, path: str, text: str) -> None:
        self._left -= len(path)
        if self._left < 0:
            raise EditRefused("the XMP packet has names that are too long")
        self.texts[path] = text
