"""The most memory while one large or hostile photo is read and edited.

    python -m benchmarks.memory [--only PART] [--edits description,keywords,...] [--write]

Each photo in a process of its own, which reads and writes as the server does: the storage, the
library's reader and writer, and the allocator's settings of ``serve``. The figure is the kernel's
(VmHWM), the process itself included, which has some 40 MiB less than a server.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import heavy
from benchmarks.measuring import parser, provenance, publish, table
from tagline.cli.allocator import limit_arenas
from tagline.errors import TaglineError
from tagline.library import PhotoWriter, Target
from tagline.library.reading import read_alone, strays_in
from tagline.model import MetadataChange, Precondition
from tagline.storage import LocalStorage

CAP_BYTES = 3 << 30
"""So much address space a process may use."""

EDITS: dict[str, tuple[MetadataChange, ...]] = {
    "read": (),
    "description": (MetadataChange(description="A new description"),),
    "keywords": (MetadataChange(keywords=tuple(f"keyword {n}" for n in range(1000))),),
    "removal": (MetadataChange(description="x"), MetadataChange(description=None)),
    "all": (
        MetadataChange(description="x", title="t", keywords=("a", "b"), rating=3, taken_at=None),
    ),
}
"""What is done, one after the other."""


def work(directory: Path, key: str, edit: str) -> str:
    """Read the photo, make the edits, and tell what came of it."""
    storage = LocalStorage(directory)
    told = ""
    try:
        photo = read_alone(storage, key, strays_in(storage, "")).photo
        told = photo.problem or "read"
        for change in EDITS[edit]:
            written = PhotoWriter(storage).edit(Target(object_key=key), change, Precondition())
            told = f"beside: {written.not_embedded}" if written.not_embedded else "in the photo"
    except TaglineError as error:
        told = f"refused: {error}"
    except MemoryError:
        told = "MemoryError"
    return told


def run(directory: str, key: str, edit: str) -> None:
    """In the child: do the work, and print the peak in bytes, the seconds and the outcome."""
    limit_arenas()
    resource.setrlimit(resource.RLIMIT_AS, (CAP_BYTES, CAP_BYTES))
    begun = time.monotonic()
    told = work(Path(directory), key, edit)
    seconds = time.monotonic() - begun
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    print(peak, f"{seconds:.1f}", told)


def measured(directory: Path, key: str, edit: str) -> tuple[int, str, str]:
    """The peak in MiB, the seconds and the outcome of a child process."""
    command = [sys.executable, "-m", "benchmarks.memory", "--child", str(directory), key, edit]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        return 0, "", f"ended by {done.returncode}: {done.stderr[-200:]}"
    peak, seconds, told = done.stdout.split(" ", 2)
    return int(peak) >> 10, seconds, told.strip()


def rows(only: str, edits: list[str]) -> list[tuple[object, ...]]:
    """Each photo with each edit, told as it is measured."""
    found: list[tuple[object, ...]] = []
    sidecars = {f"{name}.gif": what for name, what in heavy.SIDECARS.items()}
    for name in [n for n in (*heavy.FILES, *sidecars) if only in n]:
        for edit in edits:
            with tempfile.TemporaryDirectory() as directory:
                path = Path(directory, "a" + Path(name).suffix)
                if name in sidecars:
                    suffix, make = sidecars[name]
                    path.write_bytes(b"GIF89a\1\0\1\0\0\0\0;")
                    Path(f"{path}{suffix}").write_bytes(make())
                else:
                    heavy.write(path, heavy.FILES[name]())
                peak, seconds, told = measured(path.parent, path.name, edit)
            found.append((name, edit, peak, seconds, told))
            print(f"{peak:6} MiB {seconds:>6} s  {name}, {edit}: {told[:100]}", flush=True)
    return found


def main() -> None:
    """Measure, and write the table into the documents if that is asked for."""
    if sys.argv[1:2] == ["--child"]:
        run(*sys.argv[2:5])
        return
    arguments = parser(__doc__)
    arguments.add_argument("--only", default="")
    arguments.add_argument("--edits", default="description")
    chosen = arguments.parse_args()
    found = rows(chosen.only, chosen.edits.split(","))
    told = table(("photo", "edit", "MiB", "s", "what came of it"), found)
    publish("memory", f"{told}\n{provenance('benchmarks.memory')}", chosen)


if __name__ == "__main__":
    main()
