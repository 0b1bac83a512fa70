"""Large and hostile photos are edited by a server that has 256 MiB."""

import asyncio
import shutil

import pytest

from benchmarks import heavy
from tests.hard.processes import Server
from tests.hard.vitals import status_bytes
from tests.soak.memory_limit import MemoryLimit

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

LIMIT_BYTES = 256 << 20
LARGE = (
    *("200 MB.jpg", "video of 250 MB.jpg", "100 MB.tif", "250 MB, tags at the end.tif"),
    *("250 MB in small chunks.png", "250 MB.webp", "250 MB of segments.jpg"),
)
LONG = ("XMP of a long text", "XMP of wide letters")
"""Descriptions of megabytes are what the photos say: the index keeps them."""
HOSTILE = (
    *("Photoshop of 250 MB.jpg", "scan of ends.jpg", "scan of AFCP marks.jpg"),
    *("million chunks.png", "60,000 texts.png", "bombs.png", "bomb of XMP.png", "huge text.png"),
    *("huge Exif.png", "60,000 chunks.webp", "huge XMP.webp", "60,000 strips.tif"),
    *(f"directories over each other.{suffix}" for suffix in ("jpg", "png", "webp")),
    *(f"{name}.jpg" for name in heavy.PACKETS),
    *(
        f"{name}.{suffix}"
        for name in heavy.PACKETS
        for suffix in ("png", "webp")
        if name not in LONG
    ),
)


@pytest.fixture
async def limited(tmp_path):
    """A server over a directory, in a control group of 256 MiB where one can be made."""
    try:
        limit = MemoryLimit(LIMIT_BYTES)
    except OSError:
        limit = None
    photos = tmp_path / "photos"
    photos.mkdir()
    (tmp_path / "data").mkdir()
    server = Server(photos, tmp_path / "data")
    server.under = limit.command if limit else []
    yield server
    await server.stop()
    if limit:
        limit.remove()
    shutil.rmtree(photos)


async def edit_all(server, change):
    """The change of every photo, all at once: the photo's key, and what was answered, of each."""
    photos = await server.by_key()
    asked = [
        server.ask("PATCH", f"/photos/{photo['id']}/metadata", json=change)
        for photo in photos.values()
    ]
    answers = await asyncio.gather(*asked)
    assert server.process.poll() is None, server.log.read_text()
    peak = status_bytes(server.process.pid, "VmHWM")
    print(f"most memory {peak >> 20} MiB")  # noqa: T201
    assert peak < LIMIT_BYTES
    return list(zip(photos, answers, strict=True))


async def test_large_photos_are_edited_in_their_places(limited):
    """Each is changed in the file itself, which grows by its description, and gets no sidecar."""
    for name in LARGE:
        heavy.write(limited.photos / name, heavy.FILES[name]())
    await limited.start(120)
    sizes = {name: (limited.photos / name).stat().st_size for name in LARGE}
    for key, answer in await edit_all(limited, {"description": "A large one"}):
        assert (answer.status, answer.json["metadata"]["description"]) == (200, "A large one"), key
        assert not answer.json["not_embedded"], (key, answer)
        assert 0 <= (limited.photos / key).stat().st_size - sizes[key] < 10_000
    assert {path.name for path in limited.photos.iterdir()} == set(LARGE)


async def test_hostile_photos_do_not_fill_memory(limited):
    """Whatever is asked of all of them at once is answered truly, and the server lives."""
    for name in HOSTILE:
        heavy.write(limited.photos / name, heavy.FILES[name]())
    sidecars = [what for name, what in heavy.SIDECARS.items() if not name.startswith(LONG)]
    for number, (suffix, make) in enumerate(sidecars):
        (limited.photos / f"{number}.gif").write_bytes(b"GIF89a\1\0\1\0\0\0\0;")
        (limited.photos / f"{number}.gif{suffix}").write_bytes(make())
    await limited.start(180)
    for change in ({"description": "said"}, {"description": None}):
        for key, answer in await edit_all(limited, change):
            assert answer.status in {200, 409}, (key, answer)
            if answer.status == 200:
                said = answer.json["metadata"]
                assert {name: said[name] for name in change} == change, (key, answer)
