"""Each kind of mount, unmounted at the end whatever happens."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hard.mounts.real_mounts import MOUNTS, RealMount
from tests.hard.writers.conftest import start_copy, trace
from tests.machine import demand_fuse

__all__ = ["start_copy", "trace"]


@pytest.fixture(params=MOUNTS)
def mount(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealMount]:
    """One real mount after the other; skips where a process may not serve a file system."""
    demand_fuse()
    with MOUNTS[request.param](tmp_path / request.param) as mounted:
        yield mounted
