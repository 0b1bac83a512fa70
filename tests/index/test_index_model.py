"""Random operations give what plain dicts give, over reloads, compactions and torn tails."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from tinydb import where

from tagline.index import TinyPhotoIndex, open_database, open_index
from tagline.index.journal import JournalStorage
from tagline.model import (
    IndexedPhoto,
    Metadata,
    PhotoQuery,
    copy_id,
)
from tests.rows import make_row

tables = st.sampled_from(["_default", "one", 'tw"o'])
values = st.none() | st.integers(-(2**63), 2**63) | st.text(max_size=8) | st.lists(st.booleans())
fields = st.dictionaries(st.sampled_from("abc"), values, max_size=3)


class DatabaseMachine(RuleBasedStateMachine):
    """A database in a file beside a dict of dicts."""

    ids = Bundle("ids")

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.path = self.directory / "db.jsonl"
        self.durable = False
        self.model: dict[str, dict[str, dict[str, Any]]] = {}
        self.open()

    def open(self) -> None:
        self.database = open_database(self.path, durable=self.durable)
        assert self.database.encoded.recovered is None

    @rule(target=ids, table=tables, document=fields)
    def insert(self, table: str, document: dict[str, Any]) -> str:
        doc_id = str(self.database.table(table).insert(document))
        self.model.setdefault(table, {})[doc_id] = dict(document)
        return doc_id

    @rule(table=tables, doc_id=ids, change=fields)
    def update(self, table: str, doc_id: str, change: dict[str, Any]) -> None:
        found = self.database.table(table).update(change, doc_ids=[doc_id])
        documents = self.model.setdefault(table, {})
        assert found == ([doc_id] if doc_id in documents else [])
        if doc_id in documents:
            documents[doc_id].update(change)

    @rule(table=tables, change=fields, field=st.sampled_from("abc"))
    def update_by_query(self, table: str, change: dict[str, Any], field: str) -> None:
        self.database.table(table).update(change, where(field).exists())
        for document in self.model.setdefault(table, {}).values():
            if field in document:
                document.update(change)

    @rule(table=tables, doc_id=consumes(ids))
    def remove(self, table: str, doc_id: str) -> None:
        self.database.table(table).remove(doc_ids=[doc_id])
        self.model.setdefault(table, {}).pop(doc_id, None)

    @rule(table=tables)
    def truncate(self, table: str) -> None:
        self.database.table(table).truncate()
        self.model[table] = {}

    @rule(table=tables)
    def drop(self, table: str) -> None:
        self.database.drop_table(table)
        self.model.pop(table, None)

    @rule()
    def compact(self) -> None:
        storage = self.database.encoded
        assert isinstance(storage, JournalStorage)
        storage.compact()

    @rule(durable=st.booleans())
    def reload(self, durable: bool) -> None:
        self.database.close()
        self.durable = durable
        self.open()

    @rule(
        tail=st.sampled_from([b"[", b'["0123', b'["01234567",{"one":{"x":{', b"\0\0\0"]),
        zeros=st.integers(0, 3),
    )
    def tear(self, tail: bytes, zeros: int) -> None:
        self.database.close()
        with self.path.open("ab") as file:
            file.write(tail + b"\0" * zeros)
        self.open()

    @invariant()
    def same(self) -> None:
        assert self.database.tables() == set(self.model)
        for name, documents in self.model.items():
            table = self.database.table(name)
            assert {d.doc_id: dict(d) for d in table} == documents
            assert len(table) == len(documents)
        live = sum(
            len(raw) for rows in self.database.encoded.tables.values() for raw in rows.values()
        )
        assert self.database.encoded.live_bytes == live

    def teardown(self) -> None:
        self.database.close()
        shutil.rmtree(self.directory)


def row_or_copy(pixels: int, key: str, size: int, plain: bool) -> IndexedPhoto:
    """A row; a plain one has the id of its fingerprint."""
    made = make_row(pixels, key, metadata=Metadata(description="ä" * size), size=size)
    if plain:
        return made
    own = msgspec.structs.replace(made.photo, id=copy_id(made.fingerprint, key))
    return msgspec.structs.replace(made, photo=own)


keys = st.sampled_from([*"abcd", "a/b", "a/c/d", "a-b", "a0", "ä", 'q"', "\\x41"])
rows = st.builds(row_or_copy, st.integers(0, 6), keys, st.integers(0, 3), st.booleans())


class IndexMachine(RuleBasedStateMachine):
    """A photo index in a file beside a dict of rows."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.index: TinyPhotoIndex = open_index(self.directory)
        self.model: dict[str, IndexedPhoto] = {}

    @rule(put=st.lists(rows, max_size=6, unique_by=lambda r: r.photo.object_key))
    def apply(self, put: list[IndexedPhoto]) -> None:
        put = list({r.photo.id: r for r in put}.values())
        keys = {r.photo.object_key for r in put}
        remove = [i for i, r in self.model.items() if r.photo.object_key in keys]
        self.index.apply(put, remove)
        for photo_id_ in remove:
            del self.model[photo_id_]
        self.model.update((r.photo.id, r) for r in put)

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        some = data.draw(st.lists(st.sampled_from(["?", *self.model]), max_size=3))
        self.index.apply([], some)
        for photo_id_ in some:
            self.model.pop(photo_id_, None)

    @rule()
    def reload(self) -> None:
        self.index.close()
        self.index = open_index(self.directory)

    @rule()
    def compact(self) -> None:
        storage = self.index._storage
        assert isinstance(storage, JournalStorage)
        storage.compact()

    @invariant()
    def same(self) -> None:
        expected = sorted(self.model.values(), key=lambda r: r.photo.object_key)
        assert len(self.index) == len(expected)
        page = self.index.page(PhotoQuery(limit=500))
        assert list(page.items) == [msgspec.json.encode(r.photo) for r in expected]
        assert [s.id for s in self.index.states()] == [r.photo.id for r in expected]
        for row in expected:
            assert self.index.get(row.photo.id) == row
            assert self.index.by_key(row.photo.object_key) == row
        for pixels in range(7):
            fingerprint = f"1:{pixels:032x}"
            found = [s.id for s in self.index.by_fingerprint(fingerprint)]
            assert found == [r.photo.id for r in expected if r.fingerprint == fingerprint]

    def teardown(self) -> None:
        self.index.close()
        shutil.rmtree(self.directory)


bounded = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestDatabase = DatabaseMachine.TestCase
TestDatabase.settings = bounded
TestIndex = IndexMachine.TestCase
TestIndex.settings = bounded
