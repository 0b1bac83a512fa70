"""Proof that an edited XMP packet differs from the old one in the fields asked for alone."""

from collections.abc import Sequence
from typing import Final
from xml.parsers import expat

from tagline.errors import EditRefused
from tagline.metadata import xmp
from tagline.metadata.field_types import Edits, FieldEdit
from tagline.metadata.fields import describing
from tagline.metadata.proof_fields import DATE, MICROSOFT, OFFSET, RULES, SUBJECTS
from tagline.metadata.values import FieldValue, is_blank
from tagline.metadata.xmp_text import NAMES_MAX_BYTES, has_long_names

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns# RDF"
_ABOUT: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns# about"
_LANGUAGE: Final = "http://www.w3.org/XML/1998/namespace lang"
_MAX_DEPTH: Final = 200
_PERCENT: Final = {0: "0", 1: "1", 2: "25", 3: "50", 4: "75", 5: "99"}

_Item = tuple[str, str]
"""One thing that a packet says: the path to it, and the text there."""


def prove_packet(before: bytes | None, after: bytes | None, text: str | None) -> None:
    """Prove that only the description changed, and is the text now; see ``prove_fields``."""
    prove_fields(before, after, (describing(text, None),))


def prove_fields(before: bytes | None, after: bytes | None, edits: Edits) -> None:
    """Prove that every other property is what it was, and that each field says its new value.

    None stands for no packet.

    Raises:
        EditRefused: something else changed, or a value does not read back.
    """
    for edit in edits:
        if not _same_value(_read(after, edit.field.name), edit.new):
            raise EditRefused(f"proof: the {edit.field.name} does not read back from XMP")
    if before == after:
        return
    old, new = _Said(before), _Said(after)
    if old.rest(edits) != new.rest(edits):
        raise EditRefused("proof: another XMP property changed")
    for edit in edits:
        for name in RULES[edit.field.name].followers:
            was, now = old.texts(name), new.texts(name)
            if was != now and not _follows(name, was, now, edit):
                raise EditRefused(f"proof: a copy of the {edit.field.name} in the XMP is wrong")


def _read(packet: bytes | None, name: str) -> FieldValue:
    if packet is None:
        return None
    value: FieldValue = getattr(xmp.read(packet), name)
    return value


def _same_value(found: FieldValue, wanted: FieldValue) -> bool:
    return found == wanted or (is_blank(found) and is_blank(wanted))


def _follows(name: str, was: Sequence[str], now: Sequence[str], edit: FieldEdit) -> bool:
    """Whether a copy that changed is there as it was, and says the field."""
    if name == SUBJECTS:
        kept = set(edit.new) if isinstance(edit.new, tuple) else set[str]()
        lost = [path for path in was if path not in now]
        left = [path for path in was if path in now]
        return left == list(now) and not any(p.split("|")[-1].strip() in kept for p in lost)
    if not any(was):
        return False
    if name in MICROSOFT:
        return list(now) == [_PERCENT[edit.new]] if isinstance(edit.new, int) else not now
    if name in (DATE, OFFSET):
        # What they say together has been read back already.
        return len(now) <= 1 and (bool(now) != is_blank(edit.new) or name == OFFSET)
    return all(text == (edit.new or "") for text in now if text.strip() and text not in was)


class _Said:
    """All that a packet says, sorted by what it is to the fields."""

    def __init__(self, packet: bytes | None) -> None:
        reader = _Reader()
        if packet is not None:
            reader.read(packet)
        self._packet = packet
        self._items = reader.items

    def texts(self, name: str) -> list[str]:
        """Every text of a property."""
        return [value for path, value in self._items if _property(path) == name]

    def rest(self, edits: Edits) -> list[_Item]:
        """What the edits must leave as it is."""
        items = self._items
        for edit in edits:
            rules = RULES[edit.field.name]
            free = (rules.xmp, *rules.followers)
            shown = _read(self._packet, edit.field.name)
            items = [i for i in items if _property(i[0]) not in free or self._stays(i, edit, shown)]
        return sorted(items)

    def _stays(self, item: _Item, edit: FieldEdit, shown: FieldValue) -> bool:
        """Whether this is a translation with words of its own; such goes only with all of it."""
        path, value = item
        rules = RULES[edit.field.name]
        if not rules.in_languages or _property(path) != rules.xmp or edit.removes:
            return False
        for_all = _LANGUAGE not in path or path.endswith(f"[{_LANGUAGE}=x-default]")
        return not for_all and value not in ("", edit.new, shown)


def _property(path: str) -> str:
    """The property that a path begins with, whatever language it says that it is in."""
    return path.split("\n", maxsplit=1)[0].partition("[")[0]


class _Reader:
    """Walks a packet once; collects each attribute and each leaf's text with its path."""

    def __init__(self) -> None:
        self.items: list[_Item] = []
        self._path: list[str] = []
        self._left = NAMES_MAX_BYTES
        self._texts: list[str] = []
        self._leaf = False

    def read(self, packet: bytes) -> None:
        body = packet.rstrip(b"\0 \t\r\n")
        if has_long_names(body):
            raise EditRefused("proof: the XMP packet has names that are too long")
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
                self._left -= sum(map(len, path))
                if self._left < 0:
                    raise EditRefused("proof: the XMP packet has names that are too long")
                self.items.append(("\n".join(path), text))
