"""Programs that write, ended with their test, and the judge of what is there in the end."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.hard.processes import Server, StartServer
from tests.hard.writers.copying import SETTLED_SOON, Copying, Ledger, faults_at_the_end
from tests.hard.writers.specimens import Specimen
from tests.hard.writers.tracing import Tracer

StartCopy = Callable[..., Awaitable[Copying]]
Judge = Callable[[Server, Ledger, Iterable[Copying]], Awaitable[list[str]]]


@pytest.fixture
async def start_copy(tmp_path: Path) -> AsyncIterator[StartCopy]:
    """Start a program that copies; every one is ended."""
    copies: list[Copying] = []
    sources = tmp_path / "sources"
    sources.mkdir()

    async def start(
        specimen: Specimen, manner: str, target: Path, stops: list[int], **more: Any
    ) -> Copying:
        copy = Copying(specimen, manner, target, stops, **more)
        copies.append(copy)
        return await copy.start(sources)

    yield start
    for copy in copies:
        await copy.end()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An empty directory of photos."""
    made = tmp_path / "photos"
    made.mkdir()
    return made


@pytest.fixture
async def server(directory: Path, start_server: StartServer) -> Server:
    """A server over the directory, for which 0.3 seconds without a change are rest."""
    return await start_server(directory, **SETTLED_SOON)


@pytest.fixture
def judge(directory: Path, start_server: StartServer, exiftool: str) -> Judge:
    """Say what is wrong in the end, to files and by a server that is started anew."""

    async def faults(server: Server, ledger: Ledger, copies: Iterable[Copying]) -> list[str]:
        await server.stop()
        again = await start_server(directory, **SETTLED_SOON)
        return await faults_at_the_end(again, ledger, copies, exiftool)

    return faults


@pytest.fixture
async def trace() -> AsyncIterator[Callable[..., Awaitable[Tracer]]]:
    """Watch a server's calls; see ``Tracer``."""
    tracers: list[Tracer] = []

    async def start(server: Server, *calls: str, injected: str) -> Tracer:
        tracer = Tracer()
        tracers.append(tracer)
        assert server.process is not None
        await tracer.start(server.process.pid, calls, injected)
        return tracer

    yield start
    for tracer in tracers:
        await tracer.end()
