"""Which kept pictures must go: pure bookkeeping, least recently used first."""

from collections import OrderedDict


class Ledger:
    """Names and sizes of what is kept, in the order of use; not thread-safe.

    Args:
        limit_bytes: what all of it may take together.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.total_bytes = 0
        self._sizes: OrderedDict[str, int] = OrderedDict()

    def __contains__(self, name: object) -> bool:
        return name in self._sizes

    def __len__(self) -> int:
        return len(self._sizes)

    def add(self, name: str, size_bytes: int) -> list[str]:
        """Note the newest of all; returns what must go, which may be the new one itself."""
        self.drop(name)
        self._sizes[name] = size_bytes
        self.total_bytes += size_bytes
        return self._overflow()

    def touch(self, name: str) -> None:
        """Note that something kept was used."""
        if name in self._sizes:
            self._sizes.move_to_end(name)

    def drop(self, name: str) -> None:
        """Forget something, whether it was kept or not."""
        self.total_bytes -= self._sizes.pop(name, 0)

    def _overflow(self) -> list[str]:
        gone: list[str] = []
        while self.total_bytes > self.limit_bytes:
            name, size = self._sizes.popitem(last=False)
            self.total_bytes -= size
            gone.append(name)
        return gone
