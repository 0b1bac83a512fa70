"""Does writing a description harm a file? Tagline and three other writers over real photos.

    python -m benchmarks.losscheck [CORPUS] [--judge DIR] [--write]

Every writer gets a copy of every file and sets ImageDescription in the way its documentation
shows. Then an independent judge compares before and after: pixels, every segment, scan data, what
follows the image, and exiftool's whole view of it, maker notes included. Files that a writer
refused (an error, an exception) or left as they were are not harmed; Tagline then puts the text
into sidecars. Without the corpus, the judge or exiftool nothing is done.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import piexif

from benchmarks.judging import run_judge
from benchmarks.measuring import ROOT, machine, provenance, publish, text_table
from tagline import __version__
from tagline.errors import TaglineError
from tagline.library import PhotoWriter, Target
from tagline.model import MetadataChange, Precondition
from tagline.storage import LocalStorage

DOCUMENT = ROOT / "docs" / "losscheck.md"
TEXT = "Grossmutter am Meer, by losscheck"
ALLOWED = (
    *("seg:XMP", "seg:IPTC", "XMP-dc:Description", "XMP-tiff:ImageDescription"),
    *(
        "chunk:iTXt",
        "Caption-Abstract",
        "CodedCharacterSet",
        "IPTCDigest",
        "UserComment",
        "XPComment",
    ),
)
"""What keeping all descriptions in step changes besides EXIF ImageDescription, and may."""

"""The flags in VP8X that announce EXIF and XMP (WebP container specification)."""

Writer = Callable[[Path], str | None]
"""Edits a file in place; gives the reason when it refuses."""


def tagline(path: Path) -> str | None:
    """Tagline's own write path, as the server takes it."""
    writer = PhotoWriter(LocalStorage(path.parent))
    change = MetadataChange(description=TEXT)
    try:
        return writer.edit(Target(object_key=path.name), change, Precondition()).not_embedded
    except TaglineError as error:
        return f"refused altogether: {error}"


def with_piexif(path: Path) -> str | None:
    """``load``, set, ``dump``, ``insert``."""
    try:
        tags = piexif.load(str(path))
        tags["0th"][piexif.ImageIFD.ImageDescription] = TEXT.encode()
        piexif.insert(piexif.dump(tags), str(path))
    except Exception as error:  # noqa: BLE001 - it raises whatever it meets
        return f"{type(error).__name__}: {error}"[:80]
    return None


def program(*command: str) -> Writer:
    """A program that is given the path last."""

    def run(path: Path) -> str | None:
        done = subprocess.run([*command, str(path)], capture_output=True, check=False, timeout=60)
        if done.returncode == 0:
            return None
        said = (done.stderr or done.stdout).decode("utf-8", "replace").splitlines()
        return (said[0] if said else "failed").replace(str(path), "the file")[:80]

    return run


def writers() -> dict[str, Writer]:
    """Those that are installed, by name and version."""
    found: dict[str, Writer] = {f"Tagline {__version__}": tagline}
    set_it = f"-EXIF:ImageDescription={TEXT}"
    if exiftool := _version("exiftool", "-ver"):
        found[f"exiftool {exiftool}"] = program("exiftool", "-q", "-overwrite_original", set_it)
    if exiv2 := _version("exiv2", "--version"):
        modify = f"set Exif.Image.ImageDescription Ascii {TEXT}"
        found[f"Exiv2 {exiv2}"] = program("exiv2", "-M", modify)
    found[f"piexif {version('piexif')}"] = with_piexif
    return found


def _version(name: str, argument: str) -> str | None:
    if shutil.which(name) is None:
        return None
    done = subprocess.run([name, argument], capture_output=True, text=True, check=True)
    match = re.search(r"\d+(\.\d+)+", done.stdout)
    return match[0] if match else "?"


class Outcome:
    """What one writer did: file names by outcome, with reasons or losses."""

    def __init__(self) -> None:
        self.whole: list[str] = []
        self.refused: dict[str, str] = {}
        self.harmed: dict[str, str] = {}


def judge(corpus: list[Path], write: Writer, judge_directory: Path) -> Outcome:
    """Let a writer edit a copy of every file, and have the result judged."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="losscheck-") as name:
        before, after = Path(name) / "before", Path(name) / "after"
        before.mkdir()
        after.mkdir()
        names: dict[str, str] = {}
        for number, path in enumerate(corpus):
            copy = after / f"{number:04d}{path.suffix}"
            names[copy.name] = str(path)
            shutil.copyfile(path, before / copy.name)
            shutil.copyfile(path, copy)
            reason = write(copy)
            if copy.read_bytes() == path.read_bytes():
                outcome.refused[str(path)] = reason or "left as it was, without a word"
                copy.unlink()
        verdict = Path(name) / "verdict.json"
        asked = ("--expect", TEXT, "--json", verdict, "--allow", *ALLOWED)
        run_judge(judge_directory, before, after, *asked, timeout_seconds=3600)
        for key, losses in json.loads(verdict.read_text("utf-8")).items():
            kinds = [kind for kind, _ in losses if not kind.startswith("info-")]
            if kinds and kinds != ["missing"]:
                outcome.harmed[names[key]] = ", ".join(sorted(set(kinds)))
            elif not kinds:
                outcome.whole.append(names[key])
    return outcome


def report(corpus: list[Path], outcomes: dict[str, Outcome]) -> str:
    """The tables: one of writers, and of each writer what it refused and what it harmed."""
    jpegs = {str(path) for path in corpus if path.suffix.lower() == ".jpg"}
    rows = [
        (
            name,
            _count(outcome.whole, jpegs),
            _count(outcome.refused, jpegs),
            _count(outcome.harmed, jpegs),
        )
        for name, outcome in outcomes.items()
    ]
    head = ("writer", "text in the file, nothing lost", "file left alone", "harmed")
    lines = [f"{len(corpus)} files, {len(jpegs)} of them JPEG (in brackets).\n"]
    lines.append(text_table(head, rows))
    first, *others = outcomes.items()
    lines.append("Why Tagline left files alone; each has its text in both sidecars:\n")
    reasons = Counter(first[1].refused.values())
    shown = [(reason, number) for reason, number in reasons.most_common()]
    lines.append(text_table(("reason", "files"), shown))
    for name, outcome in (first, *others):
        kinds = Counter(kind for said in outcome.harmed.values() for kind in said.split(", "))
        if kinds:
            said = ", ".join(f"{kind} {number}" for kind, number in kinds.most_common())
            lines.append(f"What {name} lost or changed, by kind and number of files: {said}.\n")
    return "\n".join(lines)


def _count(names: object, jpegs: set[str]) -> str:
    found = list(names) if isinstance(names, (list, dict)) else []
    return f"{len(found)} ({sum(name in jpegs for name in found)})"


def main() -> None:
    """Run every writer, and print the tables."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    shared = ROOT.parent / "shared"
    arguments.add_argument("corpus", type=Path, nargs="?", default=shared / "corpus")
    arguments.add_argument("--judge", type=Path, default=shared / "losscheck")
    arguments.add_argument("--write", action="store_true", help="write the tables into the docs")
    options = arguments.parse_args()
    missing = [str(p) for p in (options.corpus, options.judge / "roundtrip.py") if not p.exists()]
    if missing or shutil.which("exiftool") is None:
        print(f"Nothing done: {', '.join(missing) or 'exiftool'} is not there ({machine()}).")
        return
    corpus = sorted(p for p in options.corpus.rglob("*") if p.is_file() and p.suffix != ".md")
    outcomes = {name: judge(corpus, write, options.judge) for name, write in writers().items()}
    text = report(corpus, outcomes) + "\n" + provenance("benchmarks.losscheck")
    publish("losscheck", text, options, DOCUMENT)
    ours = next(iter(outcomes.values()))
    for name, losses in ours.harmed.items():
        print(f"HARMED BY TAGLINE: {name}: {losses}", file=sys.stderr)
    sys.exit(bool(ours.harmed))


if __name__ == "__main__":
    main()
