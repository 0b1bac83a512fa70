"""Fixtures that every suite may use."""

from pathlib import Path

import pytest

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
