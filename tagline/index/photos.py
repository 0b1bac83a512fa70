"""The photo index over TinyDB."""

from collections.abc import Container, Iterable, Iterator

from tagline.index.catalogue import Catalogue
from tagline.index.copies import Copies
from tagline.index.encoded import EncodedStorage
from tagline.index.lines import Rows
from tagline.index.order import Order
from tagline.index.protocol import IndexedState, IndexListener, RowChange
from tagline.index.rows import (
    ascend,
    decode_files,
    decode_photo,
    encode_row,
    has_other_id,
    ids_with_other_id,
    sort_key,
    sort_keys,
    state_of,
)
from tagline.index.sorting import Orders
from tagline.index.steps import finish
from tagline.index.table import JournalDatabase
from tagline.model import IndexedPhoto, Page, PhotoQuery, photo_id

STEP = 256
"""Rows that ``states`` reads at once."""


class TinyPhotoIndex:
    """The ``PhotoIndex`` over the tables ``photos`` and ``files`` of a TinyDB.

    ``recovered`` is a sentence when the file on disk could not be used and the index began empty.
    ``generation`` is another number after every change of a photo's JSON. ``catalogue`` finds
    photos, in steps.
    The rows are in memory: reads touch no disk, and ``apply`` appends to the file.
    """

    def __init__(self, database: JournalDatabase) -> None:
        self._database = database
        storage = database.encoded
        if not storage.tables:
            storage.commit({"photos": {}, "files": {}})
        self._photos = storage.tables["photos"]
        self._files = storage.tables["files"]
        self._order = self._ordered()
        self._copies = Copies(self._sort_key)
        self._note_other_ids(ids_with_other_id(self._files))
        self._listeners: list[IndexListener] = []
        self.generation = 0
        self._orders = Orders(self._photos, self._order)
        self.catalogue = Catalogue(self._photos, self._orders, lambda: self.generation)

    def _ordered(self) -> Order:
        photos = self._photos.values()
        if ascend(photos):
            return Order.of(self._sort_key, [list(self._photos)])
        return Order(self._sort_key, self._photos, sort_keys(photos))

    def listen(self, listener: IndexListener) -> None:
        """Tell the listener of every transaction from now on that changes a photo's JSON."""
        self._listeners.append(listener)

    @property
    def _storage(self) -> EncodedStorage:
        return self._database.encoded

    @property
    def recovered(self) -> str | None:
        """What was wrong with the file on disk, when the index had to begin empty."""
        return self._storage.recovered

    @property
    def size_bytes(self) -> int:
        """Size of the file; 0 in memory."""
        return self._storage.size_bytes

    def _sort_key(self, photo_id: str) -> bytes:
        return sort_key(self._photos[photo_id])

    def __len__(self) -> int:
        return len(self._photos)

    def get(self, photo_id: str) -> IndexedPhoto | None:
        """The row with this id."""
        photo = self._photos.get(photo_id)
        if photo is None:
            return None
        files = decode_files(self._files[photo_id])
        return IndexedPhoto(
            photo=decode_photo(photo),
            fingerprint=files.fingerprint,
            files=files.files,
            adopted=files.adopted,
            stale=files.stale,
        )

    def photo_json(self, photo_id: str) -> bytes | None:
        """The JSON of the photo with this id, exactly as a client gets it."""
        return self._photos.get(photo_id)

    def by_key(self, object_key: str) -> IndexedPhoto | None:
        """The row of the photo with this object key."""
        wanted = object_key.encode("utf-8", "surrogatepass") + b"\0"
        found = self._order.at_or_behind(wanted, 1)
        if found and self._sort_key(found[0]).startswith(wanted):
            return self.get(found[0])
        return None

    def state(self, photo_id: str) -> IndexedState | None:
        """What a reconcile compares of the row with this id."""
        raw = self._files.get(photo_id)
        return None if raw is None else state_of(photo_id, raw)

    def alike(self, fingerprint: str, besides: Container[str] = ()) -> Iterator[IndexedState]:
        """Rows with this content fingerprint, by object key, each read when it is its turn.

        ``besides`` has the object keys of rows that are passed over.
        """
        plain = self.state(photo_id(fingerprint))
        others = self._copies.of(fingerprint, besides)
        if plain is None or plain.fingerprint != fingerprint or plain.object_key in besides:
            return (state_of(i, self._files[i]) for i in others)
        return self._with_plain(plain, others)

    def _with_plain(self, plain: IndexedState, others: Iterator[str]) -> Iterator[IndexedState]:
        """The rows of copies, and the one with the plain id where it belongs among them."""
        key: bytes | None = self._sort_key(plain.id)
        for i in others:
            if key is not None and self._sort_key(i) > key:
                yield plain
                key = None
            yield state_of(i, self._files[i])
        if key is not None:
            yield plain

    def by_fingerprint(self, fingerprint: str) -> list[IndexedState]:
        """Rows with this content fingerprint, sorted by object key; there may be very many."""
        return list(self.alike(fingerprint))

    def page(self, query: PhotoQuery) -> Page:
        """A page of photos; one that has to be searched for blocks until it is found."""
        return self.catalogue.page_at_once(query) or finish(self.catalogue.page(query))

    def states(self, directory: str = "", *, recursive: bool = True) -> Iterator[IndexedState]:
        """Rows below (or directly in) a directory, sorted by object key.

        Safe against changes between two steps: a row changed meanwhile may be given old or new.
        """
        prefix = f"{directory}/".encode("utf-8", "surrogatepass") if directory else b""
        start: bytes | None = prefix
        while start is not None:
            given, start = self._step(prefix, start, recursive=recursive)
            yield from (state_of(i, raw) for i, raw in given)

    def _step(
        self, prefix: bytes, start: bytes, *, recursive: bool
    ) -> tuple[list[tuple[str, bytes]], bytes | None]:
        """Some ids and encoded states from ``start`` on, and where the next ones begin."""
        given: list[tuple[str, bytes]] = []
        for i in self._order.at_or_behind(start, STEP):
            key = self._sort_key(i)
            if not key.startswith(prefix):
                return given, None
            child, slash, _ = key[len(prefix) :].partition(b"/")
            if slash and not recursive:
                return given, prefix + child + b"0"  # "0" is next to "/": past the directory
            given.append((i, self._files[i]))
            start = key + b"\0"
        return given, start if given else None

    def apply(self, put: Iterable[IndexedPhoto], remove: Iterable[str] = ()) -> None:
        """Store rows (by their photo's id) and remove ids, as one transaction.

        Removal comes first. No two rows may share an object key after it. The iterables are read
        before anything is changed. Rows that are stored already cost no writing. A row costs two
        encodings and, when it is new or moved, a bisection; a new index grows by about 60,000 rows
        a second, so cut large numbers into batches of a few hundred.

        Raises:
            IndexUnavailable: the file could not be written; nothing has changed.
            ValueError: the first of a row's files is not its photo; nothing has changed.
        """
        photos: dict[str, bytes | None] = {i: None for i in remove if i in self._photos}
        files: dict[str, bytes | None] = dict(photos)
        for row in put:
            i = row.photo.id
            photo, file = encode_row(row)
            if i in photos or photo != self._photos.get(i) or file != self._files[i]:
                photos[i], files[i] = photo, file
        if photos:
            self._commit(photos, files)

    def _commit(self, photos: Rows, files: Rows) -> None:
        changes = self._changes(photos)

        def before_apply() -> None:
            self._orders.leave(photos)
            self._forget_other_ids(files)

        self._storage.commit({"photos": photos, "files": files}, before_apply)
        self._orders.arrive()
        self._note_other_ids(k for k, raw in files.items() if raw and has_other_id(raw))
        self.generation += bool(changes)
        for listener in self._listeners if changes else ():
            listener(changes)

    def _changes(self, photos: Rows) -> list[RowChange]:
        """What is about to change in the photos' JSON."""
        olds = ((i, self._photos.get(i), new) for i, new in photos.items())
        return [RowChange(i, old, new) for i, old, new in olds if old != new]

    def _note_other_ids(self, ids: Iterable[str]) -> None:
        self._copies.add((decode_files(self._files[i]).fingerprint, i) for i in ids)

    def _forget_other_ids(self, ids: Iterable[str]) -> None:
        for i in ids:
            raw = self._files.get(i)
            if raw is not None and has_other_id(raw):
                self._copies.discard(decode_files(raw).fingerprint, i)

    def sync(self) -> None:
        """Make every change so far survive a power cut. May be called from another thread."""
        self._storage.sync()

    def compact_if_needed(self) -> None:
        """Rewrite the file when most of it is history. May be called from another thread."""
        self._storage.compact_if_needed()

    def close(self) -> None:
        """Sync, release the file and its lock."""
        self._database.close()
