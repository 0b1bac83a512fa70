"""Somebody with write access to the directory swaps photos for links to the outside."""

import asyncio
import subprocess
import sys
import time
from collections import Counter

import pytest

from tests.hard.processes import save_photo

pytestmark = pytest.mark.slow

SECRET = b"root:x:0:0: a secret outside of the photo directory"
SECONDS, MOST_SECONDS = 5.0, 50.0
FEWEST = 5
SWAP = """
import contextlib, os, random, sys, time
photo, link, away = sys.argv[1:]
while True:
    for _ in range(random.randrange(2000)):
        with contextlib.suppress(OSError):
            os.rename(photo, away); os.rename(link, photo)
            os.rename(photo, link); os.rename(away, photo)
    time.sleep(random.uniform(0, 0.05))
"""


@pytest.fixture
def outside(photos):
    """A directory beside the photos, with a file of a photo's name and its sidecars' names."""
    directory = photos.parent / "outside"
    directory.mkdir()
    for name in ("b.jpg", "b.jpg.json", "b.jpg.xmp"):
        (directory / name).write_bytes(SECRET)
    return directory


@pytest.fixture
def swap():
    """Run a process that swaps two names in bursts; it ends with the test."""
    running = []

    def start(photo, link):
        away = photo.with_name(".away")
        command = [sys.executable, "-c", SWAP, str(photo), str(link), str(away)]
        running.append(subprocess.Popen(command))

    yield start
    for process in running:
        process.kill()
        process.wait()


async def hammer(server, photo, photo_id):
    """Get and describe a photo again and again; give the statuses seen, and what lay there then.

    For so many seconds, and on until the swaps and the requests have met; else it is a failure.
    """
    seen = Counter()
    end = time.monotonic() + SECONDS

    def goes_on():
        return time.monotonic() < end or not have_met(seen)

    async def note(what, answer):
        seen[f"{what} {answer.status}"] += 1
        seen["link" if leads_outside(photo) else "photo"] += 1
        assert answer.status in {200, 404, 409}, answer
        assert b"root:" not in answer.body
        if answer.status == 404:  # for a moment, until the photo is noticed again
            await asyncio.sleep(0.02)

    async def get():
        while goes_on():
            await note("image", await server.ask("GET", f"/photos/{photo_id}/image"))

    async def describe():
        while goes_on():
            await note("edit", await server.describe(photo_id, f"text {seen['edit 200']}"))

    async with asyncio.timeout(MOST_SECONDS):
        await asyncio.gather(get(), describe())
    return seen


def have_met(seen):
    """Whether both took turns, and the server met both, while it read and while it wrote."""
    missed = seen["image 404"] + seen["edit 404"] + seen["edit 409"]
    least = min(seen["link"], seen["photo"], seen["image 200"], seen["edit 200"], missed)
    return least >= FEWEST


def leads_outside(photo):
    """Whether the photo or its directory is a link now."""
    return photo.is_symlink() or photo.parent.is_symlink()


@pytest.mark.parametrize("what", ["photo", "directory"])
async def test_a_link_swapped_in_leads_nowhere(photos, outside, server, swap, what):
    """While a photo or its directory and a link outside take turns, nothing there is touched."""
    before = {path: path.read_bytes() for path in outside.iterdir()}
    shown = await server.by_key()
    if what == "photo":
        (photos / "sub" / ".link").symlink_to(outside / "b.jpg")
        swap(photos / "sub" / "b.jpg", photos / "sub" / ".link")
    else:
        (photos / ".link").symlink_to(outside)
        swap(photos / "sub", photos / ".link")
    photo = photos / "sub" / "b.jpg"
    seen = await hammer(server, photo, shown["sub/b.jpg"]["id"])
    print(dict(seen))  # noqa: T201 - figures
    assert {path: path.read_bytes() for path in outside.iterdir()} == before


async def test_links_made_by_an_enemy_show_nothing(photos, outside, server):
    """Links to files, directories, devices and themselves are neither shown nor written through."""
    (photos / "passwd.jpg").symlink_to("/etc/passwd")
    (photos / "out").symlink_to(outside)
    (photos / "zero.jpg").symlink_to("/dev/zero")
    (photos / "self.jpg").symlink_to("self.jpg")
    (photos / "loop").symlink_to(".")
    (photos / "proc").symlink_to("/proc/self/cwd")
    (photos / "a.jpg.json").symlink_to(outside / "b.jpg.json")
    (photos / "c.gif.json").symlink_to(outside / "new.json")
    subprocess.run(["mkfifo", str(photos / "pipe.jpg")], check=True)
    save_photo(photos / "last.jpg", 77)
    shown = await server.until_keys("a.jpg", "c.gif", "last.jpg", "sub/b.jpg")
    assert (await server.ask("POST", "/rescan")).status == 200
    beside = await server.describe(shown["a.jpg"]["id"], "beside a link")
    assert beside.status == 200
    assert beside.json["stored_in"] == ["exif", "xmp"]
    refused = await server.describe(shown["c.gif"]["id"], "into a link")
    assert refused.status == 409, refused
    assert "c.gif.json" in refused.json["detail"]
    assert (await server.photo(shown["c.gif"]["id"]))["metadata"]["description"] is None
    assert not (outside / "new.json").exists()
    assert all(path.read_bytes() == SECRET for path in outside.iterdir())


async def test_a_name_too_long_for_a_sidecar_is_told(photos, server):
    """A photo whose name leaves no room for a sidecar's is refused in words, not lost."""
    name = "n" * 247 + ".gif"
    save_photo(photos.parent / "whole.gif", 78)
    (photos.parent / "whole.gif").rename(photos / name)  # one that grows has another id at first
    shown = await server.until_keys("a.jpg", "c.gif", "sub/b.jpg", name)
    refused = await server.describe(shown[name]["id"], "no room for a sidecar")
    assert refused.status == 409, refused
    assert "too long" in refused.json["detail"]
    assert sorted(path.name for path in photos.iterdir() if path.name.startswith("n")) == [name]
