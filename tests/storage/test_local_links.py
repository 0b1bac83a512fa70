"""Symbolic links, odd files and races: nothing leads a ``LocalStorage`` out of its directory."""

import os
from pathlib import Path

import pytest

from tagline.errors import ObjectError, ObjectNotFound, UnsafeKey
from tagline.storage import LocalStorage


def keys(storage, *arguments, **options) -> list[str]:
    """The keys of a walk, sorted."""
    return sorted(item.object_key for item in storage.walk(*arguments, **options))


def content(storage, object_key: str) -> bytes:
    """All bytes of a file."""
    with storage.open(object_key) as opened:
        return opened.read_at(0, opened.size)


def open_descriptors() -> int:
    """How many descriptors this process has open (0 where nobody counts them)."""
    listing = Path("/proc/self/fd")
    return sum(1 for _ in listing.iterdir()) if listing.exists() else 0


@pytest.fixture
def leaving(root):
    """Links that leave the directory, absolute, relative, by a directory and dangling."""
    outside = root.parent / "outside"
    (root / "absolute.jpg").symlink_to(outside / "secret.jpg")
    (root / "relative.jpg").symlink_to("../outside/secret.jpg")
    (root / "dangling.jpg").symlink_to("../outside/gone.jpg")
    (root / "directory").symlink_to(outside)
    (root / "chain.jpg").symlink_to("relative.jpg")
    return ["absolute.jpg", "relative.jpg", "dangling.jpg", "directory/secret.jpg", "chain.jpg"]


def test_links_that_leave_are_passed_over_in_walks(local, leaving):
    """A walk shows nothing that lies outside, and calls nothing unreadable."""
    assert keys(local) == []
    assert local.names("") == []
    assert local.unreadable == frozenset()


def test_links_that_leave_are_refused_in_direct_use(local, leaving, root):
    """Such a link is an unsafe key for every operation, and outside nothing changes."""
    (root / "a.jpg").write_bytes(b"a")
    state = local.stat("a.jpg").state
    for key in leaving:
        for attempt in (
            lambda key=key: local.stat(key),
            lambda key=key: local.open(key),
            lambda key=key: local.replace(key, b"x", None),
            lambda key=key: local.replace(key, b"x", state),
            lambda key=key: local.remove(key, state),
            lambda key=key: local.move(key, "b.jpg", state),
            lambda key=key: local.move("a.jpg", key, state),
            lambda key=key: local.writable(key),
        ):
            with pytest.raises(UnsafeKey):
                attempt()
    for attempt in (local.is_directory, local.names, lambda key: list(local.walk(key))):
        with pytest.raises(UnsafeKey):
            attempt("directory")
    outside = root.parent / "outside"
    assert [path.name for path in outside.iterdir()] == ["secret.jpg"]
    assert (outside / "secret.jpg").read_bytes() == b"secret"


def test_links_that_stay_inside_are_followed(local, root):
    """Links to files and directories inside show what they point at, under their own keys."""
    (root / "x").mkdir()
    (root / "x" / "a.jpg").write_bytes(b"a")
    (root / "file.jpg").symlink_to("x/a.jpg")
    (root / "absolute.jpg").symlink_to(root / "x" / "a.jpg")
    (root / "round.jpg").symlink_to("../photos/x/a.jpg")
    (root / "album").symlink_to("x")
    assert keys(local) == ["absolute.jpg", "album/a.jpg", "file.jpg", "round.jpg", "x/a.jpg"]
    assert sorted(local.names("")) == ["absolute.jpg", "file.jpg", "round.jpg"]
    assert local.names("album") == local.names("album", "a.") == ["a.jpg"]
    assert keys(local, "album") == ["album/a.jpg"]
    assert local.is_directory("album")
    for key in keys(local):
        assert content(local, key) == b"a"
        assert local.stat(key).state == local.stat("x/a.jpg").state


def test_a_root_that_is_itself_a_link_works(root, tmp_path):
    """The photo directory may be given by a link, and links inside stay inside."""
    (root / "a.jpg").write_bytes(b"a")
    (root / "b.jpg").symlink_to(root / "a.jpg")
    (tmp_path / "alias").symlink_to(root)
    (root / "c.jpg").symlink_to(tmp_path / "alias" / "a.jpg")
    assert keys(LocalStorage(tmp_path / "alias")) == ["a.jpg", "b.jpg", "c.jpg"]


def test_writing_through_a_link_writes_the_file_it_shows(local, root):
    """A replaced link stays a link; its target has the new content."""
    (root / "x").mkdir()
    (root / "x" / "a.jpg").write_bytes(b"a")
    (root / "link.jpg").symlink_to("x/a.jpg")
    (root / "new.json").symlink_to("x/new.json")
    local.replace("link.jpg", b"new", local.stat("link.jpg").state)
    local.replace("new.json", b"{}", None)
    assert (root / "link.jpg").is_symlink()
    assert (root / "x" / "a.jpg").read_bytes() == b"new"
    assert (root / "x" / "new.json").read_bytes() == b"{}"
    local.remove("new.json", local.stat("new.json").state)
    assert not (root / "x" / "new.json").exists()


def test_loops_end(local, root):
    """Links to themselves, to each other, to the root and to a parent end every walk."""
    (root / "x" / "y").mkdir(parents=True)
    (root / "x" / "y" / "a.jpg").write_bytes(b"a")
    (root / "self").symlink_to("self")
    (root / "one").symlink_to("two")
    (root / "two").symlink_to("one")
    (root / "x" / "root").symlink_to(root)
    (root / "x" / "y" / "up").symlink_to("..")
    (root / "dot").symlink_to(".")
    assert keys(local) == ["x/y/a.jpg"]
    assert keys(local, "x/y/up") == []
    for key in ("self", "one", "dot", "x/root/x/y/a.jpg", "x/y/up/y/a.jpg", "self/a.jpg"):
        with pytest.raises(ObjectError):
            local.stat(key)
    assert not local.is_directory("dot")
    assert not local.is_directory("x/y/up")


def test_links_among_siblings_do_not_multiply_without_bound(local, root):
    """Directories that all link to each other make many paths, of which a walk shows few."""
    names = [f"d{number}" for number in range(8)]
    for name in names:
        (root / name).mkdir()
        (root / name / "a.jpg").touch()
        for other in names:
            if other != name:
                (root / name / other).symlink_to(f"../{other}")
    found = keys(local)
    assert len(found) == 8 + 8 * 7 + 8 * 7 * 6
    for key in found:
        assert local.stat(key).object_key == key
    with pytest.raises(ObjectNotFound):
        local.stat("d0/d1/d2/d3/a.jpg")


def test_what_is_no_regular_file_is_not_there(local, root):
    """Pipes, sockets and devices are neither shown nor opened, and opening never waits."""
    os.mkfifo(root / "pipe.jpg")
    (root / "link.jpg").symlink_to("pipe.jpg")
    (root / "null.jpg").symlink_to("/dev/null")
    assert keys(local) == []
    assert local.names("") == []
    for key in ("pipe.jpg", "link.jpg"):
        for attempt in (local.stat, local.open):
            with pytest.raises(ObjectNotFound):
                attempt(key)
    with pytest.raises(UnsafeKey):
        local.open("null.jpg")


def test_deep_directories_can_be_walked_and_used(local, root):
    """Paths beyond PATH_MAX (4096 bytes) are walked with few open files, and used."""
    names = ["directory-with-a-name"] * 220
    descriptor = os.open(root, os.O_RDONLY)
    for name in names:
        os.mkdir(name, dir_fd=descriptor)
        below = os.open(name, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(os.open("a.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
    os.close(descriptor)
    (root / names[0] / "b.jpg").touch()
    key = "/".join([*names, "a.jpg"])
    most = 0
    found = []
    for item in local.walk():
        found.append(item.object_key)
        most = max(most, open_descriptors())
    assert sorted(found) == sorted([key, f"{names[0]}/b.jpg"])
    assert most < 100
    local.replace(key, b"new", local.stat(key).state)
    assert content(local, key) == b"new"


def test_wide_trees_return_to_directories_that_were_closed(local, root):
    """Below the depth at which directories are closed, every sibling is still walked."""
    path = root
    expected = []
    for depth in range(50):
        path = path / "d"
        path.mkdir()
        for side in ("left", "right"):
            (path / side).mkdir()
            (path / side / "a.jpg").touch()
            expected.append("/".join([*["d"] * (depth + 1), side, "a.jpg"]))
    assert keys(local) == sorted(expected)


def test_nothing_stays_open(local, root):
    """Neither success nor failure nor an abandoned walk leaves a descriptor open."""
    (root / "x").mkdir()
    for number in range(5):
        (root / "x" / f"{number}.jpg").write_bytes(b"a")
    (root / "link").symlink_to("x")
    (root / "out").symlink_to("../outside")
    before = open_descriptors()
    state = local.stat("x/0.jpg").state
    walk = local.walk()
    next(walk)
    walk.close()
    for key in ("x/0.jpg", "link/0.jpg", "gone/a.jpg", "x", "out/secret.jpg", "link", "gone.jpg"):
        for attempt in (
            lambda key=key: local.open(key).close(),
            lambda key=key: local.open(key).file.close(),
            lambda key=key: local.replace(key, b"new", state),
            lambda key=key: local.replace(key, b"new", None, like="x/1.jpg"),
            lambda key=key: local.remove(key, state),
            lambda key=key: local.move(key, "x/1.jpg", state),
            lambda key=key: local.writable(key),
            lambda key=key: local.is_directory(key),
            lambda key=key: list(local.walk(key)),
            lambda key=key: local.names(key),
        ):
            try:
                attempt()
            except ObjectError:
                continue
    assert open_descriptors() == before
