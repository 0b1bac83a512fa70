"""What TinyDB promises of tables and databases holds for its own and for ours."""

from collections.abc import Mapping
from typing import Any

import pytest
from tinydb import TinyDB, where
from tinydb.storages import MemoryStorage
from tinydb.table import Document, Table

from tagline.index.encoded import EncodedStorage
from tagline.index.table import ChangeRecorder, JournalTable


@pytest.fixture
def filled(database: TinyDB) -> TinyDB:
    """Three documents with ids 1, 2, 3."""
    database.insert_multiple({"n": n, "char": c} for n, c in ((1, "a"), (1, "b"), (1, "c")))
    return database


def test_insert_gives_ascending_ids(database: TinyDB) -> None:
    """Documents inserted one by one get the ids 1, 2, 3."""
    assert [database.insert({}) for _ in range(3)] == [1, 2, 3]


def test_insert_with_a_document_keeps_its_id(database: TinyDB) -> None:
    """A Document keeps its id, and the next one follows the greatest."""
    assert database.insert(Document({"a": 1}, 12)) == 12
    assert database.insert({"b": 1}) == 13
    assert database.get(doc_id=12) == {"a": 1}


def test_insert_refuses_a_taken_id(filled: TinyDB) -> None:
    """A Document with the id of another is refused, and nothing changes."""
    with pytest.raises(ValueError, match="already exists"):
        filled.insert(Document({"x": 1}, 2))
    with pytest.raises(ValueError, match="already exists"):
        filled.insert_multiple([{"y": 1}, Document({"x": 1}, 2)])
    assert filled.get(doc_id=2) == {"n": 1, "char": "b"}


def test_insert_takes_any_mapping(database: TinyDB) -> None:
    """A mapping that is no dict is stored as one; what is no mapping is refused."""

    class Pair(Mapping[str, int]):
        def __getitem__(self, key: str) -> int:
            return {"a": 1, "b": 2}[key]

        def __iter__(self):
            return iter(("a", "b"))

        def __len__(self) -> int:
            return 2

    database.insert(Pair())
    assert database.all() == [{"a": 1, "b": 2}]
    for wrong in ([1, 2], "text", {"bark"}, None):
        with pytest.raises(ValueError, match="Mapping"):
            database.insert(wrong)


def test_insert_multiple_gives_every_id(database: TinyDB) -> None:
    """Many documents inserted at once, from a generator, get an id each, in order."""
    assert database.insert_multiple({"n": n} for n in range(4)) == [1, 2, 3, 4]
    assert database.insert_multiple([]) == []
    assert [d["n"] for d in database] == [0, 1, 2, 3]


def test_insert_multiple_with_documents(database: TinyDB) -> None:
    """Documents inserted at once keep their ids."""
    given = [Document({"a": 1}, 7), Document({"b": 2}, 5)]
    assert database.insert_multiple(given) == [7, 5]
    assert {d.doc_id for d in database.all()} == {5, 7}


def test_a_failed_insert_multiple_changes_nothing(database: TinyDB) -> None:
    """When one of many documents is refused, none is stored."""
    with pytest.raises(ValueError, match="Mapping"):
        database.insert_multiple([{"a": 1}, 3])
    assert len(database) == 0


def test_get_by_id(filled: TinyDB) -> None:
    """A document is found by its id, which it carries; an unknown id is None."""
    found = filled.get(doc_id=2)
    assert isinstance(found, Document)
    assert found.doc_id == 2
    assert found == {"n": 1, "char": "b"}
    assert filled.get(doc_id=42) is None


def test_get_by_ids(filled: TinyDB) -> None:
    """Several ids give the documents that are there."""
    assert [d.doc_id for d in filled.get(doc_ids=[1, 3, 9])] == [1, 3]
    assert filled.get(doc_ids=[]) == []


def test_get_by_query(filled: TinyDB) -> None:
    """A query gives its first document, or None."""
    assert filled.get(where("char") == "b").doc_id == 2
    assert filled.get(where("char") == "z") is None


def test_get_without_a_condition_is_an_error(filled: TinyDB) -> None:
    """Neither get, contains nor remove guesses what was meant."""
    for call in (filled.get, filled.contains, filled.remove):
        with pytest.raises(RuntimeError):
            call()


def test_contains(filled: TinyDB) -> None:
    """A query or an id is contained when a document matches."""
    assert filled.contains(where("char") == "a")
    assert not filled.contains(where("char") == "z")
    assert filled.contains(doc_id=1)
    assert not filled.contains(doc_id=10)


def test_search_and_count(filled: TinyDB) -> None:
    """A search gives all matching documents in order of insertion."""
    assert [d.doc_id for d in filled.search(where("n") == 1)] == [1, 2, 3]
    assert filled.count(where("char").one_of(["a", "c"])) == 2
    assert filled.search(where("missing").exists()) == []


def test_iteration_len_and_all(filled: TinyDB) -> None:
    """A table is iterated as its documents with their ids."""
    assert len(filled) == 3
    assert [(d.doc_id, d["char"]) for d in filled] == [(1, "a"), (2, "b"), (3, "c")]
    assert filled.all() == list(filled)


def test_update_of_all(filled: TinyDB) -> None:
    """Fields without a condition go to every document."""
    assert filled.update({"n": 2, "new": None}) == [1, 2, 3]
    assert all(d["n"] == 2 and d["new"] is None for d in filled)


def test_update_by_query(filled: TinyDB) -> None:
    """Fields go to the documents that match, and no others."""
    assert filled.update({"n": 2}, where("char") == "a") == [1]
    assert [d["n"] for d in filled] == [2, 1, 1]
    assert filled.update({"n": 2}, where("char") == "z") == []


def test_update_by_ids(filled: TinyDB) -> None:
    """Fields go to the ids that are there; the others are skipped."""
    assert filled.update({"n": 5}, doc_ids=[1, 3, 77]) == [1, 3]
    assert [d["n"] for d in filled] == [5, 1, 5]


def test_update_by_function(filled: TinyDB) -> None:
    """A function may change the matching documents in place, nested values too."""

    def change(document: dict[str, Any]) -> None:
        document.setdefault("deep", {"list": []})["list"].append(document.pop("char"))

    assert filled.update(change, where("char") != "b") == [1, 3]
    assert filled.update(change, doc_ids=[2]) == [2]
    assert [d["deep"]["list"] for d in filled] == [["a"], ["b"], ["c"]]


def test_update_multiple(filled: TinyDB) -> None:
    """Each of several updates goes to its own matches."""
    changes = [
        ({"n": 8}, where("char") == "a"),
        (lambda d: d.update(n=9), where("char") == "b"),
    ]
    assert filled.update_multiple(changes) == [1, 2]
    assert [d["n"] for d in filled] == [8, 9, 1]


def test_an_update_that_fails_half_way_changes_nothing(database: TinyDB) -> None:
    """An exception out of an update's function leaves our tables as they were."""
    if isinstance(database.storage, MemoryStorage):
        pytest.skip("TinyDB's own storage in memory hands out its own dicts")
    database.insert_multiple([{"n": 0}, {"n": 1}])

    def change(document: dict[str, Any]) -> None:
        document["n"] = 1 // document["n"] if document["n"] else 7
        document["m"] = 1 // (document["n"] - 1)

    with pytest.raises(ZeroDivisionError):
        database.update(change)
    assert [dict(d) for d in database] == [{"n": 0}, {"n": 1}]


def test_upsert_updates_or_inserts(filled: TinyDB) -> None:
    """An upsert changes all matches, or adds a document when there is none."""
    assert filled.upsert({"n": 4}, where("char") == "a") == [1]
    assert filled.upsert({"n": 5, "char": "z"}, where("char") == "z") == [4]
    assert [d["n"] for d in filled] == [4, 1, 1, 5]


def test_upsert_by_id(filled: TinyDB) -> None:
    """A Document is updated or inserted under its own id; without id or query it is an error."""
    assert filled.upsert(Document({"n": 7}, 2)) == [2]
    assert filled.get(doc_id=2) == {"n": 7, "char": "b"}
    assert filled.upsert(Document({"n": 8}, 99)) == [99]
    assert filled.insert({}) == 100
    with pytest.raises(ValueError, match="doc_id"):
        filled.upsert({"n": 1})


def test_remove_by_query(filled: TinyDB) -> None:
    """Matching documents are removed, and their ids said."""
    assert filled.remove(where("char").one_of(["a", "b"])) == [1, 2]
    assert [d.doc_id for d in filled] == [3]


def test_remove_by_ids(filled: TinyDB) -> None:
    """Documents are removed by id; ids that are not there are skipped."""
    assert filled.remove(doc_ids=[1, 3, 77]) == [1, 3]
    assert [d.doc_id for d in filled] == [2]


def test_truncate_begins_ids_anew(filled: TinyDB) -> None:
    """A truncated table is empty and starts at id 1 again."""
    filled.truncate()
    assert len(filled) == 0
    assert filled.all() == []
    assert filled.insert({"n": 1}) == 1


def test_ids_are_not_used_again_while_open(filled: TinyDB) -> None:
    """An id of a removed document is not given to the next one."""
    filled.remove(doc_ids=[3])
    assert filled.insert({}) == 4


def test_tables_are_apart(database: TinyDB) -> None:
    """Documents of one table are in no other; a table object is made once."""
    one, two = database.table("one"), database.table("two")
    one.insert({"a": 1})
    two.insert_multiple([{"b": 1}, {"b": 2}])
    assert (len(one), len(two), len(database)) == (1, 2, 0)
    assert database.table("one") is one
    assert database.tables() == {"one", "two"}
    assert one.name == "one"


def test_a_table_may_have_any_name(database: TinyDB) -> None:
    """Names with quotes, line breaks and non-ASCII letters are names."""
    for name in ('"', "ä\n☃", "", "null"):
        database.table(name).insert({name: 1})
        assert database.table(name).all() == [{name: 1}]


def test_persist_empty(database: TinyDB) -> None:
    """An empty table is stored when that is asked for, and only then."""
    database.table("not")
    database.table("kept", persist_empty=True)
    assert database.tables() == {"kept"}


def test_drop_table(database: TinyDB) -> None:
    """A dropped table is gone, and the others stay; an unknown one does no harm."""
    database.drop_table("unknown")
    database.table("one").insert({"a": 1})
    database.table("two").insert({"a": 1})
    database.drop_table("one")
    database.drop_table("unknown")
    assert database.tables() == {"two"}
    assert len(database.table("one")) == 0
    assert database.table("one").insert({}) == 1


def test_drop_tables(database: TinyDB) -> None:
    """Dropping all tables empties the database."""
    database.insert({"a": 1})
    database.table("one").insert({"a": 1})
    database.drop_tables()
    assert database.tables() == set()
    assert len(database) == 0
    assert database.insert({}) == 1


def test_repr_names_the_table(filled: TinyDB) -> None:
    """The repr says the table's name and size."""
    assert "name='_default', total=3" in repr(filled.table("_default"))


def test_query_cache_never_shows_old_results(database: TinyDB) -> None:
    """With a query cache as without, a search sees every change before it."""
    table = database.table("cached", cache_size=2)
    query = where("n") == 1
    table.insert({"n": 1})
    assert table.search(query) == table.search(query) == [{"n": 1}]
    table.insert({"n": 1})
    assert table.count(query) == 2
    table.update({"n": 2}, doc_ids=[1])
    assert table.count(query) == 1
    table.truncate()
    assert table.count(query) == 0


def test_what_was_inserted_is_a_copy(database: TinyDB) -> None:
    """A change to the dict that was inserted does not reach the database."""
    given = {"a": 1}
    database.insert(given)
    given["a"] = 2
    assert database.get(doc_id=1) == {"a": 1}


def test_values_of_json(database: TinyDB) -> None:
    """Every kind of JSON value comes back as it went in."""
    document = {
        "text": 'ä☃\U0001f4f7"\\\n\u2028\0',
        "numbers": [0, -1, 2**53, 2**63 - 1, 1.5, 1e300, -0.0],
        "nested": {"": [None, True, False, [], {}]},
    }
    database.insert(document)
    assert database.all() == [document]


def test_use_as_context_manager(database: TinyDB) -> None:
    """The database closes itself at the end of a with block."""
    with database as opened:
        opened.insert({"a": 1})
    assert database._opened is False


def test_tinydbs_own_table_works_over_our_storage() -> None:
    """A stock table writes all documents at once, and our storage keeps the differences."""
    storage = EncodedStorage()
    table = Table(storage, "t")
    table.insert_multiple([{"n": 1}, {"n": 2}])
    table.update({"n": 3}, doc_ids=[1])
    table.remove(doc_ids=[2])
    assert JournalTable(storage, "t").all() == [{"n": 3}]
    assert storage.live_bytes == len(b'{"n":3}')
    storage.write({"t": {}})
    assert storage.read() is not None
    assert len(table) == 0


def test_our_table_needs_our_storage() -> None:
    """A JournalTable over another storage is refused at once."""
    with pytest.raises(TypeError, match="EncodedStorage"):
        JournalTable(MemoryStorage(), "t")


def test_a_recorder_behaves_as_a_dict() -> None:
    """The mapping that updaters change answers as a dict would, before and after changes."""
    recorder = ChangeRecorder({"1": b'{"n":1}', "2": b'{"n":2}'}, int)
    assert len(recorder) == 2
    recorder[1]["n"] = 5
    recorder[3] = {"n": 3}
    assert recorder.pop(2) == {"n": 2}
    for missing in (2, 9):
        with pytest.raises(KeyError):
            recorder[missing]
        with pytest.raises(KeyError):
            del recorder[missing]
    assert dict(recorder) == {1: {"n": 5}, 3: {"n": 3}}
    assert len(recorder) == 2
    assert recorder.changes() == {"1": b'{"n":5}', "2": None, "3": b'{"n":3}'}
    recorder.clear()
    assert list(recorder) == []
    assert recorder.changes() == {"1": None, "2": None}
