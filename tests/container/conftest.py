"""Containers of the image that ``make image-test`` has built."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.container.engine import PASSWORD, Container, podman
from tests.machine import program

Run = Callable[..., Container]


@pytest.fixture
def run(image: str) -> Iterator[Run]:
    """Make a container of the image, not yet started; all are gone at the end."""
    made: list[Container] = []

    def make(*options: str, **environment: str) -> Container:
        environment = {"BACKEND_PASSWORD": PASSWORD, **environment}
        container = Container(image, *options, environment=environment)
        made.append(container)
        return container

    yield make
    for container in made:
        container.remove()


@pytest.fixture(scope="session")
def image() -> str:
    """The name of the image; skips where none was built for this run."""
    name = os.environ.get("TAGLINE_TEST_IMAGE")
    if name is None:
        pytest.skip("make image-test builds the image that is tested here")
    program("podman")
    return name


@pytest.fixture
def volume() -> Iterator[str]:
    """The name of an empty volume, as it is when it is used first."""
    name = podman("volume", "create").split()[-1]
    yield name
    podman("volume", "rm", "--force", name, check=False)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A directory with three photos, in three ways of keeping a description."""
    directory = tmp_path / "photos"
    directory.mkdir()
    for name, colour in (("a.jpg", "red"), ("c.gif", "green"), ("p.avif", "blue")):
        Image.new("RGB", (64, 48), colour).save(directory / name)
    return directory


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    where = tmp_path / "disk"
    where.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tagline-test", where], check=True)
    yield where
    subprocess.run(["umount", "--lazy", where], check=True)
