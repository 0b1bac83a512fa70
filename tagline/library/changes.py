"""From changes of index rows to what clients are told of them: pure, the caller has the clock.

A few changes are told one by one, a moment after they are made: a photo that leaves one directory
and arrives in another has then moved, and is not told as removed and created. Of many changes only
the number is told, once a second: whoever shows photos loads them again, which costs less than
thousands of events, and is bounded however large the directory is.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from tagline.index import RowChange
from tagline.library.happenings import (
    Happening,
    PhotoChanged,
    PhotoCreated,
    PhotoRemoved,
    PhotosChanged,
)

SOON_SECONDS = 0.02
"""How long a change waits for a further one of the same photo."""
GONE_SECONDS = 0.5
"""How long a photo that is gone is waited for, since it may have moved."""
MANY_SECONDS = 1.0
"""How often many changes are told of."""
MOST_AT_ONCE = 200
"""So many changes are told one by one."""
MOST_A_SECOND = 20.0
"""So many a second in the long run."""


class _Name(msgspec.Struct, frozen=True, gc=False):
    """What is told of a photo; the rest of its JSON is skipped."""

    object_key: str
    etag: str


class _Pending(msgspec.Struct):
    """What happened to a photo since it was last told of; ``due`` is when to tell."""

    old: _Name | None
    new: _Name | None
    due: float


_decode = msgspec.json.Decoder(_Name).decode


class PhotoChanges:
    """Folds changes until they are told. Every ``now`` is in seconds that never go back."""

    def __init__(self, now: float) -> None:
        self._pending: dict[str, _Pending] = {}
        self._many: PhotosChanged | None = None
        self._many_due = 0.0
        self._allowed = float(MOST_AT_ONCE)
        self._allowed_at = now

    @property
    def due(self) -> float | None:
        """When there is something to be told; None when there is nothing."""
        dues = [pending.due for pending in self._pending.values()]
        if self._many is not None:
            dues.append(self._many_due)
        return min(dues, default=None)

    def note(self, changes: Sequence[RowChange], now: float) -> None:
        """Take notice of a transaction."""
        if self._many is None and len(self._pending) + len(changes) <= self._allowance(now):
            for change in changes:
                self._note_one(change, now)
            return
        if self._many is None:
            self._many = _counted((p.old, p.new) for p in self._pending.values())
            self._many_due = now + MANY_SECONDS
            self._pending.clear()
        self._many = _sum(self._many, _counted((c.old, c.new) for c in changes))

    def take(self, now: float) -> list[Happening]:
        """What is due to be told now."""
        told: list[Happening] = []
        if self._many is not None and self._many_due <= now:
            told.append(self._many)
            self._many = None
        for photo_id, pending in [(i, p) for i, p in self._pending.items() if p.due <= now]:
            del self._pending[photo_id]
            if (happening := _told(photo_id, pending)) is not None:
                told.append(happening)
        self._allowed = self._allowance(now) - len(told)
        self._allowed_at = now
        return told

    def _note_one(self, change: RowChange, now: float) -> None:
        new = _decode(change.new) if change.new is not None else None
        due = now + (GONE_SECONDS if new is None else SOON_SECONDS)
        pending = self._pending.get(change.photo_id)
        if pending is None:
            old = _decode(change.old) if change.old is not None else None
            self._pending[change.photo_id] = _Pending(old, new, due)
        else:
            # A photo that never stops changing is told of all the same.
            pending.due = due if pending.new is None or new is None else pending.due
            pending.new = new

    def _allowance(self, now: float) -> float:
        gained = (now - self._allowed_at) * MOST_A_SECOND
        return min(float(MOST_AT_ONCE), self._allowed + gained)


def _told(photo_id: str, pending: _Pending) -> Happening | None:
    """What became of a photo, if anything did."""
    old, new = pending.old, pending.new
    if new is None:
        return old and PhotoRemoved(id=photo_id, object_key=old.object_key)
    if old is None:
        return PhotoCreated(id=photo_id, etag=new.etag, object_key=new.object_key)
    if old == new:
        return None
    return PhotoChanged(id=photo_id, etag=new.etag, object_key=new.object_key)


def _counted(changes: Iterable[tuple[object | None, object | None]]) -> PhotosChanged:
    """How many photos came, changed and went, by what there was before and after."""
    kinds = Counter((old is not None, new is not None) for old, new in changes)
    return PhotosChanged(
        created=kinds[False, True], changed=kinds[True, True], removed=kinds[True, False]
    )


def _sum(one: PhotosChanged, other: PhotosChanged) -> PhotosChanged:
    return PhotosChanged(
        created=one.created + other.created,
        changed=one.changed + other.changed,
        removed=one.removed + other.removed,
    )
