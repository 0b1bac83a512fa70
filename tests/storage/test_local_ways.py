"""How a mount replaces files is tried on the first write, and originals are safe in each way."""

import errno
import fcntl
import os
import stat
import threading
from contextlib import contextmanager, suppress
from signal import SIGKILL

import pytest

from tagline.errors import (
    ObjectBusy,
    ObjectChanged,
    ObjectError,
    ObjectNotFound,
    ObjectUnreadable,
    StorageReadOnly,
)
from tagline.storage import LocalStorage, Mirror, MirroredStorage, exchange, temporary
from tagline.storage import local as local_module
from tagline.storage.paths import aside_name
from tagline.storage.temporary import in_use
from tests.storage.conftest import EXCHANGING, is_sidecar, refuse_links, refuse_renames


def names_in(directory) -> list[str]:
    """What is in a directory, sorted."""
    return sorted(path.name for path in directory.iterdir())


def kept_in(directory) -> list[bytes]:
    """The content of the files that are kept for a person to look at."""
    return [path.read_bytes() for path in directory.iterdir() if path.suffix == ".kept"]


def rewritten(storage, data=b"new", key="a.jpg"):
    """Replace a file from its present state."""
    return storage.replace(key, data, storage.stat(key).state)


@contextmanager
def happening(monkeypatch, owner, name, act, *, when=lambda *_arguments: True):
    """Have something happen right after the next call of this function that matters, once."""
    call = getattr(owner, name)
    done = []

    def wrapped(*arguments, **options):
        result = call(*arguments, **options)
        if not done and when(*arguments):
            done.append(True)
            act()
        return result

    monkeypatch.setattr(owner, name, wrapped)
    yield
    monkeypatch.setattr(owner, name, call)
    assert done


def is_directory(descriptor: int) -> bool:
    """Whether a descriptor is one of a directory: when that is brought to the disk."""
    return stat.S_ISDIR(os.fstat(descriptor).st_mode)


@pytest.fixture
def lying(monkeypatch):
    """A file system that says that it exchanged two names, and did a plain rename."""
    renameat2 = exchange._renameat2

    def lie(directory, name, into, other, flag):
        return renameat2(directory, name, into, other, 0 if flag == EXCHANGING else flag)

    monkeypatch.setattr(exchange, "_renameat2", lie)


@pytest.fixture
def plain(monkeypatch):
    """A file system that has neither links nor any rename but the plain one."""
    refuse_renames(monkeypatch, "none")
    refuse_links(monkeypatch)


@pytest.fixture
def settled(local, photo):
    """The storage after its first write, with what the mount can do found out."""
    rewritten(local, b"first")
    return local


# -- what the mount can do ---------------------------------------------------------------------


def test_another_programs_file_survives_an_exchange_that_lies(local, photo, lying, monkeypatch):
    """Where an exchange is a plain rename, what was put in place at the last moment is not lost."""
    rename = os.rename

    def put_first(name, *arguments, **options):
        monkeypatch.setattr(os, "rename", rename)
        theirs = photo.with_name("theirs")
        theirs.write_bytes(b"theirs")
        theirs.replace(photo)
        rename(name, *arguments, **options)

    monkeypatch.setattr(os, "rename", put_first)
    with pytest.raises(ObjectChanged):
        rewritten(local)
    assert photo.read_bytes() == b"theirs"
    assert names_in(photo.parent) == ["a.jpg"]


def test_a_mount_is_tried_once_and_nothing_of_it_stays(settled, photo, monkeypatch):
    """After the first write no other file than the new one is made, and none was left behind."""
    assert names_in(photo.parent) == ["a.jpg"]
    opened, made = os.open, []

    def note(name, flags, *arguments, **options):
        if flags & os.O_CREAT:
            made.append(name)
        return opened(name, flags, *arguments, **options)

    monkeypatch.setattr(os, "open", note)
    rewritten(settled)
    assert len(made) == 1


def test_looking_at_photos_writes_nothing(local, photo, monkeypatch):
    """A walk, a look and the question whether a photo can be edited make no file."""
    opened = os.open

    def refuse(name, flags, *arguments, **options):
        assert not flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR)
        return opened(name, flags, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    assert [found.object_key for found in local.walk()] == ["a.jpg"]
    assert local.writable("a.jpg")
    with local.open("a.jpg") as file:
        assert file.writable


def test_threads_that_write_first_find_the_same(local, root, renames):
    """A mount may be tried by many threads at once."""
    keys = [f"{number}.jpg" for number in range(8)]
    for key in keys:
        (root / key).write_bytes(b"old")
    start = threading.Barrier(len(keys))

    def write(key):
        start.wait()
        rewritten(local, b"new", key)

    threads = [threading.Thread(target=write, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(root / key).read_bytes() for key in keys] == [b"new"] * len(keys)
    assert names_in(root) == keys


@pytest.mark.parametrize(("call", "works"), [("pread", 0), ("pread", 2), ("fsync", 0)])
def test_a_disk_that_fails_while_it_is_tried_is_tried_again(local, photo, monkeypatch, call, works):
    """What was found out while the disk failed, at once or a few calls later, is not believed."""
    called = getattr(os, call)
    calls = []

    def fail(*arguments):
        calls.append(arguments)
        if len(calls) > works:
            raise OSError(errno.EIO, "broken")
        return called(*arguments)

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(ObjectUnreadable):
        rewritten(local)
    monkeypatch.setattr(os, call, called)
    rewritten(local)
    assert photo.read_bytes() == b"new"
    assert names_in(photo.parent) == ["a.jpg"]


# -- where nothing is safe ---------------------------------------------------------------------


def test_an_original_is_not_replaced_where_that_is_not_safe(local, photo, plain):
    """It is refused with the advice to make a sidecar, and from then on the photo says so."""
    assert local.writable("a.jpg")
    with pytest.raises(StorageReadOnly) as caught:
        rewritten(local)
    assert caught.value.beside
    assert photo.read_bytes() == b"old"
    assert names_in(photo.parent) == ["a.jpg"]
    assert not local.writable("a.jpg")
    assert local.editable("a.jpg")
    assert local.takes_sidecars("a.jpg")
    with local.open("a.jpg") as file:
        assert (file.writable, file.editable, file.takes_sidecars) == (False, True, True)


def test_sidecars_are_made_replaced_moved_and_removed_there(root, photo, plain):
    """What belongs to a photo is written all the same."""
    storage = LocalStorage(root, is_sidecar=is_sidecar)
    with pytest.raises(StorageReadOnly):
        rewritten(storage)
    storage.replace("a.jpg.json", b"{}", None, like="a.jpg")
    assert storage.writable("a.jpg.json")
    rewritten(storage, b"[]", "a.jpg.json")
    storage.move("a.jpg.json", "b.jpg.json", storage.stat("a.jpg.json").state)
    assert (root / "b.jpg.json").read_bytes() == b"[]"
    storage.remove("b.jpg.json", storage.stat("b.jpg.json").state)
    assert names_in(root) == ["a.jpg"]


def test_sidecars_apart_are_written_where_nothing_is_safe(root, photo, plain):
    """A mirror has sidecars alone; the photo's own edit is told to go there."""
    (root.parent / "apart").mkdir()
    photos = LocalStorage(root, is_sidecar=is_sidecar)
    storage = MirroredStorage(photos, Mirror(root.parent / "apart"), is_sidecar)
    with pytest.raises(StorageReadOnly) as caught:
        rewritten(storage)
    assert caught.value.beside
    storage.replace("a.jpg.json", b"{}", None, like="a.jpg")
    rewritten(storage, b"[]", "a.jpg.json")
    assert (root.parent / "apart" / "a.jpg.json").read_bytes() == b"[]"
    assert photo.read_bytes() == b"old"


@pytest.mark.parametrize("way", ["refusing", "none"])
def test_a_name_too_long_to_be_put_aside_is_not_safe(root, monkeypatch, way):
    """Without an exchange, a photo whose name leaves no room for the hidden one is not replaced."""
    refuse_renames(monkeypatch, way)
    storage = LocalStorage(root)
    key = f"{'a' * 230}.jpg"
    (root / key).write_bytes(b"old")
    with pytest.raises(StorageReadOnly) as caught:
        rewritten(storage, b"new", key)
    assert caught.value.beside
    assert not storage.writable(key)
    assert names_in(root) == [key]


def test_a_file_system_may_have_shorter_names(root, photo, monkeypatch):
    """Where names are shorter than usual (eCryptfs), that is known before anything is done."""
    monkeypatch.setattr(os, "fpathconf", lambda _file, _name: 30)
    storage = LocalStorage(root)
    rewritten(storage, b"exchanged")
    refuse_renames(monkeypatch, "none")
    storage = LocalStorage(root)
    with pytest.raises(StorageReadOnly):
        rewritten(storage)
    moved = storage.move("a.jpg", "b.jpg", storage.stat("a.jpg").state)
    storage.remove("b.jpg", moved.state)
    assert names_in(root) == []


def test_a_long_name_is_exchanged_all_the_same(local, root):
    """An exchange needs no longer name."""
    key = f"{'a' * 251}.jpg"
    (root / key).write_bytes(b"old")
    rewritten(local, b"new", key)
    assert (root / key).read_bytes() == b"new"
    local.remove(key, local.stat(key).state)
    assert names_in(root) == []


def test_a_directory_with_a_hidden_name_stands_for_no_file(local, root):
    """Whoever makes such a directory, or a link, keeps nobody from listing what is there."""
    (root / "b.jpg").write_bytes(b"b")
    (root / ".tagline-0123456789abcdef-b.gif").mkdir()
    (root / ".tagline-0123456789abcdef-c.jpg").symlink_to("/etc")
    (root / "c.jpg").symlink_to("/etc/hostname")
    assert local.names("", "b") == ["b.jpg"]
    assert local.names("", "c") == []
    assert "b.jpg" in {found.object_key for found in local.walk()}
    assert local.unreadable == frozenset()


# -- other programs ----------------------------------------------------------------------------


def test_who_opened_the_file_just_before_keeps_it(settled, photo, renames, monkeypatch):
    """A writer that comes to light once the directory is on the disk has the file at its name.

    Its open(2) found the name before the old file was displaced, and ended after the first look.
    """
    storage, before = LocalStorage(photo.parent), os.open(photo, os.O_RDONLY)
    rewritten(storage, b"second")
    os.close(before)
    state = storage.stat("a.jpg").state
    late = os.open(photo, os.O_RDONLY)
    writers = []

    def open_late():
        writers.append(os.open(f"/proc/self/fd/{late}", os.O_RDWR))

    late_open = happening(monkeypatch, os, "fsync", open_late, when=is_directory)
    with late_open, pytest.raises(ObjectBusy):
        storage.replace("a.jpg", b"mine", state)
    os.pwrite(writers[0], b"theirs", 0)
    for descriptor in (late, *writers):
        os.close(descriptor)
    assert photo.read_bytes() == b"theirs"
    assert names_in(photo.parent) == ["a.jpg"]


def test_what_is_written_just_before_stays(photo, renames, monkeypatch):
    """A write to the displaced file while the directory is brought to the disk is not lost."""
    storage = LocalStorage(photo.parent, probe_writers=False)
    rewritten(storage, b"second")
    late = os.open(photo, os.O_RDWR)
    with (
        happening(
            monkeypatch, os, "fsync", lambda: os.pwrite(late, b"theirs", 0), when=is_directory
        ),
        pytest.raises(ObjectChanged),
    ):
        rewritten(storage, b"mine")
    os.close(late)
    assert photo.read_bytes() == b"theirs"
    assert names_in(photo.parent) == ["a.jpg"]


def test_nobody_is_asked_for_where_nothing_is_being_copied(photo, renames):
    """Without the probe a file is replaced although a program has it open for writing."""
    storage = LocalStorage(photo.parent, probe_writers=False)
    with photo.open("r+b"):
        rewritten(storage)
    assert photo.read_bytes() == b"new"


def test_an_edit_of_the_new_file_is_not_lost_when_it_has_to_go(photo, renames, monkeypatch):
    """Whoever wrote to both files within the moment has both: one at its name, one kept."""
    storage = LocalStorage(photo.parent, probe_writers=False)
    rewritten(storage, b"second")
    late = os.open(photo, os.O_RDWR)

    def write_to_both():
        os.pwrite(late, b"theirs", 0)
        photo.write_bytes(b"on top of ours")

    writes = happening(monkeypatch, os, "fsync", write_to_both, when=is_directory)
    with writes, pytest.raises(ObjectChanged):
        rewritten(storage, b"mine")
    os.close(late)
    list(storage.walk())
    assert photo.read_bytes() == b"on top of ours"
    assert kept_in(photo.parent) == [b"theirs"]


@pytest.mark.parametrize("way", ["refusing", "none"])
def test_a_file_that_takes_the_name_meanwhile_costs_no_photo(root, photo, monkeypatch, way):
    """A camera's import that finds the name free makes its file; the old photo is kept."""
    refuse_renames(monkeypatch, way)
    storage = LocalStorage(root)
    rewritten(storage, b"second")

    def take():
        with photo.open("xb") as file:
            file.write(b"theirs")

    with happening(monkeypatch, os, "rename", take), pytest.raises(ObjectChanged):
        rewritten(storage, b"mine")
    list(storage.walk())
    assert photo.read_bytes() == b"theirs"
    assert kept_in(root) == [b"second"]
    assert [name for name in names_in(root) if name.endswith("-a.jpg.kept")]


def test_a_file_that_is_removed_is_kept_when_its_name_is_taken_by_mistake(
    local, photo, monkeypatch
):
    """What turns out to be written to, and cannot have its name back, is kept."""
    writers = []

    def take():
        writers.append(photo.open("r+b"))

    def refill():
        photo.write_bytes(b"another")

    state = local.stat("a.jpg").state
    monkeypatch.setattr("tagline.storage.atomic.share_lock", lambda _file: take())
    with happening(monkeypatch, os, "rename", refill), pytest.raises(ObjectChanged):
        local.remove("a.jpg", state)
    writers[0].close()
    assert photo.read_bytes() == b"another"
    assert kept_in(photo.parent) == [b"old"]


@pytest.mark.parametrize("ask", ["open", "stat"])
def test_a_photo_left_aside_is_found_before_a_walk(photo, monkeypatch, ask):
    """Who asks for a photo whose writer was killed while it had no name gets it at once."""
    refuse_renames(monkeypatch, "refusing")
    writer = os.fork()
    if not writer:
        monkeypatch.setattr(exchange, "rename_to_free", lambda *_: os.kill(os.getpid(), SIGKILL))
        rewritten(LocalStorage(photo.parent))
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(writer, 0)[1]) == -SIGKILL
    assert not photo.exists()
    storage = LocalStorage(photo.parent)
    getattr(storage, ask)("a.jpg")
    assert photo.read_bytes() == b"old"
    with pytest.raises(ObjectNotFound):
        getattr(storage, ask)("b.jpg")


def test_a_photo_is_not_missed_while_it_has_no_name(local, photo, monkeypatch):
    """A walk in that moment says that it did not see all; so nobody forgets the photo."""
    refuse_renames(monkeypatch, "refusing")
    rewritten(local, b"first")
    seen = []

    def walk():
        seen.append(([found.object_key for found in local.walk()], local.unreadable))

    with happening(monkeypatch, os, "rename", walk):
        rewritten(local)
    walk()
    assert seen == [([], {""}), (["a.jpg"], frozenset())]


def test_a_photo_that_had_no_name_while_it_was_listed_is_shown(local, photo, monkeypatch):
    """A walk whose listing missed a photo of ours has it all the same, and once."""
    listed = os.scandir
    missing = []

    @contextmanager
    def list_meanwhile(directory):
        aside = photo.with_name(os.fsdecode(aside_name(b"a.jpg", (3, 0))))
        with in_use(os.fsencode(aside.name)), listed(directory) as entries:
            if missing:
                photo.rename(aside)
            found = list(entries)
            if missing:
                aside.rename(photo)
        yield found

    monkeypatch.setattr(os, "scandir", list_meanwhile)
    assert [found.object_key for found in local.walk()] == ["a.jpg"]
    missing.append(True)
    assert [found.object_key for found in local.walk()] == ["a.jpg"]
    assert local.unreadable == frozenset()


@pytest.mark.parametrize("call", ["rename", "fsync"])
def test_another_process_leaves_alone_what_is_aside(photo, renames, monkeypatch, call):
    """A walk of another process sees by the lock that the writer lives."""
    storage = LocalStorage(photo.parent)
    rewritten(storage, b"first")

    def walk_elsewhere():
        other = os.fork()
        if not other:
            temporary._in_use.clear()
            list(LocalStorage(photo.parent).walk())
            os._exit(0)
        assert os.waitpid(other, 0)[1] == 0

    with happening(monkeypatch, os, call, walk_elsewhere):
        rewritten(storage)
    assert photo.read_bytes() == b"new"
    assert names_in(photo.parent) == ["a.jpg"]


def test_who_asks_for_a_photo_that_has_no_name_gets_it(local, photo, monkeypatch):
    """In the moment in which its old version is aside, others wait for the new one."""
    refuse_renames(monkeypatch, "refusing")
    rewritten(local, b"first")
    asked, found = threading.Event(), []
    outwait = local_module.outwait

    def note(*arguments):
        asked.set()
        return outwait(*arguments)

    def read():
        with local.open("a.jpg") as file:
            found.append(file.read_at(0, file.size))

    reader = threading.Thread(target=read)

    def ask():
        reader.start()
        assert asked.wait(30)

    monkeypatch.setattr(local_module, "outwait", note)
    with happening(monkeypatch, os, "rename", ask):
        rewritten(local, b"second")
    reader.join()
    assert found == [b"second"]


def test_edits_of_another_process_are_never_lost(photo, renames):
    """While two programs replace one file again and again, each from what it read, none is lost."""
    storage = LocalStorage(photo.parent)
    photo.write_bytes(b"0")
    rounds, other = 40, os.fork()
    if not other:
        os._exit(_append(LocalStorage(photo.parent), photo, rounds, b"b"))
    try:
        failed = _append(storage, photo, rounds, b"a")
    finally:
        _, status = os.waitpid(other, 0)
    assert (failed, status) == (0, 0)
    content = photo.read_bytes()
    assert (content.count(b"a"), content.count(b"b")) == (rounds, rounds)
    list(storage.walk())
    assert [name for name in names_in(photo.parent) if not name.endswith(".kept")] == ["a.jpg"]


def _append(storage, photo, rounds: int, letter: bytes) -> int:
    """Add a letter to a file so many times by replacing it; return 0 when that was done."""
    for _ in range(rounds):
        for _ in range(10_000):
            try:
                with storage.open("a.jpg") as file:
                    data, state = file.read_at(0, file.size), file.state
                storage.replace("a.jpg", data + letter, state)
                break
            except ObjectError:
                continue
        else:
            return 1
    return 0


def test_edits_of_a_program_that_renames_over_are_never_lost(photo, renames):
    """A program that replaces the file by rename finds what it put there, whatever we do to it."""
    storage = LocalStorage(photo.parent)
    photo.write_bytes(b"0")
    other = os.fork()
    if not other:
        os._exit(_rename_over(photo, 60))
    ended = 0
    while not ended:
        ended, status = os.waitpid(other, os.WNOHANG)
        with suppress(ObjectError), storage.open("a.jpg") as file:
            storage.replace("a.jpg", file.read_at(0, file.size), file.state)
    assert os.waitstatus_to_exitcode(status) == 0
    list(storage.walk())
    assert photo.read_bytes() == b"60"
    assert [name for name in names_in(photo.parent) if not name.endswith(".kept")] == ["a.jpg"]


def _rename_over(photo, rounds: int) -> int:
    """Replace a file by one with the next number, so many times; return the number of a lost one.

    For a moment it may be ours, or not be there, until what is right is there again.
    """
    for number in range(1, rounds + 1):
        mine, text = photo.with_name(".mine"), b"%d" % number
        mine.write_bytes(text)
        mine.replace(photo)
        for _ in range(50_000):
            with suppress(FileNotFoundError):
                if photo.read_bytes() == text:
                    break
        else:
            return number
    return 0


# -- what a system says late -------------------------------------------------------------------


@pytest.fixture
def stale_once(monkeypatch):
    """Has the system say of an open file, once, that it is out of date."""
    pread, failures = os.pread, []

    def fail_once(*arguments):
        if failures:
            raise OSError(failures.pop(), "stale")
        return pread(*arguments)

    monkeypatch.setattr(os, "pread", fail_once)
    return lambda: failures.append(errno.ESTALE)


def test_a_file_that_went_stale_is_read_by_its_name(local, photo, stale_once):
    """ESTALE of an open file is no broken disk: the same file is opened again, once."""
    with local.open("a.jpg") as file:
        number = file.fileno()
        stale_once()
        assert file.read_at(0, 3) == b"old"
        assert file.fileno() == number
        assert not os.get_inheritable(number)


def test_a_stale_file_that_was_replaced_is_that_photos_matter(local, photo, stale_once):
    """Where another file has the name, reading on would mix the two: it is an error of this one."""
    with local.open("a.jpg") as file:
        photo.unlink()
        photo.write_bytes(b"another")
        stale_once()
        with pytest.raises(ObjectUnreadable, match="try again") as caught:
            file.read_at(0, 3)
    assert "disk" not in str(caught.value)


@pytest.mark.parametrize("ask", ["open", "stat"])
def test_a_name_that_went_stale_is_looked_up_again(local, photo, monkeypatch, ask):
    """A look that meets a file in the moment of its replacement is repeated, once."""
    looked, failures = os.stat, [errno.ESTALE]

    def fail_once(name, **options):
        if failures and name == b"a.jpg":
            raise OSError(failures.pop(), "stale")
        return looked(name, **options)

    monkeypatch.setattr(os, "stat", fail_once)
    assert getattr(local, ask)("a.jpg").state == local.stat("a.jpg").state


def test_an_error_of_closing_what_was_read_is_none(local, photo, monkeypatch):
    """Where close(2) fails of files that were only read, they are read, listed and replaced."""
    close = os.close

    def fail(descriptor):
        was_read = stat.S_ISREG(os.fstat(descriptor).st_mode) and not _writes(descriptor)
        close(descriptor)
        if was_read:
            raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "close", fail)
    rewritten(local)
    with local.open("a.jpg") as file:
        assert file.read_at(0, 3) == b"new"
    local.replace("a.json", b"{}", None, like="a.jpg")
    local.remove("a.json", local.stat("a.json").state)
    assert [found.object_key for found in local.walk()] == ["a.jpg"]
    assert names_in(photo.parent) == ["a.jpg"]


def test_an_error_of_closing_what_was_written_leaves_the_old_file(local, photo, monkeypatch):
    """Network shares tell of a failed write at close(2): then nothing is put in place."""
    rewritten(local, b"first")
    close = os.close

    def fail(descriptor):
        was_written = stat.S_ISREG(os.fstat(descriptor).st_mode) and _writes(descriptor)
        close(descriptor)
        if was_written:
            raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "close", fail)
    with pytest.raises(ObjectUnreadable):
        rewritten(local)
    assert photo.read_bytes() == b"first"
    assert names_in(photo.parent) == ["a.jpg"]


def _writes(descriptor: int) -> bool:
    """Whether a descriptor is open for writing."""
    return bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & (os.O_RDWR | os.O_WRONLY))
