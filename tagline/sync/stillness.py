"""Since when files have been as they are: so none is replaced that is still being written.

Only size and modification time count: a change of mode, links or attributes is no writing. Looks
are compared with looks by a clock of this process; a file's own times are compared with no clock.
"""

import math
import time
from collections.abc import Callable
from threading import Lock

from tagline.model import FileState

_MOST_LOOKS = 4096
"""Of more single looks, those are forgotten that were made longer ago than anybody waits."""
_WAITED_SECONDS = 30.0


class Stillness:
    """Remembers first looks at files. Thread-safe.

    Args:
        settle_seconds: for so long a file must have had its size and modification time to be still;
            0 says that nobody but Tagline writes files, and every file is.
        clock: gives seconds that never go back.
    """

    def __init__(self, settle_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.settle_seconds = settle_seconds
        self._clock = clock
        self._began = clock()
        self._rows: dict[str, float] = {}
        self._looks: dict[str, tuple[FileState, float]] = {}
        self._lock = Lock()

    def note_row(self, object_key: str) -> None:
        """The index is told of a file that has another size or modification time than before."""
        with self._lock:
            now = self._clock()
            self._rows.pop(object_key, None)
            self._rows[object_key] = now
            while next(iter(self._rows.values())) < now - self.settle_seconds:
                del self._rows[next(iter(self._rows))]

    def note_own(self, object_key: str, state: FileState) -> None:
        """Tagline itself has written a file: it is still as long as it stays so."""
        with self._lock:
            self._remember(object_key, state, -math.inf)

    def wait_seconds(
        self, object_key: str, state: FileState, indexed: FileState | None = None
    ) -> float:
        """Look at a file: after how long it will be still if it stays so, 0 where it is.

        Args:
            object_key: the file.
            state: what it is like now.
            indexed: what the index says of it, which is a look of before.
        """
        if not self.settle_seconds:
            return 0.0
        with self._lock:
            now = self._clock()
            since = self._since(object_key, state, indexed, now)
            return max(0.0, since + self.settle_seconds - now)

    def still_seconds(
        self, object_key: str, state: FileState, indexed: FileState | None = None
    ) -> float:
        """Look at a file as ``wait_seconds`` does: for how long it has been as it is, at least."""
        with self._lock:
            now = self._clock()
            return now - max(self._since(object_key, state, indexed, now), self._began)

    def _since(
        self, object_key: str, state: FileState, indexed: FileState | None, now: float
    ) -> float:
        seen = self._looks.get(object_key)
        if seen is not None and state.is_unwritten_since(seen[0]):
            return seen[1]
        since = now
        if indexed is not None and state.is_unwritten_since(indexed):
            since = self._rows.get(object_key, self._began)
        self._remember(object_key, state, since)
        return since

    def _remember(self, object_key: str, state: FileState, since: float) -> None:
        self._looks.pop(object_key, None)
        self._looks[object_key] = (state, since)
        old = self._clock() - self.settle_seconds - _WAITED_SECONDS
        while len(self._looks) > _MOST_LOOKS:
            oldest = next(iter(self._looks))
            if self._looks[oldest][1] > old:
                break
            del self._looks[oldest]
