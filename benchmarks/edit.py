"""What an edit costs: the durable one beside a bare copy, and single files beside other programs.

    python -m benchmarks.edit [--rounds 40] [--photos 200] [--write]

The durable edit sets a new description in a JPEG of 5 MB through Tagline's whole write path (read,
edit, prove, write beside, read back, fsync, rename, fsync the directory). The bare copy writes
the same bytes to a temporary file, fsyncs it, renames it and fsyncs the directory. They take turns.

The table of programs reads and edits the same files, each program in the way that suits it: exiv2
and exiftool are given all files at once, so that their start is spread. They and piexif neither
fsync nor prove anything.
"""

import io
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import piexif

from benchmarks.library import Library
from benchmarks.measuring import (
    Cost,
    cost_of,
    described,
    parser,
    percentile,
    provenance,
    publish,
    table,
)
from tagline.library import PhotoWriter, Target
from tagline.metadata import read_photo
from tagline.model import BytesSource, MetadataChange, Precondition
from tagline.storage import LocalStorage

FIVE_MB = 5 << 20
TEXT = "Grossmutter am Meer"


def copied(source: Path, target: Path) -> None:
    """Copy the least durable way there is that still survives a power cut."""
    data = source.read_bytes()
    directory = os.open(target.parent, os.O_RDONLY)
    temporary = target.with_suffix(".new")
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.write(file, data)
    os.fsync(file)
    os.close(file)
    temporary.rename(target)
    os.fsync(directory)
    os.close(directory)


def describe(writer: PhotoWriter, key: str, text: str) -> None:
    """Edit one photo durably; it has to go into the photo itself."""
    change = MetadataChange(description=text)
    written = writer.edit(Target(object_key=key), change, Precondition())
    assert written.changed
    assert written.not_embedded is None


def durable(directory: Path, rounds: int) -> str:
    """The table of the durable edit."""
    (directory / "a.jpg").write_bytes(Library(size_bytes=FIVE_MB).photo(1))
    (directory / "c.jpg").write_bytes(Library(size_bytes=FIVE_MB).photo(2))
    writer = PhotoWriter(LocalStorage(directory))
    copies: list[float] = []
    edits: list[float] = []
    for number in range(rounds):
        start = perf_counter()
        copied(directory / "c.jpg", directory / "c2.jpg")
        middle = perf_counter()
        describe(writer, "a.jpg", f"{TEXT} {number % 7}")
        copies.append((middle - start) * 1e3)
        edits.append((perf_counter() - middle) * 1e3)
    rows = [
        (name, *(f"{percentile(taken, share):.1f} ms" for share in (0.5, 0.9)))
        for name, taken in (
            ("copy to a temporary file, fsync, rename, fsync the directory", copies),
            ("Tagline: durable change of the description", edits),
        )
    ]
    ratio = percentile(edits, 0.5) / percentile(copies, 0.5)
    head = ("JPEG of 5 MB", "median", "90th percentile")
    return table(head, rows) + f"\nRatio of the medians: {ratio:.2f} (target: at most 2).\n"


def _piexif_edit(data: bytes, text: str) -> bytes:
    """As its documentation shows it; raises whatever it raises."""
    tags = piexif.load(data)
    tags["0th"][piexif.ImageIFD.ImageDescription] = text.encode()
    target = io.BytesIO()
    piexif.insert(piexif.dump(tags), data, target)
    return target.getvalue()


def _exiftool(paths: list[Path], *arguments: str) -> Cost:
    """One exiftool that stays open, one command a file."""
    command = ["exiftool", "-stay_open", "True", "-@", "-"]
    steps = "\n-execute\n".join("\n".join((*arguments, str(path))) for path in paths)
    script = f"{steps}\n-execute\n-stay_open\nFalse\n".encode()
    return cost_of(lambda: _run(command, script), children=True)


def _run(command: list[str], given: bytes | None = None) -> None:
    subprocess.run(command, input=given, capture_output=True, check=False)


def _exiv2(paths: list[Path], *arguments: str) -> Cost:
    return cost_of(lambda: _run(["exiv2", *arguments, *map(str, paths)]), children=True)


def programs(directory: Path, photos: int) -> str:
    """The table of programs."""
    library = Library()
    originals = [library.photo(number) for number in range(photos)]

    def fresh(name: str) -> list[Path]:
        place = directory / name
        place.mkdir()
        paths = [place / f"{number}.jpg" for number in range(photos)]
        for path, data in zip(paths, originals, strict=True):
            path.write_bytes(data)
        return paths

    mine = fresh("tagline")
    writer = PhotoWriter(LocalStorage(directory / "tagline"))
    theirs = fresh("piexif")

    def each(work: Callable[[bytes], object]) -> Cost:
        return cost_of(lambda: [work(path.read_bytes()) for path in mine])

    rows: list[tuple[str, Cost, Cost]] = [
        (
            "Tagline, in memory (the edit proven)",
            each(lambda data: read_photo(BytesSource(data), "a.jpg")),
            each(lambda data: described(data, TEXT)),
        ),
        (
            "piexif, in memory",
            each(piexif.load),
            each(lambda data: _piexif_edit(data, TEXT)),
        ),
        (
            "Tagline, durable, on disk",
            each(lambda data: read_photo(BytesSource(data), "a.jpg")),
            cost_of(lambda: [describe(writer, path.name, TEXT) for path in mine]),
        ),
        (
            "exiv2, on disk",
            _exiv2(theirs, "-pa"),
            _exiv2(fresh("exiv2"), "-M", f"set Exif.Image.ImageDescription Ascii {TEXT}"),
        ),
        (
            "exiftool -stay_open, on disk",
            _exiftool(theirs, "-n", "-j", "-fast2"),
            _exiftool(fresh("exiftool"), "-overwrite_original", f"-EXIF:ImageDescription={TEXT}"),
        ),
    ]
    head = (f"{photos} JPEGs of 64 KB, µs a file", "read, CPU", "edit, CPU", "edit, wall clock")
    shown = [
        (name, _micros(read.cpu, photos), _micros(edit.cpu, photos), _micros(edit.wall, photos))
        for name, read, edit in rows
    ]
    return table(head, shown)


def _micros(seconds: float, files: int) -> str:
    return f"{seconds / files * 1e6:,.0f}"


def main() -> None:
    """Run both, and print the tables."""
    arguments = parser(__doc__)
    arguments.add_argument("--rounds", type=int, default=40)
    arguments.add_argument("--photos", type=int, default=200)
    options = arguments.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="edit-", dir=options.work))
    try:
        text = durable(directory, options.rounds)
        text += "\n" + programs(directory, options.photos)
    finally:
        shutil.rmtree(directory)
    publish("edit", text + "\n" + provenance("benchmarks.edit"), options)


if __name__ == "__main__":
    main()
