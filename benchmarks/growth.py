"""What a durable change costs in a library of a million photos against one of a thousand.

    python -m benchmarks.growth [--small 1000] [--large 1000000] [--rounds 200] [--write]

Two processes, each with an index of its size and one real JPEG of 64 KB on the disk, change its
description in turn: find the photo, read, edit, prove, write durably, read again, index. So both
meet the same disk and the same other work. A third table row has the index alone.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.library import Library
from benchmarks.measuring import parser, percentile, provenance, publish, table
from benchmarks.stores import make_row
from tagline.index import TinyPhotoIndex, open_index
from tagline.library import PhotoWriter, read_observed
from tagline.library.editing import Editor
from tagline.model import IndexedPhoto, MetadataChange, Precondition
from tagline.storage import LocalStorage
from tagline.sync import Reconciler

BATCH = 250
KEY = "a.jpg"


def filled(index: TinyPhotoIndex, total: int) -> None:
    """Give the index the rows of so many photos."""
    for start in range(0, total, BATCH):
        index.apply([make_row(n, total) for n in range(start, min(total, start + BATCH))])


async def serve(directory: Path, total: int) -> None:
    """Change the photo once a line of standard input; tell how many microseconds each took."""
    photos, data = directory / "photos", directory / "data"
    photos.mkdir(parents=True)
    (photos / KEY).write_bytes(Library(size_bytes=64 << 10).photo(1))
    index = open_index(data)
    filled(index, total)
    storage = LocalStorage(photos)
    reconciler = Reconciler(storage, index, read_observed)
    await reconciler.refresh([KEY])
    editor = Editor(storage, index, reconciler, PhotoWriter(storage))
    row = index.by_key(KEY)
    assert row is not None
    rows = (make_row(n * 7919 % total, total, f"text {n}") for n in range(1 << 30))
    print("ready", flush=True)
    for number, line in enumerate(iter(sys.stdin.readline, "")):
        if line.strip() == "index":
            taken = update(index, rows)
        else:
            change = MetadataChange(description=f"The {number}th text")
            start = time.perf_counter()
            await editor.edit(row.photo.id, change, Precondition())
            taken = time.perf_counter() - start
        print(taken * 1e6, flush=True)
    await reconciler.close()
    index.close()


def update(index: TinyPhotoIndex, rows: Iterator[IndexedPhoto]) -> float:
    """Store one changed row; seconds."""
    row = next(rows)
    start = time.perf_counter()
    index.apply([row])
    return time.perf_counter() - start


class Child:
    """A process with a library of one size."""

    def __init__(self, directory: Path, total: int) -> None:
        command = [sys.executable, "-m", "benchmarks.growth", "--serve", str(directory), str(total)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.ask("")

    def ask(self, what: str) -> str:
        """Send a line, if any; give the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if what:
            print(what, file=self._process.stdin, flush=True)
        return self._process.stdout.readline()

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=60)


def compared(small: int, large: int, rounds: int, directory: Path) -> str:
    """The table."""
    children = [Child(directory / str(total), total) for total in (small, large)]
    lines: list[list[str]] = []
    for kind, what in (("durable change", "edit"), ("the index alone", "index")):
        taken: list[list[float]] = [[], []]
        for _ in range(rounds):
            for times, child in zip(taken, children, strict=True):
                times.append(float(child.ask(what)))
        for name, share in (("median", 0.5), ("p99", 0.99)):
            few, many = (percentile(times, share) for times in taken)
            lines.append([f"{kind}, {name}", f"{few:,.0f}", f"{many:,.0f}", f"{many / few:.2f}"])
    for child in children:
        child.close()
    head = ["\u00b5s", f"{small:,} photos", f"{large:,} photos", "ratio"]
    told = "Targets: median ratio at most 1.2, p99 at most 1.5."
    return f"{table(head, lines)}\n{told}\n\n{provenance('benchmarks.growth')}"


def main() -> None:
    """Run it."""
    made = parser(__doc__)
    made.add_argument("--small", type=int, default=1000)
    made.add_argument("--large", type=int, default=1_000_000)
    made.add_argument("--rounds", type=int, default=200)
    made.add_argument("--serve", nargs=2)
    options = made.parse_args()
    if options.serve is not None:
        directory, total = options.serve
        asyncio.run(serve(Path(directory), int(total)))
        return
    options.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.work) as directory:
        told = compared(options.small, options.large, options.rounds, Path(directory))
    publish("growth", told, options)


if __name__ == "__main__":
    main()
