"""Fixtures of the command line's tests."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests import processes

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run ``tagline`` with a home directory of its own; its output is a pipe.

    Nothing is being copied, so no command waits unless a test says otherwise.
    """

    def run_tagline(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tagline", *arguments],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path / "home"),
                "TAGLINE_SETTLE_SECONDS": "0",
                **environment,
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run_tagline


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A directory with two photos."""
    directory = tmp_path / "photos"
    directory.mkdir()
    Image.new("RGB", (16, 12), "red").save(directory / "a.jpg")
    Image.new("RGB", (16, 12), "blue").save(directory / "b.gif")
    return directory


@pytest.fixture
def free_port() -> int:
    """A port that nothing listens on."""
    return processes.free_port()
