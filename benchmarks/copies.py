"""What many photos of few contents cost, against as many that all differ.

    python -m benchmarks.copies [--photos 5000,10000,20000,40000] [--contents 28] [--write]

Each library in a process of its own, with the storage and the reader of the server and an index in
memory: the first scan, then all photos moved into another directory, then all gone but one.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable
from pathlib import Path

from benchmarks.library import Library
from benchmarks.measuring import parser, provenance, publish, table
from tagline.index import open_index
from tagline.library import read_observed
from tagline.storage import LocalStorage
from tagline.sync import Reconciler

PER_DIRECTORY = 1000


def write(directory: Path, photos: int, contents: int) -> None:
    """So many photos, of which so many differ."""
    library = Library(seed=5, profile="bare", size_bytes=1024)
    known = [library.photo(number) for number in range(contents)] if contents < photos else []
    for number in range(photos):
        path = directory / "in" / f"{number // PER_DIRECTORY:03}" / f"{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(known[number % contents] if known else library.photo(number))


async def seconds(work: Awaitable[object]) -> float:
    """How much processor time it takes."""
    begun = time.process_time()
    await work
    return time.process_time() - begun


async def live(directory: Path) -> list[float]:
    """Seconds of the scan, of the move and of the removal."""
    storage = LocalStorage(directory)
    reconciler = Reconciler(storage, open_index(None), read_observed)
    taken = [await seconds(reconciler.reconcile())]
    (directory / "in").rename(directory / "moved")
    taken.append(await seconds(reconciler.reconcile()))
    (directory / "last.jpg").write_bytes(Library(seed=6, profile="bare").photo(1))
    shutil.rmtree(directory / "moved")
    taken.append(await seconds(reconciler.reconcile()))
    return taken


def measured(work: Path, photos: int, contents: int) -> list[float]:
    """The seconds of a child process, over a library that is made for it."""
    directory = work / f"copies-{os.getpid()}"
    write(directory, photos, contents)
    command = [sys.executable, "-m", "benchmarks.copies", "--child", str(directory)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    finally:
        shutil.rmtree(directory)
    return [float(word) for word in done.stdout.split()]


def main() -> None:
    """Measure, and write the table into the documents if that is asked for."""
    if sys.argv[1:2] == ["--child"]:
        print(*asyncio.run(live(Path(sys.argv[2]))))
        return
    arguments = parser(__doc__)
    arguments.add_argument("--photos", default="5000,10000,20000,40000")
    arguments.add_argument("--contents", type=int, default=28)
    chosen = arguments.parse_args()
    rows: list[tuple[object, ...]] = []
    for photos in map(int, chosen.photos.split(",")):
        alike = measured(chosen.work, photos, chosen.contents)
        apart = measured(chosen.work, photos, photos)
        ratios = [
            f"{one:.1f} / {other:.1f} = {one / other:.2f}"
            for one, other in zip(alike, apart, strict=True)
        ]
        micros = [f"{1e6 * one / photos:.0f}" for one in alike]
        rows.append((f"{photos:,}", *ratios, " / ".join(micros)))
        print(rows[-1], flush=True)
    head = ("photos", "scan, s", "move, s", "removal, s", "µs a copy")
    publish("copies", f"{table(head, rows)}\n{provenance('benchmarks.copies')}", chosen)


if __name__ == "__main__":
    main()
