"""Changing members of a JSON object in its own text: what is not changed stays as it is written.

Numbers keep their digits, strings their escapes, members their order and layout. The text must be
valid JSON, which the caller has made sure of.
"""

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

_BLANKS = re.compile(r"[ \t\r\n]*+")
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"')
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\]]')
_SCALAR = re.compile(r"[^,}\]\s]++")


class Member(NamedTuple):
    """A member of an object: its name, where its name begins, and where its value lies."""

    name: str
    start: int
    value_start: int
    value_end: int


class Layout(NamedTuple):
    """How an object is laid out: before a member, after its colon, before the closing brace."""

    before: str
    colon: str
    close: str


def members(text: str, start: int) -> list[Member]:
    """The members of the object whose ``{`` stands at ``start``, in order, repeats included."""
    found: list[Member] = []
    position = _skip_blanks(text, start + 1)
    while text[position] != "}":
        name_end = _end_of_value(text, position)
        value_start = _skip_blanks(text, _skip_blanks(text, name_end) + 1)
        value_end = _end_of_value(text, value_start)
        name = str(json.loads(text[position:name_end]))
        found.append(Member(name, position, value_start, value_end))
        position = _skip_blanks(text, value_end)
        if text[position] == ",":
            position = _skip_blanks(text, position + 1)
    return found


def with_members(text: str, start: int, values: Mapping[str, object]) -> str:
    """The text with members of the object at ``start`` set; new ones are put last.

    Of a member that is there more than once every occurrence is set. A value that is there already
    stays as it is written.
    """
    found = members(text, start)
    layout = _layout(text, start, found)
    parts: list[str] = []
    position = 0
    for member in found:
        if member.name in values:
            old = text[member.value_start : member.value_end]
            new = values[member.name]
            parts.append(text[position : member.value_start])
            parts.append(old if _same(old, new) else _dump(new, layout))
            position = member.value_end
    known = {member.name for member in found}
    added = [name for name in values if name not in known]
    if added:
        last = found[-1].value_end if found else start + 1
        parts.append(text[position:last])
        lines = (
            layout.before + json.dumps(n) + layout.colon + _dump(values[n], layout) for n in added
        )
        parts.append(("," if found else "") + ",".join(lines) + ("" if found else layout.close))
        position = last
    return "".join([*parts, text[position:]])


def _same(old: str, new: object) -> bool:
    """Whether the written value is the new one already; numbers and their kinds told apart."""
    is_text = isinstance(new, str) and old.startswith('"')
    return old == json.dumps(new) or (is_text and json.loads(old) == new)


def _dump(value: object, layout: Layout) -> str:
    if not isinstance(value, dict) or not layout.before:
        separators = (",", layout.colon)
        return json.dumps(value, ensure_ascii=False, separators=separators)
    line_break, indent = _split_indent(layout.before)
    unit = indent[: len(indent) - len(_split_indent(layout.close)[1])] or indent
    dumped = json.dumps(value, ensure_ascii=False, indent=unit, separators=(",", layout.colon))
    return dumped.replace("\n", line_break + indent)


def _split_indent(blanks: str) -> tuple[str, str]:
    line_break = "\r\n" if "\r\n" in blanks else "\n"
    return line_break, blanks.rpartition("\n")[2]


def _layout(text: str, start: int, found: list[Member]) -> Layout:
    """The layout of the object's members, or Takeout's where it has none."""
    if not found:
        return Layout("\n  ", ": ", "\n")
    first, last = found[0], found[-1]
    name_end = _end_of_value(text, first.start)
    close = text[last.value_end : _skip_blanks(text, last.value_end)]
    return Layout(text[start + 1 : first.start], text[name_end : first.value_start], close)


def _skip_blanks(text: str, position: int) -> int:
    blanks = _BLANKS.match(text, position)
    return blanks.end() if blanks else position


def _end_of_value(text: str, start: int) -> int:
    if text[start] in "{[":
        return _end_of_nested(text, start)
    found = (_STRING if text[start] == '"' else _SCALAR).match(text, start)
    return found.end() if found else start + 1


def _end_of_nested(text: str, start: int) -> int:
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text, start):
        mark = token.group()
        if mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
            if depth == 0:
                return token.end()
    return len(text)
