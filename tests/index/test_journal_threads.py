"""Threads that change one database lose nothing of each other's, also during compactions."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tinydb import where
from tinydb.operations import increment

from tagline.index import open_database
from tagline.index.journal import JournalStorage
from tagline.index.table import JournalDatabase, JournalTable

THREADS = 4
ROUNDS = 60


class Numbered(JournalDatabase):
    """Ids that threads could give twice."""

    table_class = JournalTable


@pytest.fixture(autouse=True)
def impatient_threads() -> Iterator[None]:
    """Threads change places a thousand times as often as they do."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


def test_no_update_is_lost(tmp_path: Path) -> None:
    """Counting up, inserting and upserting from threads gives every count, id and document."""
    path = tmp_path / "db.jsonl"
    database = Numbered(path, content="c", durable=False, storage=JournalStorage)
    counter = database.insert({"count": 0})

    def work(thread: int) -> list[int]:
        ids = []
        for number in range(ROUNDS):
            database.update(increment("count"), doc_ids=[counter])
            ids.append(database.insert({"thread": thread, "number": number}))
            database.upsert({"shared": number}, where("shared").exists())
            database.update({"seen": True}, doc_ids=ids[-1:])
            database.search(where("thread") == thread)
        return ids

    def compact() -> int:
        storage = database.encoded
        assert isinstance(storage, JournalStorage)
        for _ in range(ROUNDS):
            storage.compact()
            storage.sync()
        return path.stat().st_size

    with ThreadPoolExecutor(THREADS + 1) as pool:
        compacting = pool.submit(compact)
        given = [i for ids in pool.map(work, range(THREADS)) for i in ids]
        compacting.result()
    expected = {d.doc_id: dict(d) for d in database}
    database.close()
    assert len(set(given)) == len(given) == THREADS * ROUNDS
    with Numbered(path, content="c", durable=False, storage=JournalStorage) as database:
        assert {d.doc_id: dict(d) for d in database} == expected
        assert database.get(doc_id=counter) == {"count": THREADS * ROUNDS}
        assert database.count(where("shared").exists()) == 1
        assert database.count(where("seen").exists()) == THREADS * ROUNDS


def test_tables_come_and_go_during_compactions(tmp_path: Path) -> None:
    """Tables made, dropped and removed from while the file is rewritten are right afterwards."""
    path = tmp_path / "db.jsonl"
    database = open_database(path, durable=True)
    database.insert_multiple({"n": n} for n in range(2000))

    def compact() -> None:
        storage = database.encoded
        assert isinstance(storage, JournalStorage)
        for _ in range(20):
            storage.compact()

    with ThreadPoolExecutor(1) as pool:
        compacting = pool.submit(compact)
        number = 0
        while not compacting.done():
            number += 1
            database.table(f"t{number % 5}").insert({"n": number})
            if number % 3 == 0:
                database.drop_table(f"t{number % 4}")
            database.remove(where("n") == number)
            database.insert({"n": -number})
        compacting.result()
    expected = {
        name: {d.doc_id: dict(d) for d in database.table(name)} for name in database.tables()
    }
    database.close()
    with open_database(path, durable=True) as database:
        assert expected == {
            name: {d.doc_id: dict(d) for d in database.table(name)} for name in database.tables()
        }
