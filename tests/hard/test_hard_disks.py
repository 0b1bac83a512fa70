"""Disks that are full, read-only, pulled out or emptied, with real mounts."""

import asyncio
import contextlib
import hashlib
import shutil
import signal

import aiohttp
import pytest
from PIL import Image

from tests.hard.processes import PASSWORD, Server, save_photo

pytestmark = pytest.mark.slow


def digests(directory):
    """A hash of every file."""
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.rglob("*")
        if path.is_file()
    }


def is_whole(path):
    """Whether the picture decodes."""
    with Image.open(path) as image:
        image.load()
    return True


def text_on_disk(path):
    """The EXIF ImageDescription of a JPEG, read by Pillow."""
    with Image.open(path) as image:
        return image.getexif()[0x010E].encode("latin-1").decode().rstrip("\0")


def fill(directory):
    """Use up all space of a file system; gives the file that does."""
    ballast = directory / ".ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    return ballast


async def test_full_photo_disk_refuses_and_recovers(tmp_path, mounts, start_server):
    """On a full disk PATCH answers 507 and harms nothing; with space again it works at once."""
    photos = mounts.tmpfs(tmp_path / "photos", "2m")
    for seed, name in enumerate(("a.jpg", "c.gif", "p.png")):
        save_photo(photos / name, seed, (200, 200) if name == "a.jpg" else (32, 32))
    server = await start_server(photos)
    shown = await server.by_key()
    assert (await server.describe(shown["a.jpg"]["id"], "before")).status == 200
    ballast = fill(photos)
    before = digests(photos)
    for photo in shown.values():
        answer = await server.describe(photo["id"], "no room " * 100)
        assert answer.status == 507, answer
        assert "space" in answer.json["detail"].lower()
        assert (await server.photo(photo["id"]))["metadata"]["description"] in {"before", None}
    assert digests(photos) == before
    assert (await server.health())["ready"]
    ballast.unlink()
    for photo in shown.values():
        answer = await server.describe(photo["id"], "there is room")
        assert answer.status == 200, answer
        assert answer.json["metadata"]["description"] == "there is room"
    assert not [p for p in photos.iterdir() if p.name.startswith(".tagline")]
    for name in shown:
        assert is_whole(photos / name)


async def test_nearly_full_photo_disk_writes_all_or_nothing(tmp_path, mounts, start_server):
    """With room for one sidecar but not for both, neither the old text nor the new one is mixed."""
    photos = mounts.tmpfs(tmp_path / "photos", "400k")
    save_photo(photos / "c.gif", 1, (8, 8))
    server = await start_server(photos)
    photo = (await server.by_key())["c.gif"]
    text = "x" * 9_000
    assert (await server.describe(photo["id"], "old")).status == 200
    before = digests(photos)
    refused = 0
    ballast = fill(photos)
    for _ in range(30):
        answer = await server.describe(photo["id"], text)
        if answer.status == 200:
            break
        assert answer.status == 507, answer
        refused += 1
        held = digests(photos)
        held.pop(ballast)
        assert held == before
        with ballast.open("rb+") as file:
            file.truncate(max(0, ballast.stat().st_size - 4096))
    assert answer.status == 200
    assert refused >= 2


async def test_full_database_disk_keeps_the_truth(tmp_path, mounts, photos, start_server):
    """With no room for the index nothing is harmed, what was acknowledged is on disk, it recovers.

    The photo disk has room, so a text may be written although the index cannot be: never the other
    way round.
    """
    data = mounts.tmpfs(tmp_path / "data", "200k")
    server = await start_server(photos)
    photo = (await server.by_key())["a.jpg"]
    ballast = fill(data)
    statuses = []
    for number in range(40):
        answer = await server.describe(photo["id"], f"{number} " + "y" * 5_000)
        statuses.append(answer.status)
        assert answer.status in {200, 503, 507}, answer
        if answer.status != 200:
            assert answer.json["detail"]
    assert {503, 507} & set(statuses), statuses

    async def told():
        return (await server.health())["watcher"]["degraded"]

    assert "space" in await server.until(told)

    async def login_refused():
        answer = await server.ask("POST", "/login", json={"password": PASSWORD})
        assert answer.status in {200, 503}, answer
        return answer.status == 503

    await server.until(login_refused)
    text = text_on_disk(photos / "a.jpg")
    ballast.unlink()

    async def caught_up():
        shown = await server.photo(photo["id"])
        return shown["metadata"]["description"] == text

    await server.until(caught_up)

    async def described():
        answer = await server.describe(photo["id"], "room again")
        assert answer.status in {200, 503, 507}, answer
        return answer.status == 200

    await server.until(described)

    async def ready():
        return (await server.ask("GET", "/health")).status == 200

    await server.until(ready)
    assert (await server.photo(photo["id"]))["metadata"]["description"] == "room again"
    shutil.copy(photos / "a.jpg", photos / "new.jpg")
    await server.until_keys("a.jpg", "c.gif", "new.jpg", "sub/b.jpg")
    await server.stop()
    again = await start_server(photos)
    assert (await again.by_key())["a.jpg"]["metadata"]["description"] == "room again"
    assert (await again.health())["index"]["recovered"] is None


async def test_full_history_disk_stops_no_edit(tmp_path, mounts, photos, start_server):
    """With no room for the history edits go on; health and log say so, and it goes on with room."""
    small = mounts.tmpfs(tmp_path / "small", "64k")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "history.jsonl").symlink_to(small / "history.jsonl")
    server = await start_server(photos)
    photo = (await server.by_key())["a.jpg"]
    path = f"/photos/{photo['id']}/history"
    assert (await server.describe(photo["id"], "remembered")).status == 200
    ballast = fill(small)
    for number in range(5):
        answer = await server.describe(photo["id"], f"{number} " + "y" * 5_000)
        assert answer.status == 200, answer
    changes = [{"id": photo["id"], "description": "many"}]
    answer = await server.ask("PATCH", "/photos/metadata", json={"changes": changes})
    assert answer.json["refused"] == 0
    assert text_on_disk(photos / "a.jpg") == "many"
    health = await server.health()
    assert health["ready"]
    assert "space" in health["history"]["problem"]
    assert server.log.read_text().count("cannot be undone") == 1
    held = (await server.ask("GET", path)).json["items"]
    ballast.unlink()
    assert (await server.describe(photo["id"], "again")).status == 200
    assert (await server.health())["history"]["problem"] is None
    newest, *older = (await server.ask("GET", path)).json["items"]
    assert newest["before"] == {"description": "many"}
    assert older == held
    await server.stop()
    again = await start_server(photos)
    assert (await again.ask("GET", path)).json["items"] == [newest, *older]
    assert (await again.health())["history"]["recovered"] is None


async def test_read_only_photo_disk_is_told(tmp_path, mounts, start_server):
    """Remounted read-only, PATCH answers 403 with advice; remounted for writing, it works again."""
    photos = mounts.tmpfs(tmp_path / "photos")
    save_photo(photos / "a.jpg", 1)
    save_photo(photos / "c.gif", 2)
    server = await start_server(photos)
    shown = await server.by_key()
    before = digests(photos)
    mounts.run("mount", "-o", "remount,ro", str(photos))
    for photo in shown.values():
        answer = await server.describe(photo["id"], "not to be")
        assert answer.status == 403, answer
        assert "read-only" in answer.json["detail"] or "permission" in answer.json["detail"]
        assert str(tmp_path) not in answer.body.decode()
        image = await server.ask("GET", f"/photos/{photo['id']}/image")
        assert image.status == 200
    assert digests(photos) == before
    assert (await server.ask("POST", "/rescan")).status == 200
    assert not any(photo["writable"] for photo in (await server.by_key()).values())
    mounts.run("mount", "-o", "remount,rw", str(photos))
    assert (await server.ask("POST", "/rescan")).status == 200
    assert all(photo["writable"] for photo in (await server.by_key()).values())
    for photo in shown.values():
        assert (await server.describe(photo["id"], "now")).status == 200


async def gone(server, photo):
    """Wait until the server has noticed that the photos are gone; all answers say so."""

    async def noticed():
        return (await server.ask("GET", "/health")).status == 503

    await server.until(noticed, 10)
    health = await server.health()
    assert health["storage"]["available"] is False
    assert health["storage"]["problem"]
    assert health["live"]
    for path in ("/photos", f"/photos/{photo['id']}", f"/photos/{photo['id']}/image"):
        answer = await server.ask("GET", path)
        assert answer.status == 503, (path, answer)
        assert int(answer.headers["Retry-After"]) > 0
        assert str(server.photos.parent) not in answer.body.decode()
    answer = await server.describe(photo["id"], "into the void")
    assert answer.status == 503, answer
    assert answer.headers["Retry-After"]
    assert (await server.ask("POST", "/rescan")).status == 503


async def back(server, before):
    """Wait until everything is as it was."""
    assert await server.until_back() == before


async def test_unmounted_photo_disk_comes_back_by_itself(tmp_path, mounts, start_server):
    """With the disk pulled, photos answer 503 and the index is kept; plugged in, all is back."""
    disk = mounts.tmpfs(tmp_path / "disk")
    (disk / "sub").mkdir()
    for number in range(20):
        save_photo(disk / "sub" / f"{number}.jpg", number)
    photos = tmp_path / "photos"
    photos.mkdir()
    mounts.bind(disk, photos)
    server = await start_server(photos)
    before = await server.by_key()
    photo = before["sub/0.jpg"]
    for _ in range(2):
        mounts.unmount(photos)
        answer = await server.describe(photo["id"], "too late")
        assert answer.status in {503, 404}, answer
        await gone(server, photo)
        assert not list(photos.iterdir())
        mounts.bind(disk, photos)
        await back(server, before)
    described = await server.describe(photo["id"], "here again")
    assert described.status == 200
    save_photo(photos / "late.jpg", 99)
    await server.until_keys(*before, "late.jpg")


@pytest.mark.parametrize("count", [3, 12])
async def test_a_disk_mounted_after_the_start_is_found(tmp_path, mounts, start_server, count):
    """Started before its disk was mounted, it takes the disk as soon as that is there."""
    disk, photos = mounts.tmpfs(tmp_path / "disk"), tmp_path / "photos"
    for number in range(count):
        save_photo(disk / f"{number}.jpg", number)
    photos.mkdir()
    mounts.bind(disk, photos)
    server = await start_server(photos)
    before = await server.by_key()
    assert len(before) == count
    await server.stop(signal.SIGTERM)
    mounts.unmount(photos)
    server = Server(photos, server.data)
    try:
        server.spawn()
        async with aiohttp.ClientSession(server.url) as server.session:

            async def answers():
                with contextlib.suppress(aiohttp.ClientError):
                    return (await server.ask("GET", "/health")).json["index"]
                return None

            await server.until(answers)
            mounts.bind(disk, photos)
            await server.log_in_when_ready()
            await server.until_keys(*before)
            assert {k: p["id"] for k, p in (await server.by_key()).items()} == {
                k: p["id"] for k, p in before.items()
            }
            save_photo(disk / "new.jpg", 99)
            await server.until_keys(*before, "new.jpg")
    finally:
        server.session = None
        await server.stop()


async def test_renamed_photo_directory_comes_back_by_itself(photos, server):
    """Renamed away while running, photos answer 503; renamed back, all is as it was, and live."""
    before = await server.by_key()
    away = photos.with_name("elsewhere")
    for number in range(2):
        photos.rename(away)
        await gone(server, before["a.jpg"])
        away.rename(photos)
        await back(server, before)
        save_photo(photos / f"new{number}.jpg", 50 + number)
        before = await server.until_keys(*before, f"new{number}.jpg")


async def test_directory_replaced_by_an_empty_one_is_not_believed(photos, server):
    """An empty directory in its place is what an unmounted disk leaves: nothing is forgotten."""
    before = await server.by_key()
    away = photos.with_name("elsewhere")
    photos.rename(away)
    photos.mkdir()
    await gone(server, before["a.jpg"])
    photos.rmdir()
    away.rename(photos)
    await back(server, before)


async def test_nested_mount_that_goes_comes_back(tmp_path, mounts, photos, start_server):
    """Photos of a disk mounted inside the directory vanish with it and have their ids again."""
    disk = mounts.tmpfs(tmp_path / "disk")
    for number in range(5):
        save_photo(disk / f"{number}.jpg", 100 + number)
    (photos / "usb").mkdir()
    mounts.bind(disk, photos / "usb")
    server = await start_server(photos)
    before = await server.by_key()
    described = await server.describe(before["usb/3.jpg"]["id"], "on the stick")
    assert described.status == 200
    before = await server.by_key()
    mounts.unmount(photos / "usb")
    await server.ask("POST", "/rescan")
    assert set(await server.by_key()) == {"a.jpg", "c.gif", "sub/b.jpg"}
    mounts.bind(disk, photos / "usb")
    await server.ask("POST", "/rescan")
    assert await server.by_key() == before


async def test_disk_pulled_amid_edits_harms_nothing(tmp_path, mounts, start_server):
    """The disk goes while every photo is being described: what was acknowledged is on it."""
    disk = mounts.tmpfs(tmp_path / "disk")
    for number in range(8):
        save_photo(disk / f"{number}.jpg", number)
    photos = tmp_path / "photos"
    photos.mkdir()
    mounts.bind(disk, photos)
    server = await start_server(photos)
    shown = await server.by_key()
    acknowledged = {}

    async def write(key, photo_id):
        for number in range(100_000):
            answer = await server.describe(photo_id, str(number))
            if answer.status != 200:
                assert answer.status in {503, 404}, answer
                return
            acknowledged[key] = number

    writers = [asyncio.create_task(write(k, p["id"])) for k, p in shown.items()]

    async def each_once():
        return len(acknowledged) == len(shown)

    await server.until(each_once)
    mounts.unmount(photos)
    await asyncio.gather(*writers)
    assert not list(photos.iterdir())
    mounts.bind(disk, photos)

    now = await server.until_back()
    for key, number in acknowledged.items():
        assert int(now[key]["metadata"]["description"]) in {number, number + 1}
        assert is_whole(photos / key)
    assert not list(photos.glob(".tagline*"))


async def test_emptied_root_is_not_believed_and_comes_back(tmp_path, start_server):
    """A root that is suddenly empty keeps the index and says so; with its photos back, all is back.

    Some disks leave the directory itself in place: an automounter's, a network share's.
    """
    photos, away = tmp_path / "photos", tmp_path / "away"
    (photos / "sub").mkdir(parents=True)
    for number in range(15):
        save_photo(photos / "sub" / f"{number}.jpg", number)
    server = await start_server(photos)
    before = await server.by_key()
    for _ in range(2):
        (photos / "sub").rename(away)
        await gone(server, before["sub/3.jpg"])
        away.rename(photos / "sub")
        await back(server, before)
    again = await server.describe(before["sub/3.jpg"]["id"], "here again")
    assert again.status == 200
