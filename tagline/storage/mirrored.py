"""Photos in one directory, and what is written beside them in another: a mirrored tree of sidecars.

``DIR/x/IMG.jpg.xmp`` in the mirror stands for ``x/IMG.jpg.xmp`` among the photos. A sidecar in the
mirror hides the one of the same key among the photos; an empty one that hides another says that
this was removed, and is not there for anybody who asks.
"""

from contextlib import suppress

from tagline.errors import ObjectChanged, ObjectNotFound, ObjectUnreadable, StorageReadOnly
from tagline.model.keys import directory_of
from tagline.model.photo import FileState
from tagline.model.source import Data, bytes_of, source_of
from tagline.storage.local import LocalStorage
from tagline.storage.local_object import LocalObject
from tagline.storage.mirror import NAME, Mirror
from tagline.storage.overlay import Overlay
from tagline.storage.provider import IsSidecar, StoredObject

_READ_MAX_BYTES = 16 * 1024 * 1024
"""A larger file is no sidecar."""


class MirroredStorage(Overlay):
    """A ``PhotoStorageProvider`` over two directories. Every method blocks and is thread-safe.

    Sidecars that are new go to the mirror. One that lies among the photos is edited and removed
    there where that can be done, else in the mirror, where an edited copy or an empty file stands
    for it. Everything else lies among the photos, and nothing in the mirror is ever shown for it.

    Args:
        photos: the photos, with sidecars that others made.
        mirror: the sidecars that Tagline makes.
        is_sidecar: whether a file of this name may live in the mirror.
        protect: never write among the photos, even where that could be done.
    """

    def __init__(
        self,
        photos: LocalStorage,
        mirror: Mirror,
        is_sidecar: IsSidecar,
        *,
        protect: bool = False,
    ) -> None:
        super().__init__(photos, mirror, is_sidecar)
        self._protect = protect

    def open(self, object_key: str) -> LocalObject:
        """Open one file for reading; see ``PhotoStorageProvider.open``."""
        if self._may_mirror(object_key):
            with suppress(ObjectNotFound):
                return self._open_mirrored(object_key)
            self._mirror.demand()
            if self._is_removed(object_key):
                raise ObjectNotFound(object_key)
        apart = self._mirror.takes(directory_of(object_key))
        opened = self._photos.open(object_key)
        opened.writable = opened.writable and not self._protect
        opened.editable = opened.writable or apart
        opened.takes_sidecars = apart
        return opened

    def _open_mirrored(self, object_key: str) -> LocalObject:
        with self._demand_inside(object_key):
            opened = self._sidecars.open(object_key)
        if opened.size:
            return opened
        opened.close()
        if self._beside(object_key):
            raise ObjectNotFound(object_key)
        return self._sidecars.open(object_key)

    def replace(
        self, object_key: str, data: Data, expected: FileState | None, *, like: str | None = None
    ) -> StoredObject:
        """Make ``data`` the content of a file; see ``PhotoStorageProvider.replace``.

        A new file in the mirror takes its mode from the umask; ``like`` only has to be there. What
        would hide a file of the same content is taken away instead: so what an edit that failed
        puts back lets the other program's sidecar be seen again.
        """
        if not self._may_mirror(object_key):
            return self._replace_photo(object_key, data, expected, like)
        if like is not None:
            self.stat(like)
        shadow = self._shadow(object_key)
        beside = self._beside(object_key)
        if shadow is None and beside is not None and self._writes_beside(object_key):
            with suppress(StorageReadOnly):  # some shares say so only when it is tried
                return self._photos.replace(object_key, data, expected)
        if shadow is not None and beside is not None and self._is_beside(object_key, data):
            _demand_same(object_key, shadow if shadow.state.size else None, expected)
            with self._mirror.faults():
                self._sidecars.remove(object_key, shadow.state)
            return beside
        if shadow is not None and (shadow.state.size or beside is None):
            with self._mirror.faults():
                return self._sidecars.replace(object_key, data, expected)
        hidden = None if shadow is None else shadow.state
        _demand_same(object_key, None if shadow else beside, expected)
        return self._put_over(object_key, data, hidden, beside)

    def _replace_photo(
        self, object_key: str, data: Data, expected: FileState | None, like: str | None
    ) -> StoredObject:
        self._demand_unprotected(object_key)
        try:
            return self._photos.replace(object_key, data, expected, like=like)
        except StorageReadOnly as error:
            beside = self._takes(directory_of(object_key))
            # Where it takes sidecars, this is tried again with one; else it is what to mend.
            raise StorageReadOnly(object_key, NAME, beside=beside) from error

    def _put_over(
        self, object_key: str, data: Data, old: FileState | None, beside: StoredObject | None
    ) -> StoredObject:
        """Write in the mirror where it shows nothing, hiding what lies among the photos.

        Raises:
            ObjectChanged: what is hidden changed meanwhile; it is shown again.
        """
        self._make_place(object_key)
        with self._mirror.faults():
            done = self._sidecars.replace(object_key, data, old)
            if old is None and _state(self._beside(object_key)) != _state(beside):
                self._sidecars.remove(object_key, done.state)
                raise ObjectChanged(object_key)
        return done

    def remove(self, object_key: str, expected: FileState) -> None:
        """Delete a file durably, or hide it where it must not be deleted.

        What another program put among the photos beneath a sidecar of the mirror stays hidden.
        """
        if not self._may_mirror(object_key):
            self._demand_unprotected(object_key)
            self._photos.remove(object_key, expected)
            return
        self.stat(object_key)
        beside = self._beside(object_key)
        shadow = self._shadow(object_key)
        if shadow is None and self._writes_beside(object_key):
            with suppress(StorageReadOnly):
                self._photos.remove(object_key, expected)
                return
        if shadow is not None and beside is None:
            with self._mirror.faults():
                self._sidecars.remove(object_key, expected)
            return
        _demand_same(object_key, shadow or beside, expected)
        self._put_over(object_key, b"", _state(shadow), beside)

    def move(self, object_key: str, new_key: str, expected: FileState) -> StoredObject:
        """Rename a file durably; ``new_key`` must not exist.

        A sidecar that lies among the photos, or hides or has hidden one there, is copied and then
        removed: a crash between the two leaves both.
        """
        if not (self._may_mirror(object_key) and self._may_mirror(new_key)):
            return self._move_among_photos(object_key, new_key, expected)
        seen = self.stat(object_key)
        shadow, beside = self._shadow(object_key), self._beside(object_key)
        if shadow is None and self._writes_beside(object_key) and self._is_free(new_key):
            with suppress(StorageReadOnly):
                return self._photos.move(object_key, new_key, expected)
        if shadow is not None and beside is None and self._is_free(new_key):
            self._make_place(new_key)
            with self._mirror.faults():
                return self._sidecars.move(object_key, new_key, expected)
        _demand_same(object_key, seen, expected)
        with self.open(object_key) as opened:
            _demand_same(object_key, StoredObject(object_key, opened.state), expected)
            data = opened.read_at(0, opened.size)
        done = self.replace(new_key, data, None)
        self.remove(object_key, expected)
        return done

    def _move_among_photos(self, key: str, new_key: str, expected: FileState) -> StoredObject:
        self._photos.writable(key)  # what is no key, or hidden, is told first
        self._demand_unprotected(key)
        if self._shadow(key) is not None:
            raise StorageReadOnly(new_key)  # no sidecar any more, and the mirror has sidecars alone
        if self._shadow(new_key) is not None:
            raise ObjectChanged(new_key)
        return self._photos.move(key, new_key, expected)

    def writable(self, object_key: str) -> bool:
        """Whether a file could be replaced, by one in the mirror where that stands for it."""
        beside = self._photos.writable(object_key) and not self._protect
        if not self._may_mirror(object_key):
            return beside
        if self._shadow(object_key) is not None:
            return self._sidecars.writable(object_key)
        return (beside and self._beside(object_key) is not None) or self._takes(
            directory_of(object_key)
        )

    def editable(self, object_key: str) -> bool:
        """Whether an edit of a photo could be kept: in the file, or in the mirror."""
        return self.writable(object_key) or self._takes(directory_of(object_key))

    def takes_sidecars(self, object_key: str) -> bool:
        """Whether new sidecars of a photo could be made: in the mirror, or not at all."""
        return self._takes(directory_of(object_key))

    def beneath(self, object_key: str) -> bytes | None:
        """What lies among the photos where the mirror has a file, or would have it once written."""
        if not self._may_mirror(object_key):
            return None
        hides = self._shadow(object_key) is not None or not self._writes_beside(object_key)
        if not hides and self._beside(object_key) is not None:
            return None
        with suppress(ObjectNotFound, ObjectUnreadable), self._photos.open(object_key) as opened:
            return opened.read_at(0, opened.size) if opened.size <= _READ_MAX_BYTES else b""
        return b""

    def _takes(self, directory: str) -> bool:
        return self.is_directory(directory) and self._mirror.takes(directory)

    def _is_beside(self, object_key: str, data: Data) -> bool:
        """Whether the file among the photos holds just that."""
        with suppress(ObjectNotFound), self._photos.open(object_key) as opened:
            return opened.size == source_of(data).size and bytes_of(opened) == bytes_of(data)
        return False

    def _is_free(self, object_key: str) -> bool:
        return self._shadow(object_key) is None and self._beside(object_key) is None

    def _writes_beside(self, object_key: str) -> bool:
        return not self._protect and self._photos.writable(object_key)

    def _demand_unprotected(self, object_key: str) -> None:
        if self._protect:
            self._photos.stat(object_key)
            raise StorageReadOnly(object_key)

    def _make_place(self, object_key: str) -> None:
        """Make the mirror's directory for a key whose directory is there in either tree."""
        directory = directory_of(object_key)
        if not self.is_directory(directory):
            raise ObjectNotFound(object_key)
        with self._mirror.faults():
            self._mirror.mark(object_key)
            if directory and not self._sidecars.is_directory(directory):
                self._sidecars.make_directory(directory)


def _state(found: StoredObject | None) -> FileState | None:
    return found.state if found else None


def _demand_same(object_key: str, found: StoredObject | None, expected: FileState | None) -> None:
    """Raise where a file is not the one that the caller saw, or saw to be missing."""
    if found is None and expected is not None:
        raise ObjectNotFound(object_key)
    if _state(found) != expected:
        raise ObjectChanged(object_key)
