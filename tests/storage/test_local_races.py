"""Links that are swapped in while a key is being followed: nothing leads outside."""

import os
import threading

import pytest

from tagline.errors import ObjectError, ObjectNotFound


def content(storage, object_key: str) -> bytes:
    """All bytes of a file."""
    with storage.open(object_key) as opened:
        return opened.read_at(0, opened.size)


def test_a_link_swapped_in_between_leads_nowhere(local, root):
    """While a directory and a link to the outside take turns, no byte from outside is read."""
    (root / "x").mkdir()
    (root / "x" / "secret.jpg").write_bytes(b"inside")
    (root / "link").symlink_to("../outside")
    stop = threading.Event()

    def swap():
        while not stop.is_set():
            (root / "x").rename(root / "away")
            (root / "link").rename(root / "x")
            (root / "x").rename(root / "link")
            (root / "away").rename(root / "x")

    swapper = threading.Thread(target=swap)
    swapper.start()
    seen = set()
    try:
        for _ in range(1500):
            try:
                seen.add(content(local, "x/secret.jpg"))
                seen.update(item.state.size for item in local.walk() if item.state.size != 6)
            except ObjectError:
                seen.add(b"refused")
    finally:
        stop.set()
        swapper.join()
    assert seen <= {b"inside", b"refused"}
    assert (root.parent / "outside" / "secret.jpg").read_bytes() == b"secret"


@pytest.mark.parametrize("key", ["a.jpg", "x/a.jpg"])
def test_a_link_that_comes_right_after_the_check_is_refused(local, root, monkeypatch, key):
    """A file or directory that turns into a link once it was looked at is not followed."""
    (root / "x").mkdir()
    for path in (root / "a.jpg", root / "x" / "a.jpg"):
        path.write_bytes(b"inside")
    looked = os.stat
    first = key.partition("/")[0]
    outside = root.parent / "outside"
    (outside / "a.jpg").write_bytes(b"secret")

    def swap_afterwards(name, **options):
        status = looked(name, **options)
        if name == b"a.jpg" and (root / first).exists() and not (root / first).is_symlink():
            (root / first).rename(root / "away")
            (root / first).symlink_to(outside / "a.jpg" if first == key else outside)
        return status

    monkeypatch.setattr(os, "stat", swap_afterwards)
    try:
        seen = content(local, key)
    except ObjectError:
        seen = b"refused"
    assert seen == (b"refused" if first == key else b"inside")


def test_a_link_whose_real_path_changes_while_it_is_followed_is_refused(local, root, monkeypatch):
    """The real path that was looked up is entered without following any new link."""
    (root / "x").mkdir()
    (root / "x" / "secret.jpg").write_bytes(b"inside")
    (root / "link").symlink_to("x")
    found = os.path.realpath

    def swap_afterwards(path):
        real = found(path)
        if real.endswith(b"/x"):
            (root / "x").rename(root / "away")
            (root / "x").symlink_to("../outside")
        return real

    monkeypatch.setattr(os.path, "realpath", swap_afterwards)
    with pytest.raises(ObjectError):
        content(local, "link/secret.jpg")


def test_a_link_that_becomes_a_file_while_it_is_read_is_that_file(local, root, monkeypatch):
    """A link that another program replaces by a file in that moment is that, or looked for again.

    Which of the two, is up to the release of Python: what ``realpath`` makes of it has changed.
    """
    (root / "link.jpg").symlink_to("a.jpg")
    read = os.readlink

    def swap_before(path, **options):
        (root / "link.jpg").unlink()
        (root / "link.jpg").write_bytes(b"a file")
        return read(path, **options)

    monkeypatch.setattr(os, "readlink", swap_before)
    try:
        found = local.stat("link.jpg").state
    except ObjectNotFound:
        found = None
    monkeypatch.undo()
    assert not (root / "link.jpg").is_symlink()
    assert found in {None, local.stat("link.jpg").state}
    assert content(local, "link.jpg") == b"a file"


def test_a_pipe_that_comes_right_after_the_check_is_not_read(local, root, monkeypatch):
    """What was a file and is a pipe once opened is closed at once, without waiting."""
    (root / "a.jpg").write_bytes(b"inside")
    looked = os.stat

    def swap_afterwards(name, **options):
        status = looked(name, **options)
        if name == b"a.jpg":
            (root / "a.jpg").unlink()
            os.mkfifo(root / "a.jpg")
        return status

    monkeypatch.setattr(os, "stat", swap_afterwards)
    with pytest.raises(ObjectNotFound):
        local.open("a.jpg")


@pytest.fixture
def deep(root):
    """A chain of directories deeper than a walk holds open, with a file in another beside each."""
    path = root
    for _ in range(40):
        path = path / "d"
        path.mkdir()
        (path / "z").mkdir()
        (path / "z" / "a.jpg").touch()


@pytest.mark.parametrize("gone", [False, True])
def test_a_walk_survives_directories_that_move_meanwhile(local, root, deep, gone):
    """A walk whose way back is no more goes on where it can, and calls the rest unreadable."""
    walk = local.walk()
    first = next(walk)
    while first.object_key.count("/") < 40:
        first = next(walk)
    (root / "/".join(["d"] * 9)).rename(root / "moved")
    if gone:
        (root / "d").rename(root / "away")
    rest = [item.object_key for item in walk]
    assert len(rest) == len(set(rest))
    assert bool(local.unreadable) == gone
    assert len(list(local.walk())) == 40
    assert local.unreadable == frozenset()
