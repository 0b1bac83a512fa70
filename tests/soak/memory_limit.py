"""A limit of memory for processes: a control group, of either version, where one may be made."""

import os
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


class MemoryLimit:
    """A control group below the one that this process is in.

    Raises:
        OSError: it cannot be made here.
    """

    def __init__(self, size_bytes: int) -> None:
        own = _own_group()
        self.unified = (own / "cgroup.controllers").exists()
        self.group = own / f"tagline-test-{os.getpid()}"
        self.group.mkdir()
        try:
            limit = "memory.max" if self.unified else "memory.limit_in_bytes"
            (self.group / limit).write_text(str(size_bytes))
        except OSError:
            self.group.rmdir()
            raise

    @property
    def command(self) -> list[str]:
        """A command that runs the rest of its line inside the limit."""
        return ["sh", "-c", f'echo $$ > {self.group}/cgroup.procs && exec "$@"', "sh"]

    @property
    def highest_bytes(self) -> int:
        """The most that was used so far, what the kernel keeps of files included."""
        name = "memory.peak" if self.unified else "memory.max_usage_in_bytes"
        return int((self.group / name).read_text())

    @property
    def kills(self) -> int:
        """How many processes the kernel ended for want of memory."""
        name = "memory.events" if self.unified else "memory.oom_control"
        lines = (self.group / name).read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))

    def remove(self) -> None:
        """Remove it; every process in it has ended."""
        self.group.rmdir()


def _own_group() -> Path:
    """The directory of the group that limits this process's memory."""
    lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    for _, controllers, path in lines:
        if "memory" in controllers.split(","):
            return ROOT / "memory" / path.lstrip("/")
    return ROOT / next(path for number, _, path in lines if number == "0").lstrip("/")
