"""Permissions, mounts and failing disks."""

import ctypes
import errno
import os
import stat

import pytest

from tagline.errors import (
    ObjectUnreadable,
    StorageFull,
    StorageReadOnly,
    StorageUnavailable,
)
from tagline.storage import LocalStorage, permission


def names_in(directory) -> list[str]:
    """What is in a directory, sorted."""
    return sorted(path.name for path in directory.iterdir())


def test_a_file_whose_state_cannot_be_told_is_unreadable(local, photo, monkeypatch):
    """Shares ask for it anew: where that fails, our error says so, and nothing stays open."""
    real, calls = os.fstat, []

    def fail(descriptor):
        status = real(descriptor)
        if stat.S_ISREG(status.st_mode):
            calls.append(descriptor)
            raise OSError(errno.EIO, "failing disk")
        return status

    monkeypatch.setattr(os, "fstat", fail)
    with pytest.raises(ObjectUnreadable, match="Input/output error"):
        local.open(photo.name)
    monkeypatch.undo()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(calls[-1])


def test_a_read_only_directory_is_said_to_be(as_nobody):
    """Without write permission nothing is written, and the answer says why."""
    root = as_nobody.directory / "photos"
    root.mkdir()
    (root / "a.jpg").write_bytes(b"old")
    storage = LocalStorage(root)
    with as_nobody():
        state = storage.stat("a.jpg").state
        assert not storage.writable("a.jpg")
        for attempt in (
            lambda: storage.replace("a.jpg", b"new", state),
            lambda: storage.replace("a.jpg.json", b"{}", None),
            lambda: storage.remove("a.jpg", state),
            lambda: storage.move("a.jpg", "b.jpg", state),
        ):
            with pytest.raises(StorageReadOnly):
                attempt()
    assert names_in(root) == ["a.jpg"]


def test_a_file_marked_read_only_is_left_alone(as_nobody):
    """Who takes the write permission from a photo means it, although a rename would work."""
    root = as_nobody.directory
    (root / "a.jpg").write_bytes(b"old")
    os.chown(root, 65534, 65534)
    os.chown(root / "a.jpg", 65534, 65534)
    (root / "a.jpg").chmod(0o444)
    storage = LocalStorage(root)
    with as_nobody():
        assert not storage.writable("a.jpg")
        with pytest.raises(StorageReadOnly):
            storage.replace("a.jpg", b"new", storage.stat("a.jpg").state)
        assert storage.writable("a.jpg.json")
        storage.replace("a.jpg.json", b"{}", None, like="a.jpg")
    assert stat.S_IMODE((root / "a.jpg.json").stat().st_mode) == 0o444


def test_unreadable_files_and_directories_are_told_from_missing_ones(as_nobody):
    """What may not be read is an error for files, and reported by walks for directories."""
    root = as_nobody.directory / "photos"
    for name in ("closed", "blind", "open"):
        (root / name).mkdir(parents=True)
        (root / name / "a.jpg").write_bytes(b"a")
    (root / "b.jpg").write_bytes(b"b")
    (root / "b.jpg").chmod(0)
    (root / "closed").chmod(0)
    (root / "blind").chmod(0o444)
    storage = LocalStorage(root)
    with as_nobody():
        assert sorted(item.object_key for item in storage.walk()) == ["b.jpg", "open/a.jpg"]
        assert storage.unreadable == {"closed", "blind"}
        assert storage.is_directory("closed")
        with pytest.raises(ObjectUnreadable):
            storage.open("b.jpg")
        for key in ("closed/a.jpg", "blind/a.jpg"):
            with pytest.raises(ObjectUnreadable):
                storage.stat(key)
            assert not storage.writable(key)
        with pytest.raises(ObjectUnreadable):
            storage.names("closed")
        list(storage.walk("open"))
        assert storage.unreadable == {"closed", "blind"}
        list(storage.walk("closed"))
        assert storage.unreadable == {"closed", "blind"}
    list(storage.walk("closed"))
    assert storage.unreadable == {"blind"}
    list(storage.walk())
    assert storage.unreadable == frozenset()


def test_a_full_disk_is_said_to_be_full(root, mount):
    """Without space nothing is written, and the old file stands."""
    mount(root, "-t", "tmpfs", "-o", "size=64k", "tmpfs")
    (root / "a.jpg").write_bytes(b"old")
    storage = LocalStorage(root)
    with pytest.raises(StorageFull):
        storage.replace("a.jpg", bytes(1 << 20), storage.stat("a.jpg").state)
    with pytest.raises(StorageFull):
        storage.replace("b.json", bytes(1 << 20), None)
    assert names_in(root) == ["a.jpg"]
    assert (root / "a.jpg").read_bytes() == b"old"


def test_a_read_only_mount_is_said_to_be(root, mount):
    """A mount that was made read-only can be read, and says that it cannot be written."""
    mount(root, "-t", "tmpfs", "tmpfs")
    (root / "a.jpg").write_bytes(b"old")
    storage = LocalStorage(root)
    state = storage.stat("a.jpg").state
    mount(root, "-o", "remount,ro")
    assert not storage.writable("a.jpg")
    for attempt in (
        lambda: storage.replace("a.jpg", b"new", state),
        lambda: storage.replace("b.json", b"{}", None),
        lambda: storage.remove("a.jpg", state),
        lambda: storage.move("a.jpg", "b.jpg", state),
    ):
        with pytest.raises(StorageReadOnly):
            attempt()
    assert [item.object_key for item in storage.walk()] == ["a.jpg"]


def test_an_unmounted_disk_is_no_empty_one(root, mount, tmp_path):
    """While the disk is not mounted nothing is shown or written; with it, all is back."""
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "a.jpg").write_bytes(b"a")
    mount(root, "--bind", str(disk))
    storage = LocalStorage(root)
    assert [item.object_key for item in storage.walk()] == ["a.jpg"]
    mount.undo(root)
    assert names_in(root) == []
    for attempt in (
        storage.check,
        lambda: list(storage.walk()),
        lambda: storage.stat("a.jpg"),
        lambda: storage.replace("b.json", b"{}", None),
    ):
        with pytest.raises(StorageUnavailable, match="another directory stands in its place"):
            attempt()
    assert names_in(root) == []
    mount(root, "--bind", str(disk))
    storage.check()
    assert [item.object_key for item in storage.walk()] == ["a.jpg"]


def test_another_disk_in_the_same_place_is_not_taken_for_ours(root, mount):
    """Two file systems whose roots have the same inode number are told apart."""
    mount(root, "-t", "tmpfs", "tmpfs")
    (root / "a.jpg").write_bytes(b"a")
    storage = LocalStorage(root)
    assert len(list(storage.walk())) == 1
    mount.undo(root)
    mount(root, "-t", "tmpfs", "tmpfs")
    with pytest.raises(StorageUnavailable):
        list(storage.walk())


def test_a_disk_mounted_over_an_empty_directory_is_accepted(root, mount, tmp_path):
    """Where no file was ever met, the disk that is mounted then is the photo directory."""
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "a.jpg").write_bytes(b"a")
    storage = LocalStorage(root)
    assert list(storage.walk()) == []
    before = storage.incarnation
    mount(root, "--bind", str(disk))
    storage.check()
    assert [item.object_key for item in storage.walk()] == ["a.jpg"]
    assert storage.incarnation != before


def test_a_directory_that_comes_later_is_accepted(tmp_path):
    """A storage may be made before its disk is there, and starts when it is."""
    storage = LocalStorage(tmp_path / "later")
    with pytest.raises(StorageUnavailable, match="it is not there"):
        storage.check()
    (tmp_path / "later").mkdir()
    storage.check()
    (tmp_path / "later").rename(tmp_path / "moved")
    (tmp_path / "later").touch()
    with pytest.raises(StorageUnavailable):
        storage.check()


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE, errno.ENOTCONN])
def test_an_error_of_the_disk_is_told_from_one_of_a_file(local, photo, monkeypatch, code):
    """When the directory itself fails too, the storage is unavailable, else only the file is."""
    read = os.pread
    listed = os.scandir
    opened = local.open("a.jpg")

    def fail(*arguments):
        raise OSError(code, "lost")

    monkeypatch.setattr(os, "pread", fail)
    with pytest.raises(ObjectUnreadable):
        opened.read_at(0, 1)
    monkeypatch.setattr(os, "scandir", fail)
    with pytest.raises(StorageUnavailable):
        opened.read_at(0, 1)
    with pytest.raises(StorageUnavailable):
        list(local.walk())
    monkeypatch.setattr(os, "pread", read)
    monkeypatch.setattr(os, "scandir", listed)
    assert opened.read_at(0, 3) == b"old"
    opened.close()


@pytest.mark.parametrize("code", [errno.EIO, errno.ETIMEDOUT])
def test_a_disk_that_does_not_answer_is_not_said_to_refuse(local, photo, monkeypatch, code):
    """An input/output error in access(2) is a fault of the disk, not a missing permission."""

    def fail(*_arguments):
        ctypes.set_errno(code)
        return -1

    state = local.stat("a.jpg").state
    monkeypatch.setattr(permission, "_faccessat", fail)
    for ask in (
        lambda: local.replace("a.jpg", b"new", state),
        lambda: local.open("a.jpg"),
        lambda: local.writable("a.jpg"),
        lambda: local.editable("a.jpg"),
    ):
        with pytest.raises(ObjectUnreadable, match="try again"):
            ask()
    monkeypatch.undo()
    assert local.writable("a.jpg")
    assert photo.read_bytes() == b"old"
    assert names_in(photo.parent) == ["a.jpg"]


def test_an_unreadable_part_of_a_directory_is_reported(local, photo, monkeypatch):
    """Where a listing breaks off, what was seen is given and the rest called unreadable."""
    (photo.parent / "x").mkdir()
    (photo.parent / "x" / "b.jpg").touch()
    listed = os.scandir
    inner = (photo.parent / "x").stat().st_ino

    def fail_inside(directory):
        if os.fstat(directory).st_ino == inner:
            raise OSError(errno.EIO, "bad sector")
        return listed(directory)

    monkeypatch.setattr(os, "scandir", fail_inside)
    assert [item.object_key for item in local.walk()] == ["a.jpg"]
    assert local.unreadable == {"x"}
    monkeypatch.undo()
    assert len(list(local.walk())) == 2
    assert local.unreadable == frozenset()


def test_a_file_system_that_does_not_answer_is_unavailable(local, monkeypatch):
    """A mount whose file system cannot even be asked for its id is not there."""

    def fail(_directory):
        raise OSError(errno.ESTALE, "stale")

    monkeypatch.setattr(os, "fstatvfs", fail)
    for attempt in (local.check, lambda: list(local.walk())):
        with pytest.raises(StorageUnavailable):
            attempt()
