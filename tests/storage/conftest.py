"""The providers that the contract suite runs over, and fixtures for directories.

To add a provider, write a class like ``LocalWorld`` that makes it and plays the programs beside it,
and add one line to ``WORLDS``. Every test of ``test_provider_contract.py`` then runs over it.
"""

import contextlib
import ctypes
import errno
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tagline.model.keys import path_from_key
from tagline.storage import LocalStorage, MemoryStorage, Mirror, MirroredStorage, exchange
from tests.machine import demand_mounts

NOBODY = 65534

REFUSING = 1
EXCHANGING = 2
"""The flags of renameat2(2)."""


class LocalWorld:
    """A directory, a ``LocalStorage`` over it, and other programs that change its files."""

    def __init__(self, directory: Path, ignore: tuple[str, ...] = ()) -> None:
        self._root = directory / "photos"
        self._root.mkdir()
        self.storage = LocalStorage(self._root, ignore=ignore)

    def put(self, object_key: str, data: bytes) -> None:
        path = self._path(object_key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def rename(self, object_key: str, new_key: str) -> None:
        self._path(object_key).rename(self._path(new_key))

    def delete(self, object_key: str) -> None:
        self._path(object_key).unlink()

    @contextlib.contextmanager
    def being_written(self, object_key: str):
        """While another program has a file open for writing."""
        with self._path(object_key).open("r+b"):
            yield

    @contextlib.contextmanager
    def unavailable(self):
        """While the storage is not mounted."""
        elsewhere = self._root.with_name("elsewhere")
        self._root.rename(elsewhere)
        self._root.mkdir()
        yield
        self._root.rmdir()
        elsewhere.rename(self._root)

    def _path(self, object_key: str) -> Path:
        return self._root / os.fsdecode(path_from_key(object_key))


class MemoryWorld:
    """A ``MemoryStorage``, which plays the other programs itself."""

    def __init__(self, _directory: Path, ignore: tuple[str, ...] = ()) -> None:
        self.storage = MemoryStorage(ignore=ignore)
        self.put = self.storage.put
        self.rename = self.storage.rename
        self.delete = self.storage.delete

    @contextlib.contextmanager
    def being_written(self, object_key: str):
        self.storage.set_being_written(object_key)
        yield
        self.storage.set_being_written(object_key, False)

    @contextlib.contextmanager
    def unavailable(self):
        self.storage.set_unavailable(True)
        yield
        self.storage.set_unavailable(False)


class MirroredWorld(LocalWorld):
    """A directory of photos and one of sidecars, a ``MirroredStorage`` over both.

    Other programs change the photos; a sidecar that Tagline put in the mirror they change there.
    """

    def __init__(self, directory: Path, ignore: tuple[str, ...] = ()) -> None:
        super().__init__(directory, ignore)
        self._mirror = directory / "sidecars"
        self._mirror.mkdir()
        mirror = Mirror(self._mirror, ignore=ignore)
        photos = LocalStorage(self._root, ignore=ignore)
        self.storage = MirroredStorage(photos, mirror, is_sidecar)

    def _path(self, object_key: str) -> Path:
        mirrored = self._mirror / super()._path(object_key).relative_to(self._root)
        return mirrored if mirrored.exists() else super()._path(object_key)


class MirrorWorld(MirroredWorld):
    """The same, with other programs that put their sidecars in the mirror."""

    def _path(self, object_key: str) -> Path:
        beside = LocalWorld._path(self, object_key)
        if not is_sidecar(beside.name):
            return beside
        beside.parent.mkdir(parents=True, exist_ok=True)
        return self._mirror / beside.relative_to(self._root)


def is_sidecar(name: str) -> bool:
    """Whether a name is one that the mirror has files of."""
    return name.lower().endswith((".xmp", ".json"))


WORLDS = [
    LocalWorld,
    MemoryWorld,
    MirroredWorld,
    MirrorWorld,
]


@pytest.fixture(params=WORLDS, ids=lambda world: world.__name__.removesuffix("World").lower())
def make_world(request, tmp_path: Path):
    """Makes an empty world of each provider, with rules to ignore if wanted."""
    return lambda *ignore: request.param(tmp_path, ignore)


@pytest.fixture
def world(make_world):
    """An empty world of each provider: ``storage``, ``put``, ``rename``, ``delete``."""
    return make_world()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty photo directory, with a directory beside it that nothing may reach."""
    directory = tmp_path / "photos"
    directory.mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.jpg").write_bytes(b"secret")
    return directory


@pytest.fixture
def local(root: Path) -> LocalStorage:
    """A ``LocalStorage`` over ``root``."""
    return LocalStorage(root)


@pytest.fixture
def mount():
    """Mounts on a directory, with options as mount takes them, until ``undo`` or the test's end."""
    demand_mounts()
    mounted: list[Path] = []

    def run(directory: Path, *arguments: str) -> None:
        subprocess.run(["mount", *arguments, directory], check=True)
        mounted.append(directory)

    def unmount(directory: Path) -> None:
        subprocess.run(["umount", directory], check=True)
        mounted.remove(directory)

    run.undo = unmount
    yield run
    for directory in reversed(mounted):
        subprocess.run(["umount", "-l", directory], check=False)


@pytest.fixture
def as_nobody():
    """Runs a test's blocks as a user without rights, in a directory that this user owns."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory(prefix="tagline-storage-") as made:
        directory = Path(made)
        directory.chmod(0o755)

        @contextlib.contextmanager
        def run():
            os.setresuid(NOBODY, NOBODY, 0)
            try:
                yield
            finally:
                os.setresuid(0, 0, 0)

        run.directory = directory
        yield run


@pytest.fixture(params=["all", "refusing", "none"])
def renames(request, monkeypatch):
    """Lets the file system have all renames, those that refuse a taken name, or only plain ones."""
    refuse_renames(monkeypatch, request.param)
    return request.param


def refuse_renames(monkeypatch: pytest.MonkeyPatch, left: str) -> None:
    """Have the system say of some renames that the file system cannot do them (renameat2(2))."""
    refused = {"all": set(), "refusing": {EXCHANGING}, "none": {REFUSING, EXCHANGING}}[left]
    renameat2 = exchange._renameat2

    def limited(*arguments):
        if arguments[-1] in refused:
            ctypes.set_errno(errno.EINVAL)
            return -1
        return renameat2(*arguments)

    monkeypatch.setattr(exchange, "_renameat2", limited)


def refuse_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the system say that the file system has no links."""

    def refuse(*_arguments, **_options):
        raise OSError(errno.EPERM, "no links")

    monkeypatch.setattr(os, "link", refuse)


@pytest.fixture
def photo(root):
    """A photo with content, and nothing else in the directory."""
    path = root / "a.jpg"
    path.write_bytes(b"old")
    return path


@pytest.fixture
def rewrite(local, photo):
    """Replaces the photo's content through the storage, from its present state."""
    return lambda data=b"new": local.replace("a.jpg", data, local.stat("a.jpg").state)


def refuse_new_files(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    """Have a directory refuse new files when one is made, whatever its permissions say."""
    inode, opens = directory.stat().st_ino, os.open

    def refuse(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if flags & os.O_CREAT and dir_fd is not None and os.fstat(dir_fd).st_ino == inode:
            raise PermissionError(errno.EACCES, "denied")
        return opens(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", refuse)
