"""Announcing: what happens in the library becomes events for those who listen."""

import asyncio
import time
from collections.abc import Callable, Sequence

from tagline.index import RowChange
from tagline.library.changes import PhotoChanges
from tagline.library.events import Hub, Reader
from tagline.library.noticing import Sight, noticed

LOOK_SECONDS = 1.0
"""So often health and scan are looked at while somebody listens."""


class Announcer:
    """Feeds the hub; use it on the event loop, and ``close`` it there.

    Changes of photos are told of whether or not somebody listens, for who is away for a moment may
    come back and resume. Health and scan are looked at every second only while somebody listens;
    besides when somebody begins to, when the photo directory comes or goes, and at the end of a
    rescan that was asked for.

    Args:
        hub: keeps the events.
        look: gives what there is to be seen now; cheap.
        clock: seconds that never go back.
    """

    def __init__(
        self, hub: Hub, look: Callable[[], Sight], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._hub = hub
        self._look = look
        self._clock = clock
        self._seen: Sight | None = None
        self._changes = PhotoChanges(clock())
        self._telling: asyncio.TimerHandle | None = None
        self._looking: asyncio.TimerHandle | None = None

    def photos_changed(self, changes: Sequence[RowChange]) -> None:
        """Take notice of a transaction of the index."""
        self._changes.note(changes, self._clock())
        self._tell_later()

    def subscribe(self, wake: Callable[[], None], last_id: str | None) -> Reader:
        """A reader of events; see ``Hub.subscribe``."""
        self.look()
        reader = self._hub.subscribe(wake, last_id)
        if self._looking is None:
            self._look_again()
        return reader

    def look(self, *, asked: bool = False) -> None:
        """Tell what happened to health and scan since the last look; see ``noticed``."""
        before, self._seen = self._seen, self._look()
        if before is not None:
            for happening in noticed(before, self._seen, asked=asked):
                self._hub.publish(happening)

    def close(self) -> None:
        """Tell no more; may be called twice."""
        for handle in (self._telling, self._looking):
            if handle is not None:
                handle.cancel()

    def _look_again(self) -> None:
        """Look now and then, as long as somebody listens."""
        self._looking = None
        if self._hub.listened:
            self.look()
            loop = asyncio.get_running_loop()
            self._looking = loop.call_later(LOOK_SECONDS, self._look_again)

    def _tell(self) -> None:
        self._telling = None
        for happening in self._changes.take(self._clock()):
            self._hub.publish(happening)
        self._tell_later()

    def _tell_later(self) -> None:
        """Have it told when the next is due."""
        due = self._changes.due
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        if due is not None:
            delay_seconds = max(0.0, due - self._clock())
            self._telling = asyncio.get_running_loop().call_later(delay_seconds, self._tell)
