"""What the suites of the synchronisation share."""

from collections.abc import AsyncIterator

import pytest

from tests.sync.worlds import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A fresh library in memory."""
    made = World()
    yield made
    await made.close()
