"""Temporary files: gone when their writer is, and never before."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tagline.errors import ObjectUnreadable
from tagline.storage import LocalStorage


def names_in(directory) -> list[str]:
    """What is in a directory, sorted."""
    return sorted(path.name for path in directory.iterdir())


def test_only_the_dead_are_swept(local, photo):
    """A walk removes temporary files that nobody locks, and leaves other programs' files."""
    (photo.parent / "x").mkdir()
    for name in (".tagline-0123456789abcdef.tmp", "x/.tagline-fedcba9876543210.tmp"):
        (photo.parent / name).write_bytes(b"half")
    (photo.parent / ".tagline-000000000000000d.tmp").mkdir()
    (photo.parent / ".tagline-000000000000000e.tmp").symlink_to("a.jpg")
    (photo.parent / ".other.tmp").touch()
    (photo.parent / ".tagline-notes.tmp").touch()
    assert [item.object_key for item in local.walk()] == ["a.jpg"]
    odd = [".tagline-000000000000000d.tmp", ".tagline-000000000000000e.tmp", ".tagline-notes.tmp"]
    assert names_in(photo.parent) == [".other.tmp", *odd, "a.jpg", "x"]
    assert names_in(photo.parent / "x") == []
    assert photo.read_bytes() == b"old"


def test_the_living_are_not_swept(rewrite, local, photo, monkeypatch):
    """A walk in the middle of a write leaves its temporary file alone."""
    fsync = os.fsync

    def walk_meanwhile(descriptor):
        fsync(descriptor)
        assert [item.object_key for item in local.walk()] == ["a.jpg"]
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            assert len(names_in(photo.parent)) > 1

    monkeypatch.setattr(os, "fsync", walk_meanwhile)
    rewrite()
    assert photo.read_bytes() == b"new"


def test_a_sweep_between_creation_and_lock_is_survived(rewrite, local, photo, monkeypatch):
    """A temporary file that is swept before its writer could lock it is made anew."""
    opened = os.open
    swept = []

    def sweep_at_once(name, flags, *arguments, **options):
        descriptor = opened(name, flags, *arguments, **options)
        if flags & os.O_EXCL and not swept:
            swept.append(name)
            list(local.walk())
        return descriptor

    monkeypatch.setattr(os, "open", sweep_at_once)
    rewrite()
    assert swept
    assert photo.read_bytes() == b"new"
    assert names_in(photo.parent) == ["a.jpg"]


def test_a_writer_gives_up_when_it_is_swept_every_time(rewrite, photo, monkeypatch):
    """A name that never stays ends in an error, not in an endless loop."""
    opened = os.open

    def sweep_at_once(name, flags, *arguments, **options):
        descriptor = opened(name, flags, *arguments, **options)
        if flags & os.O_EXCL:
            os.unlink(name, dir_fd=options["dir_fd"])
        return descriptor

    monkeypatch.setattr(os, "open", sweep_at_once)
    with pytest.raises(ObjectUnreadable):
        rewrite()
    assert names_in(photo.parent) == ["a.jpg"]


def test_a_temporary_file_that_may_only_be_read_is_swept(as_nobody):
    """A writer that died after it gave the file a read-only mode is cleared up after as well."""
    directory = as_nobody.directory
    (directory / ".tagline-000000000000000a.tmp").touch(0o400)
    for path in (directory, directory / ".tagline-000000000000000a.tmp"):
        os.chown(path, 65534, 65534)
    storage = LocalStorage(directory)
    with as_nobody():
        assert list(storage.walk()) == []
    assert names_in(directory) == []


@pytest.mark.parametrize("way", ["all", "refusing", "none"])
def test_killed_writers_leave_whole_files_and_nothing_else(way):
    """However far a killed writer came, files are old or new, and a walk clears up after it.

    Whatever renames the file system has; and no file of another program is lost by it.
    """
    memory = Path("/dev/shm")  # a kill is no power cut: no need to wait for a disk
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as directory:
        done = subprocess.run(
            [sys.executable, Path(__file__).with_name("killed_writers.py"), directory, way],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(Path(__file__).parents[2])},
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 200
