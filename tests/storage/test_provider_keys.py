"""What every storage provider promises of keys: the other half of test_provider_contract.py."""

import pytest

from tagline.errors import ObjectNotFound, StorageUnavailable, UnsafeKey
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
    """The keys of a walk, sorted."""
    return sorted(item.object_key for item in storage.walk(*arguments, **options))


def content(storage, object_key: str) -> bytes:
    """All bytes of a file."""
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


@pytest.mark.parametrize("key", ["gone.jpg", "x", "gone/a.jpg", "x/a.jpg/b.jpg"])
def test_a_missing_file_is_not_found(world, key):
    """Neither nothing nor a directory is a file, and a file is no directory."""
    world.put("x/a.jpg", b"")
    for operation in ("stat", "open", "replace", "remove", "move", "like"):
        with pytest.raises(ObjectNotFound):
            KEYED[operation](world.storage, key)


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
