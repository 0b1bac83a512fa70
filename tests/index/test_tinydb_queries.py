"""What TinyDB promises of queries and operations holds for its own tables and for ours."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tinydb import Query, TinyDB, where
from tinydb.operations import add, decrement, delete, increment, subtract
from tinydb.operations import set as set_field
from tinydb.storages import MemoryStorage

from tagline.index.table import JournalDatabase, JournalTable

PEOPLE: list[dict[str, Any]] = [
    {"name": "Ada", "age": 36, "tags": ["math", "code"], "home": {"city": "London", "no": 12}},
    {"name": "Grace", "age": 85, "tags": ["navy", "code"], "home": {"city": "Arlington"}},
    {"name": "ada", "age": None, "tags": [], "friends": [{"name": "Ada"}, {"name": "Bob"}]},
    {},
]

P = Query()
QUERIES: list[tuple[str, Any, list[int]]] = [
    ("equal", P.name == "Ada", [1]),
    ("unequal", P.name != "Ada", [2, 3]),
    ("less", P.home.no < 13, [1]),
    ("less or equal", P.home.no <= 12, [1]),
    ("greater", P.home.no > 11, [1]),
    ("greater or equal", P.home.no >= 13, []),
    ("none", P.age == None, [3]),  # noqa: E711 (a query, not a comparison)
    ("and", (P.name == "Ada") & (P.age == 36), [1]),
    ("or", (P.name == "Ada") | (P.name == "Grace"), [1, 2]),
    ("not", ~(P.name == "Ada"), [2, 3, 4]),
    ("exists", P.home.exists(), [1, 2]),
    ("nested", P.home.city == "London", [1]),
    ("by item", P["home"]["city"] == "Arlington", [2]),
    ("where", where("name") == "ada", [3]),
    ("matches", P.name.matches("^A"), [1]),
    ("matches with flags", P.name.matches("^A", flags=re.IGNORECASE), [1, 3]),
    ("search", P.name.search("d"), [1, 3]),
    ("test", P.name.test(lambda v, end: v.endswith(end), "ce"), [2]),
    ("any of values", P.tags.any(["navy", "math"]), [1, 2]),
    ("all of values", P.tags.all(["code", "math"]), [1]),
    ("any of queries", P.friends.any(P.name == "Bob"), [3]),
    ("all of queries", P.friends.all(P.name.one_of(["Ada", "Bob"])), [3]),
    ("one of", P.name.one_of(["ada", "Grace"]), [2, 3]),
    ("fragment", P.fragment({"name": "Ada", "age": 36}), [1]),
    ("fragment below", P.home.fragment({"city": "London"}), [1]),
    ("map", P.tags.map(len) == 2, [1, 2]),
    ("noop", P.noop(), [1, 2, 3, 4]),
    ("function", lambda d: d.get("age") == 85, [2]),
]


@pytest.mark.parametrize(("query", "ids"), [q[1:] for q in QUERIES], ids=[q[0] for q in QUERIES])
def test_query(database: TinyDB, query: Any, ids: list[int]) -> None:
    """Each kind of query finds the same documents by search, get, contains, count and remove."""
    database.insert_multiple(PEOPLE)
    assert [d.doc_id for d in database.search(query)] == ids
    first = database.get(query)
    assert (first.doc_id if first is not None else None) == (ids[0] if ids else None)
    assert database.contains(query) is bool(ids)
    assert database.count(query) == len(ids)
    assert database.update({"seen": True}, query) == ids
    assert [d.doc_id for d in database.search(where("seen") == True)] == ids  # noqa: E712
    if query is not QUERIES[1][1]:
        assert database.remove(where("seen").exists()) == ids


def test_an_empty_query_is_refused(database: TinyDB) -> None:
    """A query without a condition cannot be evaluated."""
    database.insert({"a": 1})
    with pytest.raises(RuntimeError, match="Empty query"):
        database.search(Query())


OPERATIONS: list[tuple[str, Callable[[dict[str, Any]], None], dict[str, Any]]] = [
    ("delete", delete("char"), {"int": 1}),
    ("add number", add("int", 5), {"char": "a", "int": 6}),
    ("add text", add("char", "xyz"), {"char": "axyz", "int": 1}),
    ("subtract", subtract("int", 5), {"char": "a", "int": -4}),
    ("set", set_field("char", "xyz"), {"char": "xyz", "int": 1}),
    ("set new", set_field("new", [1]), {"char": "a", "int": 1, "new": [1]}),
    ("increment", increment("int"), {"char": "a", "int": 2}),
    ("decrement", decrement("int"), {"char": "a", "int": 0}),
]


@pytest.mark.parametrize(
    ("operation", "result"), [o[1:] for o in OPERATIONS], ids=[o[0] for o in OPERATIONS]
)
def test_operation(
    database: TinyDB, operation: Callable[[dict[str, Any]], None], result: dict[str, Any]
) -> None:
    """Each of TinyDB's operations changes the matching document, and no other."""
    database.insert_multiple([{"char": "a", "int": 1}, {"char": "b", "int": 1}])
    database.update(operation, where("char") == "a")
    assert [dict(d) for d in database] == [result, {"char": "b", "int": 1}]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
documents = st.dictionaries(st.sampled_from("abc"), json_values, max_size=3)
steps = st.one_of(
    st.tuples(st.just("insert"), documents),
    st.tuples(st.just("insert_multiple"), st.lists(documents, max_size=3)),
    st.tuples(st.just("update"), documents, st.sampled_from("abc")),
    st.tuples(st.just("upsert"), documents, st.sampled_from("abc")),
    st.tuples(st.just("remove"), st.sampled_from("abc")),
    st.tuples(st.just("remove_ids"), st.lists(st.integers(1, 9), max_size=3, unique=True)),
    st.tuples(st.just("truncate")),
    st.tuples(st.just("drop")),
)


def run(database: TinyDB, name: str, *arguments: Any) -> Any:
    """One operation on the table ``t``."""
    table = database.table("t")
    match name:
        case "update" | "upsert":
            return getattr(table, name)(arguments[0], where(arguments[1]).exists())
        case "remove":
            return table.remove(where(arguments[0]).exists())
        case "remove_ids":
            return table.remove(doc_ids=arguments[0])
        case "drop":
            return database.drop_table("t")
        case _:
            return getattr(table, name)(*arguments)


class Numbered(JournalDatabase):
    """Our storage and table with TinyDB's own kind of document ids."""

    table_class = JournalTable


@settings(max_examples=60, deadline=None)
@given(st.lists(steps, max_size=15))
def test_random_operations_give_the_same_as_stock(operations: list[tuple[Any, ...]]) -> None:
    """Any operations give the same answers and the same documents as TinyDB's own table."""
    stock, ours = TinyDB(storage=MemoryStorage), Numbered()
    for operation in operations:
        assert run(ours, *operation) == run(stock, *operation)
        assert sorted((d.doc_id, str(d)) for d in ours.table("t")) == sorted(
            (d.doc_id, str(d)) for d in stock.table("t")
        )
        assert ours.tables() == stock.tables()
