"""Random access to bytes, wherever they lie."""

from typing import Final, Protocol, TypeAlias

_PIECE_BYTES: Final = 1 << 20


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


Data: TypeAlias = bytes | ByteSource
"""Bytes, or where they lie."""


def source_of(data: Data) -> ByteSource:
    """The bytes, to be read in pieces."""
    return BytesSource(data) if isinstance(data, bytes) else data


def bytes_of(data: Data) -> bytes:
    """All of the bytes, in memory."""
    return data if isinstance(data, bytes) else data.read_at(0, data.size)


def same_data(one: Data, other: Data) -> bool:
    """Whether the bytes are the same; of what is not in memory, a piece at a time is read."""
    first, second = source_of(one), source_of(other)
    return first.size == second.size and all(
        first.read_at(offset, _PIECE_BYTES) == second.read_at(offset, _PIECE_BYTES)
        for offset in range(0, first.size, _PIECE_BYTES)
    )
