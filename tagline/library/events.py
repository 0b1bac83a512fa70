"""The latest events, and those who read them: plain data, without clock, loop or thread.

Events have numbers without gaps. They lie in a ring that every reader shares: a reader is a place
in it, so that a thousand readers take no more memory than one, and a slow one keeps nobody waiting.
"""

import re
from collections.abc import Callable
from enum import Enum
from typing import Final

import msgspec

from tagline.errors import EventsLost
from tagline.library.happenings import Happening

CAPACITY = 2048
"""So many events can be read again by who was away; some 300 bytes each."""

_ID = re.compile(r"([0-9a-zA-Z]{1,32})-(0|[1-9][0-9]{0,17})", re.ASCII)
_encode = msgspec.json.Encoder().encode


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event: its id, what kind it is, and its JSON, which has no line break in it."""

    id: str
    kind: str
    data: bytes


class Opening(Enum):
    """From where a reader reads on."""

    FRESH = "fresh"
    """From now on."""
    RESUMED = "resumed"
    """From the event that it had seen last: nothing is lost, nothing is repeated."""
    TOO_OLD = "too_old"
    """From now on, for some of what it missed is no longer kept."""
    RESTARTED = "restarted"
    """From now on, for the server was started anew since the event that it had seen last."""
    UNKNOWN = "unknown_id"
    """From now on, for the id that it gave is none."""


class Hub:
    """Keeps the latest events, and wakes who waits for them.

    Args:
        run: letters and digits that no other run of the server has: part of every id.
        capacity: how many events are kept.
    """

    def __init__(self, run: str, capacity: int = CAPACITY) -> None:
        self._run: Final = run
        self._slots: list[Event | None] = [None] * capacity
        self._last = 0
        self._readers: set[Reader] = set()

    @property
    def listened(self) -> bool:
        """Whether anybody reads."""
        return bool(self._readers)

    def publish(self, happening: Happening) -> None:
        """Keep an event of this, and wake every reader."""
        self._last += 1
        event = Event(self.id_of(self._last), happening.KIND, _encode(happening))
        self._slots[self._last % len(self._slots)] = event
        for reader in tuple(self._readers):
            reader.wake()

    def subscribe(self, wake: Callable[[], None], last_id: str | None = None) -> "Reader":
        """A reader of what comes, and of what came since the event with ``last_id``.

        ``wake`` is called at every event; it must not raise. Close the reader in the end.
        """
        opening, number = self._place(last_id)
        reader = Reader(self, wake, opening, number)
        self._readers.add(reader)
        return reader

    def id_of(self, number: int) -> str:
        """The id of an event."""
        return f"{self._run}-{number}"

    def after(self, number: int, limit: int) -> list[Event]:
        """At most so many of the events after that number, oldest first.

        Raises:
            EventsLost: some of them are no longer kept.
        """
        if number < self._oldest - 1:
            raise EventsLost
        end = min(self._last, number + limit)
        slots = (self._slots[n % len(self._slots)] for n in range(number + 1, end + 1))
        return [event for event in slots if event is not None]

    def unsubscribe(self, reader: "Reader") -> None:
        """Wake this reader no more."""
        self._readers.discard(reader)

    @property
    def _oldest(self) -> int:
        """The number of the oldest event that is kept."""
        return max(1, self._last - len(self._slots) + 1)

    def _place(self, last_id: str | None) -> tuple[Opening, int]:
        """How a reader begins, and the number of the event after which it does."""
        if last_id is None:
            return Opening.FRESH, self._last
        match = _ID.fullmatch(last_id)
        if match is None:
            return Opening.UNKNOWN, self._last
        if match[1] != self._run:
            return Opening.RESTARTED, self._last
        number = int(match[2])
        if number > self._last:
            return Opening.UNKNOWN, self._last
        if number < self._oldest - 1:
            return Opening.TOO_OLD, self._last
        return Opening.RESUMED, number


class Reader:
    """A place among the events. ``opening`` says how it was found."""

    def __init__(self, hub: Hub, wake: Callable[[], None], opening: Opening, number: int) -> None:
        self.opening: Final = opening
        self.wake: Final = wake
        self._hub = hub
        self._number = number

    @property
    def last_id(self) -> str:
        """The id of the last event that was taken: who gives it resumes behind that."""
        return self._hub.id_of(self._number)

    def take(self, limit: int) -> list[Event]:
        """The next events, at most so many; none where there is nothing new.

        Raises:
            EventsLost: this reader was so slow that some of them are no longer kept.
        """
        events = self._hub.after(self._number, limit)
        self._number += len(events)
        return events

    def close(self) -> None:
        """Read no more; may be called twice."""
        self._hub.unsubscribe(self)
