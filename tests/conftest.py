"""Fixtures that every suite may use."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Machines are noisy: how long one example takes says nothing. What decides is always the same.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

SHARED = Path(__file__).resolve().parents[2] / "shared"


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
