"""The values that the parts of the synchronisation hand to each other, and to the library."""

from collections.abc import Callable

import msgspec

from tagline.model import IndexedFile, Photo
from tagline.storage.provider import PhotoStorageProvider


class Scope(msgspec.Struct, frozen=True):
    """A part of the photo directory that may have changed.

    ``directory`` is a key, empty for the photo directory itself; with ``recursive`` its whole
    subtree is meant, else its own files. ``names`` narrows it further, to the photos of this one
    directory that these file names can have to do with: a hint, a reconcile may look at more.
    """

    directory: str
    recursive: bool = False
    names: frozenset[str] | None = None


class Observed(msgspec.Struct, frozen=True):
    """A photo as a walk met it: nothing of its content is known yet.

    ``files[0]`` is the photo; its sidecars follow, sorted by object key. ``links`` is the number of
    hard links of the photo. ``adopted`` are the keys of the files that are the photo's by its
    fingerprint, wherever they lie, and not by their names.
    """

    object_key: str
    files: tuple[IndexedFile, ...]
    links: int = 1
    adopted: tuple[str, ...] = ()

    @property
    def own(self) -> tuple[IndexedFile, ...]:
        """The photo, and the sidecars that are its own by their names."""
        return tuple(file for file in self.files if file.object_key not in self.adopted)


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """What reading a photo gave: ``photo`` has an empty id and entity tag still.

    ``files`` are the files that were read, in the order of ``Observed.files``, each with the state
    that it had when it was opened. ``stale`` are the keys of those that the photo's name gives it,
    and that were written for other image data; ``adopted`` are those of ``Observed``.
    """

    photo: Photo
    fingerprint: str
    files: tuple[IndexedFile, ...]
    adopted: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()

    @property
    def object_key(self) -> str:
        """The photo's key."""
        return self.files[0].object_key


ReadPhoto = Callable[[PhotoStorageProvider, Observed], Decoded]
"""Reads a photo and its sidecars; blocks, is called in worker threads, raises ``StorageError``."""


class ReadError(msgspec.Struct, frozen=True):
    """A photo that could not be read, and a sentence that says why."""

    object_key: str
    detail: str


class ReconcileResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a reconcile changed, by photo id, and how many photos it found to be current.

    ``unsettled`` files changed while they were read: they are looked at again by themselves.
    ``late`` is the number of imported and updated photos whose files changed well before.
    ``longest_bytes`` is the length of the longest path, below the photo directory, of a directory
    that was listed and has files.
    """

    imported: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    skipped: int = 0
    errors: tuple[ReadError, ...] = ()
    unsettled: int = 0
    late: int = 0
    longest_bytes: int = 0

    @property
    def changed(self) -> int:
        """Number of photos that were not as the index had them."""
        return len(self.imported) + len(self.updated) + len(self.removed)


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a full reconcile has come; of the last one when none is running.

    ``listed`` counts photos that were met, ``read`` those of which the content was read, ``total``
    those to be read, once the listing is complete. ``errors`` counts photos that could not be read.
    ``rate`` is in photos read a second.
    ``started_at`` and ``finished_at`` are Unix seconds.
    """

    running: bool = False
    listed: int = 0
    read: int = 0
    total: int | None = None
    errors: int = 0
    started_at: float | None = None
    finished_at: float | None = None
    rate: float = 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimated time to the end; None while it cannot be known."""
        if not self.running or self.total is None or self.rate <= 0:
            return None
        return max(0, self.total - self.read) / self.rate
