"""Fixtures of the command line's tests."""

import pytest

from tests import processes


@pytest.fixture
def free_port() -> int:
    """A port that nothing listens on."""
    return processes.free_port()
