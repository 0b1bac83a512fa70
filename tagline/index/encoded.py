"""A TinyDB storage in memory that keeps every document encoded.

A document costs its JSON and about 130 bytes, and is nothing that the garbage collector has to
visit. Whoever reads gets a copy of their own, decoded on the way out.
"""

import threading
from collections.abc import Callable, ItemsView, Iterator, Mapping
from typing import Any, cast

import msgspec
from tinydb.storages import Storage

from tagline.index.lines import Changes, Rows

Document = dict[str, Any]

_decode = msgspec.json.Decoder(Document).decode
_ENCODER = msgspec.json.Encoder()


def encode_document(document: object) -> bytes:
    """The document's JSON, as a bytes object without slack. NaN and infinities become null.

    Raises:
        TypeError: it holds something that JSON has no form for.
    """
    return bytes(memoryview(_ENCODER.encode(document)))


def decode_document(encoded: bytes) -> Document:
    """A new copy of the document."""
    return _decode(encoded)


class EncodedRows(Mapping[str, Document]):
    """A table as TinyDB reads it: documents by id, decoded when touched.

    Iteration goes over the ids of one moment, and is safe while other threads write.
    """

    def __init__(self, rows: Mapping[str, bytes]) -> None:
        self.rows = rows

    def __getitem__(self, doc_id: object) -> Document:
        return _decode(self.rows[str(doc_id)])

    def __contains__(self, doc_id: object) -> bool:
        return str(doc_id) in self.rows

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.rows))

    def __len__(self) -> int:
        return len(self.rows)

    def items(self) -> ItemsView[str, Document]:
        """Ids and documents; each iteration goes over those of one moment."""
        return _Items(self)


class _Items(ItemsView[str, Document]):
    """Items that are iterated without looking up each id, which could be gone by then."""

    _mapping: EncodedRows

    def __iter__(self) -> Iterator[tuple[str, Document]]:
        return ((k, _decode(raw)) for k, raw in dict(self._mapping.rows).items())


class EncodedStorage(Storage):
    """Tables of encoded documents, changed by transactions; any thread may use it.

    ``lock`` is re-entrant and held by every change; hold it to read and change as one step.
    ``live_bytes`` is the length of all documents. ``recovered`` says what was lost on opening.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.RLock()
        self.tables: dict[str, dict[str, bytes]] = {}
        self.live_bytes = 0
        self.recovered: str | None = None

    @property
    def size_bytes(self) -> int:
        """Size of the file; 0 where there is none."""
        return 0

    def rows(self, table: str) -> Mapping[str, bytes]:
        """The encoded documents of a table, as they are from now on; empty when there is none."""
        return self.tables.get(table, {})

    def commit(self, changes: Changes, before_apply: Callable[[], object] | None = None) -> None:
        """Make all of the changes, or none of them.

        ``before_apply`` is called when they can no longer fail, with the old rows still in place.

        Raises:
            IndexUnavailable: they could not be recorded; nothing has changed.
        """
        with self.lock:
            self._record(changes)
            if before_apply is not None:
                before_apply()
            self._apply(changes)

    def _record(self, changes: Changes) -> None:
        """Write the changes down before they are made; here there is nowhere to write to."""

    def _apply(self, changes: Changes) -> None:
        for name, rows in changes.items():
            if rows is None:
                dropped = self.tables.pop(name, {})
                self.live_bytes -= sum(map(len, dropped.values()))
            else:
                self._apply_rows(self.tables.setdefault(name, {}), rows)

    def _apply_rows(self, table: dict[str, bytes], rows: Rows) -> None:
        if table.keys().isdisjoint(rows) and None not in rows.values():
            new = cast("Mapping[str, bytes]", rows)
            table.update(new)
            self.live_bytes += sum(map(len, new.values()))
            return
        for doc_id, encoded in rows.items():
            self.live_bytes -= len(table.get(doc_id, b""))
            if encoded is None:
                table.pop(doc_id, None)
            else:
                table[doc_id] = encoded
                self.live_bytes += len(encoded)

    def _replay(self, changes: Changes) -> None:
        """Make changes as ``_apply`` does, while many are read; ``_count`` comes after the last."""
        for name, rows in changes.items():
            if rows is None or not all(rows.values()):
                self._apply({name: rows})
            else:
                self.tables.setdefault(name, {}).update(cast("Mapping[str, bytes]", rows))

    def _count(self) -> None:
        """Set ``live_bytes`` right."""
        self.live_bytes = sum(sum(map(len, rows.values())) for rows in self.tables.values())

    def sync(self) -> None:
        """Make every commit so far survive a power cut; here there is nothing that could."""

    def compact_if_needed(self) -> None:
        """Drop history when it is most of what is kept; here none is kept."""

    def read(self) -> dict[str, Any] | None:
        """The tables as TinyDB reads them; ``None`` when there is none."""
        with self.lock:
            return {name: EncodedRows(rows) for name, rows in self.tables.items()} or None

    def write(self, data: Mapping[str, Mapping[Any, Any]]) -> None:
        """Make the tables be exactly ``data``, as one transaction; for dropping tables.

        Raises:
            IndexUnavailable: the change could not be recorded; nothing has changed.
        """
        with self.lock:
            changes: dict[str, Rows | None] = {t: None for t in self.tables if t not in data}
            for name, documents in data.items():
                changed = self._difference(name, documents)
                if changed or name not in self.tables:
                    changes[name] = changed
            if changes:
                self.commit(changes)

    def _difference(self, table: str, documents: Mapping[Any, Any]) -> Rows:
        rows = self.rows(table)
        if isinstance(documents, EncodedRows) and documents.rows is rows:
            return {}
        wanted = {str(k): encode_document(v) for k, v in documents.items()}
        changed: dict[str, bytes | None] = {k: None for k in rows if k not in wanted}
        changed.update((k, v) for k, v in wanted.items() if rows.get(k) != v)
        return changed
