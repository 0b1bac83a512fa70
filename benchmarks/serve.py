"""What serving costs: a real server process on loopback, beside a bare aiohttp handler.

    python -m benchmarks.serve [--photos 1000,100000] [--requests 2000] [--write]

For each size: start-up (over an index that is there) until searches are prepared, memory, a page of
100 photos at both ends of the library, one photo, its original and its history, nothing at all,
PATCH, and the delay from a file's change to its visibility. Reads are counted in requests per
second of the *server's* processor time, which the client's own slowness cannot hide; the bare
handler returns the same bytes without reading a header, those of an original by aiohttp's
``FileResponse``. Requests follow one another on one kept-alive connection. The event loop's lag is
that of a process that runs the library as ``tagline serve`` does, while it scans: how much later
than asked for a timer of 1 ms fires.
"""

import argparse
import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

import aiohttp
from aiohttp import web

from benchmarks.library import Library
from benchmarks.measuring import described, parser, percentile, provenance, publish, table
from tagline.config.compose import build_library
from tagline.config.loading import load_settings

PASSWORD = "correct horse battery staple"
TICK_SECONDS = 0.001
AT_REST_SECONDS = 0.02
"""A server that uses so much of a second waits for work."""
_RATE = "per CPU second, Tagline / bare"


class Process:
    """A server process of ours; ended by its own handle."""

    def __init__(self, command: list[str], port: int, environment: dict[str, str]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.started = time.perf_counter()
        variables = {"PATH": os.environ["PATH"], "HOME": tempfile.gettempdir(), **environment}
        self._process = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL)
        self.session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        plain = {"Accept-Encoding": "identity"}  # the same bytes from both servers
        self.session = aiohttp.ClientSession(self.url, headers=plain)
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self.session is not None:
            await self.session.close()
        self._process.terminate()
        await asyncio.to_thread(self._process.wait, 30)

    async def until(self, path: str, status: int = 200) -> float:
        """Ask until the answer has this status; seconds since the start of the process."""
        assert self.session is not None
        while True:
            assert self._process.poll() is None, "the server ended by itself"
            try:
                async with self.session.get(path) as answer:
                    if answer.status == status:
                        return time.perf_counter() - self.started
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.005)

    async def login(self) -> None:
        """Every later request carries an access token."""
        assert self.session is not None
        async with self.session.post("/login", json={"password": PASSWORD}) as answer:
            tokens = await answer.json()
        self.session.headers["Authorization"] = f"Bearer {tokens['access_token']}"

    async def get(self, path: str) -> bytes:
        """The body of an answer."""
        assert self.session is not None
        async with self.session.get(path) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.read()

    async def until_at_rest(self) -> float:
        """Wait until nothing is done in the background any more; seconds since the start."""
        while True:
            before, since = self.cpu(), time.perf_counter() - self.started
            await asyncio.sleep(1)
            if self.cpu() - before < AT_REST_SECONDS:
                return since

    def cpu(self) -> float:
        """Processor seconds of the process's threads so far, to the nanosecond."""
        tasks = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text("ascii").split()[0]) for task in tasks) / 1e9

    def memory_mib(self) -> float:
        """Resident memory of the process."""
        fields = Path(f"/proc/{self._process.pid}/statm").read_text("ascii").split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tagline(photos: Path, data: Path) -> Process:
    """A Tagline server over a directory."""
    port = _free_port()
    command = [sys.executable, "-m", "tagline", "serve", str(photos)]
    return Process(command, port, _environment(photos, data, port))


def _environment(photos: Path, data: Path, port: int) -> dict[str, str]:
    return {
        "PHOTO_STORAGE_PATH": str(photos),
        "DATABASE_URL": f"tinydb:///{data}",
        "BACKEND_PASSWORD": PASSWORD,
        "TAGLINE_PORT": str(port),
        "TAGLINE_LOG_LEVEL": "error",
        # one token for the whole run
        "TAGLINE_ACCESS_TOKEN_SECONDS": "86400",
    }


def bare(body: bytes, directory: Path, *, from_file: bool) -> Process:
    """A bare aiohttp server that answers every request with the same bytes."""
    port = _free_port()
    file = directory / ("body.jpg" if from_file else "body.json")
    file.write_bytes(body)
    command = [sys.executable, "-m", "benchmarks.serve", "--bare", str(file), str(port)]
    return Process(command, port, {})


def serve_bare(file: Path, port: int) -> None:
    """Be that server."""
    body = file.read_bytes()

    async def handler(_request: web.Request) -> web.StreamResponse:
        if file.suffix == ".json":
            return web.Response(body=body, content_type="application/json")
        return web.FileResponse(file)

    app = web.Application()
    app.router.add_get("/{anything:.*}", handler)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


async def beside(server: Process, path: str, data: Path, requests: int) -> str:
    """Requests per second that Tagline answers, the bare handler, and their ratio."""
    body = await server.get(path)
    mine = await per_second(server, path, requests)
    async with bare(body, data, from_file=path.endswith("/image")) as other:
        await other.until("/")
        theirs = await per_second(other, path, requests)
    return f"{mine:,.0f} / {theirs:,.0f} = {mine / theirs:.2f}"


async def per_second(server: Process, path: str, requests: int) -> float:
    """Requests per second of the server's processor time, the better of two halves."""
    for _ in range(20):
        await server.get(path)
    rates: list[float] = []
    for _ in range(2):
        before = server.cpu()
        for _ in range(requests // 2):
            await server.get(path)
        rates.append(requests // 2 / max(server.cpu() - before, 1e-9))
    return max(rates)


async def times(work: Callable[[int], Awaitable[object]], count: int) -> list[float]:
    """Milliseconds of each call."""
    taken: list[float] = []
    for number in range(count):
        start = time.perf_counter()
        await work(number)
        taken.append((time.perf_counter() - start) * 1e3)
    return taken


async def patches(server: Process, items: list[dict[str, Any]]) -> list[float]:
    """Milliseconds of a PATCH each."""
    assert server.session is not None
    session = server.session

    async def patch(number: int) -> None:
        path = f"/photos/{items[number % len(items)]['id']}/metadata"
        async with session.patch(path, json={"description": f"Am Meer {number}"}) as answer:
            assert answer.status == 200, await answer.text()

    return await times(patch, 100)


async def delays(server: Process, photos: Path, items: list[dict[str, Any]]) -> list[float]:
    """Milliseconds from the rename of a changed file to its text in the API."""

    async def change(number: int) -> None:
        item = items[number % len(items)]
        path = photos / item["object_key"]
        text = f"von aussen {number}"
        new = path.with_name(".new")
        new.write_bytes(described(path.read_bytes(), text))
        start = time.perf_counter()
        new.rename(path)
        while text not in (await server.get(f"/photos/{item['id']}")).decode():
            assert time.perf_counter() - start < 20, "never became visible"
            await asyncio.sleep(0.002)
        taken.append((time.perf_counter() - start) * 1e3)
        await asyncio.sleep(0.05)

    taken: list[float] = []
    for number in range(50):
        await change(number)
    return taken


async def measure(photos: Path, data: Path, total: int, requests: int) -> dict[str, str]:
    """All figures of one size."""
    row: dict[str, str] = {}
    async with tagline(photos, data) as server:
        row["first scan, until ready"] = f"{await server.until('/health'):.1f} s"
    async with tagline(photos, data) as server:
        row["start, until it answers"] = f"{await server.until('/openapi.json'):.2f} s"
        row["start, until rescanned"] = f"{await server.until('/health'):.2f} s"
        row["start, until at rest"] = f"{await server.until_at_rest():.1f} s"
        row["memory"] = f"{server.memory_mib():.0f} MiB"
        await server.login()
        for share in (0, 9):
            path = f"/photos?limit=100&offset={total * share // 10}"
            row[f"page of 100 at {share * 10} %, {_RATE}"] = await beside(
                server, path, data, requests
            )
        items = json.loads(await server.get("/photos?limit=100"))["items"]
        taken = await patches(server, items)
        row["PATCH, median / p99"] = _spread(taken)
        photo = f"/photos/{items[0]['id']}"
        paths = {
            "one photo": photo,
            "its original": f"{photo}/image",
            "its history": f"{photo}/history",
            "`/health/live`, which does nothing": "/health/live",
        }
        for name, path in paths.items():
            row[f"{name}, {_RATE}"] = await beside(server, path, data, requests)
        taken = await delays(server, photos, items)
        row["file changed until visible, median / p99"] = _spread(taken)
    return row


def _spread(taken: list[float]) -> str:
    return f"{percentile(taken, 0.5):.1f} / {percentile(taken, 0.99):.1f} ms"


async def lag(photos: Path) -> list[float]:
    """Milliseconds that a timer of 1 ms is late while the library scans."""
    with tempfile.TemporaryDirectory() as data:
        settings = load_settings(environ=_environment(photos, Path(data), 0), env_file=None)
        library = build_library(settings).library
        late: list[float] = []
        await library.start()
        while not library.health().ready:
            start = time.perf_counter()
            await asyncio.sleep(TICK_SECONDS)
            late.append((time.perf_counter() - start - TICK_SECONDS) * 1e3)
        await library.stop()
    return late


async def run(options: argparse.Namespace) -> str:
    """Measure every size."""
    columns: dict[int, dict[str, str]] = {}
    for total in map(int, options.photos.split(",")):
        photos = options.work / f"served-{total}"
        Library(profile="bare").write(photos, total)
        data = Path(tempfile.mkdtemp(prefix="data-", dir=options.work))
        try:
            columns[total] = await measure(photos, data, total, options.requests)
        finally:
            shutil.rmtree(data)
    names = list(next(iter(columns.values())))
    rows = [(name, *(column[name] for column in columns.values())) for name in names]
    made = table(("`bare` photos", *(f"{total:,}" for total in columns)), rows)
    photos = options.work / f"lag-{options.lag}"
    Library().write(photos, options.lag)
    late = await lag(photos)
    return made + (
        f"\nEvent loop lag while {options.lag:,} `full` photos are scanned: median "
        f"{percentile(late, 0.5):.1f} ms, p99 {percentile(late, 0.99):.1f} ms, longest "
        f"{max(late):.1f} ms ({len(late):,} samples; target: p99 at most 10 ms).\n"
    )


def main() -> None:
    """Run it, and print the table."""
    arguments = parser(__doc__)
    arguments.add_argument("--photos", default="1000,100000")
    arguments.add_argument("--requests", type=int, default=2000)
    arguments.add_argument("--lag", type=int, default=3000, help="photos of the scan")
    arguments.add_argument("--bare", nargs=2, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.bare is not None:
        serve_bare(Path(options.bare[0]), int(options.bare[1]))
        return
    options.work.mkdir(parents=True, exist_ok=True)
    text = asyncio.run(run(options))
    publish("serve", text + "\n" + provenance("benchmarks.serve"), options)


if __name__ == "__main__":
    main()
