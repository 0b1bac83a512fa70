"""Photos and their sidecars in two directories: what hides what, and where what is written goes."""

import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tagline.errors import (
    ObjectChanged,
    ObjectNotFound,
    ObjectUnreadable,
    StorageFull,
    StorageReadOnly,
    StorageUnavailable,
)
from tagline.storage import LocalStorage, Mirror, MirroredStorage
from tests.storage.conftest import NOBODY, is_sidecar, refuse_new_files


class Trees:
    """Two directories, and a storage over both."""

    def __init__(self, directory: Path, *, protect: bool = False) -> None:
        self.photos, self.mirror = directory / "photos", directory / "sidecars"
        self.note = directory / "note"
        for made in (self.photos / "x", self.mirror):
            made.mkdir(parents=True)
        self.protect = protect
        self.storage = self.again()
        self.beside = self.photos / "x" / "a.jpg.xmp"
        self.mirrored = self.mirror / "x" / "a.jpg.xmp"

    def again(self) -> MirroredStorage:
        """A storage as the next run makes it."""
        mirror = Mirror(self.mirror, note=self.note)
        photos = LocalStorage(self.photos)
        self.storage = MirroredStorage(photos, mirror, is_sidecar, protect=self.protect)
        return self.storage

    def walked(self, directory: str = "") -> list[str]:
        """What a walk shows, each once."""
        found = [item.object_key for item in self.storage.walk(directory)]
        assert len(found) == len(set(found))
        for key in found:
            assert key.rpartition("/")[2] in self.storage.names(key.rpartition("/")[0])
            assert self.storage.stat(key).object_key == key
        return sorted(found)

    def read(self, key: str = "x/a.jpg.xmp") -> bytes:
        """A file's content."""
        with self.storage.open(key) as opened:
            return opened.read_at(0, opened.size)

    def state(self, key: str = "x/a.jpg.xmp"):
        """A file's state."""
        return self.storage.stat(key).state

    def write(self, data: bytes, key: str = "x/a.jpg.xmp", *, like: str | None = None):
        """Replace what is there, or make it."""
        try:
            state = self.state(key)
        except ObjectNotFound:
            state = None
        return self.storage.replace(key, data, state, like=like)


@pytest.fixture
def trees(tmp_path):
    """Two directories with one photo."""
    made = Trees(tmp_path)
    (made.photos / "x" / "a.jpg").write_bytes(b"photo")
    return made


@pytest.fixture
def closed(tmp_path):
    """The same, with photos that are never written."""
    made = Trees(tmp_path, protect=True)
    (made.photos / "x" / "a.jpg").write_bytes(b"photo")
    return made


def test_new_sidecars_go_to_the_mirror(trees):
    """A new sidecar lies in the mirror, in directories made for it, and is shown as if beside."""
    umask = os.umask(0o027)
    try:
        trees.write(b"text", like="x/a.jpg")
    finally:
        os.umask(umask)
    assert trees.mirrored.read_bytes() == b"text"
    assert trees.mirrored.stat().st_mode & 0o777 == 0o640
    assert trees.mirrored.parent.stat().st_mode & 0o777 == 0o750
    assert not trees.beside.exists()
    assert trees.walked() == ["x/a.jpg", "x/a.jpg.xmp"]
    assert trees.read() == b"text"


def test_sidecars_beside_photos_are_edited_there_where_that_can_be_done(trees):
    """Where photos are written, what other programs look at is what is edited."""
    trees.beside.write_bytes(b"theirs")
    trees.write(b"ours")
    assert trees.beside.read_bytes() == b"ours"
    assert not trees.mirrored.exists()
    trees.storage.remove("x/a.jpg.xmp", trees.state())
    assert not trees.beside.exists()


def test_a_protected_sidecar_is_copied_and_hidden(closed):
    """What must not be written stays; an edited copy in the mirror is shown for it."""
    closed.beside.write_bytes(b"theirs")
    state = closed.state()
    done = closed.storage.replace("x/a.jpg.xmp", b"ours", state)
    assert done.state == closed.state() != state
    assert closed.beside.read_bytes() == b"theirs"
    assert closed.mirrored.read_bytes() == closed.read() == b"ours"
    assert closed.walked() == ["x/a.jpg", "x/a.jpg.xmp"]
    with pytest.raises(ObjectChanged):
        closed.storage.replace("x/a.jpg.xmp", b"late", state)
    with pytest.raises(ObjectChanged):
        closed.storage.replace("x/a.jpg.xmp", b"late", None)


def test_a_removed_sidecar_does_not_come_back(closed):
    """Removing hides for good what lies among the photos: before an edit of it, and after one."""
    closed.beside.write_bytes(b"theirs")
    for _ in range(2):
        closed.storage.remove("x/a.jpg.xmp", closed.state())
        assert closed.mirrored.read_bytes() == b""
        assert closed.beside.read_bytes() == b"theirs"
        for _ in range(2):
            assert closed.walked() == ["x/a.jpg"]
            for gone in (closed.state, closed.read):
                with pytest.raises(ObjectNotFound):
                    gone()
            closed.again()
        with pytest.raises(ObjectNotFound):
            closed.storage.replace("x/a.jpg.xmp", b"late", closed.state("x/a.jpg"))
        closed.storage.replace("x/a.jpg.xmp", b"anew", None)
        assert closed.read() == b"anew"


def test_a_sidecar_of_the_mirror_alone_is_deleted(trees):
    """Where nothing would come back, nothing is left."""
    trees.write(b"text")
    trees.storage.remove("x/a.jpg.xmp", trees.state())
    assert not trees.mirrored.exists()
    assert trees.walked() == ["x/a.jpg"]


def test_what_a_sidecar_apart_hides_can_be_read(trees):
    """Before and after it is written; of what is edited where it lies nothing is hidden."""
    assert trees.storage.beneath("x/a.jpg") is None
    assert trees.storage.beneath("x/a.jpg.xmp") == b""
    trees.beside.write_bytes(b"theirs")
    assert trees.storage.beneath("x/a.jpg.xmp") is None
    trees.protect = True
    storage = trees.again()
    assert storage.beneath("x/a.jpg.xmp") == b"theirs"
    storage.remove("x/a.jpg.xmp", trees.state())
    assert storage.beneath("x/a.jpg.xmp") == b"theirs"
    trees.beside.unlink()
    assert storage.beneath("x/a.jpg.xmp") == b""


def test_another_programs_hidden_sidecar_is_never_deleted(trees):
    """What came beneath a sidecar of the mirror was never shown to who removes that."""
    trees.write(b"ours")
    trees.beside.write_bytes(b"theirs, later")
    assert trees.read() == b"ours"
    trees.storage.remove("x/a.jpg.xmp", trees.state())
    assert trees.beside.read_bytes() == b"theirs, later"
    assert trees.walked() == ["x/a.jpg"]


def test_sidecars_follow_their_photos_in_the_mirror(trees):
    """A sidecar is moved within the mirror, into directories made for it."""
    trees.write(b"text")
    (trees.photos / "y" / "z").mkdir(parents=True)
    inode = trees.state().inode
    done = trees.storage.move("x/a.jpg.xmp", "y/z/b.jpg.xmp", trees.state())
    assert done.state.inode == inode
    assert (trees.mirror / "y" / "z" / "b.jpg.xmp").read_bytes() == b"text"
    assert trees.walked() == ["x/a.jpg", "y/z/b.jpg.xmp"]
    with pytest.raises(ObjectNotFound):
        trees.storage.move("y/z/b.jpg.xmp", "gone/b.jpg.xmp", done.state)


def test_moving_what_is_hidden_or_hides_brings_nothing_back(closed):
    """A move of what lies among the photos is a copy; what has the old name stays hidden."""
    closed.beside.write_bytes(b"theirs")
    closed.storage.move("x/a.jpg.xmp", "x/b.jpg.xmp", closed.state())
    assert closed.walked() == ["x/a.jpg", "x/b.jpg.xmp"]
    back = closed.storage.move("x/b.jpg.xmp", "x/a.jpg.xmp", closed.state("x/b.jpg.xmp"))
    assert back.state == closed.state()
    assert closed.read() == b"theirs"
    assert closed.walked() == ["x/a.jpg", "x/a.jpg.xmp"]
    closed.storage.move("x/a.jpg.xmp", "x/c.jpg.xmp", back.state)
    assert closed.walked() == ["x/a.jpg", "x/c.jpg.xmp"]
    assert closed.beside.read_bytes() == b"theirs"


def test_photos_are_not_taken_from_the_mirror_nor_put_there(trees):
    """Only names of sidecars are looked for in the mirror."""
    (trees.mirror / "x").mkdir()
    (trees.mirror / "x" / "stray.jpg").write_bytes(b"no photo")
    (trees.mirror / "x" / "a.jpg").write_bytes(b"no photo")
    assert trees.walked() == ["x/a.jpg"]
    assert trees.read("x/a.jpg") == b"photo"
    trees.write(b"edited", "x/a.jpg")
    assert (trees.photos / "x" / "a.jpg").read_bytes() == b"edited"
    trees.write(b"text")
    with pytest.raises(StorageReadOnly):
        trees.storage.move("x/a.jpg.xmp", "x/b.jpg", trees.state())
    with pytest.raises(ObjectChanged):
        trees.storage.move("x/a.jpg", "x/a.jpg.xmp", trees.state("x/a.jpg"))


def test_protected_photos_are_never_written(closed):
    """No call changes a file among photos that are protected; they can be edited all the same."""
    closed.beside.write_bytes(b"theirs")
    state = closed.state("x/a.jpg")
    for attempt in (
        lambda: closed.storage.replace("x/a.jpg", b"no", state),
        lambda: closed.storage.replace("x/b.jpg", b"no", None),
        lambda: closed.storage.remove("x/a.jpg", state),
        lambda: closed.storage.move("x/a.jpg", "x/b.jpg", state),
    ):
        with pytest.raises((StorageReadOnly, ObjectNotFound)):
            attempt()
    closed.write(b"1")
    closed.write(b"2", "x/a.jpg.json")
    assert {p.name: p.read_bytes() for p in (closed.photos / "x").iterdir()} == {
        "a.jpg": b"photo",
        "a.jpg.xmp": b"theirs",
    }
    with closed.storage.open("x/a.jpg") as opened:
        assert (opened.writable, opened.editable) == (False, True)
    assert not closed.storage.writable("x/a.jpg")
    assert closed.storage.editable("x/a.jpg")
    assert not closed.storage.editable("gone/a.jpg")


def test_sidecars_of_photos_that_are_gone_are_shown(trees):
    """A directory that only the mirror has left is walked as well: its sidecars are strays."""
    trees.write(b"text")
    (trees.photos / "x").rename(trees.photos / "renamed")
    assert trees.walked() == ["renamed/a.jpg", "x/a.jpg.xmp"]
    assert trees.walked("x") == ["x/a.jpg.xmp"]
    assert trees.storage.is_directory("x")
    trees.storage.move("x/a.jpg.xmp", "renamed/a.jpg.xmp", trees.state())
    assert trees.walked() == ["renamed/a.jpg", "renamed/a.jpg.xmp"]


def test_a_mirror_with_a_file_for_a_directory_says_so(trees):
    """What stands in the way is told, and stays."""
    (trees.mirror / "x").write_bytes(b"in the way")
    with pytest.raises(ObjectUnreadable, match="a file has the name of its directory"):
        trees.write(b"text")
    assert (trees.mirror / "x").read_bytes() == b"in the way"


def test_links_never_lead_out_of_the_mirror(trees, tmp_path):
    """Nothing outside is read, written or taken for a sidecar; photos stay as they were known."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.jpg.xmp").write_bytes(b"secret")
    (trees.mirror / "x").symlink_to(outside)
    assert "x/a.jpg.xmp" not in {item.object_key for item in trees.storage.walk()}
    for attempt in (
        trees.write,
        lambda _: trees.storage.names("x"),
        lambda _: trees.read(),
        lambda _: trees.write(b"no", "x/b.jpg.json"),
    ):
        with pytest.raises(ObjectUnreadable, match="symbolic link"):
            attempt(b"no")
    (trees.mirror / "x").unlink()
    (trees.mirror / "x").mkdir()
    trees.mirrored.symlink_to(outside / "a.jpg.xmp")
    for attempt in (trees.write, lambda _: trees.read()):
        with pytest.raises(ObjectUnreadable, match="symbolic link"):
            attempt(b"no")
    assert [p.read_bytes() for p in outside.iterdir()] == [b"secret"]


def test_a_mirrors_directory_that_cannot_be_read_costs_no_description(as_nobody):
    """Its photos are passed over, as if their directory could not be read."""
    directory = as_nobody.directory / "nobody"
    directory.mkdir()
    os.chown(directory, NOBODY, NOBODY)
    with as_nobody():
        trees = Trees(directory)
        (trees.photos / "x" / "a.jpg").write_bytes(b"photo")
        (trees.photos / "b.jpg").write_bytes(b"photo")
        trees.write(b"text")
        trees.mirrored.parent.chmod(0)
        try:
            assert [item.object_key for item in trees.storage.walk()] == ["b.jpg"]
            assert trees.storage.unreadable == {"x"}
            for attempt in (lambda: trees.storage.names("x"), trees.state):
                with pytest.raises(ObjectUnreadable):
                    attempt()
        finally:
            trees.mirrored.parent.chmod(0o755)


def test_a_full_or_closed_mirror_names_itself(trees, mount, monkeypatch):
    """The error says which of the two directories it is about."""
    mount(trees.mirror, "-t", "tmpfs", "-o", "size=64k", "tagline-test")
    with pytest.raises(StorageFull, match="TAGLINE_SIDECAR_PATH"):
        trees.write(b"x" * 100_000)
    assert trees.walked() == ["x/a.jpg"]
    subprocess.run(["mount", "-o", "remount,ro", trees.mirror], check=True)
    with pytest.raises(StorageReadOnly, match="TAGLINE_SIDECAR_PATH"):
        trees.write(b"text")
    assert not trees.storage.writable("x/a.jpg.xmp")
    assert trees.storage.editable("x/a.jpg")
    refuse_new_files(monkeypatch, trees.photos / "x")
    with pytest.raises(StorageReadOnly, match="TAGLINE_SIDECAR_PATH"):
        trees.write(b"edited", "x/a.jpg")


def test_a_mirror_that_lost_everything_is_not_believed(trees):
    """Emptied, renamed away or not mounted at the next start: unavailable until it is back."""
    everything = (
        trees.storage.check,
        trees.walked,
        trees.state,
        trees.read,
        lambda: trees.storage.names("x"),
        lambda: trees.write(b"no", "x/b.jpg.json"),
    )
    trees.write(b"text")
    away = trees.mirror.with_name("away")
    for restarts in (False, True):
        trees.mirror.rename(away)
        trees.mirror.mkdir()
        if restarts:
            storage = trees.again()
            everything = (storage.check, trees.walked, trees.state, trees.read)
        for attempt in everything:
            with pytest.raises(StorageUnavailable, match="TAGLINE_SIDECAR_PATH"):
                attempt()
        trees.mirror.rmdir()
        away.rename(trees.mirror)
        assert trees.walked() == ["x/a.jpg", "x/a.jpg.xmp"]


def test_a_mirror_emptied_in_place_is_not_believed(trees):
    """An automounter leaves the directory itself: without its mark and any file it is not taken."""
    trees.write(b"text")
    away = trees.mirror.with_name("away")
    away.mkdir()
    for path in list(trees.mirror.iterdir()):
        path.rename(away / path.name)
    for attempt in (trees.storage.check, trees.walked, lambda: trees.storage.names("x")):
        with pytest.raises(StorageUnavailable, match="is empty"):
            attempt()
    for path in list(away.iterdir()):
        path.rename(trees.mirror / path.name)
    trees.storage.check()
    assert trees.read() == b"text"


def test_an_empty_mirror_is_believed_where_it_is_meant(trees):
    """With its mark it may be empty: all descriptions were removed, or somebody says so."""
    trees.write(b"text")
    trees.storage.remove("x/a.jpg.xmp", trees.state())
    trees.again()
    assert trees.walked() == ["x/a.jpg"]
    mark = trees.mirror / ".tagline-sidecars"
    mark.unlink()
    (trees.mirror / "x").rmdir()
    with pytest.raises(StorageUnavailable, match=r"\.tagline-sidecars"):
        trees.again().check()
    mark.touch()
    trees.storage.check()
    assert trees.walked() == ["x/a.jpg"]


def test_the_first_writes_may_come_at_once(tmp_path):
    """Of several threads none takes a mirror that another one begins for one that lost all."""
    for number in range(30):
        trees = Trees(tmp_path / str(number))
        keys = [f"x/{name}.json" for name in range(4)]
        with ThreadPoolExecutor(8) as threads:
            writes = [threads.submit(trees.storage.replace, k, b"{}", None) for k in keys]
            looks = [threads.submit(trees.storage.names, "x") for _ in keys]
            for each in (*writes, *looks):
                each.result()
        assert trees.walked() == keys


def test_a_mirror_from_a_backup_is_taken_without_its_mark(trees):
    """Any file tells that its disk is there; the next write leaves the mark again."""
    trees.write(b"text")
    mark = trees.mirror / ".tagline-sidecars"
    mark.unlink()
    trees.again().check()
    assert trees.read() == b"text"
    trees.write(b"more")
    trees.storage.replace("x/c.jpg.json", b"{}", None)
    assert mark.is_file()


def test_a_share_that_says_only_when_tried_is_as_if_closed(trees, monkeypatch):
    """Permissions that promise too much cost nothing: sidecars are copied, photos can be refused.

    SMB shares that are read-only for the user are mounted with modes that say otherwise.
    """
    trees.beside.write_bytes(b"theirs")
    refuse_new_files(monkeypatch, trees.photos / "x")
    with pytest.raises(StorageReadOnly) as caught:
        trees.write(b"edited", "x/a.jpg")
    assert caught.value.beside
    trees.write(b"ours")
    assert trees.mirrored.read_bytes() == trees.read() == b"ours"
    assert trees.beside.read_bytes() == b"theirs"


class Shown(RuleBasedStateMachine):
    """Any writes over photos with sidecars that cannot be written show what was written last."""

    KEYS = ("a.jpg.xmp", "x/a.jpg.xmp", "x/b.gif.json", "y/z/c.JSON")

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory(prefix="tagline-mirrored-")
        self.trees = Trees(Path(self.directory.name), protect=True)
        (self.trees.photos / "y" / "z").mkdir(parents=True)
        self.shown: dict[str, bytes] = {}
        self.beside: dict[str, bytes] = {}

    def teardown(self) -> None:
        self.directory.cleanup()

    @initialize(beside=st.dictionaries(st.sampled_from(KEYS), st.binary(min_size=1, max_size=3)))
    def others_have_written(self, beside):
        """Other programs' sidecars, from when the photos could be written."""
        for key, data in beside.items():
            (self.trees.photos / key).write_bytes(data)
        self.shown, self.beside = dict(beside), dict(beside)

    @rule(key=st.sampled_from(KEYS), data=st.binary(min_size=1, max_size=3))
    def write(self, key, data):
        """Replace what is shown, or make it."""
        self.trees.write(data, key)
        self.shown[key] = data

    @rule(key=st.sampled_from(KEYS))
    def remove(self, key):
        """Remove what is shown."""
        if key in self.shown:
            self.trees.storage.remove(key, self.trees.state(key))
            del self.shown[key]

    @rule(key=st.sampled_from(KEYS), new_key=st.sampled_from(KEYS))
    def move(self, key, new_key):
        """Rename what is shown to what nothing has."""
        if key not in self.shown:
            return
        if new_key in self.shown:
            with pytest.raises(ObjectChanged):
                self.trees.storage.move(key, new_key, self.trees.state(key))
            return
        self.trees.storage.move(key, new_key, self.trees.state(key))
        self.shown[new_key] = self.shown.pop(key)

    @rule()
    def restart(self):
        """Start again."""
        self.trees.again()

    @invariant()
    def is_shown(self):
        """Walks, names, states and content say the same, and the photos are untouched."""
        assert {key: self.trees.read(key) for key in self.trees.walked()} == self.shown
        for key in self.KEYS:
            if key not in self.shown:
                with pytest.raises(ObjectNotFound):
                    self.trees.state(key)
                assert key.rpartition("/")[2] not in self.trees.storage.names(
                    key.rpartition("/")[0]
                )
        found = (p for p in self.trees.photos.rglob("*") if p.is_file())
        said = {p.relative_to(self.trees.photos).as_posix(): p.read_bytes() for p in found}
        assert said == self.beside


Shown.TestCase.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
TestShown = Shown.TestCase
