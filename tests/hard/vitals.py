"""What the kernel says of a process."""

import os
from pathlib import Path


def status_bytes(pid: int, field: str) -> int:
    """A field of ``/proc/PID/status`` that is in kB: ``VmRSS``, or ``VmHWM`` for the highest."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = next(line for line in lines if line.startswith(f"{field}:"))
    return int(found.split()[1]) * 1024


def threads(pid: int) -> int:
    """How many threads it has."""
    return sum(1 for _ in Path(f"/proc/{pid}/task").iterdir())


def descriptors(pid: int) -> int:
    """How many file descriptors it has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208
