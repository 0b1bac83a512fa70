"""Photos on a read-only mount, and their sidecars in a mirror that is treated badly."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import xml.etree.ElementTree as ET

import aiohttp
import pytest

from tests.hard.processes import save_photo

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("TAGLINE_MIRROR_KILLS", "6"))


class Apart:
    """Photos on ``disk``, mounted read-only at ``photos``, and a mirror at ``sidecars``."""

    def __init__(self, directory, mounts, start_server):
        self.disk, self.photos = directory / "disk", directory / "photos"
        self.sidecars = directory / "sidecars"
        self.mounts, self.start_server = mounts, start_server
        for made in (self.disk / "sub", self.photos, self.sidecars):
            made.mkdir(parents=True)
        save_photo(self.disk / "a.jpg", 1)
        save_photo(self.disk / "sub" / "b.jpg", 2)
        save_photo(self.disk / "c.gif", 3)
        mounts.bind(self.disk, self.photos)
        mounts.run("mount", "-o", "remount,ro,bind", str(self.photos))

    async def serve(self, data="data", **environment):
        """A server over both."""
        return await self.start_server(
            self.photos, data, TAGLINE_SIDECAR_PATH=str(self.sidecars), **environment
        )

    def files(self):
        """The content of every file of the mirror by its key."""
        return {
            path.relative_to(self.sidecars).as_posix(): path.read_bytes()
            for path in self.sidecars.rglob("*")
            if path.is_file() and not path.name.startswith(".tagline")
        }


@pytest.fixture
def apart(tmp_path, mounts, start_server):
    """Photos that cannot be written, and a mirror."""
    return Apart(tmp_path, mounts, start_server)


def told(photos):
    """Ids and descriptions by key."""
    return {key: (p["id"], p["metadata"]["description"]) for key, p in photos.items()}


async def describe_all(server):
    """Describe every photo by its key; what is shown then."""
    for key, photo in (await server.by_key()).items():
        assert photo["writable"]
        answer = await server.describe(photo["id"], f"text of {key}")
        assert answer.status == 200, answer
        assert answer.json["metadata"]["description"] == f"text of {key}"
        assert answer.json["writable"]
    return await server.by_key()


async def test_read_only_photos_are_described_in_the_mirror(apart, exiftool, tmp_path):
    """What is written shows at once, to exiftool, after a restart, and with a new index."""
    before = {p: p.read_bytes() for p in apart.disk.rglob("*") if p.is_file()}
    server = await apart.serve()
    shown = await describe_all(server)
    assert shown["a.jpg"]["not_embedded"] == "the photo cannot be written"
    assert "goes to TAGLINE_SIDECAR_PATH" in server.log.read_text()
    command = [exiftool, "-s3", "-XMP-dc:Description", str(apart.sidecars / "sub" / "b.jpg.xmp")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "text of sub/b.jpg"
    assert {p: p.read_bytes() for p in apart.disk.rglob("*") if p.is_file()} == before
    assert sorted(apart.files()) == sorted(f"{k}.{s}" for k in shown for s in ("json", "xmp"))
    await server.stop(signal.SIGTERM)
    server = await apart.serve()
    assert await server.by_key() == shown
    await server.stop(signal.SIGKILL)
    server = await apart.serve("another")
    assert told(await server.by_key()) == told(shown)
    removed = await server.describe(shown["c.gif"]["id"], None)
    assert removed.status == 200
    assert "c.gif.xmp" not in apart.files()
    assert (await server.photo(shown["c.gif"]["id"]))["metadata"]["description"] is None


async def test_others_changes_of_the_mirror_show(apart):
    """A sidecar that another program edits in the mirror shows, and a restored one."""
    server = await apart.serve()
    shown = await describe_all(server)
    path = apart.sidecars / "sub" / "b.jpg.xmp"
    before = "text of sub/b.jpg"
    for text in ("by digiKam", "by darktable"):
        path.write_bytes(path.read_bytes().replace(before.encode(), text.encode()))
        before = text

        async def seen(text=text):
            photo = await server.photo(shown["sub/b.jpg"]["id"])
            return photo["metadata"]["description"] == text

        await server.until(seen, 5)
    shutil.rmtree(apart.sidecars / "sub")

    async def forgotten():
        photo = await server.photo(shown["sub/b.jpg"]["id"])
        return photo["metadata"]["description"] is None

    await server.until(forgotten, 5)
    assert (await server.health())["watcher"]["degraded"] is None


async def test_descriptions_follow_photos_that_are_renamed(apart):
    """A photo and a directory renamed on the disk keep ids and texts, and their sidecars follow."""
    server = await apart.serve()
    shown = await describe_all(server)
    (apart.disk / "sub").rename(apart.disk / "moved")
    (apart.disk / "a.jpg").rename(apart.disk / "moved" / "z.jpg")
    now = await server.until_keys("c.gif", "moved/b.jpg", "moved/z.jpg")
    for old, new in (("sub/b.jpg", "moved/b.jpg"), ("a.jpg", "moved/z.jpg")):
        assert told(now)[new] == told(shown)[old]
        answer = await server.describe(now[new]["id"], f"edited {new}")
        assert answer.status == 200, answer
    assert set(apart.files()) == {
        f"{k}.{s}" for k in ("c.gif", "moved/b.jpg", "moved/z.jpg") for s in ("json", "xmp")
    }
    await server.stop()
    server = await apart.serve("another")
    assert (await server.by_key())["moved/z.jpg"]["metadata"]["description"] == "edited moved/z.jpg"


async def test_a_sidecar_beside_read_only_photos_is_edited_as_a_copy(apart):
    """Another program's properties are kept in the copy, and a removed text stays removed."""
    theirs = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        b'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:crs="http://ns.adobe.com/'
        b'camera-raw-settings/1.0/" crs:Exposure2012="+0.35"><dc:description><rdf:Alt><rdf:li '
        b'xml:lang="x-default">theirs</rdf:li></rdf:Alt></dc:description></rdf:Description>'
        b"</rdf:RDF></x:xmpmeta>"
    )
    (apart.disk / "a.jpg.xmp").write_bytes(theirs)
    (apart.disk / "c.gif.json").write_text('{"title": "c.gif", "description": "old"}')
    server = await apart.serve()
    shown = await server.by_key()
    assert [shown[k]["metadata"]["description"] for k in ("a.jpg", "c.gif")] == ["theirs", "old"]
    shown = await describe_all(server)
    copy = apart.files()["a.jpg.xmp"]
    assert b"text of a.jpg" in copy
    assert b'crs:Exposure2012="+0.35"' in copy
    assert (apart.disk / "a.jpg.xmp").read_bytes() == theirs
    for photo in shown.values():
        assert (await server.describe(photo["id"], None)).status == 200
    assert all(text is None for _, text in told(await server.by_key()).values())
    await server.stop()
    server = await apart.serve("another")
    assert all(text is None for _, text in told(await server.by_key()).values())


async def test_full_mirror_answers_507_and_tears_nothing(apart, mounts):
    """With no room nothing changes, the error names the setting, and with room it goes on."""
    mounts.tmpfs(apart.sidecars, "600k")
    server = await apart.serve()
    shown = await describe_all(server)
    ballast = apart.sidecars / ".ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass
    before = apart.files()
    for photo in shown.values():
        answer = await server.describe(photo["id"], "no room " * 1_000)
        assert answer.status == 507, answer
        assert "TAGLINE_SIDECAR_PATH" in answer.json["detail"]
        assert str(apart.sidecars) not in answer.body.decode()
    assert {**apart.files()} == before
    assert told(await server.by_key()) == told(shown)
    ballast.unlink()
    for photo in shown.values():
        assert (await server.describe(photo["id"], "there is room")).status == 200


async def test_unmounted_mirror_loses_no_description(apart, mounts, tmp_path):
    """Pulled out, pulled out at the start, emptied: 503 until it is back, then all is as it was."""
    store = tmp_path / "store"
    store.mkdir()
    mounts.bind(store, apart.sidecars)
    server = await apart.serve(TAGLINE_RECONCILE_SECONDS="1")
    shown = await describe_all(server)

    async def gone():
        return (await server.ask("GET", "/health")).status == 503

    async def back():
        return await server.until_back() == shown

    mounts.unmount(apart.sidecars)
    answer = await server.describe(shown["a.jpg"]["id"], "too late")
    assert answer.status == 503, answer
    assert "TAGLINE_SIDECAR_PATH" in answer.json["detail"]
    await server.until(gone, 10)
    assert "TAGLINE_SIDECAR_PATH" in (await server.health())["storage"]["problem"]
    assert (await server.ask("GET", "/photos")).status == 503
    assert not list(apart.sidecars.iterdir())
    mounts.bind(store, apart.sidecars)
    await server.until(back, 15)
    assert (await server.describe(shown["a.jpg"]["id"], "text of a.jpg")).status == 200
    away = tmp_path / "away"
    away.mkdir()
    for path in list(store.iterdir()):
        path.rename(away / path.name)
    await server.until(gone, 10)
    for path in list(away.iterdir()):
        path.rename(store / path.name)
    await server.until(back, 15)
    await server.stop(signal.SIGTERM)
    mounts.unmount(apart.sidecars)
    server.spawn()
    server.session = aiohttp.ClientSession(server.url)

    async def told_so():
        try:
            return (await server.health())["storage"]["problem"]
        except aiohttp.ClientError:
            return None

    problem = await server.until(told_so)
    assert "is empty" in problem
    assert "TAGLINE_SIDECAR_PATH" in problem
    mounts.bind(store, apart.sidecars)
    await server.log_in_when_ready()
    await server.until(back, 15)
    assert not list(apart.sidecars.rglob("*.tmp"))


@pytest.mark.timeout(60 + 6 * KILLS)
async def test_kill_at_any_moment_leaves_whole_sidecars(apart, rng):
    """After each kill: what was acknowledged is shown, every sidecar is whole."""
    sent, acknowledged = {}, {}

    async def write(server, key, photo_id):
        while True:
            sent[key] = number = sent.get(key, 0) + 1
            text = f"{number} {'ä' * (number * 37 % 400)}."
            answer = await server.describe(photo_id, text)
            assert answer.status == 200, answer
            acknowledged[key] = number

    for _ in range(KILLS + 1):
        server = await apart.serve()
        shown = await server.by_key()
        for key, photo in shown.items():
            text = photo["metadata"]["description"]
            number = int(text.split()[0]) if text else 0
            assert acknowledged.get(key, 0) <= number <= sent.get(key, 0)
            acknowledged[key] = number
        assert not list(apart.sidecars.rglob(".tagline-*.tmp"))
        for key, data in apart.files().items():
            ET.fromstring(data) if key.endswith(".xmp") else json.loads(data)
        writers = [asyncio.create_task(write(server, k, p["id"])) for k, p in shown.items()]
        await asyncio.sleep(rng.uniform(0.0, 0.4))
        server.process.send_signal(signal.SIGKILL)
        for outcome in await asyncio.gather(*writers, return_exceptions=True):
            if not isinstance(outcome, aiohttp.ClientError | OSError):
                raise outcome
        await server.stop()
    assert max(acknowledged.values()) > KILLS


async def test_the_mode_decides_whether_photos_are_written(apart, mounts):
    """Where photos can be written they are edited as ever; in the mode sidecar nothing is."""
    mounts.run("mount", "-o", "remount,rw,bind", str(apart.photos))
    server = await apart.serve(TAGLINE_WRITE_MODE="sidecar")
    (apart.disk / "sub" / "b.jpg.json").write_text('{"title": "b.jpg", "description": "old"}')
    before = {p: p.read_bytes() for p in apart.disk.rglob("*") if p.is_file()}
    shown = await describe_all(server)
    assert {p: p.read_bytes() for p in apart.disk.rglob("*") if p.is_file()} == before
    assert set(apart.files()) == {f"{k}.{s}" for k in shown for s in ("json", "xmp")}
    await server.stop()
    shutil.rmtree(apart.sidecars)
    apart.sidecars.mkdir()
    server = await apart.serve("another")
    shown = await describe_all(server)
    assert shown["a.jpg"]["stored_in"] == ["exif", "xmp"]
    assert set(apart.files()) == {"c.gif.json", "c.gif.xmp"}
    assert b"text of sub/b.jpg" in (apart.disk / "sub" / "b.jpg.json").read_bytes()
