"""Directories that need not be compared again, for neither their files nor their rows changed."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from tagline.model.keys import directory_of

_SPOILT: Final = 1 << 40


class _Current(msgspec.Struct, frozen=True, gc=False):
    digest: int
    changes: int
    photos: int


class Directories:
    """What the last comparison of each directory said; used on the event loop's thread.

    Comparing a directory means decoding its rows, which takes as long as listing it. So a digest of
    the listing is remembered, and the number of changes to the directory's rows at which it is
    right. That is the number so far if all rows were right; where photos had to be read, each of
    them is one more change. Other changes may bring about the same number: they are then of files
    that have another state than in the listing, so that the next listing has another digest.
    """

    def __init__(self) -> None:
        self._current: dict[str, _Current] = {}
        self._changes: Counter[str] = Counter()

    def note_changes(self, object_keys: Iterable[str]) -> None:
        """Note that the rows of these photos were stored or removed."""
        self._changes.update(map(directory_of, object_keys))

    def spoil(self, object_key: str) -> None:
        """Have the photo's directory compared again, for the photo could not be read."""
        self._changes[directory_of(object_key)] += _SPOILT

    def changes(self, directory: str) -> int:
        """The number of changes so far; ask before the rows are read that are compared."""
        return self._changes[directory]

    def remember(self, directory: str, digest: int, changes: int, photos: int) -> None:
        """Note at how many changes so many rows agree with the listing that has this digest."""
        self._current[directory] = _Current(digest, changes, photos)

    def photos(self, directory: str) -> int:
        """How many photos it had when it was last compared; 0 when it was not yet."""
        known = self._current.get(directory)
        return known.photos if known else 0

    def photos_if_current(self, directory: str, digest: int) -> int | None:
        """The number of photos, if every row is known to agree with a listing of this digest."""
        known = self._current.get(directory)
        if known and known.digest == digest and known.changes == self._changes[directory]:
            return known.photos
        return None
