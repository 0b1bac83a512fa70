"""What thumbnails cost: making them in a worker process, and serving those that are kept.

    python -m benchmarks.pictures [--rounds 40] [--requests 4000] [--write]

A JPEG of 12 megapixels is made into pictures by the same code in this process and in a worker
process; both are counted in pictures per second of processor time, the worker's own and what
talking to it costs here. Then a real server answers for a kept thumbnail, beside a bare aiohttp
handler that returns the same bytes, and with 304 for a client that has it.
"""

import argparse
import asyncio
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image

from benchmarks.measuring import parser, provenance, publish, table
from benchmarks.serve import Process, bare, pages_per_second, tagline
from tagline.pictures import rendering
from tagline.pictures.jobs import Job, Limits
from tagline.pictures.process import WorkerProcess
from tagline.pictures.recipe import PictureType

SIZE = (4000, 3000)
KINDS: tuple[tuple[str, int, PictureType], ...] = (
    ("256 px JPEG", 256, "image/jpeg"),
    ("512 px JPEG", 512, "image/jpeg"),
    ("512 px WebP", 512, "image/webp"),
    ("2048 px JPEG", 2048, "image/jpeg"),
    ("2048 px WebP", 2048, "image/webp"),
)


def photo() -> bytes:
    """A JPEG of 12 megapixels with large shapes, edges and a camera's noise."""
    random.seed(1)
    tiles = bytes(random.randrange(256) for _ in range(40 * 30 * 3))
    smooth = Image.frombytes("RGB", (40, 30), tiles).resize(SIZE, Image.Resampling.BICUBIC)
    edges = Image.frombytes("RGB", (40, 30), tiles[::-1]).resize(SIZE, Image.Resampling.NEAREST)
    noise = Image.effect_noise(SIZE, 20).convert("RGB")
    image = Image.blend(Image.blend(smooth, edges, 0.2), noise, 0.15)
    out = BytesIO()
    image.save(out, "JPEG", quality=92)
    return out.getvalue()


def job(length: int, edge: int, media_type: PictureType) -> Job:
    """The job of making a picture of that file."""
    return Job(
        kind="jpeg",
        offset=0,
        length=length,
        orientation=6,
        stored=SIZE,
        edge=edge,
        media_type=media_type,
        max_pixels=200_000_000,
        seconds=60,
    )


def cpu_of(process_id: int) -> float:
    """Processor seconds of a process's threads so far."""
    tasks = Path(f"/proc/{process_id}/task").glob("*/schedstat")
    return sum(int(task.read_text("ascii").split()[0]) for task in tasks) / 1e9


def per_second(work: Callable[[], object], clock: Callable[[], float], rounds: int) -> float:
    """Runs per second of a clock, the best of four parts."""
    work()
    rates: list[float] = []
    for _ in range(4):
        start = clock()
        for _ in range(max(rounds // 4, 1)):
            work()
        rates.append(max(rounds // 4, 1) / (clock() - start))
    return max(rates)


def making(data: bytes, rounds: int) -> list[tuple[str, str, str, str]]:
    """A row for each kind of picture: size, here, in a worker, and the ratio."""
    rendering.prepare()
    worker = WorkerProcess(Limits())
    file = os.memfd_create("photo")
    os.write(file, data)
    rows: list[tuple[str, str, str, str]] = []
    for name, edge, media_type in KINDS:
        wanted = job(len(data), edge, media_type)
        size = len(rendering.render(BytesIO(data), wanted))
        here = per_second(lambda w=wanted: rendering.render(BytesIO(data), w), _own_cpu, rounds)

        def both() -> float:
            return _own_cpu() + cpu_of(worker.process_id)

        there = per_second(lambda w=wanted: worker.render(w, file), both, rounds)
        shown = f"{here:.1f} / {there:.1f} = {there / here:.2f}"
        rows.append((name, f"{size / 1000:,.0f} kB", shown, f"{1000 / there:.0f} ms"))
    worker.close()
    os.close(file)
    return rows


def _own_cpu() -> float:
    return time.process_time()


async def serving(data: bytes, work: Path, requests: int) -> list[tuple[str, str]]:
    """Requests for a kept thumbnail per second of the server's processor time."""
    photos, kept = work / "photos", work / "data"
    photos.mkdir()
    (photos / "a.jpg").write_bytes(data)
    rows: list[tuple[str, str]] = []
    async with tagline(photos, kept) as server:
        await server.until("/health")
        await server.login()
        (item,) = (await _json(server, "/photos"))["items"]
        path = f"/photos/{item['id']}/thumbnail?size=256"
        body = await server.get(path)
        mine = await pages_per_second(server, path, requests)
        async with bare(body, work) as other:
            await other.until("/")
            theirs = await pages_per_second(other, path, requests)
        shown = f"{mine:,.0f} / {theirs:,.0f} = {mine / theirs:.2f}"
        rows.append((f"kept thumbnail of {len(body) / 1000:.0f} kB, Tagline / bare", shown))
        rows.append(("memory of the server itself", f"{server.memory_mib():.0f} MiB"))
    return rows


async def _json(server: Process, path: str):  # noqa: ANN202 - whatever JSON holds
    assert server.session is not None
    async with server.session.get(path) as answer:
        return await answer.json()


def main() -> None:
    """Measure, and print or write the tables."""
    arguments = parser(__doc__)
    arguments.add_argument("--rounds", type=int, default=40)
    arguments.add_argument("--requests", type=int, default=4000)
    options: argparse.Namespace = arguments.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    data = photo()
    work = Path(tempfile.mkdtemp(prefix="pictures-", dir=options.work))
    try:
        head = ("12 megapixels to", "size", "per CPU second, here / worker", "CPU each")
        made = table(head, making(data, options.rounds))
        rows = asyncio.run(serving(data, work, options.requests))
        served = table(("requests per CPU second", "one connection"), rows)
    finally:
        shutil.rmtree(work)
    publish("pictures", f"{made}\n{served}\n{provenance('benchmarks.pictures')}", options)


if __name__ == "__main__":
    main()
