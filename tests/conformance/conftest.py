"""A server over real photos, for programs that know nothing but its OpenAPI document."""

import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.hard.processes import Server, save_photo
from tests.machine import missing

TOOLS = Path(sys.executable).parent
"""Where the tools of the extra ``api`` are installed."""


@pytest.fixture
def tool():
    """The path of a tool of the extra ``api``."""

    def find(name: str) -> str:
        if not (TOOLS / name).exists():
            missing(f"{name}, which make api-test installs,")
        return str(TOOLS / name)

    return find


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """A server over photos of every way of being kept: embedded, beside, and damaged."""
    photos, data = tmp_path / "photos", tmp_path / "data"
    (photos / "2019" / "Sommer & Meer").mkdir(parents=True)
    data.mkdir()
    for number, name in enumerate(("a.jpg", "2019/b.png", "2019/Sommer & Meer/c.webp", "d.gif")):
        save_photo(photos / name, number)
    (photos / "e.jpg").write_bytes(b"this is no picture")
    made = Server(photos, data)
    yield await made.start()
    assert await made.stop(signal.SIGTERM) == 0
    assert "Traceback" not in made.log.read_text()
