"""Thumbnails and previews over HTTP, of the real library with real worker processes."""

import asyncio
import io

import pytest
from PIL import Image

from tagline.api import ApiOptions, create_app
from tagline.index import open_index
from tagline.library import read_observed
from tagline.pictures.caches import DiskCache, MemoryCache
from tagline.pictures.jobs import Limits
from tagline.pictures.pool import WorkerPool
from tagline.pictures.service import Pictures
from tagline.storage import LocalStorage, MemoryStorage
from tagline.sync import Reconciler
from tests.composing import PASSWORD, compose
from tests.processes import children

WEBP = {"Accept": "image/webp"}


def picture(kind: str, colour="red", size=(1200, 800), **options) -> bytes:
    """A picture as a file."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind, **options)
    return file.getvalue()


def turned() -> Image.Exif:
    """Exif that says: turn right."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


FILES = {
    "a.jpg": picture("JPEG", exif=turned()),
    "b.tif": picture("TIFF", "green"),
    "big.png": picture("PNG", "blue", (3000, 100)),
    "broken.jpg": b"\xff\xd8\xff no picture",
    "film.jxl": b"\xff\x0a" + bytes(100),
    "huge.png": picture("PNG", "red", (2000, 1001)),
    "small.gif": picture("GIF", "white", (20, 10)),
}


class Counted(WorkerPool):
    """A pool that counts what it makes."""

    made = 0

    async def render(self, job, file):
        self.made += 1
        return await super().render(job, file)


class World:
    """A library, its pictures, and a client that is logged in."""

    def __init__(self, storage, cache: DiskCache | None) -> None:
        self.index = open_index(None)
        self.storage = storage
        self.reconciler = Reconciler(storage, self.index, read_observed)
        self.pool = Counted(1, Limits(max_pixels=2_000_000))
        self.pictures = Pictures(self.pool, MemoryCache(1_000_000), cache)
        self.library = compose(storage, self.index, self.reconciler, pictures=self.pictures)

    async def start(self, aiohttp_client) -> None:
        """Scan, and log in."""
        self.client = await aiohttp_client(create_app(self.library, ApiOptions()))
        await self.library.start()
        await self.library.rescan()
        answer = await self.client.post("/login", json={"password": PASSWORD})
        token = (await answer.json())["access_token"]
        self.client.session.headers["Authorization"] = f"Bearer {token}"

    def address(self, key: str, what: str = "thumbnail") -> str:
        """The address of a photo's picture."""
        return f"/photos/{self.index.by_key(key).photo.id}/{what}"

    async def get(self, key: str, what: str = "thumbnail", status: int = 200, **more):
        """The answer to a GET."""
        answer = await self.client.get(self.address(key, what), **more)
        assert answer.status == status, await answer.text()
        return answer

    async def image(self, key: str, what: str = "thumbnail", **more) -> Image.Image:
        """The picture of a GET."""
        answer = await self.get(key, what, **more)
        image = Image.open(io.BytesIO(await answer.read()))
        assert image.get_format_mimetype() == answer.content_type
        return image


@pytest.fixture
async def world(aiohttp_client):
    """Photos in memory, pictures kept in memory."""
    made = World(MemoryStorage(FILES), None)
    await made.start(aiohttp_client)
    yield made
    await made.client.close()
    await made.library.stop()


@pytest.fixture
async def disk(aiohttp_client, tmp_path):
    """Photos in a directory, pictures kept in another one."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for name, data in FILES.items():
        (photos / name).write_bytes(data)
    made = World(LocalStorage(photos), DiskCache(tmp_path / "pictures", 10_000_000))
    await made.start(aiohttp_client)
    yield made
    await made.client.close()
    await made.library.stop()


async def test_pictures_are_upright_and_as_large_as_asked_for(world):
    """Thumbnails have a size of the client's choice, previews one that fills a screen."""
    assert (await world.image("a.jpg")).size == (171, 256)
    assert (await world.image("a.jpg", params={"size": 90})).size == (60, 90)
    assert (await world.image("a.jpg", "preview")).size == (800, 1200)
    assert (await world.image("big.png", "preview")).size == (2048, 68)
    assert (await world.image("small.gif", "preview")).size == (20, 10)
    assert (await world.image("b.tif")).getpixel((50, 50))[1] > 100


async def test_the_type_is_as_the_client_likes(world):
    """JPEG for everybody, WebP for who names it; caches are told."""
    for headers, expected in (
        ({}, "image/jpeg"),
        ({"Accept": "*/*"}, "image/jpeg"),
        (WEBP, "image/webp"),
    ):
        answer = await world.get("a.jpg", headers=headers)
        assert answer.content_type == expected
        assert answer.headers["Vary"] == "Accept"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_conditions_are_judged_without_making_anything(world):
    """A tag seen before is answered by 304; another type has another tag."""
    answer = await world.get("a.jpg")
    tag = answer.headers["ETag"]
    made = world.pool.made
    again = await world.get("a.jpg", status=304, headers={"If-None-Match": tag})
    assert again.headers["ETag"] == tag
    assert again.headers["Cache-Control"] == "private, no-cache"
    assert again.headers["Vary"] == "Accept"
    assert await again.read() == b""
    await world.get("a.jpg", status=412, headers={"If-Match": '"other"'})
    assert world.pool.made == made
    other = await world.get("a.jpg", headers={"If-None-Match": tag} | WEBP)
    assert other.headers["ETag"] != tag


async def test_an_address_with_the_version_may_be_kept_for_good(world):
    """The version is the picture's tag or the photo's; an old one is answered, but not kept."""
    photo = world.index.by_key("a.jpg").photo
    tag = (await world.get("a.jpg")).headers["ETag"].strip('"')
    for version, kept in ((tag, True), (photo.etag, True), ("0" * 24, False)):
        for headers, status in (({}, 200), ({"If-None-Match": f'"{tag}"'}, 304)):
            answer = await world.get("a.jpg", status=status, params={"v": version}, headers=headers)
            control = answer.headers["Cache-Control"]
            assert control.startswith("private")
            assert ("immutable" in control and "max-age=31536000" in control) == kept
            assert ("no-cache" in control) != kept


async def test_head_says_what_get_would(world):
    """All headers, and no body."""
    got = await world.get("a.jpg")
    head = await world.client.head(world.address("a.jpg"))
    assert head.status == 200
    assert await head.read() == b""
    for name in ("ETag", "Content-Type", "Content-Length", "Cache-Control", "Vary"):
        assert head.headers[name] == got.headers[name]


@pytest.mark.parametrize(
    ("key", "type_"),
    [
        ("broken.jpg", "picture_damaged"),
        ("film.jxl", "picture_unsupported"),
        ("huge.png", "picture_too_large"),
    ],
)
async def test_what_cannot_be_shown_says_why(world, key, type_):
    """422 with a sentence and a stable word; the reason is remembered for every size."""
    for what in ("thumbnail", "preview", "thumbnail"):
        answer = await world.get(key, what, status=422)
        (problem,) = (await answer.json())["detail"]
        assert problem["type"] == type_
        assert problem["loc"] == ["path", "photo_id"]
        assert problem["msg"].endswith(".")
        assert answer.headers["Cache-Control"] == "no-store"
    assert world.pool.made == 1


@pytest.mark.parametrize(
    "query", ["size=15", "size=1025", "size=x", "size=1e2", "width=5", "v=" + "x" * 65]
)
async def test_queries_that_are_not_declared_are_refused(world, query):
    """A misspelt or impossible one answers another question than was asked."""
    await world.get("a.jpg", status=422, params=dict([query.split("=")]))


async def test_unknown_photos_and_strangers_get_nothing(world, aiohttp_client):
    """404, 422 and 401, as everywhere."""
    unknown = "/photos/00000000-0000-0000-0000-000000000000/thumbnail"
    assert (await world.client.get(unknown)).status == 404
    assert (await world.client.get("/photos/x/preview")).status == 422
    stranger = await aiohttp_client(create_app(world.library, ApiOptions()))
    assert (await stranger.get(world.address("a.jpg"))).status == 401


async def test_many_requests_for_one_picture_make_it_once(disk):
    """However many come at once, and whatever comes later."""
    answers = await asyncio.gather(*(disk.get("a.jpg") for _ in range(30)))
    assert len({await answer.read() for answer in answers}) == 1
    assert disk.pool.made == 1
    await disk.get("a.jpg")
    assert disk.pool.made == 1


async def test_pictures_survive_a_restart(disk, aiohttp_client, tmp_path):
    """What was made once is found on disk, unless somebody damaged it."""
    first = await (await disk.get("a.jpg")).read()
    again = World(LocalStorage(tmp_path / "photos"), DiskCache(tmp_path / "pictures", 10_000_000))
    await again.start(aiohttp_client)
    assert await (await again.get("a.jpg")).read() == first
    assert again.pool.made == 0
    for file in (tmp_path / "pictures").rglob("*"):
        if file.is_file():
            file.write_bytes(b"damage")
    third = World(LocalStorage(tmp_path / "photos"), DiskCache(tmp_path / "pictures", 10_000_000))
    await third.start(aiohttp_client)
    assert await (await third.get("a.jpg")).read() == first
    assert third.pool.made == 1
    for world in (again, third):
        await world.client.close()
        await world.library.stop()


async def test_a_changed_file_has_another_picture(disk, tmp_path):
    """Even when the change is noticed only as the file is opened."""
    before = await disk.get("a.jpg")
    (tmp_path / "photos" / "a.jpg").write_bytes(picture("JPEG"))
    unseen = await disk.get("a.jpg", params={"size": 90})
    assert Image.open(io.BytesIO(await unseen.read())).size == (90, 60)
    after = await disk.get("a.jpg")
    assert after.headers["ETag"] != before.headers["ETag"]
    assert Image.open(io.BytesIO(await after.read())).size == (256, 171)


async def test_a_disk_that_keeps_nothing_still_gives_pictures(disk, tmp_path):
    """Pictures are a convenience; a full disk does not take them away."""
    (tmp_path / "pictures").write_bytes(b"in the way")
    for size in (50, 60):
        assert max((await disk.image("a.jpg", params={"size": size})).size) == size


async def test_a_photo_that_vanished_is_not_found(disk, tmp_path):
    """Its picture is not made from anything else."""
    address = disk.address("b.tif")
    (tmp_path / "photos" / "b.tif").unlink()
    assert (await disk.client.get(address)).status == 404


async def test_too_many_at_once_are_told_when_to_come_again(world):
    """503 with Retry-After; nothing is remembered against the photo."""
    world.pool._wait_seconds = 0.01
    async with world.pool.slot():
        answer = await world.get("a.jpg", status=503)
        seconds = int(answer.headers["Retry-After"])
        assert seconds > 0
        assert f"try again in {seconds} seconds" in (await answer.json())["detail"]
    await world.get("a.jpg")


async def test_who_waits_when_the_server_stops_is_told_to_come_again(disk):
    """503 where no picture came to be, also for those who share one, and those in the queue."""
    addresses = [disk.address(key, "preview") for key in ("a.jpg", "a.jpg", "b.tif", "small.gif")]
    requests = [asyncio.create_task(disk.client.get(address)) for address in addresses]
    async with asyncio.timeout(10):
        while not (disk.pictures.outcomes["joined"] and disk.pool.made):  # noqa: ASYNC110 - polls
            await asyncio.sleep(0.001)
    await disk.pictures.close()
    assert {answer.status for answer in await asyncio.gather(*requests)} <= {200, 503}


async def test_nothing_is_left_when_the_server_stops(disk):
    """No worker process survives, whatever it was doing."""
    before = children()
    address = disk.address("a.jpg", "preview")
    requests = [asyncio.create_task(disk.client.get(address)) for _ in range(3)]
    await disk.get("b.tif")
    assert children() - before
    await disk.pictures.close()
    assert {answer.status for answer in await asyncio.gather(*requests)} <= {200, 503}
    assert children() <= before
    await disk.get("b.tif", params={"size": 77}, status=503)
