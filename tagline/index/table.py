"""TinyDB tables and databases over encoded storage: an update costs what it changes."""

import uuid
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, cast

from tinydb import TinyDB
from tinydb.queries import QueryLike
from tinydb.storages import Storage
from tinydb.table import Table

from tagline.index.encoded import (
    Document,
    EncodedRows,
    EncodedStorage,
    decode_document,
    encode_document,
)

DocId = Any
"""An instance of the table's ``document_id_class``."""


class ChangeRecorder(MutableMapping[DocId, Document]):
    """The dictionary of documents that TinyDB's updaters change; it remembers what they changed.

    A document that was looked up may be changed in place until the next one is looked up.
    """

    def __init__(self, rows: Mapping[str, bytes], id_class: Callable[[str], DocId]) -> None:
        self._rows = rows
        self._id_class = id_class
        self._changes: dict[str, bytes | None] = {}
        self._out: tuple[str, Document] | None = None

    def changes(self) -> dict[str, bytes | None]:
        """Everything that was changed: encoded documents by id, ``None`` for a removed one."""
        self._take_back()
        return self._changes

    def _take_back(self) -> None:
        """Record the document that was handed out last, if it was changed in place."""
        if self._out is None:
            return
        (key, document), self._out = self._out, None
        encoded = encode_document(document)
        if encoded != self._encoded(key):
            self._changes[key] = encoded

    def _encoded(self, key: str) -> bytes | None:
        return self._changes[key] if key in self._changes else self._rows.get(key)

    def __getitem__(self, doc_id: DocId) -> Document:
        key = str(doc_id)
        if self._out is not None and self._out[0] == key:
            return self._out[1]
        self._take_back()
        encoded = self._encoded(key)
        if encoded is None:
            raise KeyError(doc_id)
        document = decode_document(encoded)
        self._out = key, document
        return document

    def __setitem__(self, doc_id: DocId, document: Document) -> None:
        self._take_back()
        self._changes[str(doc_id)] = encode_document(document)

    def __delitem__(self, doc_id: DocId) -> None:
        if doc_id not in self:
            raise KeyError(doc_id)
        self._out = None
        self._changes[str(doc_id)] = None

    def __contains__(self, doc_id: object) -> bool:
        return self._encoded(str(doc_id)) is not None

    def __iter__(self) -> Iterator[DocId]:
        known = [k for k in self._rows if k in self]
        new = [k for k in self._changes if k not in self._rows and k in self]
        return map(self._id_class, known + new)

    def __len__(self) -> int:
        return sum(1 for _ in self) if self._changes else len(self._rows)

    def clear(self) -> None:
        """Remove every document."""
        self._out = None
        self._changes = dict.fromkeys(self._rows)


class JournalTable(Table):
    """A TinyDB table that hands its storage the changed documents instead of all of them.

    Everything that TinyDB says of its tables holds. Besides, any thread may use it, and no update
    of another thread is lost. There is no query cache unless a size is given.
    """

    def __init__(
        self, storage: Storage, name: str, *, cache_size: int = 0, persist_empty: bool = False
    ) -> None:
        if not isinstance(storage, EncodedStorage):
            raise TypeError("a JournalTable needs an EncodedStorage")
        self._encoded = storage
        super().__init__(storage, name, cache_size, persist_empty)

    @property
    def rows(self) -> Mapping[str, bytes]:
        """The encoded documents by id, as they are from now on."""
        return self._encoded.rows(self.name)

    def insert(self, document: Mapping[Any, Any]) -> DocId:
        """See TinyDB; the choice of the id and the insertion are one step."""
        with self._encoded.lock:
            return super().insert(document)  # pyright: ignore[reportUnknownMemberType] bare Mapping

    def upsert(self, document: Mapping[Any, Any], cond: QueryLike | None = None) -> list[DocId]:
        """See TinyDB; the update and the insertion are one step."""
        with self._encoded.lock:
            return super().upsert(document, cond)  # pyright: ignore[reportUnknownMemberType] same

    def _read_table(self) -> dict[str, Mapping[Any, Any]]:
        return cast("dict[str, Mapping[Any, Any]]", EncodedRows(self.rows))

    def _update_table(self, updater: Callable[[Any], None]) -> None:
        with self._encoded.lock:
            recorder = ChangeRecorder(self.rows, self.document_id_class)
            updater(recorder)
            changes = recorder.changes()
            if changes or self.name not in self._encoded.tables:
                self._encoded.commit({self.name: changes})
            self.clear_cache()


class TextIdTable(JournalTable):
    """A table whose document ids are text; a document inserted without one gets a random UUID."""

    document_id_class: Any = str

    def _get_next_id(self) -> Any:  # noqa: ANN401 (TinyDB says int, whatever the id class is)
        return str(uuid.uuid4())


class JournalDatabase(TinyDB):
    """A TinyDB whose tables have text ids and whose storage is encoded."""

    table_class = TextIdTable
    default_storage_class = EncodedStorage

    @property
    def encoded(self) -> EncodedStorage:
        """The storage, with its transactions."""
        return cast("EncodedStorage", self.storage)
