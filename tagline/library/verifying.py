"""What does not agree: the index with the disk, sidecars with photos, places with each other."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

import msgspec

from tagline.errors import StorageError
from tagline.index import IndexedState, PhotoIndex
from tagline.library.reading import read_observed, read_sidecars
from tagline.metadata import is_photo, is_sidecar, read_photo
from tagline.model.keys import directory_of, name_of
from tagline.storage import PhotoStorageProvider, StoredObject
from tagline.sync import Observed
from tagline.sync.observe import observe_directory

Kind = Literal[
    "not indexed",
    "outdated",
    "gone",
    "sidecar without photo",
    "stale sidecar",
    "places disagree",
    "unreadable",
]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is off: what kind, about which file, and a sentence."""

    kind: Kind
    object_key: str
    detail: str


def verify(storage: PhotoStorageProvider, index: PhotoIndex | None) -> Iterator[Finding]:
    """Every disagreement, directory by directory; reads every photo, changes nothing, blocks.

    Args:
        storage: the photo directory.
        index: the index to compare with; None leaves that comparison out.

    Raises:
        StorageUnavailable: the photo directory is gone.
    """
    storage.check()
    rows = {row.object_key: row for row in index.states()} if index is not None else {}
    directories: defaultdict[str, list[StoredObject]] = defaultdict(list)
    for found in storage.walk():
        directories[directory_of(found.object_key)].append(found)
    for directory in sorted(directories):
        objects = directories[directory]
        photos = sorted(observe_directory(directory, objects), key=lambda o: o.object_key)
        for observed in photos:
            if index is not None:
                yield from _against_index(observed, rows.pop(observed.object_key, None))
            yield from _against_itself(storage, observed)
        yield from _orphans(storage, objects, photos)
    for row in rows.values():
        yield Finding(kind="gone", object_key=row.object_key, detail="Indexed, but not on disk.")


def _against_index(observed: Observed, row: IndexedState | None) -> Iterator[Finding]:
    key = observed.object_key
    if row is None:
        yield Finding(kind="not indexed", object_key=key, detail="On disk, but not in the index.")
    elif row.files != observed.files:
        yield Finding(kind="outdated", object_key=key, detail="Changed since it was indexed.")


def _against_itself(storage: PhotoStorageProvider, observed: Observed) -> Iterator[Finding]:
    key = observed.object_key
    try:
        photo = read_observed(storage, observed).photo
        for source in photo.description_sources:
            if not source.agrees:
                told = f"{source.place} holds another description than the one shown."
                yield Finding(kind="places disagree", object_key=key, detail=told)
        for name in _stale(storage, observed):
            told = f"{name} was written for other image data and is not applied."
            yield Finding(kind="stale sidecar", object_key=key, detail=told)
    except StorageError as error:
        yield Finding(kind="unreadable", object_key=key, detail=str(error))


def _stale(storage: PhotoStorageProvider, observed: Observed) -> tuple[str, ...]:
    if len(observed.files) == 1:
        return ()
    keys = tuple(file.object_key for file in observed.files[1:])
    sidecars, _ = read_sidecars(storage, observed.object_key, keys)
    with storage.open(observed.object_key) as opened:
        return read_photo(opened, name_of(observed.object_key), sidecars).stale_sidecars


def _orphans(
    storage: PhotoStorageProvider, objects: list[StoredObject], photos: list[Observed]
) -> Iterator[Finding]:
    """Sidecars that belong to no photo of their directory."""
    used = {file.object_key for photo in photos for file in photo.files}
    for found in sorted(objects, key=lambda o: o.object_key):
        key = found.object_key
        if key in used or is_photo(key) or not key.lower().endswith((".xmp", ".json")):
            continue
        try:
            with storage.open(key) as opened:
                data = opened.read_at(0, opened.size)
        except StorageError as error:
            yield Finding(kind="unreadable", object_key=key, detail=str(error))
            continue
        if is_sidecar(name_of(key), data):
            told = "No photo in this directory belongs to it."
            yield Finding(kind="sidecar without photo", object_key=key, detail=told)
