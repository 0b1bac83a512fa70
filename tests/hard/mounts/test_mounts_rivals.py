"""Another program replaces photos and sidecars on a real mount while they are described."""

import asyncio
import json
import os
import struct
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.hard.mounts.test_mounts_edits import shown_by_exiftool
from tests.hard.writers.specimens import jpeg, raw

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

PROGRAM = Path(__file__).with_name("rival.py")
SECONDS = float(os.environ.get("TAGLINE_RIVAL_SECONDS", "4"))
NO_WAITING = {"TAGLINE_SETTLE_SECONDS": "0"}
COMMENT = b"rival:00000000"
PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:mine="http://example.com/mine/" mine:word="rival:00000000"/></rdf:RDF></x:xmpmeta>'
)


def commented(seed):
    """A JPEG with a comment that the other program changes."""
    data = jpeg(seed).data
    return data[:20] + b"\xff\xfe" + struct.pack(">H", 2 + len(COMMENT)) + COMMENT + data[20:]


def put(mount):
    """Two JPEGs, and a RAW with a sidecar; what the other program replaces, by photo."""
    for seed, key in enumerate(("free.jpg", "careful.jpg")):
        (mount.point / key).write_bytes(commented(seed))
    (mount.point / "raw.dng").write_bytes(raw(2).data)
    (mount.point / "raw.dng.xmp").write_bytes(PACKET)
    return {"free.jpg": "free.jpg", "careful.jpg": "careful.jpg", "raw.dng": "raw.dng.xmp"}


class Rivals:
    """The other program, once for each file."""

    def __init__(self, directory, names, rng):
        self.directory = directory
        self.running = {
            name: subprocess.Popen(
                [sys.executable, "-ISB", PROGRAM, directory / name, str(rng.randrange(10**6))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            for name in names
        }

    def number(self, name):
        """The number that is in a file; -1 while there is none."""
        with suppress(FileNotFoundError):
            return int((self.directory / name).read_bytes().partition(b"rival:")[2][:8])
        return -1

    async def reach(self, number):
        """Wait until each has written so often."""
        async with asyncio.timeout(20):
            while min(map(self.number, self.running)) < number:  # noqa: ASYNC110 - other processes
                await asyncio.sleep(0.02)

    async def stop(self):
        """Let each finish its last writing; what each says, and what it says against the end."""
        told, faults = {}, []
        for name, process in self.running.items():
            out, _ = await asyncio.to_thread(process.communicate)
            assert process.returncode == 0, name
            told[name] = said = json.loads(out)
            if said["lost"]:
                faults.append(f"{name}: {len(said['lost'])} lost, such as {said['lost'][:3]}")
            if (number := self.number(name)) != said["written"]:
                faults.append(f"{name}: in the end {number}, not {said['written']}")
        return told, faults

    def end(self):
        """See that they are gone."""
        for process in self.running.values():
            with process:
                process.kill()


@pytest.fixture
def compete(rng):
    """Start the other program for files of a directory; it is ended."""
    with ExitStack() as stack:

        def start(directory, names):
            rivals = Rivals(directory, names, rng)
            stack.callback(rivals.end)
            return rivals

        yield start


class Describing:
    """A client that describes one photo as fast as it can."""

    def __init__(self, server, key, photo_id):
        self.server, self.key, self.photo_id = server, key, photo_id
        self.seen, self.faults = Counter(), []

    async def go(self, end):
        """Describe until then, ``careful.jpg`` by the entity tag that was seen before."""
        number = 0
        while time.monotonic() < end:
            number += 1
            headers = {}
            if self.key == "careful.jpg":
                shown = await self.server.ask("GET", f"/photos/{self.photo_id}")
                headers = {"If-Match": f'"{shown.json.get("etag", "gone")}"'}
            text = f"text {number} of {self.key}"
            answer = await self.server.describe(self.photo_id, text, headers=headers)
            self.seen[answer.status] += 1
            if answer.status == 200:
                # Who read before this edit and wrote after it has put the old text back.
                said = answer.json["metadata"]["description"]
                self.seen["with another text"] += said != text
            elif answer.status not in {409, 412}:
                self.faults.append(f"{self.key}: {answer.status} {answer.json['detail']}")


async def test_no_edit_of_another_program_is_lost_on_a_real_mount(
    mount, start_server, exiftool, compete
):
    """In loops, with and without ``If-Match``, no waiting for rest: what the others wrote stays.

    An edit is made, or refused as one that met another; the next one is made when they have ended.
    A file system with neither links nor exchanging renames has no way to keep what another program
    writes to a sidecar in the moment of an edit: documented, and not judged.
    """
    files = put(mount)
    alone = compete(mount.point, files.values())
    await alone.reach(8)
    assert (await alone.stop())[1] == [], "this mount loses them by itself"
    server = await start_server(mount.point, **NO_WAITING)
    shown = await server.until_keys(*files)
    clients = [Describing(server, key, shown[key]["id"]) for key in files]
    rivals = compete(mount.point, files.values())
    await asyncio.gather(*(client.go(time.monotonic() + SECONDS) for client in clients))
    told, faults = await rivals.stop()
    for client in clients:
        print(mount.name, client.key, dict(client.seen))  # noqa: T201 - figures
        faults += [f"{times} x {fault}" for fault, times in Counter(client.faults).items()]
        answer = await server.describe(client.photo_id, f"the end of {client.key}")
        if answer.status != 200:
            faults.append(f"{client.key}, at the end: {answer.status} {answer.json['detail']}")
    print(mount.name, told)  # noqa: T201 - figures
    texts = shown_by_exiftool(mount, files, exiftool)
    faults += [f"{k} says {t!r} at the end" for k, t in texts.items() if t != f"the end of {k}"]
    await server.ask("POST", "/rescan")
    # What was put aside while another file took its name is kept, for somebody to look at.
    left = [path.name for path in mount.point.rglob(".tagline*")]
    print(mount.name, left)  # noqa: T201 - figures
    faults += [f"{name} was left" for name in left if not name.endswith(".kept")]
    if mount.name == "exfat":
        faults = [fault for fault in faults if not fault.startswith("raw.dng.xmp: ")]
    assert not faults, "\n".join(faults)


async def test_the_other_program_counts_what_is_lost(tmp_path, compete):
    """It finds an older version that is put back: what the test above believes.

    Not every one: it may have read the newer one by then, and be about to write.
    """
    file = tmp_path / "a.jpg"
    file.write_bytes(commented(1))
    rivals = compete(tmp_path, ["a.jpg"])
    for number in range(20):
        await rivals.reach(3 + number)
        file.with_suffix(".old").write_bytes(commented(1))
        file.with_suffix(".old").replace(file)
    await rivals.reach(30)
    _, faults = await rivals.stop()
    assert len(faults) == 1
    assert "lost, such as" in faults[0]
