"""What every storage provider promises, with test_provider_keys.py; conftest.py adds providers."""

import pytest

from tagline.errors import ObjectBusy, ObjectChanged, ObjectNotFound, StorageUnavailable


def keys(storage, *arguments, **options) -> list[str]:
    """The keys of a walk, sorted."""
    return sorted(item.object_key for item in storage.walk(*arguments, **options))


def content(storage, object_key: str) -> bytes:
    """All bytes of a file."""
    with storage.open(object_key) as opened:
        return opened.read_at(0, opened.size)


def test_a_walk_gives_every_file_once_with_its_state(world):
    """A walk shows each file at its key with the state that stat tells."""
    for key in ("a.jpg", "x/b.jpg", "x/y/c.jpg", "x/y/c.jpg.json"):
        world.put(key, key.encode())
    found = {item.object_key: item for item in world.storage.walk()}
    assert sorted(found) == ["a.jpg", "x/b.jpg", "x/y/c.jpg", "x/y/c.jpg.json"]
    for key, item in found.items():
        assert item.state == world.storage.stat(key).state
        assert item.state.size == len(key)
        assert item.links == 1


def test_a_walk_can_be_of_one_directory(world):
    """Below and directly in a directory are two different walks."""
    for key in ("a.jpg", "x/b.jpg", "x/y/c.jpg", "xy/d.jpg"):
        world.put(key, b"")
    assert keys(world.storage, "x") == ["x/b.jpg", "x/y/c.jpg"]
    assert keys(world.storage, "x", recursive=False) == ["x/b.jpg"]
    assert keys(world.storage, recursive=False) == ["a.jpg"]


def test_what_is_not_there_has_no_files(world):
    """A walk of a missing directory, of a file and of an empty tree is empty."""
    assert keys(world.storage) == []
    world.put("a.jpg", b"")
    assert keys(world.storage, "gone") == keys(world.storage, "a.jpg") == []
    assert world.storage.names("gone") == world.storage.names("a.jpg") == []


def test_names_are_those_of_the_files_in_a_directory(world):
    """Names leaves out subdirectories and what rules hide."""
    for key in ("x/a.jpg", "x/a.jpg.json", "x/y/c.jpg", "x/.hidden.jpg"):
        world.put(key, b"")
    assert sorted(world.storage.names("x")) == ["a.jpg", "a.jpg.json"]
    assert world.storage.names("") == []


def test_names_can_be_those_that_begin_alike(world):
    """Of names that begin in one way none is missing and no other is among them."""
    names = (
        "a.jpg",
        "a.jpg.xmp",
        "a.XMP",
        "A.jpg",
        "ab.jpg",
        "ä.jpg",
        "ä.xmp",
        "a\\b.jpg",
        "b.jpg",
    )
    for name in names:
        world.put(f"x/{name}", b"")
    world.put("x/a/a.jpg", b"")
    for start in ("", "a", "a.", "A", "ä", "a\\", "a\\b", "c", "a.jpg.xmp"):
        expected = sorted(name for name in names if name.startswith(start))
        assert sorted(world.storage.names("x", start)) == expected, start
    assert world.storage.names("gone", "a") == []


def test_globs_hide_names_and_keys_anywhere_along_the_path(make_world):
    """A glob hides what matches by name or by whole key, and all that lies below."""
    world = make_world("*.tif", "private", "2020/raw/*", "/trailing/")
    shown = ["2020/a.jpg", "2021/raw/b.jpg", "Private/d.jpg", "a.TIF", "x/2020/raw/c.jpg"]
    hidden = ["a.tif", "x/a.tif", "x/private/a.jpg", "2020/raw/a.jpg", "trailing/a.jpg"]
    for key in (*shown, *hidden):
        world.put(key, b"")
    assert keys(world.storage) == shown
    assert all(world.storage.is_ignored(key) for key in hidden)
    assert not any(world.storage.is_ignored(key) for key in (*shown, ""))


def test_directories_are_told_from_files(world):
    """Only what a walk would enter is a directory."""
    world.put("x/a.jpg", b"")
    assert world.storage.is_directory("")
    assert world.storage.is_directory("x")
    assert not world.storage.is_directory("x/a.jpg")
    assert not world.storage.is_directory("gone")


def test_an_open_file_reads_any_range(world):
    """Reading outside of the file gives what lies inside, and never raises."""
    world.put("a.jpg", bytes(range(100)))
    with world.storage.open("a.jpg") as opened:
        assert opened.size == opened.state.size == 100
        assert opened.links == 1
        assert opened.state == world.storage.stat("a.jpg").state
        assert opened.read_at(10, 5) == bytes(range(10, 15))
        assert opened.read_at(95, 50) == bytes(range(95, 100))
        assert opened.read_at(0, 1 << 62) == bytes(range(100))
        for nothing in ((100, 1), (1 << 80, 1), (-1, 5), (5, 0), (5, -1)):
            assert opened.read_at(*nothing) == b""
        assert opened.file.read() == bytes(range(100))
    opened.close()


def test_an_open_file_stays_the_file_that_was_opened(world):
    """A file that is replaced or deleted meanwhile is still read as it was."""
    world.put("a.jpg", b"old")
    with world.storage.open("a.jpg") as opened:
        world.storage.replace("a.jpg", b"new and longer", opened.state)
        assert opened.read_at(0, 99) == b"old"
        world.delete("a.jpg")
        assert opened.read_at(1, 1) == b"l"


def test_replacing_gives_the_new_content_and_state(world):
    """After a replace, the returned state is the file's, and differs from the old one."""
    world.put("x/a.jpg", b"old")
    before = world.storage.stat("x/a.jpg")
    after = world.storage.replace("x/a.jpg", b"new", before.state)
    assert content(world.storage, "x/a.jpg") == b"new"
    assert after.object_key == "x/a.jpg"
    assert after.state == world.storage.stat("x/a.jpg").state != before.state
    assert after.state.mtime_ns != before.state.mtime_ns
    assert keys(world.storage) == ["x/a.jpg"]


def test_a_changed_file_is_not_replaced_removed_or_moved(world):
    """What another program wrote since the caller looked stays."""
    world.put("a.jpg", b"old")
    seen = world.storage.stat("a.jpg").state
    world.put("a.jpg", b"theirs")
    for attempt in (
        lambda: world.storage.replace("a.jpg", b"mine", seen),
        lambda: world.storage.remove("a.jpg", seen),
        lambda: world.storage.move("a.jpg", "b.jpg", seen),
    ):
        with pytest.raises(ObjectChanged):
            attempt()
    assert content(world.storage, "a.jpg") == b"theirs"
    assert keys(world.storage) == ["a.jpg"]


@pytest.mark.parametrize("key", ["a.jpg", "a.jpg.json"])
def test_a_file_that_is_being_written_is_not_replaced_removed_or_moved(world, key):
    """Nothing is done to a file that another program has open for writing, until it is done."""
    world.put(key, b"old")
    seen = world.storage.stat(key).state
    with world.being_written(key):
        for attempt in (
            lambda: world.storage.replace(key, b"mine", seen),
            lambda: world.storage.remove(key, seen),
            lambda: world.storage.move(key, f"b/{key}", seen),
        ):
            world.put("b/b.jpg", b"beside")
            with pytest.raises(ObjectBusy) as caught:
                attempt()
            assert caught.value.awaited == "writer"
    assert content(world.storage, key) == b"old"
    assert keys(world.storage) == [key, "b/b.jpg"]
    world.storage.replace(key, b"mine", world.storage.stat(key).state)
    assert content(world.storage, key) == b"mine"


def test_a_new_file_is_made_only_where_nothing_is(world):
    """Without an expected state, a file or directory of that name is left alone."""
    world.put("x/a.jpg", b"a")
    made = world.storage.replace("x/a.jpg.json", b"{}", None, like="x/a.jpg")
    assert made.state == world.storage.stat("x/a.jpg.json").state
    assert made.links == 1
    for key in ("x/a.jpg.json", "x"):
        with pytest.raises(ObjectChanged):
            world.storage.replace(key, b"other", None)
    assert content(world.storage, "x/a.jpg.json") == b"{}"
    assert keys(world.storage) == ["x/a.jpg", "x/a.jpg.json"]


def test_directories_are_not_made(world):
    """A new file in a directory that is not there is refused."""
    world.put("a.jpg", b"a")
    for attempt in (
        lambda: world.storage.replace("gone/a.json", b"", None),
        lambda: world.storage.move("a.jpg", "gone/a.jpg", world.storage.stat("a.jpg").state),
        lambda: world.storage.move("a.jpg", "a.jpg/b", world.storage.stat("a.jpg").state),
    ):
        with pytest.raises(ObjectNotFound):
            attempt()
    assert keys(world.storage) == ["a.jpg"]


def test_removing_removes(world):
    """A removed file is gone; its directory stays."""
    world.put("x/a.jpg", b"a")
    world.storage.remove("x/a.jpg", world.storage.stat("x/a.jpg").state)
    assert keys(world.storage) == []
    assert world.storage.is_directory("x")
    world.storage.replace("x/a.jpg", b"again", None)


def test_moving_keeps_the_file(world):
    """A moved file keeps its content, inode and modification time."""
    world.put("a.jpg", b"a")
    world.put("x/b.jpg", b"b")
    before = world.storage.stat("a.jpg").state
    after = world.storage.move("a.jpg", "x/a.jpg", before)
    assert (after.state.inode, after.state.mtime_ns) == (before.inode, before.mtime_ns)
    assert after.state == world.storage.stat("x/a.jpg").state
    assert content(world.storage, "x/a.jpg") == b"a"
    assert keys(world.storage) == ["x/a.jpg", "x/b.jpg"]


def test_moving_never_overwrites(world):
    """A file is not moved onto another, nor onto itself."""
    world.put("a.jpg", b"a")
    world.put("b.jpg", b"b")
    state = world.storage.stat("a.jpg").state
    for taken in ("a.jpg", "b.jpg"):
        with pytest.raises(ObjectChanged):
            world.storage.move("a.jpg", taken, state)
    assert content(world.storage, "a.jpg") == b"a"
    assert content(world.storage, "b.jpg") == b"b"


def test_other_programs_changes_show_in_the_state(world):
    """A rename keeps the inode; a write changes the state."""
    world.put("a.jpg", b"one")
    first = world.storage.stat("a.jpg").state
    world.put("a.jpg", b"three")
    second = world.storage.stat("a.jpg").state
    world.rename("a.jpg", "b.jpg")
    third = world.storage.stat("b.jpg").state
    assert first != second
    assert second.inode == third.inode
    with pytest.raises(ObjectNotFound):
        world.storage.stat("a.jpg")


def test_a_tree_that_goes_away_during_a_walk_is_no_smaller_tree(world):
    """A walk that loses the tree on its way raises rather than ending."""
    for number in range(3):
        world.put(f"{number}/a.jpg", b"")
    walk = world.storage.walk()
    next(walk)
    with world.unavailable(), pytest.raises(StorageUnavailable):
        list(walk)


def test_writable_says_whether_a_file_could_be_replaced(world):
    """An ordinary file is writable, and so is a place for a new one; a missing directory is not."""
    world.put("x/a.jpg", b"")
    assert world.storage.writable("x/a.jpg")
    assert world.storage.writable("x/a.jpg.json")
    assert not world.storage.writable("gone/a.jpg")


def test_what_may_be_done_with_a_photo_is_told_alike_of_its_name_and_of_the_open_file(world):
    """An ordinary photo can be edited and takes sidecars; in no directory nothing can be done."""
    world.put("x/a.jpg", b"")
    storage = world.storage
    with storage.open("x/a.jpg") as opened:
        assert opened.editable
        assert opened.takes_sidecars
    assert storage.editable("x/a.jpg")
    assert storage.takes_sidecars("x/a.jpg")
    assert not storage.editable("gone/a.jpg")
    assert not storage.takes_sidecars("gone/a.jpg")


def test_all_readable_directories_are_said_to_be(world):
    """After a walk that saw everything, nothing is unreadable."""
    world.put("x/a.jpg", b"")
    list(world.storage.walk())
    assert world.storage.unreadable == frozenset()
