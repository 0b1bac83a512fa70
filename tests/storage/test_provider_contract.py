"""What every storage provider promises; see conftest.py for how to add one."""

import pytest

from tagline.errors import ObjectChanged, ObjectNotFound, StorageUnavailable, UnsafeKey
from tagline.model import FileState

UNSAFE = [
    "/etc/passwd",
    "../outside/secret.jpg",
    "a/../b.jpg",
    "a/../../b.jpg",
    "./a.jpg",
    "a//b.jpg",
    "a/",
    "..",
    ".",
    "a\0b.jpg",
    "\udcff.jpg",
    "a\ud800/b.jpg",
    "\\x2e\\x2e/outside/secret.jpg",
    "..\\x2foutside",
    "a\\x00.jpg",
    "\\x41.jpg",
    "\\xC3.jpg",
    "\\xc3\\xa4.jpg",
    "é" * 128,
    "d" * 256 + "/a.jpg",
]
SOME_STATE = FileState(1, 2, 3, 4)

KEYED = {
    "stat": lambda s, key: s.stat(key),
    "open": lambda s, key: s.open(key),
    "create": lambda s, key: s.replace(key, b"x", None),
    "replace": lambda s, key: s.replace(key, b"x", SOME_STATE),
    "like": lambda s, key: s.replace("new.json", b"x", None, like=key),
    "remove": lambda s, key: s.remove(key, SOME_STATE),
    "move": lambda s, key: s.move(key, "b.jpg", SOME_STATE),
    "move to": lambda s, key: s.move("a.jpg", key, s.stat("a.jpg").state),
    "writable": lambda s, key: s.writable(key),
    "is_directory": lambda s, key: s.is_directory(key),
    "is_ignored": lambda s, key: s.is_ignored(key),
    "names": lambda s, key: s.names(key),
    "walk": lambda s, key: list(s.walk(key)),
}
OF_DIRECTORIES = {"is_directory", "is_ignored", "names", "walk"}


def keys(storage, *arguments, **options) -> list[str]:
    return sorted(item.object_key for item in storage.walk(*arguments, **options))


def content(storage, object_key: str) -> bytes:
    with storage.open(object_key) as opened:
        return opened.read_at(0, opened.size)


@pytest.mark.parametrize("operation", KEYED)
@pytest.mark.parametrize("key", UNSAFE, ids=ascii)
def test_unsafe_keys_are_refused(world, key, operation):
    """No operation takes a key that could leave the tree or names a file a second way."""
    world.put("a.jpg", b"a")
    with pytest.raises(UnsafeKey) as caught:
        KEYED[operation](world.storage, key)
    assert caught.value.object_key == key


@pytest.mark.parametrize("operation", sorted(KEYED.keys() - OF_DIRECTORIES))
def test_the_empty_key_names_no_file(world, operation):
    """The empty key is the tree itself, and no operation on a file takes it."""
    world.put("a.jpg", b"a")
    with pytest.raises(UnsafeKey):
        KEYED[operation](world.storage, "")


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


def test_hidden_names_are_not_there(world):
    """What the fixed rules hide is in no walk, and cannot be looked at, opened or made."""
    for key in (
        ".a.jpg",
        "@eaDir/a.jpg",
        "x/#recycle/a.jpg",
        "#Recycle/a.jpg",
        "lost+found/a.jpg",
        "$RECYCLE.BIN/a.jpg",
        "system volume information/a.jpg",
        "x/.tagline-0.tmp",
    ):
        if not key.endswith(".tmp"):
            world.put(key, b"x")
        assert world.storage.is_ignored(key)
        for operation in ("stat", "open", "create", "replace", "remove", "move", "writable"):
            with pytest.raises(ObjectNotFound):
                KEYED[operation](world.storage, key)
    assert keys(world.storage) == keys(world.storage, "@eaDir") == []
    assert not world.storage.is_directory("@eaDir")
    assert world.storage.names("@eaDir") == []


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


@pytest.mark.parametrize("key", ["gone.jpg", "x", "gone/a.jpg", "x/a.jpg/b.jpg"])
def test_a_missing_file_is_not_found(world, key):
    """Neither nothing nor a directory is a file, and a file is no directory."""
    world.put("x/a.jpg", b"")
    for operation in ("stat", "open", "replace", "remove", "move", "like"):
        with pytest.raises(ObjectNotFound):
            KEYED[operation](world.storage, key)


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
    for taken in ("b.jpg",):
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


@pytest.mark.parametrize(
    "key",
    [
        "ä/ö.jpg",
        "a\u0308.jpg",
        "日本/写真 1.jpg",
        "a\\b.jpg",
        "\\xff.jpg",
        "\\x5cx41.jpg",
        "d\\xe4/a.jpg",
        "new\nline.jpg",
        " .jpg",
        "n" * 251 + ".jpg",
    ],
    ids=ascii,
)
def test_any_name_can_be_used(world, key):
    """Names of any bytes and of any allowed length can be walked, read, replaced and moved."""
    world.put(key, b"old")
    assert keys(world.storage) == [key]
    after = world.storage.replace(key, b"new", world.storage.stat(key).state)
    assert content(world.storage, key) == b"new"
    world.storage.move(key, "plain.jpg", after.state)
    assert keys(world.storage) == ["plain.jpg"]


def test_while_unavailable_everything_says_so(world):
    """An unmounted tree is an error for every operation, and all is back with the tree."""
    world.put("a.jpg", b"a")
    world.storage.check()
    with world.unavailable():
        for operation in KEYED.keys() - {"is_ignored", "move to"}:
            with pytest.raises(StorageUnavailable):
                KEYED[operation](world.storage, "a.jpg")
        for attempt in (
            world.storage.check,
            lambda: list(world.storage.walk()),
            lambda: world.storage.names(""),
            lambda: world.storage.is_directory(""),
        ):
            with pytest.raises(StorageUnavailable):
                attempt()
    world.storage.check()
    assert keys(world.storage) == ["a.jpg"]


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


def test_all_readable_directories_are_said_to_be(world):
    """After a walk that saw everything, nothing is unreadable."""
    world.put("x/a.jpg", b"")
    list(world.storage.walk())
    assert world.storage.unreadable == frozenset()
