"""Looking at single photos and sidecars, without the cost of listing a directory with states."""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress

from tagline.errors import ObjectError, ObjectNotFound
from tagline.metadata.pairing import SidecarNames, pair
from tagline.metadata.registry import is_photo
from tagline.model import FileState, IndexedFile
from tagline.model.keys import directory_of, join, name_of
from tagline.storage.provider import PhotoStorageProvider
from tagline.sync.observe import (
    FEW,
    loose_near,
    names_there,
    photos_touched,
    related,
    start_of,
)
from tagline.sync.strays import Strays
from tagline.sync.values import Observed, Scope

LARGE = 500
"""In a directory of more files than this, only what a change can have touched is looked at."""


def observe_photo(storage: PhotoStorageProvider, object_key: str) -> Observed:
    """One photo as it is on the disk now, with its sidecars; blocks.

    Raises:
        ObjectNotFound: there is no photo of this key, or a sidecar of it vanished meanwhile.
        ObjectUnreadable: its directory cannot be read.
        StorageUnavailable: the photo directory is gone.
    """
    return Look(storage, [object_key]).photo(object_key)


class Look:
    """Looks at single photos; lists each directory once, so use it for one moment only. Blocks.

    ``keys`` are those of all photos that will be asked for, where that is known: of a directory
    with one of them only the names are listed that can have to do with it.
    """

    def __init__(self, storage: PhotoStorageProvider, keys: Iterable[str] = ()) -> None:
        self.storage = storage
        asked = Counter(directory_of(key) for key in keys)
        self._alone = {directory for directory, photos in asked.items() if photos == 1}
        self._names: dict[str, list[str]] = {}
        self._pairs: dict[str, Mapping[str, SidecarNames]] = {}
        self._asked: dict[str, int] = {}
        self._akin: dict[str, list[str]] = {}

    def photo(self, object_key: str) -> Observed:
        """A photo as it is now; see ``observe_photo``."""
        directory = directory_of(object_key)
        sidecars = self._sidecars(directory, name_of(object_key))
        if sidecars is None:
            # The names decide: some file systems find a file by a name in another case, too.
            raise ObjectNotFound(object_key)
        photo = self.storage.stat(object_key)
        files = [IndexedFile(object_key, photo.state)]
        for name in names_there(sidecars):
            key = join(directory, name)
            files.append(IndexedFile(key, self.storage.stat(key).state))
        return Observed(object_key, tuple(files), photo.links)

    def names(self, directory: str) -> list[str]:
        """Names of the files in a directory; none where it is not there."""
        names = self._names.get(directory)
        if names is None:
            names = self._names[directory] = self.storage.names(directory)
        return names

    def follow(self, object_key: str, written: Mapping[str, bool]) -> None:
        """Note which files beside the only photo are there since it was looked at, and which not.

        So who wrote them can look again without listing what may be a large directory once more.
        Whatever others did meanwhile is as if it were done later: events and listings tell of it.
        """
        akin = self._akin.get(object_key)
        if akin is not None:
            there = {**dict.fromkeys(akin, True), **written}
            self._akin[object_key] = [name for name, is_there in there.items() if is_there]

    def _related(self, directory: str, name: str) -> list[str] | None:
        """The names that can have to do with the only photo of its directory, None for others."""
        key = join(directory, name)
        if directory in self._alone:
            self._alone.discard(directory)
            self._akin[key] = self.storage.names(directory, start_of(name))
        return self._akin.get(key)

    def _sidecars(self, directory: str, name: str) -> SidecarNames | None:
        """The sidecars of a photo, None where there is no such photo."""
        pairs = self._pairs.get(directory)
        akin = self._related(directory, name)
        if akin is not None:
            return pair(akin, is_photo).get(name)
        if pairs is None:
            names = self.names(directory)
            self._asked[directory] = asked = self._asked.get(directory, 0) + 1
            if len(names) > LARGE and asked <= FEW:
                return pair(related(name, names), is_photo).get(name)
            pairs = self._pairs[directory] = pair(names, is_photo)
        return pairs.get(name)


def narrow(look: Look, scopes: Iterable[Scope], strays: Strays) -> tuple[list[Scope], list[str]]:
    """What to list, and which single photos to look at, for these scopes; blocks.

    Of a directory that is not listed, the strays among the names are noted.

    Raises:
        StorageUnavailable: the photo directory is gone.
    """
    to_list: dict[Scope, None] = {}
    photos: dict[str, None] = {}
    for scope in scopes:
        touched = None if scope.names is None else _touched(look, scope.directory, scope.names)
        if touched is None:
            to_list[Scope(scope.directory, scope.recursive)] = None
        else:
            photos.update((join(scope.directory, name), None) for name in sorted(touched))
            _note_strays(look, scope, strays)
    return list(to_list), list(photos)


def _note_strays(look: Look, scope: Scope, strays: Strays) -> None:
    directory = scope.directory
    near, loose = loose_near(scope.names or (), look.names(directory))
    states: dict[str, FileState] = {}
    for name in loose:
        with suppress(ObjectError):
            states[join(directory, name)] = look.storage.stat(join(directory, name)).state
    present = {join(directory, name) for name in near.intersection(look.names(directory))}
    strays.notice({join(directory, name) for name in near}, states, present)


def _touched(look: Look, directory: str, changed: frozenset[str]) -> set[str] | None:
    """Names of the photos to look at; None when the directory is sooner listed."""
    try:
        names = look.names(directory)
    except ObjectError:
        return None
    if len(names) <= LARGE or len(changed) > FEW:
        return None
    touched: set[str] = set()
    for name in changed:
        touched |= photos_touched(name, names)
    return touched
