"""Changes that were announced and are not numbered yet: names and documents, no files."""

from collections.abc import Iterator, Mapping

import msgspec

from tagline.model import PendingChange

PENDING = "pending"
"""The table of announced changes: ``PendingChange`` by a name that is a number."""

_decode = msgspec.json.Decoder(PendingChange).decode


class Waiting:
    """The announced changes of one history, by name; not thread-safe.

    ``left`` may be called by another thread at any time.

    An edit is at work on some; the others were *left*, and wait to be judged. Those are *owed* of
    which it is known what became of them, and that is not written down yet.

    Args:
        rows: documents of a run before this one, all of which were left.
    """

    def __init__(self, rows: Mapping[str, bytes]) -> None:
        names = sorted(rows, key=int)
        self._all = {name: _decode(rows[name]) for name in names}
        self._left = dict.fromkeys(names)
        self._owed: dict[str, bool] = {}
        self._last = int(names[-1]) if names else 0

    def next_name(self) -> str:
        """A name that no change had in this run, and that is greater than those of all others."""
        self._last += 1
        return str(self._last)

    def add(self, name: str, pending: PendingChange) -> None:
        """Note a change that an edit is at work on."""
        self._all[name] = pending

    def leave(self, name: str) -> None:
        """Let a change wait to be judged."""
        self._left[name] = None

    def owe(self, name: str, *, made: bool) -> None:
        """Note what became of a change."""
        if name in self._all:
            self._owed[name] = made

    def owed(self) -> Iterator[tuple[str, PendingChange | None]]:
        """What became of changes, in the order in which that was told; None for not made."""
        for name, made in list(self._owed.items()):
            yield name, self._all[name] if made else None

    def drop(self, name: str) -> None:
        """Forget a change."""
        del self._all[name]
        self._left.pop(name, None)
        self._owed.pop(name, None)

    def overdue(self, most: int) -> list[str]:
        """The oldest of those that were left, beyond so many."""
        return list(self._left)[: max(0, len(self._left) - most)]

    def left(self, photo_id: str | None) -> dict[str, PendingChange]:
        """Those that were left, of one photo or of all."""
        found = ((name, self._all.get(name)) for name in list(self._left))
        return {k: v for k, v in found if v and photo_id in {None, v.change.photo_id}}
