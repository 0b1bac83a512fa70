"""Clients, exiftool and somebody who moves files, all at once: nothing is lost or mixed up."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import time
from collections import Counter
from io import BytesIO

import pytest
from PIL import Image

from tests.hard.processes import save_photo

SECONDS = float(os.environ.get("TAGLINE_TRUTH_SECONDS", "12"))
COUNTED, TOOLED, RIVALS, BESIDE, CHAOS = 4, 2, 2, 3, 6


def picture(data):
    """Which picture this is, whatever its metadata."""
    with Image.open(BytesIO(data)) as image:
        return hashlib.sha256(image.convert("RGB").tobytes()).hexdigest()


class World:
    """The directory, those who change it, and what each of them knows to be true of it.

    Every text begins with a name for the picture that it was written for, so that a text in
    another picture's file is found.
    """

    def __init__(self, directory, rng, exiftool):
        self.directory, self.rng, self.exiftool = directory, rng, exiftool
        self.end = 0.0
        self.pictures = {}  # name of a picture -> its hash
        self.paths = {}  # name of a picture -> where its only file is
        self.ids = {}
        self.accepted = {}
        self.keywords = {}
        self.rival_runs = {}
        self.copies = set()
        self.refused = {}
        self.seen = Counter()
        (directory / "x" / "y").mkdir(parents=True)
        for group, count, suffix in (
            ("count", COUNTED, ".jpg"),
            ("tool", TOOLED, ".jpg"),
            ("rival", RIVALS, ".jpg"),
            ("beside", BESIDE, ".gif"),
            ("chaos", CHAOS, ".jpg"),
        ):
            for number in range(count):
                name = f"{group}{number}"
                path = directory / f"{name}{suffix}"
                save_photo(path, len(self.pictures))
                self.pictures[name] = picture(path.read_bytes())
                self.paths[name] = path

    @property
    def running(self):
        return time.monotonic() < self.end

    async def pause(self, at_most):
        await asyncio.sleep(self.rng.uniform(0, at_most))

    async def fetch(self, server, name):
        """The photo of a picture, by its id; None while a move is being noticed."""
        answer = await server.ask("GET", f"/photos/{self.ids[name]}")
        self.seen[f"GET {answer.status}"] += 1
        assert answer.status in {200, 404}, answer
        return answer.json if answer.status == 200 else None

    # Clients

    async def count(self, server, name, condition):
        """Increase the number in a description, if it is still the one seen."""
        while self.running:
            photo = await self.fetch(server, name)
            if photo is None:
                continue
            number = int((photo["metadata"]["description"] or f"{name} 0").split()[1])
            await self.pause(0.03)
            text = f"{name} {number + 1} " + "é" * (number % 200)
            answer = await server.describe(self.ids[name], text, **condition(photo))
            self.seen[f"count {answer.status}"] += 1
            if answer.status == 200:
                assert number + 1 not in self.accepted[name], "two clients replaced the same text"
                self.accepted[name].add(number + 1)
                assert answer.json["metadata"]["description"] == text
            else:
                self.refused.setdefault(name, []).append((number + 1, answer.status, answer.body))
                assert answer.status in {404, 409, 412}, answer

    async def rival_client(self, server, name):
        """Replace what exiftool wrote, but only what was seen."""
        number = 0
        while self.running:
            photo = await self.fetch(server, name)
            got = time.monotonic()
            await self.pause(0.6)
            sent, number = time.monotonic(), number + 1
            answer = await server.describe(
                self.ids[name], f"{name} client {number}", **if_match(photo)
            )
            self.seen[f"rival {answer.status}"] += 1
            assert answer.status in {200, 409, 412}, answer
            between = [r for r in self.rival_runs[name] if got < r[0] and r[1] < sent]
            if answer.status == 200:
                assert not between, "a text that exiftool wrote was replaced unseen"

    async def describe_freely(self, server, name):
        """Describe without any condition; what was acknowledged last must stay."""
        number = 0
        while self.running:
            number += 1
            answer = await server.describe(self.ids[name], f"{name} free {number}")
            self.seen[f"free {answer.status}"] += 1
            assert answer.status in {200, 404, 409}, answer
            await self.pause(0.1)

    async def look_around(self, server):
        """Every image that is given out is the picture that its id stands for."""
        known = {photo_id: name for name, photo_id in self.ids.items()}
        while self.running:
            shown = await server.by_key()
            for photo in self.rng.sample(list(shown.values()), 5):
                answer = await server.ask("GET", f"/photos/{photo['id']}/image")
                self.seen[f"image {answer.status}"] += 1
                assert answer.status in {200, 404, 409}, answer
                if answer.status == 200 and photo["id"] in known:
                    assert picture(answer.body) == self.pictures[known[photo["id"]]]
            await self.pause(0.1)

    # The world outside

    async def run_exiftool(self, path, *arguments):
        process = await asyncio.create_subprocess_exec(
            self.exiftool, "-overwrite_original", "-q", "-m", *arguments, str(path)
        )
        assert await process.wait() == 0

    async def tool(self, name):
        """Add keyword after keyword by exiftool, and move the file in between."""
        number = 0
        while self.running:
            number += 1
            keyword = f"k{number}"
            await self.run_exiftool(self.paths[name], f"-XMP-dc:Subject+={keyword}")
            self.keywords[name].add(keyword)
            if self.rng.random() < 0.3:
                # Not into the directory that is moved: exiftool fails when its file is away.
                self.move(name, [self.directory, self.directory / "x"])

    async def rival_tool(self, name):
        """Write descriptions by exiftool."""
        number = 0
        while self.running:
            number += 1
            text = f"{name} tool {number}"
            began = time.monotonic()
            await self.run_exiftool(
                self.paths[name], f"-IFD0:ImageDescription={text}", f"-XMP-dc:Description={text}"
            )
            self.rival_runs[name].append((began, time.monotonic()))
            await self.pause(0.4)

    async def sidecar_tool(self, name):
        """Add keyword after keyword to an XMP sidecar by exiftool."""
        sidecar = self.paths[name].with_name(f"{self.paths[name].name}.xmp")
        number = 0
        while self.running:
            if sidecar.exists():
                number += 1
                await self.run_exiftool(sidecar, f"-XMP-dc:Subject+=k{number}")
                self.keywords[name].add(f"k{number}")
            await self.pause(0.1)

    def move(self, name, directories=None):
        """Rename a photo, or move it to another directory, to a name that is free."""
        top = self.directory
        target = self.rng.choice(directories or [top, top / "x", top / "x" / "y"])
        target = target / f"{name}-{self.rng.randrange(10**9)}.jpg"
        self.paths[name].rename(target)
        self.paths[name] = target

    async def mover(self):
        """Move, copy and delete files, swap names, and move a directory."""
        counted = [name for name in self.paths if name.startswith("count")]
        chaos = [name for name in self.paths if name.startswith("chaos")]
        while self.running:
            await self.pause(0.05)
            match self.rng.choice(("move", "move", "copy", "delete", "swap", "directory")):
                case "move":
                    self.move(self.rng.choice(counted + chaos))
                case "copy" if len(self.copies) < 10:
                    source = self.paths[self.rng.choice(chaos)]
                    copy = source.with_name(f"z{self.rng.randrange(10**9)}.jpg")
                    shutil.copy(source, copy)
                    self.copies.add(copy)
                case "delete" if self.copies:
                    self.copies.pop().unlink()
                case "swap":
                    self.swap(*self.rng.sample(chaos, 2))
                case _:
                    self.move_directory()

    def swap(self, one, other):
        """Let two photos change names."""
        first, second = self.paths[one], self.paths[other]
        aside = first.with_name("aside.jpg")
        first.rename(aside)
        second.rename(first)
        aside.rename(second)
        self.paths[one], self.paths[other] = second, first

    def move_directory(self):
        """Rename the inner directory away and back; what is edited in it meanwhile moves along."""
        inner, other = self.directory / "x" / "y", self.directory / "moved"
        inner.rename(other)
        other.rename(inner)

    # The end

    def check_disk(self):
        """Every file is there once, whole, with a text of its own picture and every keyword."""
        files = {p for p in self.directory.rglob("*.*") if p.suffix in {".jpg", ".gif"}}
        assert files == set(self.paths.values()) | self.copies
        for name, path in self.paths.items():
            assert picture(path.read_bytes()) == self.pictures[name]
        told = {}
        command = [self.exiftool, "-j", "-G1", "-struct", "-charset", "UTF8", "-r"]
        done = subprocess.run(
            [*command, str(self.directory)], capture_output=True, check=True, timeout=60
        )
        for seen in json.loads(done.stdout):
            told[seen["SourceFile"]] = seen
        for name, path in self.paths.items():
            embedded = path.suffix == ".jpg"
            seen = told[str(path if embedded else path.with_name(f"{path.name}.xmp"))]
            text = seen.get("XMP-dc:Description")
            assert text is None or text.split()[0] == name, (name, text)
            if embedded:
                assert seen.get("IFD0:ImageDescription") == text
            if name in self.keywords:
                words = seen["XMP-dc:Subject"]
                words = {words} if isinstance(words, str) else set(words)
                assert {str(word) for word in words} == self.keywords[name], name
            if name in self.accepted:
                numbers = self.accepted[name]
                gaps = set(range(1, len(numbers) + 1)) - numbers
                answers = [each for each in self.refused.get(name, ()) if each[0] in gaps]
                assert not gaps, ("refused, but written", name, answers)
                assert int(text.split()[1]) == len(numbers)
        return {
            str(p.relative_to(self.directory)): told[
                str(p if p.suffix == ".jpg" else p.with_name(f"{p.name}.xmp"))
            ].get("XMP-dc:Description")
            for p in files
        }


def if_match(photo):
    """The condition by entity tag."""
    return {"headers": {"If-Match": f'"{photo["etag"]}"'}}


def unmodified(photo):
    """The condition by date, in whole seconds; enough only beside the entity tag."""
    return {"headers": {"If-Match": f'W/"x", "{photo["etag"]}"'}}


def comparable(shown):
    """What must be the same however the index came about: ids of copies may differ."""
    pixels = Counter((p["width"], p["height"], p["size"]) for p in shown.values())
    assert pixels
    return {k: {n: v for n, v in p.items() if n not in {"id", "etag"}} for k, p in shown.items()}


@pytest.mark.slow
@pytest.mark.timeout(120 + int(SECONDS) * 2)
async def test_api_index_and_disk_agree_after_chaos(tmp_path, start_server, rng, exiftool):
    """After all that, API, index and disk say the same, and no accepted edit was lost."""
    directory = tmp_path / "photos"
    world = World(directory, rng, exiftool)
    server = await start_server(directory)
    world.ids = {key.split(".")[0]: photo["id"] for key, photo in (await server.by_key()).items()}
    names = {g: [n for n in world.paths if n.startswith(g)] for g in ("count", "tool", "rival")}
    world.accepted = {name: set() for name in names["count"]}
    world.keywords = {name: set() for name in (*names["tool"], "beside0")}
    world.rival_runs = {name: [] for name in names["rival"]}
    world.end = time.monotonic() + SECONDS
    async with asyncio.TaskGroup() as group:
        for name in names["count"]:
            group.create_task(world.count(server, name, if_match))
            group.create_task(world.count(server, name, unmodified))
        for name in names["tool"]:
            group.create_task(world.tool(name))
        for name in names["rival"]:
            group.create_task(world.rival_tool(name))
            group.create_task(world.rival_client(server, name))
        for name in world.paths:
            if name.startswith(("tool", "beside", "chaos")):
                group.create_task(world.describe_freely(server, name))
        group.create_task(world.sidecar_tool("beside0"))
        group.create_task(world.look_around(server))
        group.create_task(world.mover())
    texts = world.check_disk()

    async def agrees():
        shown = await server.by_key()
        return shown if {k: p["metadata"]["description"] for k, p in shown.items()} == texts else 0

    shown = await server.until(agrees, 5)
    for name, path in world.paths.items():
        key = path.relative_to(directory).as_posix()
        if not name.startswith("chaos"):
            assert shown[key]["id"] == world.ids[name]
    rescan = (await server.ask("POST", "/rescan")).json
    assert (rescan["imported"], rescan["updated"], rescan["removed"]) == ([], [], [])
    assert not [p for p in directory.rglob("*") if p.name.startswith(".tagline")]
    await server.stop()
    again = await start_server(directory)
    assert await again.by_key() == shown
    await again.stop()
    fresh = await start_server(directory, "fresh")
    assert comparable(await fresh.by_key()) == comparable(shown)
    print(dict(world.seen), {n: len(a) for n, a in world.accepted.items()})  # noqa: T201 - figures
