"""What stops a replacement, and that it then leaves everything as it was."""

import errno
import os
import stat
import threading

import pytest

from tagline.errors import (
    ObjectChanged,
    ObjectNotFound,
    ObjectUnreadable,
    StorageFull,
    StorageReadOnly,
    UnsafeKey,
)
from tagline.storage import exchange, placing


def names_in(directory) -> list[str]:
    """What is in a directory, sorted."""
    return sorted(path.name for path in directory.iterdir())


def kept_in(directory):
    """The hidden files that a walk leaves for a person to look at."""
    return [path for path in directory.iterdir() if path.suffix == ".kept"]


def test_large_content_is_written_whole(rewrite, photo):
    """Content of many pieces arrives in one."""
    data = os.urandom(3 * (1 << 20) + 17)
    rewrite(data)
    assert photo.read_bytes() == data


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (errno.ENOSPC, StorageFull),
        (errno.EDQUOT, StorageFull),
        (errno.EROFS, StorageReadOnly),
        (errno.EACCES, StorageReadOnly),
        (errno.EPERM, StorageReadOnly),
        (errno.EIO, ObjectUnreadable),
        (errno.ESTALE, ObjectChanged),
        (errno.EMFILE, ObjectUnreadable),
    ],
)
@pytest.mark.parametrize("call", ["write", "fsync", "rename", "fchmod", "pread"])
def test_a_failing_call_leaves_the_old_file(rewrite, photo, monkeypatch, call, code, expected):
    """Whatever call fails, our error says so, the old file stands, and no temporary file stays."""
    photo.chmod(0o640)
    if call == "rename":
        monkeypatch.setattr(exchange, "_renameat2", None)

    def fail(*arguments, **options):
        raise OSError(code, "/secret/path")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(expected) as caught:
        rewrite()
    monkeypatch.undo()
    assert "secret" not in str(caught.value)
    assert photo.read_bytes() == b"old"
    assert names_in(photo.parent) == ["a.jpg"]


@pytest.mark.parametrize("call", ["write", "fsync", "link", "pread"])
def test_a_failing_call_leaves_no_new_file(local, photo, monkeypatch, call):
    """A file that could not be made is not there, nor is a temporary one."""
    monkeypatch.setattr(exchange, "_renameat2", None)

    def fail(*arguments, **options):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(StorageFull):
        local.replace("a.jpg.json", b"{}", None, like="a.jpg")
    monkeypatch.undo()
    assert names_in(photo.parent) == ["a.jpg"]


def test_a_directory_that_cannot_be_synced_is_an_error(rewrite, monkeypatch):
    """What may not survive a power cut is not called written."""
    fsync = os.fsync

    def fail_for_directories(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, "io")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fail_for_directories)
    with pytest.raises(ObjectUnreadable):
        rewrite()


def test_a_file_system_without_directory_sync_is_no_error(rewrite, photo, monkeypatch):
    """SMB refuses to sync directories; that is all one can do there."""
    fsync = os.fsync

    def refuse_for_directories(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "invalid")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_for_directories)
    rewrite()
    assert photo.read_bytes() == b"new"


def test_what_does_not_read_back_is_not_put_in_place(rewrite, photo, monkeypatch):
    """A disk that returns other bytes than were written is caught before the rename."""
    monkeypatch.setattr(os, "pread", lambda *_arguments: b"bad")
    with pytest.raises(ObjectUnreadable):
        rewrite()
    monkeypatch.undo()
    assert photo.read_bytes() == b"old"
    assert names_in(photo.parent) == ["a.jpg"]


@pytest.mark.parametrize("change", ["write", "replace", "delete", "link"])
def test_a_change_before_the_rename_wins(rewrite, photo, monkeypatch, change):
    """What another program does to the file while ours is being written stays."""
    fsync = os.fsync

    def interfere(descriptor):
        fsync(descriptor)
        if change == "write":
            photo.write_bytes(b"theirs")
            return
        photo.unlink()
        if change == "replace":
            photo.write_bytes(b"theirs")
        elif change == "link":
            photo.symlink_to("../outside/secret.jpg")

    monkeypatch.setattr(os, "fsync", interfere)
    with pytest.raises(ObjectChanged if change in {"write", "replace"} else ObjectNotFound):
        rewrite()
    monkeypatch.undo()
    left = [] if change == "delete" else ["a.jpg"]
    assert names_in(photo.parent) == left
    if change in {"write", "replace"}:
        assert photo.read_bytes() == b"theirs"
    assert (photo.parent.parent / "outside" / "secret.jpg").read_bytes() == b"secret"


@pytest.mark.parametrize("call", ["rename", "link"])
def test_a_file_made_meanwhile_is_not_overwritten(local, photo, monkeypatch, call):
    """Another program's new file of the same name stays."""
    sidecar = photo.with_name("a.jpg.json")
    if call == "link":
        monkeypatch.setattr(exchange, "_renameat2", None)
    owner, name = (os, "link") if call == "link" else (exchange, "_renameat2")
    placed = getattr(owner, name)

    def come_first(*arguments, **options):
        sidecar.write_bytes(b"theirs")
        return placed(*arguments, **options)

    monkeypatch.setattr(owner, name, come_first)
    with pytest.raises(ObjectChanged):
        local.replace("a.jpg.json", b"ours", None)
    assert sidecar.read_bytes() == b"theirs"
    assert names_in(photo.parent) == ["a.jpg", "a.jpg.json"]


@pytest.fixture
def no_hard_links(monkeypatch):
    """A file system as rclone mounts."""
    monkeypatch.setattr(exchange, "_renameat2", None)

    def refuse(*arguments, **options):
        raise OSError(errno.EPERM, "no links")

    monkeypatch.setattr(os, "link", refuse)


def test_without_hard_links_new_files_are_made_as_well(local, photo, no_hard_links):
    """Making and moving work, and overwrite nothing."""
    made = local.replace("b.json", b"{}", None, like="a.jpg")
    assert photo.with_name("b.json").read_bytes() == b"{}"
    assert local.move("b.json", "c.json", made.state).state == local.stat("c.json").state
    with pytest.raises(ObjectChanged):
        local.move("c.json", "a.jpg", local.stat("c.json").state)
    assert names_in(photo.parent) == ["a.jpg", "c.json"]


def test_without_hard_links_a_failure_leaves_nothing(local, photo, no_hard_links, monkeypatch):
    """The empty file that took the name goes when the rename fails."""

    def fail(*arguments, **options):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(StorageFull):
        local.replace("b.json", b"{}", None)
    assert names_in(photo.parent) == ["a.jpg"]


def test_a_move_takes_no_file_that_came_meanwhile(local, photo, monkeypatch):
    """A new file that takes the old name during a move stays, and what was moved is moved."""
    link = os.link
    state = local.stat("a.jpg").state

    def come_between(*arguments, **options):
        link(*arguments, **options)
        photo.write_bytes(b"theirs")

    monkeypatch.setattr(exchange, "_renameat2", None)
    monkeypatch.setattr(os, "link", come_between)
    local.move("a.jpg", "b.jpg", state)
    assert photo.read_bytes() == b"theirs"
    assert photo.with_name("b.jpg").read_bytes() == b"old"
    assert names_in(photo.parent) == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize("name", ["b.jpg", "x/b.jpg"])
def test_a_file_changed_at_the_last_moment_is_not_moved(local, photo, monkeypatch, name):
    """What another program put in the place of a file that is being moved keeps its name."""
    (photo.parent / "x").mkdir()
    state = local.stat("a.jpg").state
    take = placing.rename_to_free

    def late(*arguments):
        monkeypatch.setattr(placing, "rename_to_free", take)
        theirs = photo.with_name("theirs")
        theirs.write_bytes(b"theirs")
        theirs.rename(photo)
        return take(*arguments)

    monkeypatch.setattr(placing, "rename_to_free", late)
    with pytest.raises(ObjectChanged):
        local.move("a.jpg", name, state)
    assert photo.read_bytes() == b"theirs"
    assert not (photo.parent / name).exists()


def test_a_change_of_case_is_a_move_where_case_does_not_matter(local, photo, monkeypatch):
    """Where the new name finds the file itself, it is renamed and not refused."""
    looked = os.stat

    def fold(name, **options):
        return looked(b"a.jpg" if name == b"A.JPG" and photo.exists() else name, **options)

    monkeypatch.setattr(os, "stat", fold)
    local.move("a.jpg", "A.JPG", local.stat("a.jpg").state)
    assert names_in(photo.parent) == ["A.JPG"]


def test_a_write_by_another_program_right_after_is_noticed(local, photo, monkeypatch):
    """The returned state is that of our own content, so a later write cannot hide behind it."""
    unlink = os.unlink
    local.replace("a.jpg", b"first", local.stat("a.jpg").state)
    state = local.stat("a.jpg").state

    def write_after(*arguments, **options):
        unlink(*arguments, **options)
        photo.write_bytes(b"theirs, and longer")

    monkeypatch.setattr(os, "unlink", write_after)
    after = local.replace("a.jpg", b"new", state)
    assert after.state != local.stat("a.jpg").state


def test_many_threads_write_without_losing_anything(local, photo):
    """Of all who write from the same state, exactly one succeeds, again and again."""
    done = []

    def write(number):
        for _ in range(20):
            with_state = local.stat("a.jpg").state
            try:
                local.replace("a.jpg", b"%d" % number, with_state)
            except (ObjectChanged, ObjectNotFound):
                continue
            done.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(50):
        assert [item.object_key for item in local.walk()] == ["a.jpg"]
    for thread in threads:
        thread.join()
    assert int(photo.read_bytes()) in done
    assert names_in(photo.parent) == ["a.jpg"]


def test_a_file_cut_short_while_open_reads_short(local, photo):
    """Bytes that another program cut off are not there, and reading them is no error."""
    with local.open("a.jpg") as opened:
        photo.write_bytes(b"o")
        assert opened.size == 3
        assert opened.read_at(0, 3) == b"o"
        assert opened.read_at(1, 2) == b""


def test_names_too_long_for_the_file_system_are_unsafe(local, photo, monkeypatch):
    """Some file systems allow shorter names than 255 bytes, and say so in their own way."""

    def refuse(*_arguments, **_options):
        raise OSError(errno.ENAMETOOLONG, "too long")

    monkeypatch.setattr(os, "stat", refuse)
    with pytest.raises(UnsafeKey):
        local.stat("a.jpg")


def at_the_last_moment(monkeypatch, act):
    """Have something happen right before the new file takes the name."""
    place = placing.exchange

    def late(*arguments):
        monkeypatch.setattr(placing, "exchange", place)
        act()
        return place(*arguments)

    monkeypatch.setattr(placing, "exchange", late)


def test_another_programs_file_put_in_place_at_the_last_moment_stays(rewrite, photo, monkeypatch):
    """What another program renamed into place after the last look is there again, and is told."""

    def put():
        theirs = photo.with_name("theirs")
        theirs.write_bytes(b"theirs")
        theirs.rename(photo)

    at_the_last_moment(monkeypatch, put)
    with pytest.raises(ObjectChanged):
        rewrite()
    assert photo.read_bytes() == b"theirs"
    assert names_in(photo.parent) == ["a.jpg"]


def test_a_write_by_another_program_at_the_last_moment_stays(rewrite, photo, monkeypatch):
    """What another program wrote into the file after the last look is there again, and is told."""
    at_the_last_moment(monkeypatch, lambda: photo.write_bytes(b"theirs"))
    with pytest.raises(ObjectChanged):
        rewrite()
    assert photo.read_bytes() == b"theirs"
    assert names_in(photo.parent) == ["a.jpg"]


def test_a_photo_moved_away_at_the_last_moment_is_not_doubled(rewrite, photo, monkeypatch):
    """A file that was renamed after the last look is left alone, and no second one is made."""
    at_the_last_moment(monkeypatch, lambda: photo.rename(photo.with_name("b.jpg")))
    with pytest.raises(ObjectNotFound):
        rewrite()
    assert names_in(photo.parent) == ["b.jpg"]


def test_without_exchange_a_rename_does(rewrite, photo, monkeypatch):
    """On a file system that cannot exchange two names a file is replaced all the same."""
    monkeypatch.setattr(exchange, "_renameat2", None)
    rewrite(b"new")
    assert photo.read_bytes() == b"new"
    assert names_in(photo.parent) == ["a.jpg"]


@pytest.mark.parametrize("call", ["rename", "link"])
def test_a_file_put_over_a_new_one_at_once_stays(local, photo, monkeypatch, call):
    """A file that another program renames over one that was just made is not taken for ours."""
    if call == "link":
        monkeypatch.setattr(exchange, "_renameat2", None)
    owner, name = (os, "link") if call == "link" else (exchange, "_renameat2")
    placed = getattr(owner, name)

    def place_then_overwrite(*arguments, **options):
        done = placed(*arguments, **options)
        theirs = photo.with_name("theirs")
        theirs.write_bytes(b"theirs")
        theirs.rename(photo.with_name("a.jpg.json"))
        return done

    monkeypatch.setattr(owner, name, place_then_overwrite)
    made = local.replace("a.jpg.json", b"ours", None)
    assert photo.with_name("a.jpg.json").read_bytes() == b"theirs"
    assert made.state != local.stat("a.jpg.json").state
    assert names_in(photo.parent) == ["a.jpg", "a.jpg.json"]


def test_what_was_displaced_goes_back_when_ours_was_moved_on(rewrite, photo, monkeypatch):
    """A file that was displaced is there again even if our own was moved away in that moment."""
    place = placing.exchange

    def late(name, other, directory):
        theirs = photo.with_name("theirs")
        theirs.write_bytes(b"theirs")
        theirs.rename(photo)
        done = place(name, other, directory)
        photo.rename(photo.with_name("moved.jpg"))
        monkeypatch.setattr(placing, "exchange", place)
        return done

    monkeypatch.setattr(placing, "exchange", late)
    with pytest.raises(ObjectChanged):
        rewrite(b"ours")
    assert photo.read_bytes() == b"theirs"
    assert photo.with_name("moved.jpg").read_bytes() == b"ours"
    assert names_in(photo.parent) == ["a.jpg", "moved.jpg"]


def beside_the_rename(monkeypatch, *, before=lambda: None, after=lambda: None):
    """Have something happen right before and after the next rename, as by another program."""
    rename = os.rename

    def late(*arguments, **options):
        monkeypatch.setattr(os, "rename", rename)
        before()
        rename(*arguments, **options)
        after()

    monkeypatch.setattr(os, "rename", late)


def test_another_programs_file_is_not_removed_for_the_one_that_was_seen(local, photo, monkeypatch):
    """What another program put in the place of a file that is being removed stays, and is told."""
    theirs = photo.with_name("theirs")
    theirs.write_bytes(b"theirs")
    state = local.stat("a.jpg").state
    beside_the_rename(monkeypatch, before=lambda: theirs.replace(photo))
    with pytest.raises(ObjectChanged):
        local.remove("a.jpg", state)
    assert photo.read_bytes() == b"theirs"
    assert names_in(photo.parent) == ["a.jpg"]


def test_a_newer_file_stays_while_another_is_given_back(local, photo, monkeypatch):
    """Where a third file has the name by the time of giving back, both are there, one as kept."""
    state = local.stat("a.jpg").state
    beside_the_rename(
        monkeypatch,
        before=lambda: photo.write_bytes(b"second"),
        after=lambda: photo.write_bytes(b"third"),
    )
    with pytest.raises(ObjectChanged):
        local.remove("a.jpg", state)
    assert photo.read_bytes() == b"third"
    assert [path.read_bytes() for path in kept_in(photo.parent)] == [b"second"]
    assert len(names_in(photo.parent)) == 2


@pytest.mark.parametrize("no_links", [False, True])
def test_without_renameat2_a_file_is_removed_as_well(local, photo, monkeypatch, no_links):
    """On a file system that cannot rename to a free name only, a file is removed all the same."""
    monkeypatch.setattr(exchange, "_renameat2", None)
    if no_links:
        monkeypatch.setattr(exchange, "link_to_free", lambda *_: False)
    local.remove("a.jpg", local.stat("a.jpg").state)
    assert names_in(photo.parent) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda local, state: local.replace("a.jpg", b"ours", state),
        lambda local, state: local.remove("a.jpg", state),
        lambda local, state: local.move("a.jpg", "b.jpg", state),
    ],
    ids=["replace", "remove", "move"],
)
@pytest.mark.parametrize("renames", [True, False])
def test_what_cannot_be_looked_at_at_the_last_moment_has_its_name_again(
    local, photo, monkeypatch, change, renames
):
    """A disk that fails right after a rename costs no file: neither the old one nor another's."""
    state, looked = local.stat("a.jpg").state, placing.is_same
    if not renames:
        monkeypatch.setattr(exchange, "_renameat2", None)

    def fail(*_arguments):
        monkeypatch.setattr(placing, "is_same", looked)
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(placing, "is_same", fail)
    before = photo.read_bytes()
    with pytest.raises(ObjectUnreadable):
        change(local, state)
    assert photo.read_bytes() == before
    assert names_in(photo.parent) == ["a.jpg"]


@pytest.mark.parametrize("failure", ["error", "refusal"])
def test_what_cannot_be_given_back_is_kept(rewrite, local, photo, monkeypatch, failure):
    """Another program's file that was displaced survives a disk that fails to put it back."""
    place = placing.exchange

    def displace(*arguments):
        photo.with_name("theirs").write_bytes(b"theirs")
        photo.with_name("theirs").rename(photo)
        monkeypatch.setattr(placing, "exchange", fail)
        return place(*arguments)

    def fail(*_arguments):
        if failure == "error":
            raise OSError(errno.EIO, "broken")
        return False

    monkeypatch.setattr(placing, "exchange", displace)
    with pytest.raises(ObjectUnreadable):
        rewrite(b"ours")
    assert len(list(local.walk())) == 1
    assert [path.read_bytes() for path in kept_in(photo.parent)] == [b"theirs"]
    assert all("-a.jpg.kept" in path.name for path in kept_in(photo.parent))


def test_what_cannot_get_its_name_back_after_a_removal_gets_it_in_a_walk(local, photo, monkeypatch):
    """Another program's file that was taken for the one to remove survives such a disk as well."""

    def fail(*_arguments):
        raise OSError(errno.EIO, "broken")

    state, take = local.stat("a.jpg").state, placing.take_free
    beside_the_rename(monkeypatch, before=lambda: photo.write_bytes(b"theirs"))
    monkeypatch.setattr(placing, "take_free", fail)
    with pytest.raises(ObjectUnreadable):
        local.remove("a.jpg", state)
    assert not photo.exists()
    monkeypatch.setattr(placing, "take_free", take)
    assert [found.object_key for found in local.walk()] == ["a.jpg"]
    assert photo.read_bytes() == b"theirs"
    assert names_in(photo.parent) == ["a.jpg"]
