"""Putting sidecars beside their photos again, as ``verify`` found them. Blocks.

Files are renamed, or copied for byte-identical copies of a photo; nothing is written over, and
nothing is deleted. A running server notices.
"""

import contextlib

import msgspec

from tagline.errors import ObjectChanged, StorageError
from tagline.library.homing import names_aside
from tagline.library.verifying import Finding
from tagline.metadata.strays import fingerprint_in, proper_name, suffix_of
from tagline.model import FileState
from tagline.model.keys import name_of
from tagline.storage import PhotoStorageProvider


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was renamed, or copied where ``object_key`` is still there."""

    object_key: str
    moved_to: str


class Repairer:
    """Carries repairs out one after the other; knows where what it moved aside is now."""

    def __init__(self, storage: PhotoStorageProvider) -> None:
        self._storage = storage
        self._now: dict[str, str] = {}

    def repair(self, finding: Finding) -> list[Moved]:
        """Move the sidecar of a finding beside its photo.

        Another photo's sidecar of that name is moved aside first, to a name that says whose it is.

        Raises:
            StorageError: it could not be moved; where another file has taken its name, or it was
                changed meanwhile, ``ObjectChanged``.
        """
        key, goal = self._now.get(finding.object_key, finding.object_key), finding.move_to
        if goal is None or not finding.photos:
            return []
        data, state = self._read(key)
        mark = fingerprint_in(name_of(key), data)
        done = self._make_way(finding.photos[0], goal, mark)
        for copy in finding.photos[1:]:
            done += self._copy(key, copy, data, mark)
        self._storage.move(key, goal, state)
        return [*done, Moved(object_key=key, moved_to=goal)]

    def _make_way(self, photo_key: str, goal: str, mark: str | None) -> list[Moved]:
        try:
            data, state = self._read(goal)
        except StorageError:
            return []
        other = fingerprint_in(name_of(goal), data)
        if other is None or other == mark:
            raise ObjectChanged(goal)
        for aside in names_aside(photo_key, other, suffix_of(goal) or ""):
            with contextlib.suppress(ObjectChanged):
                self._storage.move(goal, aside, state)
                self._now[goal] = aside
                return [Moved(object_key=goal, moved_to=aside)]
        raise ObjectChanged(goal)

    def _copy(self, key: str, photo_key: str, data: bytes, mark: str | None) -> list[Moved]:
        """Give a copy of the photo, which would show nothing then, a sidecar of its own."""
        goal = proper_name(photo_key, suffix_of(key) or "")
        done = self._make_way(photo_key, goal, mark)
        self._storage.replace(goal, data, None, like=photo_key)
        return [*done, Moved(object_key=key, moved_to=goal)]

    def _read(self, key: str) -> tuple[bytes, FileState]:
        with self._storage.open(key) as opened:
            return opened.read_at(0, opened.size), opened.state
