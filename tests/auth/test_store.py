"""The token store when the disk fails."""

import pytest
from tinydb import TinyDB
from tinydb.storages import MemoryStorage
from tinydb.table import Table

from tagline.auth.store import TokenStore
from tagline.auth.tokens import TokenService
from tagline.errors import IndexUnavailable, InvalidToken

SECRET = "0123456789abcdef" * 4


class FullDisk(MemoryStorage):
    """A storage that can take so many more writes, then none until the disk has room again."""

    room: float = float("inf")

    def write(self, data):
        if self.room <= 0:
            raise OSError(28, "No space left on device", "/srv/tagline/tokens")
        self.room -= 1
        # A copy, as a disk keeps one: TinyDB goes on with the objects it gave.
        self.memory = {name: {k: dict(v) for k, v in t.items()} for name, t in data.items()}

    def read(self):
        if self.memory is None:
            return None
        return {name: {k: dict(v) for k, v in t.items()} for name, t in self.memory.items()}


class StringIdTable(Table):
    """TinyDB's table, with string document ids."""

    document_id_class = str


class Database(TinyDB):
    """TinyDB with string document ids."""

    table_class = StringIdTable


class Disk:
    """A token service over a disk that can be full."""

    def __init__(self) -> None:
        self.database = Database(storage=FullDisk)
        self.restart()

    def restart(self) -> None:
        self.store = TokenStore(self.database)
        self.service = TokenService(self.store, SECRET, lambda: 1_700_000_000.0, 900, 86400)

    def room(self, writes: float) -> None:
        self.database.storage.room = writes

    def count(self, table: str) -> int:
        return len(self.database.table(table))


@pytest.fixture
def disk() -> Disk:
    """A disk with room."""
    return Disk()


def writes_of(disk: Disk, call) -> int:
    """How many writes a call makes."""
    disk.room(1000)
    call()
    made = 1000 - disk.database.storage.room
    disk.room(float("inf"))
    return int(made)


def test_a_full_disk_is_our_error(disk):
    """A full disk at login is an IndexUnavailable of one sentence without a path."""
    disk.room(0)
    with pytest.raises(IndexUnavailable, match="No space left") as caught:
        disk.service.issue()
    assert "/srv" not in str(caught.value)


def test_a_login_that_fails_half_way(disk):
    """A login that fails at any write leaves no session behind, now or after the next one."""
    writes = writes_of(disk, disk.service.issue)
    for room in range(writes):
        disk.room(room)
        with pytest.raises(IndexUnavailable):
            disk.service.issue()
        assert len(disk.store.sessions) == 1
        disk.room(float("inf"))
    disk.service.purge()
    assert disk.count("sessions") == 1
    assert disk.count("refresh_tokens") == 1


@pytest.mark.parametrize("restarted", [True, False])
def test_a_refresh_that_fails_half_way(disk, restarted):
    """A refresh that fails at any write leaves the old token as good as before."""
    token = disk.service.issue().refresh_token
    probe = disk.service.issue().refresh_token
    for room in range(writes_of(disk, lambda: disk.service.refresh(probe))):
        disk.room(room)
        with pytest.raises(IndexUnavailable):
            disk.service.refresh(token)
        disk.room(float("inf"))
        if restarted:
            disk.restart()
        token = disk.service.refresh(token).refresh_token


def test_a_logout_that_fails(disk):
    """A logout that cannot be stored works at once, and is stored when it is tried again."""
    pair = disk.service.issue()
    session_id = disk.service.verify(pair.access_token).session_id
    disk.room(0)
    with pytest.raises(IndexUnavailable):
        disk.service.revoke(session_id)
    with pytest.raises(InvalidToken):
        disk.service.verify(pair.access_token)
    disk.room(float("inf"))
    disk.service.revoke(session_id)
    disk.restart()
    with pytest.raises(InvalidToken):
        disk.service.verify(pair.access_token)
    assert disk.count("refresh_tokens") == 0


@pytest.mark.parametrize("room", range(4))
def test_a_new_password_that_fails_half_way(disk, room):
    """A change of password that fails at any write ends the sessions on the next start."""
    disk.service.bind_password("one")
    pair = disk.service.issue()
    disk.restart()
    disk.room(room)
    try:
        disk.service.bind_password("two")
    except IndexUnavailable:
        assert room < 3
    disk.room(float("inf"))
    disk.restart()
    disk.service.bind_password("two")
    with pytest.raises(InvalidToken):
        disk.service.verify(pair.access_token)


def test_strays_are_removed(disk):
    """Tokens without a session, and sessions without a token, leave at the next purge."""
    disk.service.issue()
    disk.service.issue()
    first, second = disk.store.sessions
    disk.database.table("sessions").remove(doc_ids=[first])
    tokens = list(disk.store.sessions[second].tokens)
    disk.database.table("refresh_tokens").remove(doc_ids=tokens)
    disk.restart()
    disk.service.purge()
    assert disk.count("sessions") == disk.count("refresh_tokens") == 0
