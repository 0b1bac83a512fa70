"""The journal in a file: reopening, torn tails, damage, locks, a full disk, compaction."""

import errno
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tinydb import where

from tagline.errors import IndexDamaged, IndexLocked, IndexUnavailable
from tagline.index import open_database
from tagline.index.journal import JournalStorage
from tagline.index.lines import encode_header
from tagline.index.table import JournalDatabase

CONTENT = "test 1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal is to be."""
    return tmp_path / "db.jsonl"


def open_at(path: Path, *, durable: bool = False, content: str = CONTENT) -> JournalDatabase:
    """The database in this file."""
    return open_database(path, durable=durable, content=content)


def journal(database: JournalDatabase) -> JournalStorage:
    """The journal below a database."""
    storage = database.encoded
    assert isinstance(storage, JournalStorage)
    return storage


def contents(path: Path, **options: bool) -> list[dict[str, object]]:
    """The documents that a new process would find."""
    with open_at(path, **options) as database:
        return [dict(d) for d in database]


def fill(path: Path, count: int = 5, **options: bool) -> None:
    """Make a file of so many commits."""
    with open_at(path, **options) as database:
        for n in range(count):
            database.insert({"n": n})


@contextmanager
def file_size_limit(limit_bytes: int) -> Iterator[None]:
    """No file of this process may grow beyond the limit: writes stop short, then fail."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("durable", [True, False])
def test_everything_is_there_after_reopening(path: Path, durable: bool) -> None:
    """Inserts, updates, removals and dropped tables are found again by the next opening."""
    with open_at(path, durable=durable) as database:
        ids = database.insert_multiple({"n": n} for n in range(4))
        database.update({"m": 1}, where("n") == 2)
        database.remove(doc_ids=ids[:1])
        database.table("gone").insert({})
        database.table("empty", persist_empty=True)
        database.drop_table("gone")
    with open_at(path, durable=durable) as database:
        assert [dict(d) for d in database] == [{"n": 1}, {"n": 2, "m": 1}, {"n": 3}]
        assert [d.doc_id for d in database] == ids[1:]
        assert database.tables() == {"_default", "empty"}
        assert database.encoded.recovered is None


def test_an_update_appends_one_line(path: Path) -> None:
    """The file grows by one line a change, however many documents there are."""
    fill(path, 50)
    with open_at(path) as database:
        before = path.read_bytes()
        database.update({"n": "x"}, where("n") == 7)
        after = path.read_bytes()
        database.update({"n": "x"}, where("n") == "x")  # changes nothing
        database.remove(where("n") == "unknown")
        assert path.read_bytes() == after
    assert after.startswith(before)
    assert after[len(before) :].count(b"\n") == 1
    assert len(after) - len(before) < 120


def test_files_are_private(tmp_path: Path) -> None:
    """What is made is readable by its owner alone, also after a compaction."""
    path = tmp_path / "new" / "db.jsonl"
    with open_at(path) as database:
        database.insert({"a": 1})
        journal(database).compact()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()} == {0o600}


@pytest.mark.parametrize("durable", [True, False])
def test_a_torn_tail_is_cut_off(path: Path, durable: bool) -> None:
    """Wherever the last line was cut off, everything before it is there and writing goes on."""
    fill(path, 3)
    whole = path.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for end in range(last, len(whole), 3):
        for zeros in (b"", b"\0" * 5):
            path.write_bytes(whole[:end] + zeros)
            with open_at(path, durable=durable) as database:
                assert [d["n"] for d in database] == [0, 1]
                assert database.encoded.recovered is None
                database.insert({"n": "new"})
            assert [d["n"] for d in contents(path, durable=durable)] == [0, 1, "new"]


@pytest.mark.parametrize("durable", [True, False])
def test_a_torn_header_is_a_new_file(path: Path, durable: bool) -> None:
    """A file whose making was cut off is made again."""
    header = encode_header(CONTENT)
    for end in range(0, len(header), 9):
        path.write_bytes(header[:end])
        fill(path, 1, durable=durable)
        assert contents(path, durable=durable) == [{"n": 0}]


def damaged(whole: bytes) -> Iterator[bytes]:
    """Files that no cut off write leaves behind."""
    lines = whole.splitlines(keepends=True)
    yield whole.replace(b'"n":1', b'"n":7')
    yield whole.replace(b'"n":4', b'"n":7')  # the last line, whole
    yield b"".join(lines[:2] + lines[3:])
    yield b"".join([*lines[:2], lines[3], lines[2], *lines[4:]])
    yield b"".join([*lines[:3], lines[2], *lines[3:]])
    yield b"".join([*lines[:2], b"\0" * len(lines[2]), *lines[3:]])
    yield b"".join([*lines[:2], lines[2][:9], *lines[3:]])
    yield b'{"_default": {"1": {"n": 1}}}'
    yield b"\n" + whole
    yield b"not a journal at all\n" * 3
    yield b"\xff" * 70_000


def test_damage_of_a_durable_store_is_refused(path: Path) -> None:
    """A durable file with damage in it is not opened, and stays as it is."""
    fill(path, durable=True)
    for data in damaged(path.read_bytes()):
        path.write_bytes(data)
        with pytest.raises(IndexDamaged, match=r"db\.jsonl is damaged"):
            open_at(path, durable=True)
        assert path.read_bytes() == data


def test_damage_of_an_index_is_set_aside(path: Path) -> None:
    """A damaged index is kept under another name, and an empty one takes its place."""
    fill(path)
    for number, data in enumerate(damaged(path.read_bytes()), 1):
        path.write_bytes(data)
        with open_at(path) as database:
            assert len(database) == 0
            kept = path.with_name(f"db.jsonl.damaged-{min(number, 9)}")
            assert kept.name in str(database.encoded.recovered)
            assert kept.read_bytes() == data
            database.insert({"n": 1})
        assert contents(path) == [{"n": 1}]


def test_damaged_files_that_are_precious_are_all_kept(path: Path) -> None:
    """Each damaged file of what cannot be made anew gets a name of its own."""
    for number in range(1, 13):
        path.write_bytes(b"damaged %d\n" % number)
        JournalStorage(path, content=CONTENT, durable=False, precious=True).close()
    for number in range(1, 13):
        kept = path.with_name(f"db.jsonl.damaged-{number}")
        assert kept.read_bytes() == b"damaged %d\n" % number


def test_another_schema_or_version_is_not_read(path: Path) -> None:
    """A durable file of another version is refused; an index of one is dropped, which is said."""
    fill(path)
    newer = path.read_bytes().replace(b'"version":1', b'"version":2', 1)
    for data, content in ((newer, CONTENT), (path.read_bytes(), "test 2")):
        path.write_bytes(data)
        with pytest.raises(IndexDamaged, match=r"version is 2|'test 1', not 'test 2'"):
            open_at(path, durable=True, content=content)
        with open_at(path, content=content) as database:
            assert len(database) == 0
            assert "another version" in str(database.encoded.recovered)
        assert sorted(p.name for p in path.parent.iterdir()) == ["db.jsonl", "db.jsonl.lock"]


def test_a_second_process_is_kept_out(path: Path) -> None:
    """While one process has the file, another is told which one has it; a dead one has nothing."""
    script = (
        "import sys, pathlib; from tagline.index import open_database\n"
        "d = open_database(pathlib.Path(sys.argv[1]), durable=True)\n"
        "d.insert({'n': 1}); print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(IndexLocked, match=f"process {other.pid}") as caught:
            open_database(path, durable=True)
        assert caught.value.holder == f"process {other.pid}"
        other.kill()
    with open_database(path, durable=True) as database:
        assert len(database) == 1


def test_the_lock_holds_within_a_process(path: Path) -> None:
    """A file is open once in a process, and free again after closing."""
    first = open_at(path)
    with pytest.raises(IndexLocked, match=f"process {os.getpid()}"):
        open_at(path)
    first.close()
    first.close()
    open_at(path).close()


def test_a_failed_opening_leaves_no_lock(path: Path) -> None:
    """A file that was refused can be opened as soon as it is in order."""
    path.write_bytes(b"junk\n")
    with pytest.raises(IndexDamaged):
        open_at(path, durable=True)
    path.unlink()
    open_at(path, durable=True).close()


def test_a_place_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    """A file where a directory should be, or a directory where the file should be, is an error."""
    (tmp_path / "file").touch()
    (tmp_path / "dir").mkdir()
    for path in (tmp_path / "file" / "db.jsonl", tmp_path / "dir"):
        with pytest.raises(IndexUnavailable, match="cannot be read or written"):
            open_at(path)


@pytest.mark.parametrize("durable", [True, False])
def test_a_full_disk_changes_nothing(path: Path, durable: bool) -> None:
    """A commit that does not fit fails whole, in memory and on disk, and the next one works."""
    fill(path, 3, durable=durable)
    with open_at(path, durable=durable) as database:
        before = path.read_bytes()
        with file_size_limit(len(before) + 40):
            for _ in range(2):
                with pytest.raises(IndexUnavailable):
                    database.insert({"n": "x" * 100})
                with pytest.raises(IndexUnavailable):
                    database.update({"n": "y" * 100})
        assert path.read_bytes() == before
        assert [d["n"] for d in database] == [0, 1, 2]
        database.insert({"n": 3})
    assert [d["n"] for d in contents(path, durable=durable)] == [0, 1, 2, 3]


def test_half_a_line_is_cut_off_by_the_next_commit(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a disk fails in cutting off what did not fit, the next commit does that first."""
    fill(path, 3)
    with open_at(path) as database:
        size = path.stat().st_size

        def fail(_descriptor: int, _length: int) -> None:
            raise OSError(errno.EIO, "failing disk")

        monkeypatch.setattr(os, "ftruncate", fail)
        with file_size_limit(size + 40), pytest.raises(IndexUnavailable):
            database.insert({"n": "x" * 100})
        assert path.stat().st_size == size + 40
        monkeypatch.undo()
        database.insert({"n": 3})
    assert [d["n"] for d in contents(path)] == [0, 1, 2, 3]


def test_a_full_disk_during_compaction_changes_nothing(path: Path) -> None:
    """A compaction that does not fit leaves the old file, no new one, and commits go on."""
    fill(path, 60)
    with open_at(path) as database:
        before = path.read_bytes()
        with file_size_limit(1000), pytest.raises(IndexUnavailable):
            journal(database).compact()
        assert path.read_bytes() == before
        database.insert({"n": "after"})
        assert not path.with_name("db.jsonl.new").exists()
        journal(database).compact()
    assert [d["n"] for d in contents(path)] == [*range(60), "after"]


def test_compaction_keeps_what_is_live(path: Path) -> None:
    """After a compaction the file holds the live documents alone, and further commits follow."""
    with open_at(path) as database:
        ids = database.insert_multiple({"n": n} for n in range(600))
        for _ in range(20):
            database.update({"text": os.urandom(4).hex()})
        database.remove(doc_ids=ids[:100])
        database.table("other").insert({"n": "other"})
        database.drop_table("other")
        expected = {d.doc_id: dict(d) for d in database}
        before = path.stat().st_size
        journal(database).compact()
        assert path.stat().st_size < before / 10
        database.update({"n": "late"}, doc_ids=ids[-1:])
        expected[ids[-1]]["n"] = "late"
    with open_at(path) as database:
        assert {d.doc_id: dict(d) for d in database} == expected
        assert database.tables() == {"_default"}


def test_compaction_is_needed_when_most_is_history(path: Path) -> None:
    """A file over 4 MiB and over three times its live documents is compacted when asked, once."""
    with open_at(path) as database:
        (doc_id,) = database.insert_multiple([{"text": ""}])
        for n in range(11):
            database.update({"text": str(n % 10) * 400_000}, doc_ids=[doc_id])
        before = path.stat().st_size
        database.encoded.compact_if_needed()
        after = path.stat().st_size
        inode = path.stat().st_ino
        database.encoded.compact_if_needed()
        assert path.stat().st_ino == inode
    assert before > 4 << 20
    assert after < 500_000


def test_a_durable_store_compacts_itself(path: Path) -> None:
    """A durable file never grows far beyond the limit, and a failed compaction harms no commit."""
    with open_at(path, durable=True) as database:
        (doc_id,) = database.insert_multiple([{"text": ""}])
        path.with_name("db.jsonl.new").mkdir()
        for n in range(12):
            database.update({"text": str(n % 10) * 400_000}, doc_ids=[doc_id])
        assert path.stat().st_size > 4 << 20
        path.with_name("db.jsonl.new").rmdir()
    with open_at(path, durable=True) as database:
        assert path.stat().st_size < 500_000
        for n in range(30):
            database.update({"text": str(n % 10) * 400_000}, doc_ids=[doc_id])
            assert path.stat().st_size < 5 << 20


def test_a_full_disk_keeps_no_store_from_opening(path: Path) -> None:
    """A durable file that is due to be compacted opens where there is no room for that."""
    with open_at(path) as database:
        (doc_id,) = database.insert_multiple([{"text": ""}])
        for n in range(11):
            database.update({"text": str(n % 10) * 400_000}, doc_ids=[doc_id])
    before = path.stat().st_size
    with file_size_limit(1000), open_at(path, durable=True) as database:
        assert [len(d["text"]) for d in database] == [400_000]
    assert path.stat().st_size == before


def test_a_left_over_copy_is_removed(path: Path) -> None:
    """The unfinished file of a compaction that was killed is gone after the next opening."""
    fill(path, 1)
    path.with_name("db.jsonl.new").write_bytes(b"half")
    assert contents(path) == [{"n": 0}]
    assert not path.with_name("db.jsonl.new").exists()


def test_a_closed_store_takes_nothing(path: Path) -> None:
    """After closing, a commit is refused; sync and compaction do nothing."""
    database = open_at(path)
    database.close()
    journal(database).sync()
    journal(database).compact()
    with pytest.raises(IndexUnavailable, match="closed"):
        database.insert({})


def test_sync_keeps_what_is_there(path: Path) -> None:
    """A sync changes nothing, and may be called at any time."""
    with open_at(path) as database:
        database.encoded.sync()
        database.insert({"n": 1})
        database.encoded.sync()
        assert database.all() == [{"n": 1}]


def test_in_memory_without_a_path() -> None:
    """Without a path the same database works in memory, and sync and compaction do nothing."""
    with open_database(None, durable=True) as database:
        doc_id = database.insert({"a": 1})
        assert isinstance(doc_id, str)
        database.encoded.sync()
        database.encoded.compact_if_needed()
        assert database.get(doc_id=doc_id) == {"a": 1}


def test_what_is_no_json_is_refused(path: Path) -> None:
    """A document that JSON cannot hold is refused, and nothing is written."""
    with open_at(path) as database:
        before = path.read_bytes()
        with pytest.raises(TypeError):
            database.insert({"a": object()})
        assert path.read_bytes() == before
        assert len(database) == 0
