"""Files of every kind, and worker processes to make pictures of them."""

import importlib.util
import os
import sys
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tagline.metadata.preview import shown
from tagline.model import BytesSource
from tagline.pictures.jobs import Job, Limits
from tagline.pictures.process import WorkerProcess

_spec = importlib.util.spec_from_file_location(
    "tests_pictures_samples", Path(__file__).with_name("picture_samples.py")
)
_samples = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _samples
_spec.loader.exec_module(_samples)

DEFAULTS = {
    "kind": "jpeg",
    "offset": 0,
    "orientation": 1,
    "stored": None,
    "edge": 64,
    "media_type": "image/jpeg",
    "max_pixels": 200_000_000,
    "seconds": 20,
}


class Maker:
    """Makes pictures with one worker process."""

    def __init__(self, limits: Limits) -> None:
        self.worker = WorkerProcess(limits)

    def raw(self, data: bytes, **job) -> bytes:
        """The bytes of a picture of a file's bytes."""
        file = os.memfd_create("test")
        try:
            os.write(file, data)
            return self.worker.render(Job(**DEFAULTS | {"length": len(data)} | job), file)
        finally:
            os.close(file)

    def __call__(self, data: bytes, **job) -> Image.Image:
        """A picture of a file's bytes, decoded."""
        return Image.open(BytesIO(self.raw(data, **job)))

    def named(self, name: str, data: bytes, **job) -> Image.Image:
        """A picture of what the named file shows."""
        found = shown(BytesSource(data), name)
        assert found is not None
        if found.turned:
            job["orientation"] = 1
        return self(data, kind=found.kind, offset=found.offset, length=found.length, **job)


@pytest.fixture(scope="session")
def make():
    """Makes pictures with generous limits."""
    maker = Maker(Limits())
    yield maker
    maker.worker.close()


@pytest.fixture
def maker_within():
    """Makes pictures within other limits."""
    made = []

    def start(**limits) -> Maker:
        made.append(Maker(Limits(**limits)))
        return made[-1]

    yield start
    for maker in made:
        maker.worker.close()
