"""Boxes of the ISO base media file format (ISO/IEC 14496-12, 4.2): HEIF, AVIF, CR3, JPEG XL."""

from collections.abc import Iterator
from struct import unpack
from typing import NamedTuple

from tagline.metadata.window import Malformed, Window

BOX_LIMIT = 1024
"""Boxes side by side that are looked at."""

BODY_LIMIT = 512 * 1024
"""Bytes of a box that is read as a whole."""


class Box(NamedTuple):
    """A box's type, and where its content is: from ``start`` to ``end``, offsets in the file.

    ``cut`` says that its header names more bytes than there are.
    """

    kind: bytes
    start: int
    end: int
    cut: bool

    @property
    def length(self) -> int:
        """Length of the content in bytes."""
        return self.end - self.start


def boxes(window: Window, start: int, end: int, ahead: int = 64) -> Iterator[Box]:
    """Boxes side by side from ``start`` to ``end``; one that goes further is cut off there.

    Raises:
        Malformed: a box is shorter than its own header, or there are too many.
    """
    count = 0
    while start + 8 <= end:
        length, kind = unpack(">I4s", window.at(start, 8, ahead))
        header = 8
        if length == 1:
            length, header = int.from_bytes(window.at(start + 8, 8, ahead), "big"), 16
        elif length == 0:
            length = end - start
        count += 1
        if length < header or count > BOX_LIMIT:
            raise Malformed("The file's boxes are damaged.")
        behind = start + length
        yield Box(kind, start + header, max(min(behind, end), start + header), behind > end)
        start += length


def find(window: Window, box: Box, *path: bytes) -> Box | None:
    """The first box reached from ``box`` by a path of types; None where there is none.

    Raises:
        Malformed: the boxes on the way are damaged.
    """
    inside: Box | None = box
    for kind in path:
        if inside is None:
            return None
        inside = next((b for b in boxes(window, inside.start, inside.end) if b.kind == kind), None)
    return inside


def body(window: Window, box: Box) -> "Cursor":
    """The content of a box, to be read number by number.

    Raises:
        Malformed: it is larger than any that makes sense, or outside the file.
    """
    if box.length > BODY_LIMIT:
        raise Malformed("A box of the file is too large to be read.")
    return Cursor(window.at(box.start, box.length))


class Cursor:
    """Reads big-endian numbers from bytes, one behind the other."""

    __slots__ = ("_data", "position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    @property
    def left(self) -> int:
        """Bytes that have not been read."""
        return len(self._data) - self.position

    def take(self, length: int) -> bytes:
        """The next ``length`` bytes.

        Raises:
            Malformed: there are fewer.
        """
        end = self.position + length
        if end > len(self._data):
            raise Malformed("A box of the file ends early.")
        piece = self._data[self.position : end]
        self.position = end
        return piece

    def number(self, length: int) -> int:
        """The next unsigned number of ``length`` bytes; 0 for one of no bytes."""
        return int.from_bytes(self.take(length), "big")

    def version_and_flags(self) -> tuple[int, int]:
        """What a full box begins with (14496-12, 4.2.2)."""
        return self.number(1), self.number(3)

    def text(self) -> bytes:
        """The next string that a zero byte ends; the rest where there is none."""
        end = self._data.find(b"\0", self.position)
        if end < 0:
            return self.take(self.left)
        piece = self._data[self.position : end]
        self.position = end + 1
        return piece
