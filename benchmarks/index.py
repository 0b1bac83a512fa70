"""The index beside stock TinyDB and sqlite3: the same photos, the same work, the same run.

    python benchmarks/index.py [--sizes 1000,10000] [--output FILE.json]

For every number of photos each store is built, measured and reopened in a process of its own.
Times are medians in microseconds unless the row says otherwise. Stock TinyDB is left out above
10,000 photos: an update takes it over a second from 100,000 on.
"""

import argparse
import json
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import msgspec
from tinydb import TinyDB
from tinydb.table import Document

from tagline.index import open_index
from tagline.model import (
    FileState,
    IndexedFile,
    IndexedPhoto,
    Metadata,
    Photo,
    PhotoQuery,
    photo_id,
)

SEED = 1
BATCH = 500
STOCK_AT_MOST = 10_000
CAMERAS = (("Canon", "Canon EOS 5D Mark IV"), ("NIKON CORPORATION", "NIKON D750"), ("Apple", "X"))


def make_row(number: int, total: int, description: str | None = None) -> IndexedPhoto:
    """A photo of a library of ``total``, in 20 years of twelve months."""
    random_ = random.Random(number * 31 + SEED)
    fingerprint = f"1:{random_.getrandbits(128):032x}"
    month = number * 240 // total
    key = f"{2000 + month // 12}/{month % 12 + 1:02d}/IMG_{number:07d}.jpg"
    make, model = random_.choice(CAMERAS)
    size, time_ns = random_.randrange(1 << 20, 1 << 23), random_.randrange(10**18, 2 * 10**18)
    photo = Photo(
        id=photo_id(fingerprint),
        object_key=key,
        metadata=Metadata(description=description),
        last_modified="2019-07-01T12:00:00.000000Z",
        media_type="image/jpeg",
        size=size,
        width=4000,
        height=3000,
        orientation=1,
        taken_at="2019-07-01T12:00:00.000000Z",
        taken_at_offset="+02:00",
        camera=model,
        make=make,
        model=model,
        lens="EF24-70mm f/2.8L II USM",
        gps=None,
        stored_in=(),
        description_sources=(),
        writable=True,
        problem=None,
        etag=f"{random_.getrandbits(96):024x}",
    )
    state = FileState(inode=number + 10**7, size=size, mtime_ns=time_ns, ctime_ns=time_ns)
    files = (IndexedFile(object_key=key, state=state),)
    return IndexedPhoto(photo=photo, fingerprint=fingerprint, files=files)


class Store(Protocol):
    """What is measured: the index work of Tagline, without waiting for the disk."""

    def put(self, rows: Iterable[IndexedPhoto]) -> None:
        """Store rows as one transaction."""

    def photo_json(self, photo_id: str) -> bytes:
        """A photo as JSON."""

    def page(self, offset: int) -> list[bytes]:
        """A hundred photos as JSON, by object key."""

    def close(self) -> None:
        """Close it."""


class Ours:
    """Tagline's index."""

    def __init__(self, directory: Path) -> None:
        self.index = open_index(directory)

    def put(self, rows: Iterable[IndexedPhoto]) -> None:
        """Store rows as one transaction."""
        self.index.apply(rows)

    def photo_json(self, photo_id: str) -> bytes:
        """A photo as JSON."""
        return self.index.photo_json(photo_id) or b""

    def page(self, offset: int) -> list[bytes]:
        """A hundred photos as JSON, by object key."""
        return list(self.index.page(PhotoQuery(offset=offset)).items)

    def close(self) -> None:
        """Close it."""
        self.index.close()


class Stock:
    """TinyDB as it comes: documents are dicts, the file is written whole."""

    def __init__(self, directory: Path) -> None:
        self.database = TinyDB(directory / "stock.json")

    def put(self, rows: Iterable[IndexedPhoto]) -> None:
        """Store rows as one transaction."""
        numbered = [(int(r.photo.id[:13].replace("-", ""), 16), r) for r in rows]
        if len(numbered) > 1:
            built = (Document(msgspec.to_builtins(r), doc_id=i) for i, r in numbered)
            self.database.insert_multiple(built)
        else:
            self.database.upsert(Document(msgspec.to_builtins(numbered[0][1]), numbered[0][0]))

    def photo_json(self, photo_id: str) -> bytes:
        """A photo as JSON."""
        found = self.database.get(doc_id=int(photo_id[:13].replace("-", ""), 16))
        return json.dumps(found["photo"]).encode()

    def page(self, offset: int) -> list[bytes]:
        """A hundred photos as JSON, by object key."""
        photos = sorted((d["photo"] for d in self.database), key=lambda p: p["object_key"])
        return [json.dumps(p).encode() for p in photos[offset : offset + 100]]

    def close(self) -> None:
        """Close it."""
        self.database.close()


class Sqlite:
    """sqlite3 in WAL mode: a row of columns, the photo as JSON, an index by key and fingerprint."""

    def __init__(self, directory: Path) -> None:
        self.db = sqlite3.connect(directory / "photos.sqlite")
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.execute(
            "CREATE TABLE IF NOT EXISTS photos (id TEXT PRIMARY KEY, object_key TEXT,"
            " fingerprint TEXT, files BLOB, photo BLOB)"
        )
        self.db.execute("CREATE INDEX IF NOT EXISTS by_key ON photos (object_key, id)")
        self.db.execute("CREATE INDEX IF NOT EXISTS by_fingerprint ON photos (fingerprint)")

    def put(self, rows: Iterable[IndexedPhoto]) -> None:
        """Store rows as one transaction."""
        encode = msgspec.json.encode
        with self.db:
            self.db.executemany(
                "INSERT OR REPLACE INTO photos VALUES (?, ?, ?, ?, ?)",
                (
                    (
                        p.photo.id,
                        p.photo.object_key,
                        p.fingerprint,
                        encode(p.files),
                        encode(p.photo),
                    )
                    for p in rows
                ),
            )

    def photo_json(self, photo_id: str) -> bytes:
        """A photo as JSON."""
        return self.db.execute("SELECT photo FROM photos WHERE id = ?", (photo_id,)).fetchone()[0]

    def page(self, offset: int) -> list[bytes]:
        """A hundred photos as JSON, by object key."""
        query = "SELECT photo FROM photos ORDER BY object_key, id LIMIT 100 OFFSET ?"
        return [row[0] for row in self.db.execute(query, (offset,))]

    def close(self) -> None:
        """Close it."""
        self.db.close()


STORES: dict[str, Callable[[Path], Store]] = {"tagline": Ours, "sqlite3": Sqlite, "tinydb": Stock}


def memory_mib() -> float:
    """Memory of this process, resident and its own."""
    text = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return (int(text[1]) - int(text[2])) * 4096 / (1 << 20)


def micros(work: Callable[[int], object], times: int, seconds: float = 3.0) -> dict[str, float]:
    """Median and 99th percentile of one call, over at most so many calls or seconds."""
    taken: list[float] = []
    end = time.perf_counter() + seconds
    for number in range(times):
        start = time.perf_counter()
        work(number)
        taken.append((time.perf_counter() - start) * 1e6)
        if time.perf_counter() > end:
            break
    taken.sort()
    return {
        "median": round(statistics.median(taken), 1),
        "p99": round(taken[int(len(taken) * 0.99)], 1),
    }


def batches(total: int) -> Iterator[list[IndexedPhoto]]:
    """All photos of the library, in batches."""
    rows = (make_row(n, total) for n in range(total))
    while batch := list(islice(rows, BATCH)):
        yield batch


def build(name: str, directory: Path, total: int) -> dict[str, Any]:
    """Store the whole library; stock TinyDB in one go: each batch would cost all before it."""
    store = STORES[name](directory)
    worst = spent = 0.0
    source = (
        batches(total) if name != "tinydb" else iter([[make_row(n, total) for n in range(total)]])
    )
    for batch in source:
        start = time.perf_counter()
        store.put(batch)
        took = time.perf_counter() - start
        spent, worst = spent + took, max(worst, took)
    store.close()
    size = sum(f.stat().st_size for f in directory.iterdir())
    return {
        "bulk load, photos/s": round(total / spent),
        f"worst batch of {BATCH}, ms": round(worst * 1e3, 1),
        "file, MB": round(size / 1e6, 1),
    }


def measure(name: str, directory: Path, total: int) -> dict[str, Any]:
    """Open the library and work with it."""
    choice = random.Random(SEED)
    before, start = memory_mib(), time.perf_counter()
    store = STORES[name](directory)
    store.page(0)
    opened = time.perf_counter() - start
    results: dict[str, Any] = {
        "start to first page, s": round(opened, 3),
        "memory, MiB": round(memory_mib() - before, 1),
    }
    numbers = [choice.randrange(total) for _ in range(2000)]
    rows = [make_row(n, total, "x" * 40) for n in numbers]
    results["get"] = micros(lambda n: store.photo_json(rows[n].photo.id), 2000)
    results["page at 0"] = micros(lambda _: store.page(0), 500)
    results["page at 90 %"] = micros(lambda _: store.page(total * 9 // 10), 500)
    results["update one"] = micros(lambda n: store.put([rows[n]]), 2000)
    store.close()
    return results


def run(name: str, total: int) -> dict[str, Any]:
    """Build and measure one store, each in a process of its own."""
    directory = Path(tempfile.mkdtemp(prefix="tagline-benchmark-"))
    results: dict[str, Any] = {"store": name, "photos": total}
    try:
        for step in ("build", "measure"):
            command = [sys.executable, __file__, "--step", step, name, str(directory), str(total)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            results |= json.loads(done.stdout)
    finally:
        shutil.rmtree(directory)
    return results


def main() -> None:
    """Run it all, and print a line a store and size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sizes", default="1000,10000,100000,1000000")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--step", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step is not None:
        step, name, directory, total = options.step
        work = build if step == "build" else measure
        print(json.dumps(work(name, Path(directory), int(total))))
        return
    results: list[dict[str, Any]] = []
    for total in map(int, options.sizes.split(",")):
        for name in STORES:
            if name != "tinydb" or total <= STOCK_AT_MOST:
                results.append(run(name, total))
                print(json.dumps(results[-1]), flush=True)
    if options.output is not None:
        options.output.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
