"""What does not agree: the index with the disk, sidecars with photos, places with each other."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

import msgspec

from tagline.errors import StorageError
from tagline.index import IndexedState, PhotoIndex
from tagline.library.reading import (
    SIDECAR_MAX_BYTES,
    hidden_sidecars,
    metadata_of,
    read_open,
    read_with_strays,
)
from tagline.metadata import SidecarFile, SidecarFiles, is_sidecar, read_photo, sidecar_json
from tagline.metadata.hiding import is_hidden
from tagline.metadata.strays import proper_name, suffix_of
from tagline.model.keys import directory_of, join, name_of
from tagline.storage import PhotoStorageProvider, StoredObject
from tagline.sync import Look, Observed, Stray, Strays
from tagline.sync.observe import observe_directory
from tagline.sync.plan import compare_directory, own_files

Kind = Literal[
    "not indexed",
    "outdated",
    "gone",
    "sidecar without photo",
    "stale sidecar",
    "hidden sidecar",
    "places disagree",
    "unreadable",
]


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is off: what kind, about which file, and a sentence.

    Of a sidecar that lies elsewhere than its photo, ``photos`` are those that it is for: beside the
    first it belongs, under the name ``move_to``, and then each shows what it shows now.
    """

    kind: Kind
    object_key: str
    detail: str
    photos: tuple[str, ...] = ()
    move_to: str | None = None


def verify(storage: PhotoStorageProvider, index: PhotoIndex | None) -> Iterator[Finding]:
    """Every disagreement; reads every photo, changes nothing, blocks.

    Args:
        storage: the photo directory.
        index: the index to compare with; None leaves that comparison out.

    Raises:
        StorageUnavailable: the photo directory is gone.
    """
    storage.check()
    return _Verification(storage, index).findings()


class _Verification:
    """One walk over everything.

    ``photos`` are the keys of photos by fingerprint, ``stale`` tells the photo by whose name
    another photo's sidecar is called. ``news`` are hidden sidecars that say something else than
    when they were hidden: a restored one has an old time.
    """

    def __init__(self, storage: PhotoStorageProvider, index: PhotoIndex | None) -> None:
        self._storage = storage
        self._index = index
        self._strays = Strays(storage)
        self._photos: defaultdict[str, list[str]] = defaultdict(list)
        self._stale: dict[str, str] = {}
        self._unmarked: list[str] = []
        self._news: list[str] = []

    def findings(self) -> Iterator[Finding]:
        rows = {r.object_key: r for r in self._index.states()} if self._index is not None else {}
        directories: defaultdict[str, list[StoredObject]] = defaultdict(list)
        for found in self._storage.walk():
            directories[directory_of(found.object_key)].append(found)
        for directory, objects in directories.items():
            self._note_loose(directory, objects)
        for directory in sorted(directories):
            photos = list(observe_directory(directory, directories[directory]))
            for observed in sorted(photos, key=lambda o: o.object_key):
                yield from self._of_photo(observed, rows.pop(observed.object_key, None))
        for row in rows.values():
            yield Finding(
                kind="gone", object_key=row.object_key, detail="Indexed, but not on disk."
            )
        yield from self._of_sidecars()

    def _note_loose(self, directory: str, objects: list[StoredObject]) -> None:
        loose = compare_directory(directory, objects, ()).loose
        self._strays.meet(directory, objects)
        self._unmarked += sorted(key for key in loose if self._strays.get(key) is None)

    def _of_photo(self, observed: Observed, row: IndexedState | None) -> Iterator[Finding]:
        key = observed.object_key
        if self._index is not None:
            yield from self._against_index(observed, row)
        try:
            with self._storage.open(key) as opened:
                seen = read_open(self._storage, opened, observed)
        except StorageError as error:
            yield Finding(kind="unreadable", object_key=key, detail=str(error))
            return
        self._photos[seen.reading.fingerprint].append(key)
        self._note_news(key, seen.sidecars)
        stale = [join(directory_of(key), name) for name in seen.reading.stale_sidecars]
        self._stale |= dict.fromkeys(stale, key)
        self._strays.note_reading(seen.files[1:], stale)
        for source in seen.reading.sources:
            inside = not source.place.endswith("_sidecar")
            if inside and seen.reading.not_embedded:
                continue  # the file cannot be edited: the sidecar is there to say something else
            if not source.agrees:
                told = f"{source.place} holds another description than the one shown."
                yield Finding(kind="places disagree", object_key=key, detail=told)

    def _note_news(self, key: str, sidecars: SidecarFiles) -> None:
        json = sidecar_json.read(sidecars.json.data) if sidecars.json else None
        if json is None or json.hides is None:
            return
        for file in hidden_sidecars(self._storage, key, sidecars) or ():
            if not is_hidden(file, json.hides):
                self._news.append(join(directory_of(key), file.name))

    def _against_index(self, observed: Observed, row: IndexedState | None) -> Iterator[Finding]:
        key = observed.object_key
        if row is None:
            told = "On disk, but not in the index."
            yield Finding(kind="not indexed", object_key=key, detail=told)
        elif own_files(row) != observed.files or not self._has_adopted(row):
            told = "Changed since it was indexed."
            yield Finding(kind="outdated", object_key=key, detail=told)

    def _has_adopted(self, row: IndexedState) -> bool:
        """Whether the sidecars that a row has from elsewhere are as they were."""
        try:
            return all(
                self._storage.stat(file.object_key).state == file.state
                for file in row.files
                if file.object_key in row.adopted
            )
        except StorageError:
            return False

    def _of_sidecars(self) -> Iterator[Finding]:
        for stray in self._strays.all():
            yield self._of_stray(stray)
        for key in self._unmarked:
            yield from self._of_unmarked(key)
        for key in sorted({*self._storage.hidden_news(), *self._news}):
            told = (
                "Changed beside the photo after the one in TAGLINE_SIDECAR_PATH that stands for "
                "it: what it says is not shown. Delete one of the two."
            )
            yield Finding(kind="hidden sidecar", object_key=key, detail=told)

    def _of_stray(self, stray: Stray) -> Finding:
        alike = self._photos.get(stray.fingerprint, [])
        users = [photo for photo in alike if self._suits(photo, stray)]
        home = directory_of(stray.object_key)
        users.sort(key=lambda photo: (directory_of(photo) != home, photo))
        wrong = self._stale.get(stray.object_key)
        return Finding(
            kind="stale sidecar" if wrong else "sidecar without photo",
            object_key=stray.object_key,
            detail=" ".join([_told_of_name(wrong), _told_of_photo(users, alike)]),
            photos=tuple(users),
            move_to=proper_name(users[0], suffix_of(stray.object_key) or "") if users else None,
        )

    def _suits(self, photo_key: str, stray: Stray) -> bool:
        """Whether a photo shows the same with a stray beside it, and has none of the kind."""
        try:
            with self._storage.open(photo_key) as opened:
                look = Look(self._storage, [photo_key])
                seen = read_with_strays(opened, photo_key, self._strays, look)
                beside = _beside(seen.sidecars, name_of(photo_key), stray.object_key)
                if beside is None or stray.object_key in seen.reading.adopted:
                    return beside is not None
                after = read_photo(opened, name_of(photo_key), beside)
                return metadata_of(after) == metadata_of(seen.reading)
        except StorageError:
            return False

    def _of_unmarked(self, key: str) -> Iterator[Finding]:
        """A sidecar of another program's without photo: whose it is, nobody knows."""
        try:
            with self._storage.open(key) as opened:
                data = opened.read_at(0, SIDECAR_MAX_BYTES)
        except StorageError as error:
            yield Finding(kind="unreadable", object_key=key, detail=str(error))
            return
        if is_sidecar(name_of(key), data):
            told = "No photo in this directory belongs to it."
            yield Finding(kind="sidecar without photo", object_key=key, detail=told)


def _beside(sidecars: SidecarFiles, photo_name: str, stray: str) -> SidecarFiles | None:
    """The sidecars with an adopted one under the photo's own name; None where it is not adopted."""
    for file in (sidecars.adopted_xmp, sidecars.adopted_json):
        if file and file.name == stray:
            suffix = suffix_of(stray) or ""
            moved = SidecarFile(name=proper_name(photo_name, suffix), data=file.data)
            return msgspec.structs.replace(sidecars, **{suffix[1:]: moved})
    return None


def _told_of_name(wrong: str | None) -> str:
    if wrong is None:
        return "No photo in this directory belongs to it."
    return f"It was written for other image data than that of {wrong}, and is not applied there."


def _told_of_photo(users: list[str], alike: list[str]) -> str:
    if users:
        return f"It was written for {users[0]}."
    if alike:
        return f"It was written for {alike[0]}, which shows what others say."
    return "Its photo is not in the photo directory."
