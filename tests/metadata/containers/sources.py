"""Byte sources that count, and that pretend to be large."""


class CountingSource:
    """A source that counts reads and bytes; behind its data it is ``size`` bytes long, all zero."""

    def __init__(self, data: bytes, size: int | None = None) -> None:
        self.data = data
        self.size = len(data) if size is None else size
        self.reads = 0
        self.read_bytes = 0

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``."""
        self.reads += 1
        length = max(min(length, self.size - offset), 0)
        self.read_bytes += length
        return self.data[offset : offset + length].ljust(length, b"\0")


class PatchworkSource:
    """A source of any size that is zero but where a patch says otherwise."""

    def __init__(self, size: int, patches: dict[int, bytes]) -> None:
        self.size = size
        self.patches = patches
        self.reads = 0
        self.read_bytes = 0

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``."""
        length = max(min(length, self.size - offset), 0)
        self.reads += 1
        self.read_bytes += length
        piece = bytearray(length)
        for start, data in self.patches.items():
            first, last = max(start, offset), min(start + len(data), offset + length)
            if first < last:
                piece[first - offset : last - offset] = data[first - start : last - start]
        return bytes(piece)
