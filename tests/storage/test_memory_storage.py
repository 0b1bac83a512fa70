"""The memory provider as an outside world for tests, and the table of providers."""

from itertools import count
from pathlib import Path

import pytest

from tagline.errors import (
    ConfigurationError,
    ObjectNotFound,
    ObjectUnreadable,
    StorageFull,
    StorageReadOnly,
)
from tagline.storage import BACKENDS, LocalStorage, MemoryStorage, open_storage


def test_states_are_the_same_in_every_run():
    """The same changes give the same states, by the clock that was given."""
    one, two = (MemoryStorage({"a.jpg": b"a", "x/b.jpg": b"b"}) for _ in range(2))
    assert [item.state for item in one.walk()] == [item.state for item in two.walk()]
    timed = MemoryStorage(clock=count(5).__next__)
    assert timed.put("a.jpg", b"a").state.mtime_ns == 5
    assert timed.put("a.jpg", b"b").state.mtime_ns == 6


def test_directories_can_be_renamed_and_deleted():
    """Another program's rename or removal of a directory takes all that is below."""
    storage = MemoryStorage({"x/a.jpg": b"a", "x/y/b.jpg": b"b", "z/c.jpg": b"c"})
    inner = storage.stat("x/y/b.jpg").state
    storage.rename("x", "w/v")
    assert sorted(i.object_key for i in storage.walk()) == ["w/v/a.jpg", "w/v/y/b.jpg", "z/c.jpg"]
    assert storage.stat("w/v/y/b.jpg").state == inner
    assert storage.is_directory("w/v/y")
    assert not storage.is_directory("x")
    storage.delete("w")
    assert [item.object_key for item in storage.walk()] == ["z/c.jpg"]
    for attempt in (lambda: storage.delete("w"), lambda: storage.rename("w", "x")):
        with pytest.raises(ObjectNotFound):
            attempt()


def test_a_rename_takes_the_place_of_what_was_there():
    """As on a disk, renaming over a file replaces it."""
    storage = MemoryStorage({"a.jpg": b"a", "b.jpg": b"b"})
    storage.rename("a.jpg", "b.jpg")
    with storage.open("b.jpg") as opened:
        assert opened.read_at(0, 9) == b"a"
    assert storage.names("") == ["b.jpg"]


def test_failures_come_once_and_in_order():
    """Each failure that was set meets one call of its operation."""
    storage = MemoryStorage({"a.jpg": b"a"})
    storage.fail_next("open", ObjectUnreadable("a.jpg", "first"))
    storage.fail_next("open", StorageFull("a.jpg"))
    with pytest.raises(ObjectUnreadable):
        storage.open("a.jpg")
    with pytest.raises(StorageFull):
        storage.open("a.jpg")
    with storage.open("a.jpg") as opened:
        storage.fail_next("read_at", ObjectUnreadable("a.jpg", "bad sector"))
        with pytest.raises(ObjectUnreadable):
            opened.read_at(0, 1)
        assert opened.read_at(0, 1) == b"a"


def test_a_read_only_storage_is_read():
    """What is read-only refuses every change, and can be made writable again."""
    storage = MemoryStorage({"a.jpg": b"a"})
    storage.set_read_only(True)
    state = storage.stat("a.jpg").state
    assert not storage.writable("a.jpg")
    for attempt in (
        lambda: storage.replace("a.jpg", b"b", state),
        lambda: storage.replace("b.jpg", b"b", None),
        lambda: storage.remove("a.jpg", state),
        lambda: storage.move("a.jpg", "b.jpg", state),
    ):
        with pytest.raises(StorageReadOnly):
            attempt()
    assert storage.stat("a.jpg").state == state
    storage.set_read_only(False)
    storage.replace("a.jpg", b"b", state)


def test_a_file_that_vanishes_during_a_walk_is_left_out():
    """A walk shows no file that is gone by then."""
    storage = MemoryStorage({"a.jpg": b"a", "b.jpg": b"b"})
    walk = storage.walk()
    next(walk)
    storage.delete("b.jpg")
    assert list(walk) == []


def test_every_backend_opens_by_name(tmp_path: Path):
    """Each row of the table makes a storage that keeps the rules to ignore."""
    for name in BACKENDS:
        storage = open_storage(name, tmp_path, ["*.tif"])
        storage.check()
        assert storage.is_ignored("a.tif")
        assert not storage.is_ignored("a.jpg")
    assert isinstance(open_storage("local", tmp_path), LocalStorage)
    assert isinstance(open_storage("memory", None), MemoryStorage)


def test_a_wrong_backend_or_path_names_the_variable():
    """A mistake in the configuration is said in its own words."""
    with pytest.raises(ConfigurationError, match=r"PHOTO_STORAGE_BACKEND.*'s3'.*local"):
        open_storage("s3", None)
    with pytest.raises(ConfigurationError, match="PHOTO_STORAGE_PATH"):
        open_storage("local", None)
