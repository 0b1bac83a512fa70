"""Rows whose ids were lost of late, for a photo that moves may be missed before it is met."""

from collections import OrderedDict
from collections.abc import Callable, Sequence

from tagline.index.protocol import IndexedState

LOST_SECONDS = 600.0
"""For so long a photo that comes back takes up the id that it had."""
MOST = 10_000


class LostRows:
    """The last rows whose ids were lost, by content. ``clock`` gives seconds that never go back.

    Whoever looks at one half of a move alone (an event of its own, a listing that passed one
    directory before and the other one after) removes a row, and meets a photo later. Without the
    memory of the row, a photo that another one was moved over looks like one that was edited.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._rows: OrderedDict[str, tuple[float, IndexedState]] = OrderedDict()
        self._ids: dict[str, dict[str, None]] = {}

    def add(self, row: IndexedState) -> None:
        """Remember a row whose id is lost."""
        self._discard(row.id)
        self._rows[row.id] = (self._clock() + LOST_SECONDS, row)
        self._ids.setdefault(row.fingerprint, {})[row.id] = None
        while len(self._rows) > MOST or next(iter(self._rows.values()))[0] <= self._clock():
            self._discard(next(iter(self._rows)))

    def having(self, fingerprint: str) -> Sequence[IndexedState]:
        """The rows with this content, the last one first."""
        ids = self._ids.get(fingerprint)
        if not ids:
            return ()
        now = self._clock()
        found = (self._rows[photo_id] for photo_id in reversed(ids))
        return [row for until, row in found if until > now]

    def _discard(self, photo_id: str) -> None:
        known = self._rows.pop(photo_id, None)
        if known is None:
            return
        ids = self._ids[known[1].fingerprint]
        del ids[photo_id]
        if not ids:
            del self._ids[known[1].fingerprint]
