"""Databases of every kind, and rows for the photo index."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tinydb import TinyDB
from tinydb.storages import MemoryStorage

from tagline.index.encoded import EncodedStorage
from tagline.index.journal import JournalStorage
from tagline.index.table import JournalDatabase, JournalTable
from tagline.model import IndexedPhoto
from tests.rows import make_row

CONTENT = "test 1"


class NumberedDatabase(JournalDatabase):
    """Our storage and table with TinyDB's own kind of document ids."""

    table_class = JournalTable


@pytest.fixture(params=["stock", "encoded", "journal"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TinyDB]:
    """An empty database: TinyDB's own, ours in memory, ours in a file."""
    match request.param:
        case "stock":
            made = TinyDB(storage=MemoryStorage)
        case "encoded":
            made = NumberedDatabase(storage=EncodedStorage)
        case _:
            made = NumberedDatabase(
                tmp_path / "db.jsonl", content=CONTENT, durable=False, storage=JournalStorage
            )
    yield made
    made.close()


RowMaker = Callable[..., IndexedPhoto]


@pytest.fixture(scope="session")
def row() -> RowMaker:
    """The function that makes rows."""
    return make_row
