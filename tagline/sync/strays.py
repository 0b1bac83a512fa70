"""Sidecars that lie elsewhere than their photo, by the fingerprint that they carry.

What names and states say of a directory comes from listings, what only reading a photo can say
(that a sidecar of its name is another photo's) from readings. Whoever asks for the strays of a
photo gets what the disk holds at that moment: each one is looked at before it is given.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from itertools import islice

from tagline.errors import ObjectError, ObjectNotFound
from tagline.metadata.strays import fingerprint_in, suffix_of, was_apart
from tagline.model import FileState, IndexedFile
from tagline.model.keys import directory_of, name_of
from tagline.storage.provider import PhotoStorageProvider, StoredObject
from tagline.sync.observe import loose_near
from tagline.sync.plan import compare_directory
from tagline.sync.stray_table import Stray, StrayTable
from tagline.sync.values import Observed

MAX_BYTES = 4 * 1024 * 1024
"""A larger file is no sidecar that Tagline wrote."""
_MOST_NEWEST = 10_000


class Strays(StrayTable):
    """The strays of one storage; thread-safe. Every method of its own blocks but ``is_right``.

    All raise ``StorageUnavailable`` when the photo directory is gone.
    """

    def __init__(self, storage: PhotoStorageProvider) -> None:
        super().__init__()
        self._storage = storage
        self._newest: dict[str, FileState] = {}

    def is_right(
        self, observed: Observed, fingerprint: str, files: Collection[IndexedFile]
    ) -> bool:
        """Whether these are the photo's own files and its strays, as far as is known.

        ``observed`` has the photo's own files only.
        """
        found = self._adoptable(observed, fingerprint, self.get)
        return _merged(observed, found).files == tuple(files)

    def adopt(
        self, observed: Observed, fingerprint: str, known: Iterable[IndexedFile] = ()
    ) -> Observed:
        """The photo with the strays that are its own by fingerprint.

        Of each kind of sidecar that the photo has not got it is given one: from its own directory
        if there is one, else the first by key. Those that were kept apart may hide what it has got.

        Args:
            observed: a photo with its own files only.
            fingerprint: the photo's.
            known: files of which one may be a stray that nobody met yet.
        """
        own = {file.object_key for file in observed.files}
        self.meet_files((f for f in known if f.object_key not in own), self._storage.names)
        if self.have(fingerprint):
            self._look_for_newest(observed)
        return _merged(observed, self._adoptable(observed, fingerprint, self._confirm))

    def meet(self, directory: str, objects: Sequence[StoredObject]) -> None:
        """Note the strays among all files of a directory, but for those that have a photo's name.

        Those are told by ``note_reading``.
        """
        loose = compare_directory(directory, objects, ()).loose
        self.settle(directory, loose, {found.object_key for found in objects})
        while self.examine(len(loose), [directory]):
            pass

    def meet_files(
        self, files: Iterable[IndexedFile], names_in: Callable[[str], Collection[str]]
    ) -> None:
        """Note which of some files are strays that nobody met yet.

        Args:
            files: files of a row, wherever they lie.
            names_in: gives the names of the files in a directory.
        """
        for file in files:
            key = file.object_key
            if self.get(key) is None and self._is_there(key) and _is_loose(key, names_in):
                self._read_file(key)

    def note_reading(self, own: Iterable[IndexedFile], stale: Collection[str]) -> None:
        """Note which of the sidecars that a photo has by name are another photo's."""
        for file in own:
            if file.object_key in stale:
                self.note_stale(file)
            elif self.get(file.object_key):
                self.drop(file.object_key)

    def note_stale(self, file: IndexedFile) -> None:
        """Note that a sidecar is not that of the photo which has it by name."""
        self.mark_stale(file.object_key)
        known = self.get(file.object_key)
        if known is None or known.state != file.state:
            self._read_file(file.object_key)

    def forget_unseen(self, directory: str, seen: Collection[str], *, recursive: bool) -> None:
        """Forget what lay in directories that a listing did not meet, where it is gone."""
        for key in self.unseen(directory, seen, recursive=recursive):
            self._confirm(key)

    def examine(self, most: int, directories: Collection[str] | None = None) -> bool:
        """Read some of the files that may be strays, of some directories; False for none left."""
        with self.lock():
            waiting = list(islice(self.waiting(directories), most))
        for key in waiting:
            self._read_file(key)
        return bool(waiting)

    def _look_for_newest(self, observed: Observed) -> None:
        """Note whether a photo has a JSON that was kept apart: no stray says anything newer."""
        for file in observed.own[1:]:
            key = file.object_key
            if suffix_of(key) == ".json" and self._newest.get(key) != file.state:
                self._newest.pop(key, None)
                if len(self._newest) >= _MOST_NEWEST:  # it is found again by looking
                    self._newest.clear()
                with suppress(ObjectError), self._storage.open(key) as opened:
                    data = opened.read_at(0, min(opened.size, MAX_BYTES))
                    if was_apart(name_of(key), data):
                        self._newest[key] = opened.state

    def _adoptable(
        self, observed: Observed, fingerprint: str, look: Callable[[str], Stray | None]
    ) -> list[IndexedFile]:
        if not self.have(fingerprint):
            return []
        if self._has_newest(observed, fingerprint):
            return []
        own = {file.object_key for file in observed.files[1:]}
        has = {suffix_of(name_of(key)) for key in own if self._may_be_of(key, fingerprint)}
        keys = [key for key in self.having(fingerprint) if key not in own]
        home = directory_of(observed.object_key)
        keys.sort(key=lambda key: directory_of(key) != home)
        found: list[IndexedFile] = []
        hides = False
        for suffix in (".json", ".xmp"):
            of_kind = (key for key in keys if suffix_of(name_of(key)) == suffix)
            strays = (s for key in of_kind if (s := look(key)) and s.fingerprint == fingerprint)
            allowed = (s for s in strays if suffix not in has or s.was_apart or hides)
            best = next(allowed, None)
            if best:
                found.append(IndexedFile(best.object_key, best.state))
                hides = best.was_apart
        return found

    def _has_newest(self, observed: Observed, fingerprint: str) -> bool:
        return any(
            self._newest.get(file.object_key) == file.state
            and self._may_be_of(file.object_key, fingerprint)
            for file in observed.files[1:]
        )

    def _may_be_of(self, key: str, fingerprint: str) -> bool:
        stray = self.get(key)
        return stray is None or stray.fingerprint == fingerprint

    def _is_there(self, key: str) -> bool:
        """Whether there may be such a file: what is gone needs no listing to be judged."""
        try:
            self._storage.stat(key)
        except ObjectNotFound:
            return False
        except ObjectError:
            return True
        return True

    def _confirm(self, key: str) -> Stray | None:
        """A stray as it is on the disk now, None when it is none any more."""
        known = self.get(key)
        try:
            state = self._storage.stat(key).state
        except ObjectNotFound:
            self.drop(key)
            return None
        except ObjectError:
            return None
        if known is None or known.state != state:
            self._read_file(key)
        return self.get(key)

    def _read_file(self, key: str) -> None:
        """Read a file, and note what it is."""
        try:
            with self._storage.open(key) as opened:
                state = opened.state
                data = opened.read_at(0, opened.size) if opened.size <= MAX_BYTES else b""
        except ObjectError:
            self.put_other(key, None)
            return
        fingerprint = fingerprint_in(name_of(key), data)
        if fingerprint is None:
            self.put_other(key, state)
        else:
            self.put(Stray(key, state, fingerprint, was_apart(name_of(key), data)))


def _is_loose(key: str, names_in: Callable[[str], Collection[str]]) -> bool:
    """Whether a file has a sidecar's name that gives it to no photo of its directory."""
    name = name_of(key)
    if suffix_of(name) is None:
        return False
    try:
        names = names_in(directory_of(key))
    except ObjectError:
        return False
    return name in loose_near([name], names)[1]


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
