"""Fixtures that every suite may use."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.machine import IN_CI, program

# Machines are noisy: how long one example takes says nothing. What decides is always the same.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if IN_CI else "here")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Find the programs that a test is marked to need, before any fixture runs them."""
    for mark in item.iter_markers("needs"):
        for name in mark.args:
            program(name)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The directory of shared test material beside the checkout; skips where there is none."""
    if not (SHARED / "corpus").is_dir():
        pytest.skip("no shared test material beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def corpus(shared: Path) -> list[Path]:
    """Every real file of the corpus, sorted."""
    files = (p for p in (shared / "corpus").rglob("*") if p.is_file() and p.suffix != ".md")
    return sorted(files)
