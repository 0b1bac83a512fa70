"""Photos and directories of a size or shape that few programs survive."""

import os
import struct
import subprocess
import time

import pytest

from tests.hard.processes import save_photo
from tests.hard.vitals import status_bytes

pytestmark = pytest.mark.slow

LEVELS = 5000
EDGE = 26_755
"""So many pixels wide and high, a picture of three bytes each is over 2 GiB."""
ROWS = 64


def write_tiff(path, edge=EDGE):
    """A TIFF (6.0, section 3) of uncompressed strips at the end of the IFD; those are sparse."""
    strips = -(-edge // ROWS)
    lengths = [min(ROWS, edge - ROWS * strip) * edge * 3 for strip in range(strips)]
    bits, places, sizes = 256, 512, 512 + 4 * strips
    start = sizes + 4 * strips
    offsets = [start + sum(lengths[:strip]) for strip in range(strips)]
    entries = [
        *((256, 4, 1, edge), (257, 4, 1, edge), (258, 3, 3, bits), (259, 3, 1, 1)),
        *((262, 3, 1, 2), (273, 4, strips, places), (277, 3, 1, 3), (278, 4, 1, ROWS)),
        (279, 4, strips, sizes),
    ]
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    head += b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    with path.open("wb") as file:
        file.write(head.ljust(bits, b"\0") + struct.pack("<3H", 8, 8, 8))
        file.seek(places)
        file.write(struct.pack(f"<{strips}I", *offsets) + struct.pack(f"<{strips}I", *lengths))
        for offset in offsets:
            file.seek(offset)
            file.write(offset.to_bytes(4, "little"))
        file.truncate(start + sum(lengths))


async def test_a_tiff_of_two_gigabytes_is_served_and_described(photos, server):
    """A TIFF over 2 GiB is listed with its size, described, renamed and served in little memory."""
    pid = server.process.pid
    write_tiff(photos / ".big")
    (photos / ".big").rename(photos / "big.tif")
    size = (photos / "big.tif").stat().st_size
    assert size > 2 << 30
    shown = await server.until_keys("a.jpg", "big.tif", "c.gif", "sub/b.jpg")
    photo = shown["big.tif"]
    assert (photo["size"], photo["width"], photo["height"]) == (size, EDGE, EDGE)
    began = time.monotonic()
    answer = await server.describe(photo["id"], "Grüße, groß")
    took = time.monotonic() - began
    assert answer.status == 200, answer
    assert (photos / "big.tif").stat().st_size == size
    picture = await server.ask("GET", f"/photos/{photo['id']}/thumbnail")
    assert picture.status == 422, picture
    last = await server.ask(
        "GET", f"/photos/{photo['id']}/image", headers={"Range": f"bytes={size - 10}-"}
    )
    assert last.status == 206
    assert last.headers["Content-Range"] == f"bytes {size - 10}-{size - 1}/{size}"
    (photos / "big.tif").rename(photos / "sub" / "great.tif")
    now = await server.until_keys("a.jpg", "sub/great.tif", "c.gif", "sub/b.jpg")
    assert now["sub/great.tif"]["id"] == photo["id"]
    assert now["sub/great.tif"]["metadata"]["description"] == "Grüße, groß"
    peak = status_bytes(pid, "VmHWM")
    print(f"described in {took:.2f} s into {answer.json['stored_in']}, peak {peak >> 20} MiB")  # noqa: T201
    assert peak < 200 << 20


def descend(directory, levels):
    """A descriptor of the last of so many directories, each in the one before, all named ``d``."""
    here = os.open(directory, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    return here


@pytest.fixture
def abyss(photos):
    """A descriptor of the last of 5,000 nested directories; they go with rm(1), as few can."""
    bottom = descend(photos, LEVELS)
    yield bottom
    os.close(bottom)
    subprocess.run(["rm", "-rf", str(photos / "d")], check=True)


def photo_at(directory, name, like):
    """Write a photo into a directory that is known by descriptor alone."""
    file = os.open(name, os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=directory)
    os.write(file, like)
    os.close(file)


@pytest.mark.timeout(300)
async def test_five_thousand_nested_directories_are_walked(tmp_path, photos, abyss, start_server):
    """Photos in 5,000 nested directories, far beyond PATH_MAX, are shown, served and described."""
    for seed in (7, 8):
        save_photo(tmp_path / f"{seed}.jpg", seed)
    photo_at(abyss, "deep.jpg", (tmp_path / "7.jpg").read_bytes())
    key = "d/" * LEVELS + "deep.jpg"
    assert len(key) > 4096
    began = time.monotonic()
    server = await start_server(photos)
    took = time.monotonic() - began
    assert "4,095 bytes" in (await server.health())["watcher"]["degraded"]
    shown = await server.by_key()
    assert set(shown) == {"a.jpg", "c.gif", "sub/b.jpg", key}
    photo = shown[key]
    assert (await server.ask("GET", f"/photos/{photo['id']}/image")).status == 200
    assert (await server.describe(photo["id"], "deep down")).status == 200
    assert (await server.describe(shown["a.jpg"]["id"], "beside")).status == 200
    photo_at(abyss, "new.jpg", (tmp_path / "8.jpg").read_bytes())
    began = time.monotonic()
    # No event tells of it: inotify(7) takes paths, and no path is that long.
    rescan = await server.ask("POST", "/rescan")
    looked = time.monotonic() - began
    assert (rescan.status, rescan.json["errors"]) == (200, [])
    assert set(await server.by_key()) == {*shown, "d/" * LEVELS + "new.jpg"}
    peak = status_bytes(server.process.pid, "VmHWM")
    print(f"ready in {took:.1f} s, rescan {looked:.1f} s, peak {peak >> 20} MiB")  # noqa: T201
    assert peak < 200 << 20
