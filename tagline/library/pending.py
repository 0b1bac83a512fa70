"""What an edit is about to do is written down before it begins, and what became of it after it."""

import logging
from collections.abc import Callable
from typing import Literal

from tagline.index import TinyHistory
from tagline.library.reading import rfc3339_from_ns
from tagline.model import Cause, Intended, PastChange, PendingChange

_logger = logging.getLogger(__name__)

Ending = Literal["made", "undone", "unknown"]
"""What became of an edit: it is on disk; or the files are as they were; or that is not known."""

End = Callable[[Ending], None]
Witness = Callable[[Intended], End]
"""Called in the disk's thread just before the first file changes; gives what is told the ending.

Neither raises.
"""


def unwitnessed(intended: Intended) -> End:  # noqa: ARG001 - a ``Witness``
    """Write down nothing."""
    return lambda _: None


class Scribe:
    """Writes edits down in the history; any thread may use it.

    An edit that cannot be recorded is made all the same; the log says so once, until it works
    again.
    """

    def __init__(self, store: TinyHistory, clock_ns: Callable[[], int]) -> None:
        self.store = store
        self._clock_ns = clock_ns
        self._failing = False

    def witness(self, photo_id: str, cause: Cause) -> Witness:
        """The witness of one edit."""

        def begin(intended: Intended) -> End:
            change = PastChange(
                photo_id=photo_id,
                at=rfc3339_from_ns(self._clock_ns()),
                by=cause.by,
                restores=cause.restores,
                before=intended.before,
                after=intended.after,
            )
            return self._begin(
                PendingChange(
                    change=change,
                    beside_before=intended.beside_before,
                    beside_after=intended.beside_after,
                )
            )

        return begin

    def _begin(self, pending: PendingChange) -> End:
        name, store = self.store.begin(pending), self.store
        self._tell_of_failure(
            "cannot be undone" if name is None else "a power cut may make unknown"
        )
        if name is None:
            return lambda _: None
        endings = {"made": store.confirm, "undone": store.cancel, "unknown": store.leave}
        return lambda ending: endings[ending](name)

    def _tell_of_failure(self, how: str) -> None:
        failure = self.store.failure
        if failure is not None and not self._failing:
            _logger.warning("a change is made that %s: %s", how, failure)
        self._failing = failure is not None
