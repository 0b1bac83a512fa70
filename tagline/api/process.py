"""What this process uses of the machine, by the names that Prometheus' own clients use."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from resource import RLIMIT_NOFILE, getrlimit

from tagline.api.exposition import Family, Sample

_PROC = Path("/proc/self")
_STARTED_AT = time.time()


def process_families() -> Iterator[Family]:
    """Memory, processor time, open files, threads; what the system does not tell is left out."""
    cpu = os.times()
    yield _one(
        "process_cpu_seconds_total",
        "Processor time of the server, without the processes that decode pictures.",
        cpu.user + cpu.system,
        kind="counter",
    )
    yield _one("process_start_time_seconds", "When it started, in Unix seconds.", _STARTED_AT)
    yield _one("process_max_fds", "Files that it may have open.", getrlimit(RLIMIT_NOFILE)[0])
    try:
        pages = _PROC.joinpath("statm").read_text(encoding="ascii").split()
        files = sum(1 for _ in _PROC.joinpath("fd").iterdir())
        threads = sum(1 for _ in _PROC.joinpath("task").iterdir())
    except OSError:
        return
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    yield _one("process_resident_memory_bytes", "Memory in use.", int(pages[1]) * page_bytes)
    yield _one("process_virtual_memory_bytes", "Address space.", int(pages[0]) * page_bytes)
    yield _one("process_open_fds", "Files and connections that are open.", files)
    yield _one("process_threads", "Threads.", threads)


def _one(name: str, says: str, value: float, *, kind: str = "gauge") -> Family:
    return Family(name, "counter" if kind == "counter" else "gauge", says, [Sample(value)])
