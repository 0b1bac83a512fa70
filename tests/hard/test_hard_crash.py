"""kill -9 at random points under load, again and again, on one directory and one index."""

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import xml.etree.ElementTree as ET
from functools import partial

import aiohttp
import pytest
from PIL import Image

from tests.hard.processes import Server, save_photo

KILLS = int(os.environ.get("TAGLINE_KILLS", "50"))
NAMES = ("a.jpg", "b.jpg", "sub/c.jpeg", "d.png", "e.webp", "f.tif", "sub/g.gif", "h.dng", "i.avif")


def make_library(directory):
    """A photo of each way of writing, one of them with a sidecar beside the embedded text."""
    (directory / "sub").mkdir(parents=True)
    for seed, name in enumerate(NAMES):
        save_photo(directory / name, seed)
    (directory / "b.jpg.json").write_text('{"title": "b.jpg", "description": "", "other": [1]}')


def pixels(path):
    """A hash of the decoded picture."""
    with Image.open(path) as image:
        return hashlib.sha256(image.tobytes()).hexdigest()


class Load:
    """Clients that describe every photo as fast as they can; remembers what was acknowledged."""

    def __init__(self):
        self.sent = dict.fromkeys(NAMES, 0)
        self.acknowledged = dict.fromkeys(NAMES, 0)
        self.unexpected = []

    async def write(self, server, key, photo_id):
        """Count upwards in the description of one photo, with texts of changing length."""
        while True:
            self.sent[key] = number = self.sent[key] + 1
            answer = await server.describe(photo_id, text_of(key, number))
            if answer.status != 200:
                self.unexpected.append(answer)
                return
            self.acknowledged[key] = number

    async def until_killed(self, server, photos, seconds):
        """Write for so long, then kill the server in the middle of it."""
        writers = [
            asyncio.create_task(self.write(server, key, photo["id"]))
            for key, photo in photos.items()
        ]
        await asyncio.sleep(seconds)
        server.process.send_signal(signal.SIGKILL)
        for outcome in await asyncio.gather(*writers, return_exceptions=True):
            if outcome is not None and not isinstance(outcome, aiohttp.ClientError | OSError):
                raise outcome


def text_of(key, number):
    """A text that says which one it is; long ones do not fit where a short one was."""
    return f"{key} {number} {'ä' * (number * 37 % 400)}."


def number_of(key, text):
    """The number of a text, which has to be whole."""
    number = int(text.removeprefix(f"{key} ").split()[0])
    assert text == text_of(key, number)
    return number


def hidden_in(directory):
    """The temporary files, and those that are aside."""
    return [path for path in directory.rglob("*") if path.name.startswith(".tagline")]


async def is_tidy(directory):
    """Whether there are none; an edit that was interrupted may still be being completed."""
    return not hidden_in(directory)


def check_files(directory, load):
    """Every file is whole: every place holds a text that was sent."""
    for path in directory.rglob("*.json"):
        text = json.loads(path.read_bytes()).get("description")
        if text:
            key = path.relative_to(directory).as_posix().removesuffix(".json")
            assert number_of(key, text) <= load.sent[key]
    for path in directory.rglob("*.xmp"):
        ET.fromstring(path.read_bytes())


@pytest.mark.slow
@pytest.mark.timeout(120 + 6 * KILLS)
async def test_kill_at_any_moment_loses_nothing_acknowledged(tmp_path, start_server, rng, exiftool):
    """After each kill: every acknowledged text is shown and on disk, and no file is torn."""
    directory = tmp_path / "photos"
    make_library(directory)
    pictures = {name: pixels(directory / name) for name in NAMES}
    load = Load()
    ids = None
    for kill in range(KILLS + 1):
        server = await start_server(directory)
        shown = await server.by_key()
        ids = ids or {key: photo["id"] for key, photo in shown.items()}
        assert {key: photo["id"] for key, photo in shown.items()} == ids
        assert (await server.health())["index"]["recovered"] is None
        for key, photo in shown.items():
            text = photo["metadata"]["description"]
            number = number_of(key, text) if text else 0
            assert load.acknowledged[key] <= number <= load.sent[key], (kill, key, text)
            load.acknowledged[key] = number
        await server.until(partial(is_tidy, directory))
        check_files(directory, load)
        assert {name: pixels(directory / name) for name in NAMES} == pictures
        if kill < KILLS:
            await load.until_killed(server, shown, rng.uniform(0.0, 0.5))
        await server.stop()
    assert not load.unexpected
    command = [exiftool, "-j", "-r", "-charset", "UTF8", "-validate", str(directory)]
    told = subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert all(seen.get("Error") is None for seen in json.loads(told.stdout))
    print(f"{KILLS} kills, {sum(load.sent.values())} edits sent")  # noqa: T201 - a figure


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_kill_amid_a_cold_scan_is_resumed(tmp_path, start_server, rng):
    """Killed while it reads a new library, it starts again until everything is there."""
    directory = tmp_path / "photos"
    directory.mkdir()
    for number in range(400):
        save_photo(directory / f"{number}.jpg", number, (16, 16))
    (tmp_path / "data").mkdir()
    for _ in range(5):
        killed = Server(directory, tmp_path / "data")
        killed.spawn()
        await asyncio.sleep(rng.uniform(0.4, 0.9))
        await killed.stop()
    server = await start_server(directory)
    assert len(await server.by_key()) == 400
    assert (await server.health())["index"]["recovered"] is None
