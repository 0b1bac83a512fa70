"""What a replaced or new file keeps of the old one, or takes of its model."""

import errno
import os
import shutil
import stat
import struct
import subprocess
import sys

import pytest

from tagline.errors import ObjectUnreadable, StorageFull, StorageReadOnly
from tagline.storage import LocalStorage

ACL = "system.posix_acl_access"
DEFAULT_ACL = "system.posix_acl_default"
ALICE = 1234


def acl(owner: int, named: int, group: int, mask: int, other: int) -> bytes:
    """A POSIX ACL with one named user, as linux/posix_acl_xattr.h lays it out."""
    nobody = 0xFFFFFFFF
    rows = [
        (1, owner, nobody),
        (2, named, ALICE),
        (4, group, nobody),
        (16, mask, nobody),
        (32, other, nobody),
    ]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *row) for row in rows)


def set_attribute(path, name: str, value: bytes) -> None:
    """Set an extended attribute, or skip the test where there is none."""
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            pytest.skip("no such extended attributes here")
        raise


def attributes(path) -> dict[str, bytes]:
    """All extended attributes of a file."""
    return {name: os.getxattr(path, name) for name in os.listxattr(path)}


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o777])
def test_the_mode_is_kept(photo, rewrite, mode):
    """A replaced file has the permissions of the old one, whatever the umask."""
    photo.chmod(mode)
    rewrite()
    assert stat.S_IMODE(photo.stat().st_mode) == mode


def test_set_id_bits_go_as_with_any_write(photo, rewrite):
    """New content does not inherit the right to run as somebody else."""
    photo.chmod(0o6755)
    rewrite()
    assert stat.S_IMODE(photo.stat().st_mode) == 0o755


def test_the_owner_is_kept_by_root(photo, rewrite):
    """Where the process may give files away, owner and group stay."""
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    os.chown(photo, ALICE, 4321)
    photo.chmod(0o440)
    rewrite()
    status = photo.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (ALICE, 4321, 0o440)


def test_extended_attributes_are_kept(photo, rewrite):
    """User attributes and the access ACL of the old file are on the new one, and no others."""
    set_attribute(photo, "user.tags", b"\0\xff" * 50)
    set_attribute(photo, "user.empty", b"")
    set_attribute(photo, ACL, acl(6, 6, 4, 6, 0))
    before = attributes(photo)
    rewrite()
    assert attributes(photo) == before
    assert stat.S_IMODE(photo.stat().st_mode) == 0o660


def test_a_directorys_default_acl_changes_nothing_of_an_old_file(photo, rewrite, root):
    """A file without an ACL stays without one where new files would get one."""
    photo.chmod(0o640)
    set_attribute(root, DEFAULT_ACL, acl(7, 7, 7, 7, 5))
    rewrite()
    assert attributes(photo) == {}
    assert stat.S_IMODE(photo.stat().st_mode) == 0o640


def test_a_new_file_takes_mode_owner_and_acl_of_its_model(local, photo):
    """A sidecar has the photo's access rights, and none of its other attributes."""
    set_attribute(photo, "user.rating", b"5")
    set_attribute(photo, ACL, acl(6, 4, 0, 4, 0))
    if os.geteuid() == 0:
        os.chown(photo, ALICE, ALICE)
    local.replace("a.jpg.json", b"{}", None, like="a.jpg")
    sidecar = photo.with_name("a.jpg.json")
    assert attributes(sidecar) == {ACL: os.getxattr(photo, ACL)}
    old, new = photo.stat(), sidecar.stat()
    assert (new.st_mode, new.st_uid, new.st_gid) == (old.st_mode, old.st_uid, old.st_gid)


def test_a_new_file_without_model_follows_the_umask(local, photo):
    """A file made of nothing has what the umask leaves of 0666."""
    old = os.umask(0o027)
    try:
        local.replace("b.json", b"{}", None)
    finally:
        os.umask(old)
    assert stat.S_IMODE(photo.with_name("b.json").stat().st_mode) == 0o640


def test_a_coarse_clock_still_changes_the_modification_time(photo, local, monkeypatch):
    """Where the clock gives a new file the old one's time, it gets another, so backups notice."""
    state = local.stat("a.jpg").state
    fsync = os.fsync
    written = os.write

    def write(descriptor, data):
        length = written(descriptor, data)
        os.utime(descriptor, ns=(state.mtime_ns, state.mtime_ns))
        return length

    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(os, "fsync", fsync)
    after = local.replace("a.jpg", b"new", state)
    assert after.state.mtime_ns == state.mtime_ns + 1
    assert local.stat("a.jpg").state == after.state


def test_hard_links_are_counted(local, photo):
    """A file with a second name says so, in walks, states and when open."""
    (photo.parent / "b.jpg").hardlink_to(photo)
    assert [item.links for item in local.walk()] == [2, 2]
    assert local.stat("a.jpg").links == 2
    with local.open("a.jpg") as opened:
        assert opened.links == 2


def test_the_owner_is_given_up_where_it_cannot_be_kept(as_nobody):
    """An ordinary user's edit of another's file works, keeps the mode, and takes the file over."""
    root = as_nobody.directory
    (root / "a.jpg").write_bytes(b"old")
    (root / "a.jpg").chmod(0o666)
    root.chmod(0o777)
    storage = LocalStorage(root)
    with as_nobody():
        storage.replace("a.jpg", b"new", storage.stat("a.jpg").state)
    status = (root / "a.jpg").stat()
    assert (status.st_uid, stat.S_IMODE(status.st_mode)) == (65534, 0o666)


@pytest.mark.parametrize(
    ("name", "code", "kept"),
    [
        ("user.tags", errno.EPERM, False),
        ("security.label", errno.EPERM, True),
        ("security.label", errno.ENOSPC, False),
        ("user.tags", errno.ENODATA, True),
    ],
)
def test_only_foreign_attributes_may_be_lost(photo, rewrite, monkeypatch, name, code, kept):
    """An attribute of the user that cannot be copied stops the edit; a system's label does not."""

    def refuse(*_arguments):
        raise OSError(code, "refused")

    monkeypatch.setattr(os, "listxattr", lambda _file: [name])
    monkeypatch.setattr(os, "getxattr", lambda *_arguments: b"a")
    monkeypatch.setattr(os, "setxattr", refuse)
    if kept:
        rewrite()
    else:
        with pytest.raises(StorageFull if code == errno.ENOSPC else StorageReadOnly):
            rewrite()
    monkeypatch.undo()
    assert photo.read_bytes() == (b"new" if kept else b"old")


def test_attributes_bound_to_content_are_not_copied(photo, rewrite, monkeypatch):
    """Capabilities and signatures of the old content are no attributes of the new."""
    copied = []
    monkeypatch.setattr(os, "listxattr", lambda _file: ["security.capability", "security.ima"])
    monkeypatch.setattr(os, "setxattr", lambda *arguments: copied.append(arguments))
    rewrite()
    assert copied == []


@pytest.mark.parametrize("code", [errno.ENOTSUP, errno.EIO])
def test_a_file_system_without_attributes_is_no_error(photo, rewrite, monkeypatch, code):
    """Where there are no extended attributes there is nothing to copy; rclone says EIO then."""

    def refuse(_file):
        raise OSError(code, "refused")

    monkeypatch.setattr(os, "listxattr", refuse)
    rewrite()
    assert photo.read_bytes() == b"new"


def test_attributes_that_cannot_be_read_are_an_error(photo, rewrite, monkeypatch):
    """A disk that fails to list those of the old file alone costs none of them."""
    listed = os.listxattr

    def refuse(file):
        if os.fstat(file).st_ino == photo.stat().st_ino:
            raise OSError(errno.EIO, "broken")
        return listed(file)

    monkeypatch.setattr(os, "listxattr", refuse)
    with pytest.raises(ObjectUnreadable):
        rewrite()
    assert photo.read_bytes() == b"old"


@pytest.mark.shared
def test_the_independent_judge_sees_no_loss(local, root, corpus, shared):
    """A real photo written back through the storage lost nothing, attributes included."""
    original = next(path for path in corpus if path.suffix == ".jpg")
    before = root.parent / "before.jpg"
    for path in (before, root / "a.jpg"):
        shutil.copyfile(original, path)
        path.chmod(0o640)
        set_attribute(path, "user.tags", b"a")
        set_attribute(path, ACL, acl(6, 6, 4, 6, 0))
        if os.geteuid() == 0:
            os.chown(path, ALICE, ALICE)
    local.replace("a.jpg", original.read_bytes(), local.stat("a.jpg").state)
    times = before.stat()
    os.utime(root / "a.jpg", ns=(times.st_atime_ns, times.st_mtime_ns))
    judge = [sys.executable, shared / "losscheck" / "compare.py", before, root / "a.jpg", "--fs"]
    done = subprocess.run(judge, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
