"""The index beside stock TinyDB and sqlite3: the same photos, the same work, the same run.

    python -m benchmarks.index [--photos 1000,10000,100000,1000000] [--write]

For every number of photos each store is built, measured and reopened in a process of its own.
None of them waits for the disk. Stock TinyDB is left out above 10,000 photos: an update takes it
over a second from 100,000 on.
"""

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.measuring import DOCS, parser, provenance, publish, table
from benchmarks.plot import Line, Panel, draw
from benchmarks.stores import SEED, STORES, make_row
from tagline.model import IndexedPhoto

BATCH = 250
STOCK_AT_MOST = 10_000
PICTURE = DOCS.with_name("index-cost.svg")


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
            command = [sys.executable, "-m", "benchmarks.index", "--step", step, name]
            command += [str(directory), str(total)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            results |= json.loads(done.stdout)
    finally:
        shutil.rmtree(directory)
    return results


Results = list[dict[str, Any]]


def shown(value: object) -> str:
    """A figure for the table; median and 99th percentile where there are both."""
    if isinstance(value, dict):
        return f"{value['median']:,.0f} / {value['p99']:,.0f}"
    return f"{value:,}"


def tables(results: Results) -> str:
    """One table a number of photos: a row a kind of work, a column a store."""
    parts: list[str] = []
    for total in dict.fromkeys(r["photos"] for r in results):
        of_size = [r for r in results if r["photos"] == total]
        kinds = [k for k in of_size[0] if k not in {"store", "photos"}]
        head = [f"{total:,} photos", *(r["store"] for r in of_size)]
        unit = {"get", "page at 0", "page at 90 %", "update one"}
        rows = [
            [f"{k}, \u00b5s, median / p99" if k in unit else k, *(shown(r[k]) for r in of_size)]
            for k in kinds
        ]
        parts.append(table(head, rows))
    return "\n".join(parts)


def picture(results: Results) -> str:
    """What an update, a page and a start cost against the number of photos."""
    kinds = (("update one", "update one, \u00b5s"), ("page at 90 %", "page of 100, \u00b5s"))
    panels = [
        Panel(title, [_line(results, store, lambda r, k=key: r[k]["median"]) for store in STORES])
        for key, title in kinds
    ]
    start = "start to first page, s"
    lines = [_line(results, store, lambda r: r[start]) for store in STORES]
    return draw([*panels, Panel(start, lines)], "photos")


def _line(results: Results, store: str, value: Callable[[dict[str, Any]], float]) -> Line:
    return Line(store, [(r["photos"], value(r)) for r in results if r["store"] == store])


def main() -> None:
    """Run it all, and print a line a store and size."""
    made = parser(__doc__)
    made.add_argument("--photos", default="1000,10000,100000,1000000")
    made.add_argument("--step", nargs=4, help=argparse.SUPPRESS)
    options = made.parse_args()
    if options.step is not None:
        step, name, directory, total = options.step
        work = build if step == "build" else measure
        print(json.dumps(work(name, Path(directory), int(total))))
        return
    results: Results = []
    for total in map(int, options.photos.split(",")):
        for name in STORES:
            if name != "tinydb" or total <= STOCK_AT_MOST:
                results.append(run(name, total))
                print(json.dumps(results[-1]), flush=True)
    if options.write:
        PICTURE.write_text(picture(results), "utf-8")
    told = f"{tables(results)}\n![Cost against library size]({PICTURE.name})\n\n"
    publish("index", told + provenance("benchmarks.index"), options)


if __name__ == "__main__":
    main()
