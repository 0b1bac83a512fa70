"""What finding photos costs: every list of the API, beside a bare handler with the same bytes.

    python -m benchmarks.find [--photos 1000,100000] [--requests 40] [--write]

The server is a process of its own with the whole API over an index in memory; requests follow one
another on one kept-alive connection, tokens and all. Each query is timed three ways: the first
time (nothing is kept of earlier searches), after a change (one photo was edited since), and again.
The bare aiohttp handler answers with the bytes of the same answer, in the same process and run.
Each figure is median / 99th percentile / median of the server's processor time; the ratio is of
processor times. The block is how much later than asked for, at most, a timer of 1 ms fired in the
server during the first two: what other processes take of the machine is in it as well.
A third of the photos has six words of description, half have up to three of 300 keywords in no
order, nine of ten a date in no order: nothing is near what it belongs to.
"""

import argparse
import asyncio
import gc
import os
import random
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import aiohttp
import msgspec
from aiohttp import web

from benchmarks.index import make_row
from benchmarks.measuring import parser, percentile, provenance, publish, table
from tagline.api import ApiOptions, create_app
from tagline.auth import ApiTokenService, FailureLimit, PasswordVerifier, TokenService, TokenStore
from tagline.index import TinyPhotoIndex, open_database, open_index
from tagline.index.steps import finish
from tagline.library import Library, Parts, Sessions, read_observed
from tagline.model import IndexedPhoto, Metadata
from tagline.pictures.caches import MemoryCache
from tagline.pictures.jobs import Limits
from tagline.pictures.pool import WorkerPool
from tagline.pictures.service import Pictures
from tagline.storage import MemoryStorage
from tagline.sync import Reconciler, Watcher

PASSWORD = "correct horse battery staple"
TICK_SECONDS = 0.001
KEPT_SECONDS = 30 * 86400
WORDS = [f"{word}{n}" for n in range(1000) for word in ("meer", "oslo", "Ålesund")]

QUERIES = {
    "all photos": "/photos?limit=100",
    "all, in the middle": "/photos?limit=100&offset={middle}",
    "all, by date, in the middle": "/photos?limit=100&sort=taken_at&order=desc&offset={middle}",
    "`fields=id`": "/photos?limit=500&fields=id",
    "`fields=id,object_key,etag`": "/photos?limit=100&fields=id,object_key,etag",
    "a file name": "/photos?q=IMG_0000123",
    "a word that a few have": "/photos?q=alesund77",
    "a word that a third has": "/photos?q=oslo",
    "a word that all have": "/photos?q=img",
    "two words, by date": "/photos?q=oslo1+meer&sort=taken_at",
    "a folder": "/photos?folder=2005",
    "a folder, by date": "/photos?folder=2005&sort=taken_at&order=desc",
    "described": "/photos?described=true",
    "rated": "/photos?rating_min=3&sort=last_modified",
    "a keyword": "/photos?keyword=KEY7",
    "a media type": "/photos?media_type=image/png",
    "a month, by date": "/photos?taken_from=2005-07-01&taken_to=2005-07-31&sort=taken_at",
    "everything at once": "/photos?q=oslo&folder=2005&described=true&rating_min=2&keyword=key7"
    "&taken_from=2001-01-01&media_type=image/*&sort=taken_at",
    "folders": "/folders",
    "folders of rated photos": "/folders?rating_min=3",
    "keywords": "/keywords",
    "keywords in a folder": "/keywords?folder=2005",
    "timeline": "/timeline",
    "timeline of a word": "/timeline?q=oslo",
}


def row(number: int, total: int, edits: int = 0) -> IndexedPhoto:
    """A photo with something to find, edited so many times."""
    made = make_row(number, total)
    draw = random.Random(number)
    said = Metadata(
        description=" ".join([*draw.choices(WORDS, k=6), *[str(edits)] * bool(edits)])
        if number % 3 == 0 or edits
        else None,
        keywords=tuple({f"Key{draw.randrange(300)}" for _ in range(3)}) if number % 2 else (),
        rating=number % 6 if number % 4 else None,
    )
    taken = (
        f"{2000 + draw.randrange(20)}-{1 + draw.randrange(12):02d}-{1 + draw.randrange(28):02d}"
        f"T12:00:00.{draw.randrange(10**6):06d}Z"
    )
    kinds = ["image/jpeg", "image/jpeg", "image/png", "image/heic"]
    photo = msgspec.structs.replace(
        made.photo,
        metadata=said,
        taken_at=taken if number % 10 else None,
        last_modified=f"2020-01-01T00:{draw.randrange(60):02d}:00.{draw.randrange(10**6):06d}Z",
        media_type=draw.choice(kinds),
    )
    return msgspec.structs.replace(made, photo=photo)


def memory_mib() -> float:
    """Resident memory of this process."""
    gc.collect()
    fields = Path("/proc/self/statm").read_text("ascii").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


class Served:
    """The server process: the API, a bare handler, and what the benchmark asks of it."""

    def __init__(self, total: int) -> None:
        self.total, self.edits, self.late, self.body = total, 0, 0.0, b""
        self.index = open_index(None)
        for start in range(0, total, 256):
            self.index.apply(row(n, total) for n in range(start, min(start + 256, total)))
        self.before = memory_mib()
        self.prepared = self._prepare()
        self.after = memory_mib()
        self.library = _library(self.index)

    def _prepare(self) -> float:
        """Seconds that deriving everything takes, in one go."""
        start = time.perf_counter()
        finish(self.index.catalogue.warm())
        return time.perf_counter() - start

    async def run(self, port: int) -> None:
        """Serve until it is ended."""
        server = web.Application()
        server.add_subapp("/api", create_app(self.library, ApiOptions()))
        for name in ("bare", "forget", "edit", "longest", "memory"):
            server.router.add_get(f"/{name}", getattr(self, name))
        server.router.add_post("/bare", self.set_bare)
        runner = web.AppRunner(server, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        while True:
            start = time.perf_counter()
            await asyncio.sleep(TICK_SECONDS)
            self.late = max(self.late, time.perf_counter() - start - TICK_SECONDS)

    async def bare(self, _request: web.Request) -> web.Response:
        """The bytes that were given to it."""
        return web.Response(body=self.body, content_type="application/json")

    async def set_bare(self, request: web.Request) -> web.Response:
        """Take these bytes."""
        self.body = await request.read()
        return web.Response()

    async def forget(self, _request: web.Request) -> web.Response:
        """Keep nothing of earlier searches."""
        self.index.catalogue._found.clear()  # noqa: SLF001 - nobody but a benchmark wants that
        return web.Response()

    async def edit(self, _request: web.Request) -> web.Response:
        """Change a photo somewhere."""
        self.edits += 1
        self.index.apply([row(self.edits * 7919 % self.total, self.total, self.edits)])
        return web.Response()

    async def longest(self, _request: web.Request) -> web.Response:
        """The longest block in milliseconds, since it was asked for last."""
        longest, self.late = self.late, 0.0
        return web.json_response(longest * 1e3)

    async def memory(self, _request: web.Request) -> web.Response:
        """Memory before and after the catalogue was derived, and how long that took."""
        return web.json_response([self.before, self.after, self.prepared])


def _library(index: TinyPhotoIndex) -> Library:
    storage, tokens = MemoryStorage(), open_database(None, durable=True)
    store = TokenStore(tokens)
    service = TokenService(store, "s" * 32, time.time, KEPT_SECONDS, KEPT_SECONDS)
    reconciler = Reconciler(storage, index, read_observed)
    return Library(
        Parts(
            storage=storage,
            index=index,
            reconciler=reconciler,
            watcher=Watcher(reconciler, None),
            sessions=Sessions(
                PasswordVerifier(PASSWORD, time.monotonic),
                service,
                ApiTokenService(store.api_tokens, time.time),
                FailureLimit(time.monotonic),
            ),
            pictures=Pictures(WorkerPool(1, Limits()), MemoryCache(0), None),
            write_mode="embed",
            close=lambda: None,
        )
    )


class Client:
    """Asks the server process, one request after another."""

    def __init__(self, session: aiohttp.ClientSession, pid: int) -> None:
        self._session = session
        self._tasks = Path(f"/proc/{pid}/task")

    def cpu_ms(self) -> float:
        """Processor time of the server's threads so far."""
        tasks = self._tasks.glob("*/schedstat")
        return sum(int(task.read_text("ascii").split()[0]) for task in tasks) / 1e6

    async def get(self, path: str) -> bytes:
        """The body of an answer."""
        async with self._session.get(path) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.read()

    async def login(self) -> None:
        """Every later request carries an access token."""
        async with self._session.post("/api/login", json={"password": PASSWORD}) as answer:
            tokens = await answer.json()
        self._session.headers["Authorization"] = f"Bearer {tokens['access_token']}"

    async def be_bare(self, body: bytes) -> None:
        """Let the bare handler answer with these bytes."""
        async with self._session.post("/bare", data=body) as answer:
            assert answer.status == 200

    async def timed(self, path: str, requests: int, before: str | None = None) -> "Times":
        """Times of each request; ``before`` each of them something else is asked for."""
        times = Times([], [])
        for _ in range(requests):
            if before is not None:
                await self.get(before)
            cpu, start = self.cpu_ms(), time.perf_counter()
            await self.get(path)
            times.wall.append((time.perf_counter() - start) * 1e3)
            times.cpu.append(self.cpu_ms() - cpu)
        return times


class Times(NamedTuple):
    """Milliseconds of each request, by the clock and of the server's processor."""

    wall: list[float]
    cpu: list[float]

    def __str__(self) -> str:
        median, last = percentile(self.wall, 0.5), percentile(self.wall, 0.99)
        return f"{median:.1f} / {last:.1f} / {percentile(self.cpu, 0.5):.1f}"


async def measure(client: Client, path: str, requests: int) -> tuple[str, ...]:
    """All figures of one query."""
    await client.be_bare(await client.get(path))
    await client.get("/longest")
    first = await client.timed(path, requests, "/forget")
    changed = await client.timed(path, requests, "/edit")
    longest = float(await client.get("/longest"))
    again = await client.timed(path, requests * 2)
    bare = await client.timed("/bare", requests * 2)
    ratio = percentile(bare.cpu, 0.5) / percentile(again.cpu, 0.5)
    return (*map(str, (first, changed, again, bare)), f"{ratio:.2f}", f"{longest:.0f}")


async def run(total: int, requests: int) -> str:
    """Measure every query at one size."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.find", "--serve", str(total), str(port)]
    process = subprocess.Popen(command)  # noqa: ASYNC220 - starting one takes no time here
    headers = {"Accept-Encoding": "identity"}
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as session:
            client = Client(session, process.pid)
            await _until_served(client, process)
            await client.login()
            rows: list[tuple[str, ...]] = []
            for name, query in QUERIES.items():
                path = "/api" + query.format(middle=total // 2)
                rows.append((name, *await measure(client, path, requests)))
            before, after, seconds = msgspec.json.decode(await client.get("/memory"))
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)
    head = (f"{total:,} photos", "first", "after a change", "again", "bare", "ratio", "block")
    return table(head, rows) + (
        f"\nMemory of the process: {before:.0f} MiB without the catalogue, {after:.0f} MiB with "
        f"it; deriving all of it takes {seconds:.1f} s.\n"
    )


async def _until_served(client: Client, process: subprocess.Popen[bytes]) -> None:
    while True:
        assert process.poll() is None, "the server ended by itself"
        try:
            await client.get("/bare")
        except aiohttp.ClientError:
            await asyncio.sleep(0.05)
        else:
            return


def main() -> None:
    """Run it, and print the tables."""
    arguments = parser(__doc__)
    arguments.add_argument("--photos", default="1000,100000")
    arguments.add_argument("--requests", type=int, default=40, help="of each kind")
    arguments.add_argument("--serve", nargs=2, type=int, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.serve is not None:
        total, port = options.serve
        asyncio.run(Served(total).run(port))
        return
    sizes = map(int, options.photos.split(","))
    text = "\n".join(asyncio.run(run(total, options.requests)) for total in sizes)
    publish("find", text + "\n" + provenance("benchmarks.find"), options)


if __name__ == "__main__":
    main()
