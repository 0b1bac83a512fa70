"""Files are replaced on real file systems in user space, which lack some of the renames."""

import subprocess
from pathlib import Path

import pytest

from tagline.errors import ObjectBusy, ObjectChanged
from tagline.storage import LocalStorage
from tests.machine import demand_fuse, program


@pytest.fixture(params=["mergerfs", "bindfs"])
def mounted(request, tmp_path: Path):
    """A directory on a file system in user space that has no rename but the plain one."""
    demand_fuse()
    below, mount = tmp_path / "below", tmp_path / "mount"
    for directory in (below, mount):
        directory.mkdir()
    subprocess.run([program(request.param), below, mount], check=True)
    yield mount
    subprocess.run(["umount", "-l", mount], check=True)


def test_a_photo_is_replaced_and_its_state_is_told(mounted):
    """The new content is there, under the state that was reported, and nothing else is."""
    storage = LocalStorage(mounted)
    (mounted / "a.jpg").write_bytes(b"old")
    done = storage.replace("a.jpg", b"new", storage.stat("a.jpg").state)
    seen = storage.stat("a.jpg").state
    assert (done.state.size, done.state.mtime_ns) == (seen.size, seen.mtime_ns)
    assert done.links == 1
    assert (mounted / "a.jpg").read_bytes() == b"new"
    assert [path.name for path in mounted.iterdir()] == ["a.jpg"]


def test_what_others_write_stays(mounted):
    """A file that is open for writing, or was put in place since, is not replaced."""
    storage = LocalStorage(mounted)
    photo, theirs = mounted / "a.jpg", mounted / "theirs"
    photo.write_bytes(b"old")
    with photo.open("r+b"), pytest.raises(ObjectBusy):
        storage.replace("a.jpg", b"new", storage.stat("a.jpg").state)
    state = storage.stat("a.jpg").state
    theirs.write_bytes(b"theirs")
    theirs.replace(photo)
    with pytest.raises(ObjectChanged):
        storage.replace("a.jpg", b"new", state)
    assert photo.read_bytes() == b"theirs"
    assert [path.name for path in mounted.iterdir()] == ["a.jpg"]
