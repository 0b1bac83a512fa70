"""The ``Range`` header (RFC 9110, 14.1 and 14.2): pure rules, no requests."""

import re
from typing import NamedTuple

_ONE_RANGE = re.compile(r"(?i:bytes)=[ \t]*(\d{1,18})?-(\d{1,18})?[ \t]*", re.ASCII)


class Span(NamedTuple):
    """A part of a file: where it starts, and its length in bytes (at least 1)."""

    offset: int
    length: int

    def content_range(self, size: int) -> str:
        """The value of ``Content-Range`` for this part of a file of ``size`` bytes."""
        return f"bytes {self.offset}-{self.offset + self.length - 1}/{size}"


class Unsatisfiable(Exception):
    """The range asked for lies wholly outside the file: 416."""


def parse_range(value: str, size: int) -> Span | None:
    """The one part of a file that a ``Range`` header asks for.

    None where the header is to be ignored and the whole file sent, as RFC 9110, 14.2 allows:
    another unit than bytes, wrong syntax, an end before its start, or several ranges at once.

    Args:
        value: the header's value.
        size: length of the file in bytes.

    Raises:
        Unsatisfiable: the syntax is right and no byte of the file is meant.
    """
    match = _ONE_RANGE.fullmatch(value)
    if match is None or match.group(1) is match.group(2) is None:
        return None
    first, last = match.groups()
    if first is None:
        return _suffix(int(last), size)
    start, end = int(first), size - 1 if last is None else int(last)
    if last is not None and end < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return Span(start, min(end, size - 1) - start + 1)


def _suffix(length: int, size: int) -> Span:
    """The last ``length`` bytes, or all when there are fewer."""
    if not length or not size:
        raise Unsatisfiable
    length = min(length, size)
    return Span(size - length, length)
