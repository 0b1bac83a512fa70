"""What a scan costs, beside exiftool and beside reading the same bytes for nothing.

    python -m benchmarks.scan [--photos 2000] [--rescan 100000] [--write] [--profile FILE]

Cold scan: files are in the page cache, nothing is indexed. One process, processor time of all its
threads; every contestant reads the same files in the same run, three rounds (exiftool one), and
the cheapest round counts. exiftool is one process over all files, so its start is spread thin.
Unchanged rescan: a second reconcile of a library of ``bare`` photos.
"""

import asyncio
import cProfile
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.library import Library
from benchmarks.measuring import Cost, cheapest, cost_of, parser, provenance, publish, table
from tagline.index import open_index
from tagline.library import read_observed
from tagline.storage import LocalStorage
from tagline.sync import Observed, Reconciler, observe_photo

ROUNDS = 3
HEADER_BYTES = 65536


def headers(paths: list[str]) -> None:
    """Read the first 64 KiB of every file and throw them away."""
    for path in paths:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        os.read(file, HEADER_BYTES)
        os.close(file)


def bare_walk(directory: str) -> int:
    """Scandir and stat everything: the least that noticing a change can cost."""
    files, stack = 0, [directory]
    while stack:
        with os.scandir(stack.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
                    files += 1
    return files


def exiftool(directory: Path) -> None:
    """Read every file, all fields, by exiftool; its JSON is thrown away."""
    command = ["exiftool", "-fast2", "-n", "-j", "-q", "-r", "-ext", "jpg", str(directory)]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def observed(storage: LocalStorage) -> list[Observed]:
    """What a walk meets."""
    return [observe_photo(storage, found.object_key) for found in storage.walk()]


def read_all(storage: LocalStorage, photos: list[Observed]) -> None:
    """Tagline's own reading of each photo, one thread."""
    for each in photos:
        read_observed(storage, each)


async def _reconciles(directory: Path) -> tuple[Cost, Cost]:
    """A cold reconcile into an index in memory, and an unchanged one after it."""
    index = open_index(None)
    reconciler = Reconciler(LocalStorage(directory), index, read_observed)
    costs: list[Cost] = []
    try:
        for _ in range(2):
            start = _now()
            await reconciler.reconcile()
            costs.append(Cost(*(b - a for a, b in zip(start, _now(), strict=True))))
    finally:
        await reconciler.close()
        index.close()
    return costs[0], costs[1]


def _now() -> tuple[float, float]:
    times = os.times()
    return times.elapsed, times.user + times.system


def cold(directory: Path, photos: int) -> str:
    """The table of the cold scan."""
    storage = LocalStorage(directory)
    paths = [str(path) for path in sorted(directory.rglob("*.jpg"))]
    found = observed(storage)
    assert len(paths) == len(found) == photos
    contestants: dict[str, Callable[[], object]] = {
        "reading 64 KiB of each and throwing them away": lambda: headers(paths),
        "Tagline, reading alone": lambda: read_all(storage, found),
    }
    costs: dict[str, list[Cost]] = {name: [] for name in contestants}
    whole: list[Cost] = []
    for _ in range(ROUNDS):
        for name, work in contestants.items():
            costs[name].append(cost_of(work))
        whole.append(asyncio.run(_reconciles(directory))[0])
    costs["Tagline, whole reconcile into an index in memory"] = whole
    costs["exiftool -fast2 -n -j"] = [cost_of(lambda: exiftool(directory), children=True)]
    best = {name: cheapest(all_of) for name, all_of in costs.items()}
    reading, floor = (best[name].cpu for name in reversed(contestants))
    return table(
        ("cold scan, warm cache", "files per CPU second", "µs a file", "against exiftool", "floor"),
        list(_rows(best, photos, best["exiftool -fast2 -n -j"].cpu, floor)),
    ) + (
        f"\nReading alone is {reading / floor:.1f} times the floor (target: at most 2); "
        f"{photos:,} `full` photos of 64 KiB.\n"
    )


def _rows(
    best: dict[str, Cost], photos: int, exiftool_cpu: float, floor: float
) -> Iterator[tuple[object, ...]]:
    for name, cost in best.items():
        yield (
            name,
            f"{photos / cost.cpu:,.0f}",
            f"{cost.cpu / photos * 1e6:.0f}",
            f"{exiftool_cpu / cost.cpu:.0f} x",
            f"{floor / cost.cpu:.2f} x",
        )


def rescan(directory: Path, photos: int) -> str:
    """The table of the unchanged rescan."""
    walks = [cost_of(lambda: bare_walk(str(directory))) for _ in range(ROUNDS)]
    first, second = asyncio.run(_reconciles(directory))
    walks += [cost_of(lambda: bare_walk(str(directory))) for _ in range(ROUNDS)]
    floor = cheapest(walks)
    rows = [
        (name, f"{cost.wall:.2f} s", f"{cost.cpu:.2f} s", f"{cost.cpu / floor.cpu:.1f} x")
        for name, cost in (
            ("bare scandir and stat walk", floor),
            ("unchanged rescan", second),
            ("(the cold scan before it)", first),
        )
    ]
    return table((f"{photos:,} photos", "wall clock", "processor", "against the walk"), rows)


def main() -> None:
    """Run both, and print the tables."""
    arguments = parser(__doc__)
    arguments.add_argument("--photos", type=int, default=2000)
    arguments.add_argument("--rescan", type=int, default=100_000, help="0 leaves it out")
    arguments.add_argument("--profile", type=Path, help="write a cProfile of reading to this file")
    options = arguments.parse_args()
    directory = options.work / f"full-{options.photos}"
    Library().write(directory, options.photos)
    if options.profile is not None:
        storage = LocalStorage(directory)
        found = observed(storage)
        profile = cProfile.Profile()
        profile.runcall(read_all, storage, found)
        profile.dump_stats(options.profile)
        return
    if options.photos:
        text = cold(directory, options.photos)
        publish("scan", text + "\n" + provenance("benchmarks.scan"), options)
    if options.rescan:
        directory = options.work / f"bare-{options.rescan}"
        Library(profile="bare").write(directory, options.rescan)
        text = rescan(directory, options.rescan)
        publish("rescan", text + "\n" + provenance("benchmarks.scan"), options)


if __name__ == "__main__":
    main()
