"""What events cost: from a file's change to its event, and many readers at once.

    python -m benchmarks.events [--changes 100] [--readers 100] [--events 1000] [--write]

The delay is that of a real server process on loopback over 1,000 photos: from the rename that puts
a changed photo in place to the event's arrival. The readers are raw connections of another process
to the API in this one; the events come ten at a time, every 20 ms. The event loop's lag is how much
later than asked for a timer of 1 ms fires, as far as this process and no other keeps it waiting.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

from benchmarks.library import Library as Photos
from benchmarks.measuring import described, parser, percentile, provenance, publish, table
from benchmarks.serve import Process, tagline
from tagline.api import ApiOptions, ServerOptions, create_app
from tagline.api.options import EventOptions
from tagline.api.server import serving
from tagline.auth import SCOPES
from tagline.library import Hub, Library, Principal, Reader
from tagline.library.happenings import PhotoChanged

AT_ONCE = 10
PAUSE_SECONDS = 0.02
SETTLED_SECONDS = 3.0
"""After so long changes are told one by one again, though a scan was told by numbers."""
MARK = b"event: photo_changed"


async def delays(server: Process, photos: Path, changes: int) -> list[float]:
    """Milliseconds from the rename of a changed file to its event."""
    assert server.session is not None
    items = json.loads(await server.get("/photos?limit=100"))["items"]
    taken: list[float] = []
    async with server.session.get("/events", timeout=None) as stream:
        await asyncio.sleep(SETTLED_SECONDS)
        for number in range(changes):
            path = photos / items[number % len(items)]["object_key"]
            new = path.with_name(".new")
            text = f"von aussen {time.time()}"
            new.write_bytes(described(path.read_bytes(), text))
            start = time.perf_counter()
            new.rename(path)
            async for line in stream.content:
                if line.startswith(MARK):
                    break
            taken.append((time.perf_counter() - start) * 1e3)
            await asyncio.sleep(0.1)
    return taken


class Source:
    """As much of a library as event streams need."""

    def __init__(self) -> None:
        self.hub = Hub("benchmark")

    def subscribe(self, wake: Callable[[], None], last_id: str | None) -> Reader:
        """A reader of what is published."""
        return self.hub.subscribe(wake, last_id)

    def authenticate(self, _credential: str) -> Principal:
        """Everybody is let in."""
        return Principal(kind="session", id="", name=None, scopes=SCOPES["write"], expires_at=None)


async def late(until: asyncio.Event) -> list[float]:
    """Milliseconds that a timer of 1 ms is late by the work of this thread."""
    found: list[float] = []
    while not until.is_set():
        start, cpu = time.perf_counter(), time.thread_time()
        await asyncio.sleep(0.001)
        late_seconds = time.perf_counter() - start - 0.001
        found.append(min(late_seconds, time.thread_time() - cpu) * 1e3)
    return found


def memory_mib() -> float:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096 / (1 << 20)


async def fan_out(readers: int, events: int) -> list[tuple[str, str]]:
    """Figures of many readers: rows of a table."""
    source = Source()
    options = ApiOptions(events=EventOptions(most=readers, most_of_session=readers))
    app = create_app(cast("Library", source), options)
    quiet = ServerOptions(port=0, access_log=False)
    async with serving(app, quiet) as url:
        done = asyncio.Event()
        asyncio.get_running_loop().call_later(1.0, done.set)
        rest = await late(done)
        before_mib = memory_mib()
        command = ["-m", "benchmarks.events", "--read", url, str(readers), str(events)]
        child = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdout=asyncio.subprocess.PIPE
        )
        assert child.stdout is not None
        assert await child.stdout.readline() == b"ready\n"
        open_mib = memory_mib() - before_mib
        done.clear()
        lagging = asyncio.create_task(late(done))
        cpu, start = time.process_time(), time.perf_counter()
        for number in range(events):
            name = f"2024/IMG_{number:04d}.jpg"
            source.hub.publish(PhotoChanged(id="0" * 36, etag="0" * 24, object_key=name))
            if number % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(PAUSE_SECONDS)
        assert await child.stdout.readline() == b"done\n"
        took, cpu = time.perf_counter() - start, time.process_time() - cpu
        done.set()
        lag = await lagging
        await child.wait()
    each = cpu / events / readers * 1e6
    return [
        (f"{events:,} events to {readers} readers", f"{took:.1f} s"),
        ("processor time, in all / an event and reader", f"{cpu:.2f} s / {each:.1f} us"),
        ("memory of a waiting reader", f"{open_mib / readers * 1024:.0f} KiB"),
        ("event loop lag at rest, median / p99 / longest", _lag(rest)),
        ("event loop lag meanwhile, median / p99 / longest", _lag(lag)),
    ]


def _lag(found: list[float]) -> str:
    shares = (percentile(found, 0.5), percentile(found, 0.99), max(found))
    return " / ".join(f"{share:.1f}" for share in shares) + " ms"


async def read(url: str, readers: int, events: int) -> None:
    """Be the readers."""
    host, _, port = url.removeprefix("http://").partition(":")
    request = f"GET /events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer x\r\n\r\n".encode()
    streams = []
    for _ in range(readers):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request)
        await reader.readuntil(b"event: opened")
        streams.append((reader, writer))

    async def count(reader: asyncio.StreamReader) -> None:
        for _ in range(events):
            await reader.readuntil(MARK)

    print("ready", flush=True)
    await asyncio.gather(*(count(reader) for reader, _ in streams))
    print("done", flush=True)
    for _, writer in streams:
        writer.close()


async def run(options: argparse.Namespace) -> str:
    """Measure both."""
    photos = options.work / "served-1000"
    Photos(profile="bare").write(photos, 1000)
    data = Path(tempfile.mkdtemp(prefix="data-", dir=options.work))
    try:
        async with tagline(photos, data) as server:
            await server.until("/health")
            await server.login()
            taken = await delays(server, photos, options.changes)
    finally:
        shutil.rmtree(data)
    spread = f"{percentile(taken, 0.5):.1f} / {percentile(taken, 0.99):.1f} ms"
    rows = [("file changed until its event, median / p99", spread)]
    rows += await fan_out(options.readers, options.events)
    return table(("events", ""), rows)


def main() -> None:
    """Run it, and print the table."""
    arguments = parser(__doc__)
    arguments.add_argument("--changes", type=int, default=100)
    arguments.add_argument("--readers", type=int, default=100)
    arguments.add_argument("--events", type=int, default=1000)
    arguments.add_argument("--read", nargs=3, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.read is not None:
        url, readers, events = options.read
        asyncio.run(read(url, int(readers), int(events)))
        return
    options.work.mkdir(parents=True, exist_ok=True)
    text = asyncio.run(run(options))
    publish("events", text + "\n" + provenance("benchmarks.events"), options)


if __name__ == "__main__":
    main()
