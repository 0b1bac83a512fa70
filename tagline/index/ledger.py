"""Which changes the history keeps: numbers and sizes, no files."""

from collections.abc import Callable

import msgspec


class HistoryLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept: changes of one photo, changes in all, and bytes of all their documents.

    ``change_bytes`` is the most that one change may take: more is not kept at all. ``left`` is how
    many changes may wait to be judged by what the disk says.
    """

    per_photo: int = 50
    changes: int = 50_000
    bytes: int = 32 << 20
    change_bytes: int = 4 << 20
    left: int = 1_000


class _Own:
    """The changes of one photo: their numbers, oldest first."""

    __slots__ = ("numbers", "photo_id")

    def __init__(self, photo_id: str) -> None:
        self.photo_id = photo_id
        self.numbers: tuple[int, ...] = ()


class Ledger:
    """The numbers of the changes that are kept, by photo and by age; not thread-safe.

    ``of`` may be called by another thread at any time.

    Args:
        limits: how much may be kept.
        size_of: the size in bytes of a change that is kept, by its number.
    """

    def __init__(self, limits: HistoryLimits, size_of: Callable[[int], int]) -> None:
        self._limits = limits
        self._size_of = size_of
        self._kept: dict[int, _Own] = {}
        self._by_photo: dict[str, _Own] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, photo_id: str) -> tuple[int, ...]:
        """The numbers of a photo's changes, oldest first."""
        own = self._by_photo.get(photo_id)
        return () if own is None else own.numbers

    def overdue(self, photo_id: str, size: int) -> dict[int, int]:
        """What has to go, with its size, so that one more change of so many bytes is within limits.

        The oldest of the photo go first where it has too many, then the oldest of all.
        """
        own = self.of(photo_id)
        surplus = own[: max(0, len(own) + 1 - self._limits.per_photo)]
        gone = {n: self._size_of(n) for n in surplus}
        count = len(self._kept) + 1 - len(gone)
        held = self.bytes + size - sum(gone.values())
        for n in self._kept:
            if count <= self._limits.changes and held <= self._limits.bytes:
                break
            if n not in gone:
                gone[n] = self._size_of(n)
                count, held = count - 1, held - gone[n]
        return gone

    def add(self, n: int, photo_id: str, size: int) -> None:
        """Take note of a change, which has the greatest number so far."""
        own = self._by_photo.get(photo_id)
        if own is None:
            own = self._by_photo[photo_id] = _Own(photo_id)
        own.numbers = (*own.numbers, n)
        self._kept[n] = own
        self.bytes += size

    def drop(self, n: int, size: int) -> None:
        """Forget a change that was kept, and had this size."""
        own = self._kept.pop(n)
        self.bytes -= size
        own.numbers = tuple(other for other in own.numbers if other != n)
        if not own.numbers:
            del self._by_photo[own.photo_id]
