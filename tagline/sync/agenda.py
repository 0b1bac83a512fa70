"""When to reconcile what again, besides what events tell. Pure: every method is told the time."""

import math
from collections import deque
from collections.abc import Iterable

from tagline.sync.values import Scope

AGAIN_SECONDS = 1.0
"""What an added directory holds may have come before it was watched: it is walked once more."""
STORM_PATHS = 4_096
STORM_SECONDS = 10.0
"""After so many paths in so short a time some events may have been dropped."""
QUIET_SECONDS = 1.0
"""A storm is over when nothing came for so long."""


class Agenda:
    """What is due: a full reconcile at once. Times are seconds of a clock that never goes back."""

    def __init__(self, now: float) -> None:
        self._full_due = now
        self._again: dict[Scope, float] = {}
        self._recent: deque[tuple[float, int]] = deque()
        self._storm_since: float | None = None

    def note_paths(self, number: int, now: float, *, lost: bool) -> None:
        """Note that so many paths were told, or more than could be remembered."""
        self._recent.append((now, number))
        while self._recent[0][0] < now - STORM_SECONDS:
            self._recent.popleft()
        if lost or sum(count for _, count in self._recent) >= STORM_PATHS:
            if self._storm_since is None:
                self._storm_since = now
            over = min(now + QUIET_SECONDS, self._storm_since + STORM_SECONDS)
            self._full_due = over

    @property
    def is_stormy(self) -> bool:
        """Whether events may have been lost since the last full reconcile began."""
        return self._storm_since is not None

    def note_again(self, scopes: Iterable[Scope], now: float) -> None:
        """Note what is to be walked once more a little later."""
        for scope in scopes:
            self._again[scope] = now + AGAIN_SECONDS

    def take_again(self, now: float) -> list[Scope]:
        """What is to be walked once more now."""
        due = [scope for scope, at in self._again.items() if at <= now]
        for scope in due:
            del self._again[scope]
        return due

    def full_is_due(self, now: float) -> bool:
        """Whether a full reconcile should begin."""
        return self._full_due <= now

    def begin_full(self) -> None:
        """Note that a full reconcile begins: what was told before is dealt with by it."""
        self._full_due = math.inf
        self._storm_since = None
        self._recent.clear()

    def end_full(self, now: float, pause_seconds: float) -> None:
        """Note that a full reconcile has ended, and how long after it the next is due."""
        self._full_due = min(self._full_due, now + pause_seconds)

    def wait_seconds(self, now: float) -> float:
        """Time until something is due."""
        return max(0.0, min([self._full_due, *self._again.values()]) - now)
