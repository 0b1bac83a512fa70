"""A server that is killed at each system call by which an edit changes files."""

import asyncio
import json
import subprocess
from itertools import product

import aiohttp
import pytest

from tests.hard.processes import save_photo
from tests.machine import program

CALLS = (
    "renameat2",
    "rename",
    "renameat",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "fsync",
    "fdatasync",
)


class Executioner:
    """Lets the server be killed (SIGKILL) just before the call of a name that has this number."""

    def __init__(self, server, call, number):
        inject = f"inject=?{call}:signal=KILL:when={number}"
        told = ["-e", f"trace=?{call}", "-e", inject, "-o", "/dev/null"]
        command = [program("strace"), "-f", "-p", str(server.process.pid), *told]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        first = self.process.stderr.readline()
        if "attached" not in first:
            self.process.wait()
            pytest.skip(f"processes cannot be traced here: {first.strip()}")

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.process.terminate()
        self.process.wait()
        self.process.stderr.close()


async def texts(server, photo_id):
    """What the places of a photo say, the API first; and before and after of the last change."""
    photo = await server.photo(photo_id)
    path = server.photos / photo["object_key"]
    places = [photo["metadata"]["description"]]
    places += [s["text"] for s in photo["description_sources"] if not s["agrees"]]
    sidecar = path.with_name(path.name + ".json")
    if sidecar.exists():
        places.append(json.loads(sidecar.read_bytes())["description"])
    past = (await server.ask("GET", f"/photos/{photo_id}/history?limit=20")).json["items"]
    return places, [(item["before"]["description"], item["after"]["description"]) for item in past]


async def describe_and_kill(server, photo_id, text, call, number):
    """The answer to an edit whose server dies at a call; None where it died."""
    with Executioner(server, call, number):
        try:
            return await server.describe(photo_id, text)
        except (aiohttp.ClientError, OSError):
            await asyncio.to_thread(server.process.wait, 20)
    await server.stop()
    return None


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["c.gif", "a.jpg"])
async def test_kill_at_each_call_of_an_edit(tmp_path, start_server, name):
    """After the next start all places say the old or the new text, and the history which.

    What was acknowledged is there. Every text that was ever there can be brought back.
    """
    photos = tmp_path / "photos"
    photos.mkdir()
    save_photo(photos / name, 1)
    if name == "a.jpg":
        (photos / "a.jpg.json").write_text('{"title": "a.jpg", "description": ""}')
    server = await start_server(photos)
    photo_id = (await server.by_key())[name]["id"]
    passed = set()
    assert (await server.describe(photo_id, "0")).status == 200
    old, made, kills = "0", [(None, "0")], 0
    for call, number in product(CALLS, range(1, 20)):
        new = f"{call} {number} {'ä' * (number * 37 % 400)}"
        if call in passed:
            continue
        answer = await describe_and_kill(server, photo_id, new, call, number)
        if answer is None:
            kills += 1
            server = await start_server(photos)
        else:
            assert answer.status == 200
            passed.add(call)

        async def right(new=new, old=old, made=made, server=server):
            places, past = await texts(server, photo_id)
            now = [(old, new), *made] if places[0] == new else made
            return places if set(places) in ({old}, {new}) and past == now[:20] else None

        places = await server.until(right, 10)
        assert answer is None or places[0] == new
        if places[0] == new:
            old, made = new, [(old, new), *made]
    assert kills > 8
