"""Descriptors and errors when a share cannot tell what an open directory is."""

import errno
import os
from pathlib import Path

import pytest

from tagline.errors import StorageError


@pytest.fixture
def tree(root):
    """Nested directories, more than a walk holds open, with files, and a link to one of them."""
    deepest = root.joinpath(*["d"] * 40)
    deepest.mkdir(parents=True)
    for directory in (root, root / "d", deepest):
        (directory / "a.jpg").write_bytes(b"pixels")
    (root / "link").symlink_to("d")


def fail_at(monkeypatch, number):
    """Let the call of this number, of those that ask what is open, fail."""
    real, calls = os.fstat, []

    def fail(descriptor):
        calls.append(descriptor)
        if len(calls) == number + 1:
            raise OSError(errno.ESTALE, "stale file handle")
        return real(descriptor)

    monkeypatch.setattr(os, "fstat", fail)
    return calls


@pytest.mark.parametrize(
    "use",
    [
        lambda storage: list(storage.walk()),
        lambda storage: list(storage.walk("link/d")),
        lambda storage: storage.names("link/d"),
        lambda storage: storage.is_directory("d/d/d"),
        lambda storage: storage.stat("link/a.jpg"),
    ],
)
def test_a_stale_directory_is_an_error_of_ours_and_is_closed(local, tree, monkeypatch, use):
    """Whichever call fails: our errors alone get out, and nothing stays open."""
    del tree
    use(local)
    before, number = open_files(), 0
    while True:
        calls = fail_at(monkeypatch, number)
        try:
            use(local)
        except StorageError:
            pass
        finally:
            monkeypatch.undo()
        assert open_files() == before, f"after call {number}"
        if len(calls) <= number:
            return
        number += 1


def open_files():
    """The numbers of this process's open files."""
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())
