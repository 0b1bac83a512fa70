"""Programs that copy photos in while others describe them, and what must hold at the end."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.hard.processes import Answer, Server
from tests.hard.writers.specimens import FORMATS, Specimen

PROGRAM = Path(__file__).with_name("writer.py")
SETTLED_SOON = {"TAGLINE_SETTLE_SECONDS": "0.3"}
MOST_SECONDS = 40.0


@dataclass
class Copying:
    """A process that writes a specimen to a file, and stops at places."""

    specimen: Specimen
    manner: str
    target: Path
    stops: list[int]
    pause: float | None = None
    process: asyncio.subprocess.Process | None = None
    done: bool = False
    longest_pause: float = 0.0

    async def start(self, sources: Path) -> "Copying":
        """Start it; it runs to its first stop."""
        source = sources / self.target.name
        await asyncio.to_thread(source.write_bytes, self.specimen.data)
        given = [self.manner, source, self.target, json.dumps(self.stops)]
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-ISB",
            str(PROGRAM),
            *map(str, given if self.pause is None else [*given, self.pause]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return self

    async def word(self) -> str:
        """What it says next."""
        assert self.process is not None
        assert self.process.stdout is not None
        word = (await asyncio.wait_for(self.process.stdout.readline(), MOST_SECONDS)).decode()
        assert word, f"{self.manner} of {self.target.name} broke off"
        if word.startswith("done"):
            self.done, self.longest_pause = True, float(word.split()[1])
        return word.strip()

    def go_on(self) -> None:
        """Let it write the next piece."""
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")

    async def finish(self) -> None:
        """Let it write all the rest."""
        while not self.done:
            if (await self.word()).startswith("at") and self.pause is None:
                self.go_on()

    async def end(self) -> None:
        """See that the process is gone."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            self.process.kill()
        # What it still says is read, so that the pipe is closed.
        await self.process.communicate()


@dataclass
class Told:
    """What clients were told of a photo."""

    acknowledged: str | None = None
    sent: int = 0
    settled: asyncio.Event = field(default_factory=asyncio.Event)


class Ledger:
    """Texts for photos by their keys, and what became of them."""

    def __init__(self) -> None:
        self.told: dict[str, Told] = {}

    def of(self, key: str) -> Told:
        """What is known of one photo."""
        return self.told.setdefault(key, Told())

    def next_text(self, key: str) -> str:
        """A text that no other photo has, and this one only once."""
        told = self.of(key)
        told.sent += 1
        return f"text {told.sent} of {key}"

    def note(self, key: str, text: str, answer: Answer) -> None:
        """Remember an answer to a text; a 200 says the new text."""
        told = self.of(key)
        if answer.status == 200:
            shown = answer.json["metadata"]["description"]
            assert shown == text, f"{key}: 200 with {shown!r} for {text!r}"
            told.acknowledged = text
            told.settled.set()


def why_not_in_waiting(answer: Answer) -> str | None:
    """What is wrong with a refusal of a photo that is being written; None if nothing is."""
    if answer.status != 409:
        return f"{answer.status} {answer.json.get('type', '')}"
    told = answer.json
    if told.get("type") != "being_written":
        return f"409 of another type: {told}"
    if told.get("awaited") not in {"writer", "stillness", "completeness"}:
        return f"it does not say what is awaited: {told}"
    if not 0 < int(answer.headers.get("Retry-After", "0")) <= 60:
        return f"Retry-After: {answer.headers.get('Retry-After')}"
    return None


async def describe(server: Server, ledger: Ledger, key: str, photo_id: str) -> Answer:
    """PATCH the next text of a photo."""
    text = ledger.next_text(key)
    answer = await server.describe(photo_id, text)
    ledger.note(key, text, answer)
    return answer


async def describe_together(
    server: Server, ledger: Ledger, ids: dict[str, str]
) -> dict[str, Answer]:
    """PATCH the next texts of many photos in one request; the answer of each by its key."""
    texts = {key: ledger.next_text(key) for key in ids}
    changes = [{"id": ids[key], "description": texts[key]} for key in ids]
    answer = await server.ask("PATCH", "/photos/metadata", json={"changes": changes})
    assert answer.status == 200, answer
    found = {}
    for key, result in zip(ids, answer.json["results"], strict=True):
        headers = {"Retry-After": str(result.get("retry_after", 1))}
        found[key] = Answer(result["status"], headers, json.dumps(result).encode())
        if result["status"] == 200:
            ledger.of(key).acknowledged = texts[key]
    return found


async def describe_by_command(
    directory: Path, ledger: Ledger, keys: Iterable[str]
) -> dict[str, str]:
    """``tagline describe`` for many photos; what it said against each that it did not describe."""
    keys = list(keys)
    text = f"text {max(ledger.of(key).sent for key in keys) + 1} of all"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tagline", "describe"),
        *(*(str(directory / key) for key in keys), text),
        env={"PATH": os.environ["PATH"], **SETTLED_SOON},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    said = (await process.communicate())[1].decode()
    refused = {key: line for key in keys for line in said.splitlines() if f"/{key}: " in line}
    assert process.returncode == (1 if refused else 0), said
    for key in keys:
        ledger.of(key).sent += 1
        if key not in refused:
            ledger.of(key).acknowledged = text
    return refused


async def until_described(server: Server, ledger: Ledger, keys: Iterable[str]) -> None:
    """Describe each photo as a client does that is told to wait, until it is done."""

    async def one(key: str) -> None:
        end = time.monotonic() + MOST_SECONDS
        while True:
            answer = None
            if photo := (await server.by_key()).get(key):
                answer = await describe(server, ledger, key, photo["id"])
                if answer.status == 200:
                    return
                assert answer.status in {404, 409}, answer
            assert time.monotonic() < end, (key, answer)
            await asyncio.sleep(0.2)

    async with asyncio.TaskGroup() as group:
        for key in keys:
            group.create_task(one(key))


async def faults_at_the_end(
    server: Server, ledger: Ledger, copies: Iterable[Copying], exiftool: str
) -> list[str]:
    """Whatever is wrong when all is done, in words; the server was started anew."""
    directory, faults = server.photos, []
    for copy in copies:
        if lost := copy.specimen.lost(copy.target.read_bytes()):
            size, whole = copy.target.stat().st_size, len(copy.specimen.data)
            faults.append(f"{copy.target.name} is cut: {size} of {whole} bytes, lost {lost}")
    faults += [f"{path.name} was left" for path in list_left(directory)]
    shown = {k: p["metadata"]["description"] for k, p in (await server.by_key()).items()}
    for name, texts in {
        "the API": shown,
        "tagline show": await _shown_by_command(directory, ledger.told),
        "exiftool": await _shown_by_exiftool(directory, ledger.told, exiftool),
    }.items():
        for key, told in ledger.told.items():
            if told.acknowledged is not None and texts.get(key) != told.acknowledged:
                faults.append(f"{name}: {key} says {texts.get(key)!r}, not {told.acknowledged!r}")
    return faults


def list_left(directory: Path) -> list[Path]:
    """What Tagline left of its own."""
    return list(directory.rglob(".tagline*"))


async def _output_of(*command: str) -> Any:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"PATH": os.environ["PATH"]}
    )
    return (await process.communicate())[0]


async def _shown_by_command(directory: Path, keys: Iterable[str]) -> dict[str, str | None]:
    """What ``tagline show`` says."""
    names = [str(directory / key) for key in keys]
    told = await _output_of(sys.executable, "-m", "tagline", "show", "--json", *names)
    photos = map(json.loads, told.splitlines())
    return {Path(p["file"]).name: p["metadata"]["description"] for p in photos}


async def _shown_by_exiftool(
    directory: Path, keys: Iterable[str], exiftool: str
) -> dict[str, str | None]:
    """What exiftool reads from the sidecar where there is one, and else from the photo."""
    places = {}
    for key in keys:
        beside = directory / f"{key}.xmp"
        places[str(beside if beside.exists() else directory / key)] = key
    fields = ("-XMP-dc:Description", "-IFD0:ImageDescription")
    told = await _output_of(exiftool, "-j", "-charset", "UTF8", *fields, *places)
    return {
        places[seen["SourceFile"]]: seen.get("Description", seen.get("ImageDescription"))
        for seen in json.loads(told)
    }


def key_of(name: str, specimen: Specimen) -> str:
    """A file's name for a specimen."""
    return f"{name.replace(' ', '_')}{specimen.suffix}"


def specimens(seed: int = 0) -> dict[str, Specimen]:
    """One specimen of each format, all different."""
    return {name: make(number) for number, (name, make) in enumerate(FORMATS.items(), seed)}
