"""What the suites of the synchronisation share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.sync.living import Living
from tests.sync.worlds import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A fresh library in memory."""
    made = World()
    yield made
    await made.close()


@pytest.fixture
async def living(tmp_path: Path) -> AsyncIterator[Living]:
    """A photo directory that is watched."""
    made = Living(tmp_path)
    yield made
    await made.close()
