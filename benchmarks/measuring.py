"""What every benchmark needs: clocks, percentiles, the machine's name, and a place in the docs."""

import argparse
import gc
import os
import platform
import re
import resource
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tagline.library import PhotoWriter, Target
from tagline.model import MetadataChange, Precondition
from tagline.storage import MemoryStorage

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs" / "benchmarks.md"


class Cost(NamedTuple):
    """Seconds of one run: by the wall clock, and of processors (user and system together)."""

    wall: float
    cpu: float


def cost_of(work: Callable[[], object], *, children: bool = False) -> Cost:
    """Run once; ``children`` counts the processor time of ended child processes instead of ours."""
    who = resource.RUSAGE_CHILDREN if children else resource.RUSAGE_SELF
    gc.collect()
    before, start = _cpu(who), time.perf_counter()
    work()
    return Cost(time.perf_counter() - start, _cpu(who) - before)


def _cpu(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def cheapest(costs: Sequence[Cost]) -> Cost:
    """The run that took the least processor time: the one least disturbed by other processes."""
    return min(costs, key=lambda cost: cost.cpu)


def described(data: bytes, text: str) -> bytes:
    """A JPEG with a description, by Tagline's whole write path but for the disk."""
    storage = MemoryStorage({"a.jpg": data})
    change = MetadataChange(description=text)
    PhotoWriter(storage).edit(Target(object_key="a.jpg"), change, Precondition())
    with storage.open("a.jpg") as opened:
        return opened.read_at(0, opened.size)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so great a share of all does not exceed; the median is 0.5."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def machine() -> str:
    """Processor, system and Python of this machine, and today's date (UTC)."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists() and (match := re.search(r"model name\s*: (.*)", info.read_text("utf-8"))):
        cpu = match[1]
    system = f"Linux {platform.release().split('-')[0]}, Python {platform.python_version()}"
    return f"{os.cpu_count()} x {cpu}, {system}, {datetime.now(UTC).date()}"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; columns after the first are aligned to the right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in (head, rule, *rows)]
    return "\n".join(lines) + "\n"


def text_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """The same, aligned to the left."""
    return table(head, rows).replace("---:", "---")


def provenance(module: str) -> str:
    """The line that says how a figure was made: command, machine, date, and how busy it was."""
    command = shlex.join(["python", "-m", module, *_arguments()])
    load = os.getloadavg()[0]
    return f"Made by `{command}` on {machine()}; load average at the end {load:.1f}.\n"


def _arguments() -> list[str]:
    """The command line without what is true of this machine alone: its directories."""
    words = iter(sys.argv[1:])
    shown: list[str] = []
    for word in words:
        if word == "--work":
            next(words, None)
        elif word != "--write":
            shown.append(Path(word).name if word.startswith(("/", "..")) else word)
    return shown


def write_section(document: Path, name: str, text: str) -> None:
    """Put text between the document's markers of this name.

    Raises:
        ValueError: the document has no such markers.
    """
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    content = document.read_text("utf-8")
    before, found, rest = content.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        message = f"{document.name} has no section {name!r}"
        raise ValueError(message)
    document.write_text(f"{before}{begin}\n{text.strip()}\n{end}{after}", "utf-8")


def publish(name: str, text: str, options: argparse.Namespace, document: Path = DOCS) -> None:
    """Print a result; with ``--write`` put it into the document as well."""
    print(text)
    if options.write:
        write_section(document, name, text)


def parser(documentation: str | None, work: Path | None = None) -> argparse.ArgumentParser:
    """The arguments that all benchmarks share."""
    made = argparse.ArgumentParser(description=(documentation or "").splitlines()[0])
    made.add_argument("--write", action="store_true", help="write the tables into the docs")
    default = work or Path("/var/tmp") / "tagline-benchmarks"
    made.add_argument(
        "--work", type=Path, default=default, help="where libraries are made and kept"
    )
    return made
