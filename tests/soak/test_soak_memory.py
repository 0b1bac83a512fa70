"""A hundred thousand photos: on a machine that gives 256 MiB, and in one directory."""

import os
import shutil
import signal
import time

import pytest
from PIL import Image

from benchmarks.library import Library
from tests.hard.processes import Server, save_photo
from tests.hard.vitals import status_bytes
from tests.soak.long_used import fill_history
from tests.soak.memory_limit import MemoryLimit

pytestmark = pytest.mark.slow

PHOTOS = int(os.environ.get("TAGLINE_SOAK_PHOTOS", "100000"))
LIMIT_BYTES = 256 << 20
TOO_LARGE_EDGE = 12_000
"""So many pixels wide and high, a PNG takes more memory to decode than is left."""


@pytest.fixture
def memory_limit():
    """256 MiB for a server; skips where no control group can be made."""
    try:
        limit = MemoryLimit(LIMIT_BYTES)
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    yield limit
    limit.remove()


LIBRARY = Library(seed=3, profile="bare", size_bytes=2048)


def write_flat(directory, count):
    """So many photos in one directory, each with other image data."""
    directory.mkdir()
    for number in range(count):
        (directory / f"{number:06}.jpg").write_bytes(LIBRARY.photo(number))


class Stopwatch:
    """Prints how long each step took."""

    def __init__(self):
        self.began = time.monotonic()

    def say(self, what):
        """Say it, and begin anew."""
        now = time.monotonic()
        print(f"{what}: {now - self.began:.1f} s")  # noqa: T201
        self.began = now


@pytest.fixture
def photos(tmp_path):
    """A directory that is removed at the end, for it is large."""
    directory = tmp_path / "photos"
    yield directory
    shutil.rmtree(directory)


def tell(server, what):
    """Print the highest memory of the server itself so far."""
    print(f"{what}: {status_bytes(server.process.pid, 'VmHWM') >> 20} MiB")  # noqa: T201


@pytest.mark.timeout(1200)
async def test_a_hundred_thousand_photos_fit_in_256_mib(tmp_path, photos, memory_limit):
    """With a full history, all of a day and a restart stay inside; only workers die."""
    photos.mkdir()
    LIBRARY.write(photos, PHOTOS)
    Image.new("RGB", (TOO_LARGE_EDGE, TOO_LARGE_EDGE)).save(photos / "too_large.png")
    (tmp_path / "data").mkdir()
    fill_history(tmp_path / "data")
    server = Server(photos, tmp_path / "data")
    server.under = memory_limit.command
    watch = Stopwatch()
    try:
        await server.start(600)
        watch.say("scanned")
        await use(server, photos, watch)
        shown = (await server.ask("GET", "/photos?limit=1&q=too_large")).json
        picture = await server.ask("GET", f"/photos/{shown['items'][0]['id']}/preview")
        watch.say(f"a picture too large for the memory that is left: {picture.status}")
        assert picture.status in {422, 503}, picture
        first = (await server.ask("GET", "/photos?limit=1")).json["items"][0]
        small = await server.ask("GET", f"/photos/{first['id']}/thumbnail")
        assert small.status == 200, small
        tell(server, "most memory of the server itself")
        print(f"{memory_limit.kills} processes killed")  # noqa: T201
        await server.stop(signal.SIGTERM)
        watch.say("stopped")
        await server.start(600)
        watch.say("started again")
        page = (await server.ask("GET", f"/photos?limit=500&offset={PHOTOS - 100}")).json
        assert (page["total"], len(page["items"])) == (PHOTOS + 1, 101)
    finally:
        await server.stop()


@pytest.mark.timeout(1200)
async def test_a_directory_of_a_hundred_thousand_photos_is_lived_in(tmp_path, photos):
    """The same with all photos in one directory: slower, and in memory that is bounded."""
    write_flat(photos, PHOTOS)
    (tmp_path / "data").mkdir()
    server = Server(photos, tmp_path / "data")
    watch = Stopwatch()
    try:
        await server.start(600)
        watch.say("scanned")
        await use(server, photos, watch)
        tell(server, "most memory")
        assert status_bytes(server.process.pid, "VmHWM") < 300 << 20
    finally:
        await server.stop()


async def use(server, photos, watch):
    """A day in the life of it."""
    total = (await server.ask("GET", "/photos?limit=1")).json["total"]
    for offset in range(0, PHOTOS, PHOTOS // 20):
        page = await server.ask("GET", f"/photos?limit=250&offset={offset}")
        assert len(page.json["items"]) == 250
    watch.say("20 pages of 250")
    for number, photo in enumerate(page.json["items"][:50]):
        assert (await server.describe(photo["id"], f"in the crowd {number}")).status == 200
    watch.say("50 descriptions")
    save_photo(photos / "new.jpg", 1)

    async def is_shown():
        return (await server.ask("GET", "/photos?limit=1")).json["total"] == total + 1

    await server.until(is_shown, 60)
    watch.say("a new photo shown")
    (photos / "new.jpg").unlink()
    rescan = await server.ask("POST", "/rescan")
    assert (rescan.status, rescan.json["imported"], rescan.json["errors"]) == (200, [], [])
    watch.say("rescanned")
