"""Runs the independent judge of whether a write harmed a file."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path


def run_judge(
    directory: Path, *arguments: str | Path, cache: Path | None = None, timeout_seconds: float = 280
) -> str:
    """What the judge prints of two directories.

    It leaves programs behind that wait for more files, for ever: these are ended.

    Args:
        directory: where the judge lies.
        arguments: what it is asked.
        cache: where it may keep things; None for where it likes to.
        timeout_seconds: so long it may take.

    Raises:
        subprocess.CalledProcessError: it failed.
        subprocess.TimeoutExpired: it took too long.
    """
    command = [sys.executable, str(directory / "roundtrip.py"), *map(str, arguments)]
    kept = {} if cache is None else {"XDG_CACHE_HOME": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        command,
        env=os.environ | kept,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as judge:
        try:
            told, _ = judge.communicate(timeout=timeout_seconds)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(judge.pid, signal.SIGKILL)
    if judge.returncode:
        raise subprocess.CalledProcessError(judge.returncode, command, told)
    return told
