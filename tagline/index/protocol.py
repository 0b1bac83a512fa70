"""The protocol that every photo index keeps."""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from tagline.model import IndexedFile, IndexedPhoto, Page, PhotoQuery


class IndexedState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The part of a row that a reconcile compares: cheap to read for every photo at once."""

    id: str
    object_key: str
    fingerprint: str
    files: tuple[IndexedFile, ...]
    adopted: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()

    @property
    def inode(self) -> int:
        """The inode number of the photo itself."""
        return self.files[0].state.inode


class RowChange(msgspec.Struct, frozen=True, gc=False):
    """What a transaction did to one photo: its JSON before and after, None where there is none.

    The two differ: a row whose files changed while its photo's JSON stayed is no such change.
    """

    photo_id: str
    old: bytes | None
    new: bytes | None


IndexListener = Callable[[Sequence[RowChange]], None]
"""Told of each transaction when it is made, on the thread that made it; it must not raise."""


class PhotoIndex(Protocol):
    """A cache of rows by photo id; used from one thread, and no method blocks it for long.

    A row's JSON is kept encoded; reads never build values that they were not asked for.
    """

    def __len__(self) -> int:
        """Number of photos."""
        ...

    def get(self, photo_id: str) -> IndexedPhoto | None:
        """The row with this id."""
        ...

    def photo_json(self, photo_id: str) -> bytes | None:
        """The JSON of the photo with this id, exactly as a client gets it."""
        ...

    def by_key(self, object_key: str) -> IndexedPhoto | None:
        """The row of the photo with this object key."""
        ...

    def state(self, photo_id: str) -> IndexedState | None:
        """What a reconcile compares of the row with this id."""
        ...

    def alike(self, fingerprint: str, besides: Container[str] = ()) -> Iterator[IndexedState]:
        """Rows with this content fingerprint, by object key, each read when it is its turn.

        ``besides`` has the object keys of rows that are passed over. No row may change before the
        last one was taken.
        """
        ...

    def by_fingerprint(self, fingerprint: str) -> list[IndexedState]:
        """Rows with this content fingerprint, sorted by object key; there may be very many."""
        ...

    def page(self, query: PhotoQuery) -> Page:
        """A page of photos; one that has to be searched for blocks until it is found."""
        ...

    def states(self, directory: str = "", *, recursive: bool = True) -> Iterator[IndexedState]:
        """Rows below (or directly in) a directory, sorted by object key.

        Safe against changes between two steps: a row changed meanwhile may be given old or new.
        """
        ...

    def apply(self, put: Iterable[IndexedPhoto], remove: Iterable[str] = ()) -> None:
        """Store rows (by their photo's id) and remove ids, as one transaction.

        Removal comes first. No two rows may share an object key after it.
        """
        ...

    def sync(self) -> None:
        """Make every change so far survive a power cut. May be called from another thread."""
        ...

    def compact_if_needed(self) -> None:
        """Rewrite the file when most of it is history. May be called from another thread."""
        ...

    def close(self) -> None:
        """Sync, release the file and its lock."""
        ...
