"""Runs of zeros where data should be.

A copier that reserves a file's space and fills it later leaves zeros where data will be. Data that
is compressed holds no long run of them, and other data hardly one from block to block.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from tagline.metadata.window import Window

HOLE_BYTES: Final = 4096
"""A shorter run of zeros says nothing: it is the least that file systems and copiers reserve."""

Run = tuple[int, int]
"""Where a run of bytes begins and ends."""

Extent = tuple[int, int]
"""Offset and length in bytes of a run of bytes."""

_NOT_ZERO: Final = re.compile(rb"[^\0]")
_LOOKED_AT: Final = 64
_LEAST_BYTES: Final = 64
_PADDING_BYTES: Final = 64 * 1024
_JPEG_END: Final = b"\xff\xd9"
# Bytes by which zeros that belong to a file may make a hole in it look longer.
_SLACK: Final = 2


def on_blocks(run: Run) -> bool:
    """Whether a run begins and ends where blocks of a file do, which by chance it hardly does."""
    return -run[0] % HOLE_BYTES <= _SLACK and run[1] % HOLE_BYTES <= _SLACK


def zero_runs(data: bytes, start: int, end: int) -> Iterator[Run]:
    """Every run of at least ``HOLE_BYTES`` zeros between two offsets.

    Every run covers one of the bytes at which is looked, so that this costs next to nothing.
    """
    marks = data[start + HOLE_BYTES - 1 : end : HOLE_BYTES]
    behind = start
    at = marks.find(0)
    while at >= 0:
        place = start + HOLE_BYTES * (at + 1) - 1
        if place >= behind:
            left = max(place - HOLE_BYTES, behind)
            first = left + len(data[left:place].rstrip(b"\0"))
            found = _NOT_ZERO.search(data, place, end)
            behind = found.start() if found is not None else end
            if behind - first >= HOLE_BYTES:
                yield first, behind
        at = marks.find(0, at + 1)


def is_hole(window: Window, offset: int) -> bool:
    """Whether zeros stand from an offset on, ``HOLE_BYTES`` of them or up to the file's end.

    Raises:
        Malformed: the offset is behind the file's end.
    """
    return not window.at(offset, min(HOLE_BYTES, window.size - offset), 0).strip(b"\0")


def any_ends_in_zeros(window: Window, extents: Iterable[Extent]) -> bool:
    """Whether one of these runs of compressed data ends in zeros; of many, some are looked at.

    Zeros behind the end of a JPEG are padding.

    Raises:
        Malformed: one is not inside the file.
    """
    known = sorted(set(extents))
    step = -(-len(known) // _LOOKED_AT) or 1
    return any(_ends_in_zeros(window, *extent) for extent in {*known[::step], *known[-1:]})


def _ends_in_zeros(window: Window, offset: int, length: int) -> bool:
    size = min(length, HOLE_BYTES)
    if size < _LEAST_BYTES or window.at(offset + length - size, size, 0).strip(b"\0"):
        return False
    size = min(length, _PADDING_BYTES)
    tail = window.at(offset + length - size, size, 0)
    return not tail.rstrip(b"\0").endswith(_JPEG_END)
