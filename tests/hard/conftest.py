"""A server process that is treated badly, and real mounts to do that with."""

import os
import random
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.hard.faults import FaultyDisk
from tests.hard.processes import Server, StartServer, save_photo
from tests.machine import demand_fuse, demand_mounts, program


@pytest.fixture
async def start_server(tmp_path: Path) -> AsyncIterator[StartServer]:
    """Start a server over a directory; every one is killed at the end."""
    servers: list[Server] = []

    async def start(photos: Path, data: Path | str = "data", **environment: str) -> Server:
        directory = tmp_path / data
        directory.mkdir(exist_ok=True)
        server = Server(photos, directory, **environment)
        servers.append(server)
        return await server.start()

    yield start
    for server in servers:
        await server.stop()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A directory with three photos, in three ways of keeping a description."""
    directory = tmp_path / "photos"
    (directory / "sub").mkdir(parents=True)
    save_photo(directory / "a.jpg", 1)
    save_photo(directory / "sub" / "b.jpg", 2)
    save_photo(directory / "c.gif", 3)
    return directory


@pytest.fixture
async def server(photos: Path, start_server: StartServer) -> Server:
    """A server over three photos."""
    return await start_server(photos)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Chance, by a seed that is printed and can be given as ``TAGLINE_SEED``."""
    seed = int(os.environ.get("TAGLINE_SEED") or random.SystemRandom().randrange(10**6))
    print(f"{request.node.name}: TAGLINE_SEED={seed}")  # noqa: T201 - to repeat a failure
    return random.Random(seed)


class Mounts:
    """Mounts of a test."""

    def __init__(self) -> None:
        self.made: list[Path] = []

    def tmpfs(self, where: Path, size: str = "64m") -> Path:
        """Mount an empty file system in memory."""
        where.mkdir(exist_ok=True)
        self.run("mount", "-t", "tmpfs", "-o", f"size={size}", "tagline-test", str(where))
        self.made.append(where)
        return where

    def bind(self, source: Path, where: Path) -> Path:
        """Mount a directory at another place."""
        self.run("mount", "--bind", str(source), str(where))
        self.made.append(where)
        return where

    def unmount(self, where: Path) -> None:
        """Unmount, even if it is in use, as a disk that is pulled."""
        self.run("umount", "-l", str(where))
        self.made.remove(where)

    def run(self, *command: str) -> None:
        """Run a command of mount(8)'s kind, which has to succeed."""
        subprocess.run(command, check=True)


@pytest.fixture
def mounts() -> Iterator[Mounts]:
    """Real mounts; skips where one must not mount. All are gone at the end."""
    demand_mounts()
    made = Mounts()
    yield made
    for where in reversed(made.made):
        subprocess.run(["umount", "-l", str(where)], check=False)


@pytest.fixture
def faulty_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[FaultyDisk]:
    """A disk whose failures are ordered; skips where a file system in user space is not allowed."""
    demand_fuse()
    disk = FaultyDisk(tmp_path, *getattr(request, "param", ()))
    try:
        assert disk.mounted
        yield disk
    finally:
        disk.end()


@pytest.fixture(scope="session")
def exiftool() -> str:
    """The path of exiftool."""
    return program("exiftool")
