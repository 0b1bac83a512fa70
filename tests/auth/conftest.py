"""A clock that the tests set, and a token store in memory."""

import pytest
from tinydb import TinyDB
from tinydb.storages import MemoryStorage
from tinydb.table import Table

from tagline.auth.store import TokenStore
from tagline.auth.tokens import TokenService

SECRET = "0123456789abcdef" * 4
START = 1_700_000_000.0


class SetClock:
    """A clock that shows what the test sets."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class StringIdTable(Table):
    """TinyDB's table, with string document ids."""

    document_id_class = str


class Database(TinyDB):
    """TinyDB in memory, with string document ids."""

    table_class = StringIdTable


class World:
    """A token service over a store in memory; ``restart`` makes it anew over the same data."""

    def __init__(self, access_seconds: int = 900, refresh_seconds: int = 86400) -> None:
        self.clock = SetClock()
        self.database = Database(storage=MemoryStorage)
        self.lifetimes = (access_seconds, refresh_seconds)
        self.secret = SECRET
        self.restart()

    def restart(self) -> None:
        self.store = TokenStore(self.database)
        self.service = TokenService(self.store, self.secret, self.clock, *self.lifetimes)

    def rows(self, table: str) -> dict[str, dict[str, object]]:
        return {str(row.doc_id): dict(row) for row in self.database.table(table)}


@pytest.fixture
def world() -> World:
    """A token service over an empty store in memory."""
    return World()


@pytest.fixture(scope="session")
def make_world() -> type[World]:
    """Makes worlds, for property tests."""
    return World


@pytest.fixture
def clock() -> SetClock:
    """A clock that the test sets."""
    return SetClock()
