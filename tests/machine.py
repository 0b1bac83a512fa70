"""What the machine has for the tests: programs, libraries, and the right to mount.

Whatever can be installed may be missing on somebody's desk, and its tests are skipped there. Where
it is decided what lands, that is a failure: ``.ci/run`` installs all of it. What a machine may
forbid, such as mounting, is asked once, by doing it; from then on every failure is a test's.
"""

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest

IN_CI = bool(os.environ.get("CI"))
# Last the interpreter's own place: some programs come as Python packages.
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:{Path(sys.executable).parent}"


def missing(name: str) -> NoReturn:
    """Skip the test for what is not installed; where ``CI`` is set, fail it."""
    (pytest.fail if IN_CI else pytest.skip)(f"{name} is not installed")
    raise AssertionError


def program(name: str) -> str:
    """The path of a program that the test needs."""
    return shutil.which(name, path=_PATH) or missing(name)


def library(pattern: str) -> Path:
    """The path of a shared library that the test needs, by a pattern below /usr/lib."""
    return next(Path("/usr/lib").glob(pattern), None) or missing(Path(pattern).name)


@functools.cache
def _why_no_mounts() -> str | None:
    """What mount(8) says against a file system in memory; None if nothing."""
    if os.geteuid() != 0:
        return "only root mounts"
    with tempfile.TemporaryDirectory() as where:
        command = [program("mount"), "-t", "tmpfs", "-o", "size=1m", "tagline-test", where]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"mounting is not possible here: {done.stderr.strip()}"
        subprocess.run(["umount", where], check=True)
    return None


def demand_mounts() -> None:
    """Skip the test where nothing can be mounted at all."""
    if reason := _why_no_mounts():
        pytest.skip(reason)


def demand_fuse() -> None:
    """Skip the test where no file system can be served by a process."""
    demand_mounts()
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        pytest.skip(f"/dev/fuse cannot be used here: {error.strerror}")
