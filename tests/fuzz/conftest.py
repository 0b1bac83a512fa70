"""What the fuzzers begin from: one generated sample a format, and the real files where they are."""

from functools import cache
from pathlib import Path

import pytest

from tests.conftest import SHARED
from tests.metadata.containers.samples import SAMPLES


@cache
def real_files() -> list[Path]:
    """The corpus; empty where there is none."""
    files = (SHARED / "corpus").rglob("*")
    return sorted(path for path in files if path.is_file() and path.suffix != ".md")


@pytest.fixture(scope="session")
def files() -> dict[str, list[bytes]]:
    """Originals by lower-case extension, and all of them under the empty one."""
    found: dict[str, list[bytes]] = {"": []}
    extensions = {"JPEG": "jpg", "TIFF": "tif", "PNG": "png", "WebP": "webp", "HEIC": "heic"}
    made = [(extensions.get(name, name), make(1)) for name, make in SAMPLES.items()]
    real = [(path.suffix.lower()[1:], path.read_bytes()) for path in real_files()]
    for extension, data in made + real:
        found.setdefault(extension, []).append(data)
        found[""].append(data)
    return found
