"""Random access to bytes, wherever they lie."""

from typing import Protocol


class ByteSource(Protocol):
    """A file's bytes, read in pieces; a short answer means the end of the file."""

    @property
    def size(self) -> int:
        """Length in bytes."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``; fewer only at the end of the file."""
        ...


class BytesSource:
    """A ``ByteSource`` over bytes in memory."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self._data)

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``; fewer only at the end of the data."""
        return bytes(self._data[offset : offset + length])
