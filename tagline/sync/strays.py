"""Sidecars that lie elsewhere than their photo, by the fingerprint that they carry.

What names and states say of a directory comes from listings (``settle``, ``notice``), what only
reading a photo can say (that a sidecar of its name is another photo's) from readings
(``note_reading``). Whoever asks for the strays of a photo gets what the disk holds at that moment:
each one is looked at before it is given.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from threading import RLock

import msgspec

from tagline.errors import ObjectError, ObjectNotFound
from tagline.metadata.strays import SUFFIXES, fingerprint_in, suffix_of
from tagline.model import FileState, IndexedFile
from tagline.model.keys import directory_of, name_of
from tagline.storage.provider import PhotoStorageProvider
from tagline.sync.observe import loose_near
from tagline.sync.values import Observed

MAX_BYTES = 4 * 1024 * 1024
"""A larger file is no sidecar that Tagline wrote."""


class Stray(msgspec.Struct, frozen=True):
    """A stray sidecar, the state in which it was read, and the fingerprint in it."""

    object_key: str
    state: FileState
    fingerprint: str


class _Place:
    """What is known of one directory.

    ``found`` are keys of strays, ``others`` hashes of the files (key and state) that are none.
    """

    def __init__(self) -> None:
        self.found: set[str] = set()
        self.others: set[int] = set()


class Strays:
    """The strays of one storage; thread-safe. Methods that read or look at files block.

    ``version`` changes whenever a stray comes, goes or changes. Fingerprints for which that
    happened are ``touched`` until they are taken.
    """

    def __init__(self, storage: PhotoStorageProvider) -> None:
        self.version = 0
        self._storage = storage
        self._lock = RLock()
        self._strays: dict[str, Stray] = {}
        self._stale: set[str] = set()
        self._by_fingerprint: dict[str, set[str]] = {}
        self._places: dict[str, _Place] = {}
        self._pending: dict[str, dict[str, FileState]] = {}
        self._touched: set[str] = set()

    def __len__(self) -> int:
        return len(self._strays)

    # -- what is known -------------------------------------------------------------------------

    def have(self, fingerprint: str) -> bool:
        """Whether a photo with this fingerprint has strays."""
        return fingerprint in self._by_fingerprint

    def fingerprints(self, object_keys: Iterable[str]) -> set[str]:
        """The fingerprints that these strays carry."""
        with self._lock:
            return {stray.fingerprint for key in object_keys if (stray := self._strays.get(key))}

    def all(self) -> list[Stray]:
        """Every stray, sorted by key."""
        with self._lock:
            return [self._strays[key] for key in sorted(self._strays)]

    def is_below(self, directory: str) -> bool:
        """Whether anything is known of a directory or one below it."""
        with self._lock:
            return any(_is_in(each, directory, recursive=True) for each in self._places)

    def touch(self, fingerprints: Iterable[str]) -> None:
        """Have the photos with these fingerprints looked at."""
        with self._lock:
            self._touched.update(fingerprints)

    def take_touched(self) -> set[str]:
        """The fingerprints for which something changed since the last call."""
        with self._lock:
            touched, self._touched = self._touched, set()
            return touched

    def is_right(
        self, observed: Observed, fingerprint: str, files: Collection[IndexedFile]
    ) -> bool:
        """Whether these are the photo's own files and its strays, as far as is known; blocks not.

        ``observed`` has the photo's own files only.
        """
        found = self._adoptable(observed, fingerprint, self._known)
        return _merged(observed, found).files == tuple(files)

    # -- what is met ---------------------------------------------------------------------------

    def settle(
        self, directory: str, loose: Mapping[str, FileState], present: Collection[str]
    ) -> None:
        """Note which files of a directory have a sidecar's name and no photo; all of them.

        ``present`` are the keys of all its files.
        """
        with self._lock:
            self._pending.pop(directory, None)
            if not loose and directory not in self._places:
                return
            place = self._places.setdefault(directory, _Place())
            for key in place.found - loose.keys():
                if key not in self._stale or key not in present:
                    self._drop(key)
            others, place.others = place.others, set()
            for key, state in loose.items():
                if self._is_unread(key, state, others):
                    self._pending.setdefault(directory, {})[key] = state
                elif key not in place.found:
                    place.others.add(hash((key, state)))
            self._forget_if_empty(directory)

    def notice(
        self, near: Collection[str], loose: Mapping[str, FileState], present: Collection[str]
    ) -> None:
        """Note the same of some files of a directory: ``near`` are the keys that were looked at."""
        with self._lock:
            for key in near:
                if key not in loose and (key not in self._stale or key not in present):
                    self._drop(key)
            for key, state in loose.items():
                directory = directory_of(key)
                place = self._places.get(directory)
                if self._is_unread(key, state, place.others if place else ()):
                    self._pending.setdefault(directory, {})[key] = state

    def note_reading(self, own: Iterable[IndexedFile], stale: Collection[str]) -> None:
        """Note which of the sidecars that a photo has by name are another photo's; blocks."""
        for file in own:
            if file.object_key in stale:
                self.note_stale(file)
            elif file.object_key in self._strays:
                self._drop(file.object_key)

    def note_stale(self, file: IndexedFile) -> None:
        """Note that a sidecar is not that of the photo which has it by name; blocks."""
        with self._lock:
            self._stale.add(file.object_key)
            known = self._strays.get(file.object_key)
        if known is None or known.state != file.state:
            self._read(file.object_key)

    def forget(self, object_key: str) -> None:
        """Forget a stray that cannot be read."""
        self._drop(object_key)

    def forget_unseen(self, directory: str, seen: Collection[str], *, recursive: bool) -> None:
        """Forget what lay in directories that a listing did not meet, where it is gone; blocks."""
        with self._lock:
            unseen = [
                each
                for each in self._places
                if each not in seen and _is_in(each, directory, recursive=recursive)
            ]
            found = [key for each in unseen for key in self._places[each].found]
            for each in unseen:
                self._places[each].others.clear()
        for key in found:
            self._confirm(key)
        with self._lock:
            for each in unseen:
                self._forget_if_empty(each)

    # -- what is read --------------------------------------------------------------------------

    def examine(self, most: int, directories: Collection[str] | None = None) -> bool:
        """Read some of the files that were met, of some directories; False when none is left.

        Raises:
            StorageUnavailable: the photo directory is gone.
        """
        with self._lock:
            waiting = list(islice(self._waiting(directories), most))
        for key in waiting:
            self._read(key)
            with self._lock:
                pending = self._pending.get(directory_of(key), {})
                pending.pop(key, None)
                if not pending:
                    self._pending.pop(directory_of(key), None)
        return bool(waiting)

    def adopt(
        self, observed: Observed, fingerprint: str, known: Iterable[IndexedFile] = ()
    ) -> Observed:
        """The photo with the strays that are its own by fingerprint; blocks.

        Of each kind of sidecar that the photo has not got it is given one: from its own directory
        if there is one, else the first by key.

        Args:
            observed: a photo with its own files only.
            fingerprint: the photo's.
            known: files of which one may be a stray that nobody met yet.

        Raises:
            StorageUnavailable: the photo directory is gone.
        """
        own = {file.object_key for file in observed.files}
        for file in known:
            key = file.object_key
            if key not in own and key not in self._strays and self._is_loose(key):
                self._read(key)
        return _merged(observed, self._adoptable(observed, fingerprint, self._confirm))

    # -- beneath -------------------------------------------------------------------------------

    def _adoptable(
        self, observed: Observed, fingerprint: str, look: Callable[[str], Stray | None]
    ) -> list[IndexedFile]:
        if fingerprint not in self._by_fingerprint:
            return []
        with self._lock:
            keys = sorted(self._by_fingerprint.get(fingerprint, ()))
        own = {file.object_key for file in observed.files[1:]}
        has = {suffix_of(name_of(key)) for key in own if self._may_be_of(key, fingerprint)}
        home = directory_of(observed.object_key)
        keys.sort(key=lambda key: directory_of(key) != home)
        found: list[IndexedFile] = []
        for suffix in SUFFIXES:
            if suffix not in has:
                of_kind = (k for k in keys if suffix_of(name_of(k)) == suffix and k not in own)
                strays = (stray for key in of_kind if (stray := look(key)))
                best = next((s for s in strays if s.fingerprint == fingerprint), None)
                if best:
                    found.append(IndexedFile(best.object_key, best.state))
        return found

    def _may_be_of(self, key: str, fingerprint: str) -> bool:
        stray = self._strays.get(key)
        return stray is None or stray.fingerprint == fingerprint

    def _is_loose(self, key: str) -> bool:
        """Whether a file has a sidecar's name that gives it to no photo of its directory."""
        name = name_of(key)
        if suffix_of(name) is None:
            return False
        try:
            names = self._storage.names(directory_of(key))
        except ObjectError:
            return False
        return name in loose_near([name], names)[1]

    def _known(self, key: str) -> Stray | None:
        return self._strays.get(key)

    def _confirm(self, key: str) -> Stray | None:
        """A stray as it is on the disk now, None when it is none any more."""
        known = self._strays.get(key)
        try:
            state = self._storage.stat(key).state
        except ObjectNotFound:
            self._drop(key)
            return None
        except ObjectError:
            return None
        if known is None or known.state != state:
            self._read(key)
        return self._strays.get(key)

    def _read(self, key: str) -> None:
        """Read a file, and note what it is."""
        try:
            with self._storage.open(key) as opened:
                state = opened.state
                whole = opened.size <= MAX_BYTES
                data = opened.read_at(0, opened.size) if whole else b""
        except ObjectError:
            self._drop(key)
            return
        fingerprint = fingerprint_in(name_of(key), data)
        with self._lock:
            if fingerprint is not None:
                self._put(Stray(key, state, fingerprint))
                return
            self._drop(key)
            self._places.setdefault(directory_of(key), _Place()).others.add(hash((key, state)))

    def _waiting(self, directories: Collection[str] | None) -> Iterator[str]:
        for directory in self._pending if directories is None else directories:
            yield from self._pending.get(directory, ())

    def _is_unread(self, key: str, state: FileState, others: Collection[int]) -> bool:
        """Whether a loose file has to be read to know whether it is a stray."""
        self._stale.discard(key)
        known = self._strays.get(key)
        if known is not None:
            return known.state != state
        return hash((key, state)) not in others

    def _put(self, stray: Stray) -> None:
        with self._lock:
            old = self._strays.get(stray.object_key)
            if old == stray:
                return
            self._drop(stray.object_key, keep_mark=True)
            self._strays[stray.object_key] = stray
            self._by_fingerprint.setdefault(stray.fingerprint, set()).add(stray.object_key)
            self._places.setdefault(directory_of(stray.object_key), _Place()).found.add(
                stray.object_key
            )
            self._note_change(stray.fingerprint)

    def _drop(self, key: str, *, keep_mark: bool = False) -> None:
        with self._lock:
            if not keep_mark:
                self._stale.discard(key)
            stray = self._strays.pop(key, None)
            if stray is None:
                return
            keys = self._by_fingerprint[stray.fingerprint]
            keys.discard(key)
            if not keys:
                del self._by_fingerprint[stray.fingerprint]
            if place := self._places.get(directory_of(key)):
                place.found.discard(key)
            self._note_change(stray.fingerprint)

    def _note_change(self, fingerprint: str) -> None:
        self.version += 1
        self._touched.add(fingerprint)

    def _forget_if_empty(self, directory: str) -> None:
        place = self._places.get(directory)
        if place and not (place.found or place.others):
            del self._places[directory]


def _merged(observed: Observed, adopted: Collection[IndexedFile]) -> Observed:
    if not adopted:
        return observed
    photo, *sidecars = observed.files
    sidecars = sorted([*sidecars, *adopted], key=lambda file: file.object_key)
    return Observed(
        observed.object_key,
        (photo, *sidecars),
        observed.links,
        tuple(sorted(file.object_key for file in adopted)),
    )


def _is_in(directory: str, tree: str, *, recursive: bool) -> bool:
    if directory == tree:
        return True
    return recursive and (not tree or directory.startswith(f"{tree}/"))
