"""Rows whose ids were lost of late, for a photo that moves may be missed before it is met."""

from collections.abc import Callable, Iterator

import msgspec

from tagline.index.protocol import IndexedState

LOST_SECONDS = 600.0
"""For so long a photo that comes back takes up the id that it had."""
MOST = 10_000


class LostRow(msgspec.Struct, frozen=True, gc=False):
    """What is remembered of a row: as little as does, for there may be many.

    ``kept`` is whether its id did not follow from content and key. ``lost_at`` is in seconds of
    the clock of ``LostRows``.
    """

    id: str
    object_key: str
    fingerprint: str
    inode: int
    lost_at: float
    kept: bool = False


class LostRows:
    """The last rows whose ids were lost, by content. ``clock`` gives seconds that never go back.

    Whoever looks at one half of a move alone (an event of its own, a listing that passed one
    directory before and the other one after) removes a row, and meets a photo later. Without the
    memory of the row, a photo that another one was moved over looks like one that was edited.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._rows: dict[str, LostRow] = {}
        self._ids: dict[str, str | dict[str, None]] = {}
        self._kept: dict[str, dict[str, None]] = {}

    def add(self, row: IndexedState, *, kept: bool = False) -> None:
        """Remember a row whose id is lost."""
        self._discard(row.id)
        now = self._clock()
        lost = LostRow(row.id, row.object_key, row.fingerprint, row.inode, now, kept)
        self._rows[row.id] = lost
        if kept:
            self._kept.setdefault(row.fingerprint, {})[row.id] = None
        ids = self._ids.setdefault(row.fingerprint, row.id)
        if ids != row.id:
            several = {ids: None} if isinstance(ids, str) else ids
            self._ids[row.fingerprint] = several
            several[row.id] = None
        while len(self._rows) > MOST or self._is_over(next(iter(self._rows.values())), now):
            self._discard(next(iter(self._rows)))

    def having(self, fingerprint: str, *, kept: bool = False) -> Iterator[LostRow]:
        """The rows with this content, or those of them with ids that were kept, the last first."""
        ids = (self._kept if kept else self._ids).get(fingerprint, {})
        now = self._clock()
        found = (self._rows[i] for i in ([ids] if isinstance(ids, str) else reversed(ids)))
        return (row for row in found if not self._is_over(row, now))

    def has(self, photo_id: str, seconds: float) -> bool:
        """Whether this id was lost no more than so many seconds ago."""
        row = self._rows.get(photo_id)
        return row is not None and row.lost_at + seconds > self._clock()

    def _is_over(self, row: LostRow, now: float) -> bool:
        return row.lost_at + LOST_SECONDS <= now

    def _discard(self, photo_id: str) -> None:
        row = self._rows.pop(photo_id, None)
        if row is None:
            return
        if row.kept:
            kept = self._kept[row.fingerprint]
            del kept[photo_id]
            if not kept:
                del self._kept[row.fingerprint]
        ids = self._ids[row.fingerprint]
        if isinstance(ids, str) or len(ids) == 1:
            del self._ids[row.fingerprint]
        else:
            del ids[photo_id]
