"""What a server holds, measured from outside again and again."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.hard.processes import Server
from tests.hard.vitals import descriptors, status_bytes, threads
from tests.processes import children


class Sample(NamedTuple):
    """What it held at a moment; sizes in bytes, times in seconds."""

    at: float
    memory: int
    workers: int
    descriptors: int
    threads: int
    index: int
    history: int
    tokens: int
    pictures: int
    photos: int
    latency: float


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _size_below(directory: Path) -> int:
    return sum(_size(path) for path in directory.rglob("*") if path.is_file())


async def take(server: Server, began: float) -> Sample:
    """Measure now. The latency is that of ``/health``: what the event loop keeps it waiting."""
    assert server.process is not None
    pid, data = server.process.pid, server.data
    asked = time.monotonic()
    health = await server.ask("GET", "/health")
    latency = time.monotonic() - asked
    assert health.status == 200, health
    return Sample(
        at=asked - began,
        memory=status_bytes(pid, "VmRSS"),
        workers=sum(map(_memory_of, children(pid))),
        descriptors=descriptors(pid),
        threads=threads(pid),
        index=sum(map(_size, data.glob("photos*"))),
        history=sum(map(_size, data.glob("history*"))),
        tokens=sum(map(_size, data.glob("tokens*"))),
        pictures=await asyncio.to_thread(_size_below, data / "pictures"),
        photos=health.json["index"]["photos"],
        latency=latency,
    )


def _memory_of(pid: int) -> int:
    try:
        return status_bytes(pid, "VmRSS")
    except (FileNotFoundError, StopIteration):  # it ended meanwhile, or is about to
        return 0


async def keep_taking(
    server: Server, began: float, every_seconds: float, note: Callable[[Sample], None]
) -> None:
    """Measure until cancelled."""
    while True:
        note(await take(server, began))
        await asyncio.sleep(every_seconds)
