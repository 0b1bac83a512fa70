"""The providers that the contract suite runs over, and fixtures for directories.

To add a provider, write a class like ``LocalWorld`` that makes it and plays the programs beside it,
and add one line to ``WORLDS``. Every test of ``test_provider_contract.py`` then runs over it.
"""

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from tagline.model.keys import path_from_key
from tagline.storage import LocalStorage, MemoryStorage

NOBODY = 65534


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
    def unavailable(self):
        self.storage.set_unavailable(True)
        yield
        self.storage.set_unavailable(False)


WORLDS = [
    LocalWorld,
    MemoryWorld,
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
    mounted: list[Path] = []

    def run(directory: Path, *arguments: str) -> None:
        done = subprocess.run(["mount", *arguments, directory], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("mounting is not allowed here")
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
