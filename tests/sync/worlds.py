"""A library of fake photos in memory, and what its index has to be."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from hashlib import blake2b

import msgspec

from tagline.index import TinyPhotoIndex, open_index
from tagline.model import IndexedFile, IndexedPhoto, Metadata, Photo, copy_id, photo_id, with_etag
from tagline.model.keys import directory_of
from tagline.storage import MemoryStorage, PhotoStorageProvider, StoredObject
from tagline.sync import Decoded, Observed, Reconciler
from tagline.sync.observe import observe_directory

LONG_AFTER = 1_900_000_000.0
"""A time long after that of ``MemoryStorage``, so that no file counts as just written."""


def fake_read(storage: PhotoStorageProvider, observed: Observed) -> Decoded:
    """Read a photo whose content is ``pixels|description``; its sidecars describe it too.

    Pixels that begin with ``broken`` have a problem.
    """
    files: list[IndexedFile] = []
    contents: list[str] = []
    for file in observed.files:
        with storage.open(file.object_key) as opened:
            contents.append(opened.read_at(0, opened.size).decode("utf-8", "replace"))
            files.append(IndexedFile(file.object_key, opened.state))
    pixels, _, text = contents[0].partition("|")
    description = " + ".join(filter(None, [text, *contents[1:]])) or None
    problem = "not whole" if pixels.startswith("broken") else None
    return Decoded(
        photo=fake_photo(files[0], description, problem),
        fingerprint=fingerprint_of(pixels),
        files=tuple(files),
    )


def fingerprint_of(pixels: str) -> str:
    """The fingerprint of a fake photo."""
    return "1:" + blake2b(pixels.encode(), digest_size=16).hexdigest()


def fake_photo(file: IndexedFile, description: str | None, problem: str | None = None) -> Photo:
    """A photo with little in it."""
    return Photo(
        id="",
        object_key=file.object_key,
        metadata=Metadata(description=description),
        last_modified=str(file.state.mtime_ns),
        media_type="image/jpeg",
        size=file.state.size,
        width=None,
        height=None,
        orientation=None,
        taken_at=None,
        taken_at_offset=None,
        camera=None,
        make=None,
        model=None,
        lens=None,
        gps=None,
        stored_in=(),
        description_sources=(),
        writable=True,
        problem=problem,
        etag="",
    )


class World:
    """A storage, an index of it, and a reconciler between them."""

    def __init__(self, storage: PhotoStorageProvider | None = None) -> None:
        self.now = LONG_AFTER
        self.memory = MemoryStorage()
        self.storage: PhotoStorageProvider = storage or self.memory
        self.index: TinyPhotoIndex = open_index(None)
        self.reads: list[str] = []
        self.read: Callable[[PhotoStorageProvider, Observed], Decoded] = fake_read
        self.reconciler = self.new_reconciler()

    def new_reconciler(self) -> Reconciler:
        """Another reconciler between the same storage and index."""
        return Reconciler(self.storage, self.index, self._read, clock=lambda: self.now)

    def _read(self, storage: PhotoStorageProvider, observed: Observed) -> Decoded:
        self.reads.append(observed.object_key)
        return self.read(storage, observed)

    def rows(self) -> dict[str, IndexedPhoto]:
        """All rows of the index, by key."""
        return rows_by_key(self.index)

    def ids(self) -> dict[str, str]:
        """Ids by key."""
        return {key: row.photo.id for key, row in self.rows().items()}

    def expected(self) -> dict[str, IndexedPhoto]:
        """The rows of an index built from nothing, by key."""
        return built_from_nothing(self.storage)

    async def settled(self) -> None:
        """Wait until nothing is to be read again, a minute after the last change."""
        self.now += 60
        async with asyncio.timeout(10):
            while self.reconciler.settling:  # noqa: ASYNC110 - it has no event to wait for
                await asyncio.sleep(0.005)

    async def close(self) -> None:
        """End the threads."""
        await self.reconciler.close()
        self.index.close()


def rows_by_key(index: TinyPhotoIndex) -> dict[str, IndexedPhoto]:
    """All rows of an index, by key."""
    rows = [index.get(state.id) for state in index.states()]
    return {row.photo.object_key: row for row in rows if row}


def built_from_nothing(storage: PhotoStorageProvider) -> dict[str, IndexedPhoto]:
    """The rows of an index built from nothing, by key: the rules, written down once more."""
    directories: dict[str, list[StoredObject]] = defaultdict(list)
    for found in storage.walk():
        directories[directory_of(found.object_key)].append(found)
    photos: dict[str, Decoded] = {}
    for directory, objects in directories.items():
        for observed in observe_directory(directory, objects):
            photos[observed.object_key] = fake_read(storage, observed)
    first: dict[str, str] = {}
    for key, decoded in sorted(photos.items()):
        first.setdefault(decoded.fingerprint, key)
    return {key: _row(decoded, first[decoded.fingerprint]) for key, decoded in photos.items()}


def _row(decoded: Decoded, first_key: str) -> IndexedPhoto:
    key, fingerprint = decoded.object_key, decoded.fingerprint
    id_ = photo_id(fingerprint) if key == first_key else copy_id(fingerprint, key)
    photo = with_etag(msgspec.structs.replace(decoded.photo, id=id_), fingerprint)
    return IndexedPhoto(photo=photo, fingerprint=fingerprint, files=decoded.files)


def without_ids(rows: dict[str, IndexedPhoto]) -> dict[str, IndexedPhoto]:
    """Rows as far as they do not depend on their ids."""
    return {key: without_id(row) for key, row in rows.items()}


def without_id(row: IndexedPhoto) -> IndexedPhoto:
    """A row as far as it does not depend on its id."""
    return msgspec.structs.replace(row, photo=msgspec.structs.replace(row.photo, id="", etag=""))
