"""Two trees seen as one: photos, and the sidecars that a mirror has for them."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby

from tagline.errors import ObjectNotFound, ObjectUnreadable, UnsafeKey
from tagline.model.keys import directory_of, name_of
from tagline.storage.local import LocalStorage
from tagline.storage.mirror import Mirror
from tagline.storage.provider import IsSidecar, StoredObject


class Overlay:
    """What can be seen of photos beneath a mirror; see ``MirroredStorage``."""

    def __init__(self, photos: LocalStorage, mirror: Mirror, is_sidecar: IsSidecar) -> None:
        self._photos = photos
        self._mirror = mirror
        self._sidecars = mirror.files
        self._is_sidecar = is_sidecar

    @property
    def unreadable(self) -> frozenset[str]:
        """Directories that could not be read wholly, in either tree."""
        return self._photos.unreadable | self._sidecars.unreadable

    @property
    def incarnation(self) -> int:
        """Another number when another directory was taken for either of the two."""
        return self._photos.incarnation + self._sidecars.incarnation

    def check(self) -> None:
        """Return when both can be listed, else ``StorageUnavailable``."""
        self._photos.check()
        self._mirror.check()

    def walk(self, directory: str = "", *, recursive: bool = True) -> Iterator[StoredObject]:
        """Every file, those of one directory together; see ``PhotoStorageProvider.walk``.

        Raises:
            StorageUnavailable: either tree is gone, or went away during the walk.
        """
        self._mirror.demand()
        seen: set[str] = set()
        among_photos = self._photos.walk(directory, recursive=recursive)
        for each, objects in groupby(among_photos, key=_directory_of):
            seen.add(each)
            yield from self._merged(each, objects)
        for each, objects in groupby(
            self._sidecars.walk(directory, recursive=recursive), key=_directory_of
        ):
            if each not in seen:
                yield from (o for o in objects if self._may_mirror(o.object_key))
        self._mirror.demand()

    def _merged(self, directory: str, objects: Iterable[StoredObject]) -> Iterator[StoredObject]:
        """The files of one directory of the photos, with the mirror's sidecars for it.

        Where the mirror's directory cannot be read there are none at all: photos would lose their
        descriptions else.
        """
        try:
            mirrored = {
                found.object_key: found
                for found in self._sidecars.walk(directory, recursive=False)
                if self._may_mirror(found.object_key)
            }
        except UnsafeKey:  # a link in the mirror leads out of it; ``names`` tells
            return
        if directory in self._sidecars.unreadable:
            return
        if not mirrored:
            yield from objects
            return
        for found in objects:
            shadow = mirrored.get(found.object_key)
            if shadow is None:
                yield found
            elif not shadow.state.size:
                del mirrored[found.object_key]
        yield from mirrored.values()

    def hidden_news(self) -> Iterator[str]:
        """Keys of sidecars among the photos, changed later than those of the mirror for them."""
        for found in self._sidecars.walk():
            if self._may_mirror(found.object_key):
                beside = self._beside(found.object_key)
                if beside is not None and beside.state.mtime_ns > found.state.mtime_ns:
                    yield found.object_key

    def is_directory(self, object_key: str) -> bool:
        """Whether the key names a directory that a walk would enter."""
        return self._photos.is_directory(object_key) or self._sidecars.is_directory(object_key)

    def is_ignored(self, object_key: str) -> bool:
        """Whether a rule hides this key or one of its parents from walks."""
        return self._photos.is_ignored(object_key)

    def names(self, directory: str, start: str = "") -> list[str]:
        """Names of the files directly in a directory, in either tree; none where it is in neither.

        Only those that begin with ``start``.

        Raises:
            ObjectUnreadable: it is in one of them and must not be listed.
        """
        found = dict.fromkeys(self._photos.names(directory, start))
        with self._demand_inside(directory):
            listed = self._sidecars.names(directory, start)
            mirrored = [name for name in listed if self._is_sidecar(name)]
        if not mirrored:
            self._mirror.demand()
        prefix = f"{directory}/" if directory else ""
        for name in mirrored:
            if name in found and self._is_removed(prefix + name):
                del found[name]
            else:
                found[name] = None
        return list(found)

    def stat(self, object_key: str) -> StoredObject:
        """State of one file; see ``PhotoStorageProvider.stat``."""
        shadow = self._shadow(object_key)
        if shadow is None:
            return self._photos.stat(object_key)
        if not shadow.state.size and self._beside(object_key):
            raise ObjectNotFound(object_key)
        return shadow

    def _may_mirror(self, object_key: str) -> bool:
        return self._is_sidecar(name_of(object_key))

    def _shadow(self, object_key: str) -> StoredObject | None:
        """What the mirror has for a key, an empty file that hides another one too."""
        if not self._may_mirror(object_key):
            return None
        try:
            with self._demand_inside(object_key):
                return self._sidecars.stat(object_key)
        except ObjectNotFound:
            self._mirror.demand()
            return None

    @contextmanager
    def _demand_inside(self, object_key: str) -> Generator[None]:
        """Let what leads out of the mirror be what cannot be read: the key is safe by itself."""
        try:
            yield
        except UnsafeKey as error:
            self._photos.is_ignored(object_key)
            raise ObjectUnreadable(object_key, error.reason) from error

    def _beside(self, object_key: str) -> StoredObject | None:
        """What lies among the photos."""
        try:
            return self._photos.stat(object_key)
        except ObjectNotFound:
            return None

    def _is_removed(self, object_key: str) -> bool:
        """Whether the mirror says of a sidecar among the photos that it was removed."""
        shadow = self._shadow(object_key)
        return shadow is not None and not shadow.state.size and bool(self._beside(object_key))


def _directory_of(found: StoredObject) -> str:
    return directory_of(found.object_key)
