"""Originals over HTTP: bytes, ranges, conditions, file names."""

import asyncio
import io
import logging

import aiohttp
import pytest
from aiohttp import web
from tests_api_memory_library import PASSWORD, MemoryObject

from tagline.api import create_app
from tagline.api.options import ServerOptions
from tagline.api.server import serving

DATA = bytes(range(256)) * 40


def url(photo):
    """Where a photo's original is."""
    return f"/photos/{photo.id}/image"


async def all_closed(library):
    """Whether every original that was opened is closed, now or in a moment."""
    for opened in library.opened:
        await asyncio.wait_for(opened.closed.wait(), 5)
    return bool(library.opened)


@pytest.fixture(params=["descriptor", "memory"])
def opens(request, library, tmp_path):
    """Originals as real files (sent by sendfile) or held in memory (sent in pieces)."""
    if request.param == "descriptor":

        async def open_image(photo_id):
            path = tmp_path / photo_id
            path.write_bytes(library.data[photo_id])
            opened = MemoryObject(library.data[photo_id], library.mtime_ns, path.open("rb"))
            library.opened.append(opened)
            return library.photos[photo_id], opened

        library.open_image = open_image
    return request.param


async def test_the_original_byte_for_byte(client, library, photo, opens):
    """The bytes, their type and length, and what may be done with them."""
    response = await client.get(url(photo))
    assert response.status == 200
    assert await response.read() == DATA
    assert response.headers["Content-Type"] == "image/jpeg"
    assert response.headers["Content-Length"] == str(len(DATA))
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.headers["Last-Modified"] == "Wed, 01 May 2024 12:34:56 GMT"
    assert response.headers["Content-Disposition"] == 'inline; filename="photo.jpg"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert await all_closed(library)


async def test_several_requests_share_a_connection(client, photo, opens):
    """After an original the connection is still in order."""
    for _ in range(3):
        assert await (await client.get(url(photo))).read() == DATA
        assert (await client.get(f"/photos/{photo.id}")).status == 200


async def test_head_has_the_headers_of_get(client, library, photo, opens):
    """HEAD tells length and tag, knows no ranges, and sends no bytes."""
    got = await client.get(url(photo))
    response = await client.head(url(photo), headers={"Range": "bytes=0-1"})
    assert response.status == 200
    assert await response.read() == b""
    for name in ("Content-Length", "ETag", "Last-Modified", "Content-Type"):
        assert response.headers[name] == got.headers[name]
    assert await all_closed(library)


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=5-9", slice(5, 10)),
        ("bytes=10000-", slice(10000, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=0-99999999", slice(None)),
        ("bytes=-99999999", slice(None)),
    ],
)
async def test_a_part(client, photo, opens, value, part):
    """206 with exactly the bytes asked for, and which they are."""
    response = await client.get(url(photo), headers={"Range": value})
    assert response.status == 206
    assert await response.read() == DATA[part]
    first, last, _ = part.indices(len(DATA))
    assert response.headers["Content-Range"] == f"bytes {first}-{last - 1}/{len(DATA)}"


@pytest.mark.parametrize("value", ["bytes=0-1,4-5", "lines=1-2", "bytes=9-3", "bytes=x"])
async def test_other_ranges_get_the_whole(client, photo, value):
    """Several parts at once, other units and nonsense are answered by the whole."""
    response = await client.get(url(photo), headers={"Range": value})
    assert response.status == 200
    assert await response.read() == DATA


@pytest.mark.parametrize("value", ["bytes=10240-", "bytes=-0", "bytes=99999-100000"])
async def test_a_part_outside_of_the_file(client, library, photo, value):
    """416 tells the size."""
    response = await client.get(url(photo), headers={"Range": value})
    assert response.status == 416
    assert response.headers["Content-Range"] == "bytes */10240"
    assert "10240 bytes" in (await response.json())["detail"]
    assert await all_closed(library)


async def test_an_empty_file(client, library, opens):
    """No bytes are a whole answer, and have no parts."""
    photo = library.add("empty.jpg", b"")
    response = await client.get(url(photo))
    assert (response.status, await response.read()) == (200, b"")
    response = await client.get(url(photo), headers={"Range": "bytes=0-"})
    assert response.status == 416


async def test_what_the_client_has_is_not_sent_again(client, library, photo):
    """304 by tag or date, and the file is closed."""
    got = await client.get(url(photo))
    for headers in (
        {"If-None-Match": got.headers["ETag"]},
        {"If-Modified-Since": got.headers["Last-Modified"]},
    ):
        response = await client.get(url(photo), headers=headers)
        assert response.status == 304
        assert response.headers["ETag"] == got.headers["ETag"]
        assert await response.read() == b""
    assert await all_closed(library)


async def test_the_tag_follows_the_file(client, library, photo):
    """Another state of the file is another tag, and If-Range then gets the whole."""
    old = (await client.get(url(photo))).headers["ETag"]
    library.mtime_ns += 1
    headers = {"Range": "bytes=0-1", "If-Range": old}
    response = await client.get(url(photo), headers=headers)
    assert response.status == 200
    assert response.headers["ETag"] != old
    headers["If-Range"] = response.headers["ETag"]
    assert (await client.get(url(photo), headers=headers)).status == 206
    response = await client.get(url(photo), headers={"If-Match": old})
    assert response.status == 412
    assert await all_closed(library)


@pytest.mark.parametrize("mtime_ns", [-(10**18) * 10**3, 2**62, 10**30])
async def test_a_file_time_that_http_cannot_say(client, library, photo, mtime_ns):
    """A time outside the calendar, or to come, is left out."""
    library.mtime_ns = mtime_ns
    response = await client.get(url(photo))
    assert response.status == 200
    assert "Last-Modified" not in response.headers


@pytest.mark.parametrize(
    "name", ['a"b\r\nSet-Cookie: x=1.jpg', "ø/日本.jpg", "\\xff.jpg", 'x";y="z', "\x7f\x00\u2028"]
)
async def test_no_file_name_can_add_a_header(client, library, name):
    """The name stays inside its parameter, and the browser gets it whole."""
    photo = library.add(name)
    response = await client.get(url(photo))
    assert response.status == 200
    assert "Set-Cookie" not in response.headers
    assert response.headers["Content-Disposition"].startswith("inline; filename=")


async def test_a_file_that_became_shorter_cuts_the_connection(client, library, photo, opens):
    """The client must not take a part for the whole."""
    sizes = library.open_image

    async def open_image(photo_id):
        found, opened = await sizes(photo_id)
        opened.size += 1
        return found, opened

    library.open_image = open_image
    response = await client.get(url(photo))
    with pytest.raises(Exception, match=r"payload|disconnected|reset"):
        await response.read()
    assert await all_closed(library)


async def test_a_client_that_goes_away_leaves_no_open_file(client, library, tmp_path):
    """A download that breaks off closes the file."""
    closed = asyncio.Event()

    class Noticing(io.FileIO):
        def close(self):
            super().close()
            closed.set()

    path = tmp_path / "large"
    size = 64 * 1024 * 1024
    with path.open("wb") as file:
        file.truncate(size)
    photo = library.add("large.jpg", b"")

    async def open_image(photo_id):
        opened = MemoryObject(b"", 0, Noticing(path, "rb"))
        opened.size = size
        return photo, opened

    library.open_image = open_image
    response = await client.get(url(photo))
    await response.content.readany()
    response.close()
    await asyncio.wait_for(closed.wait(), 10)


async def test_a_client_that_goes_away_while_the_disk_is_read_is_no_error(
    library, options, photo, opens, caplog
):
    """It is as if the client had gone at any other time: the file is closed, nothing is logged."""
    reading, gone = asyncio.Event(), asyncio.Event()
    requests = []

    async def read_ahead(opened, offset, length):
        reading.set()
        await gone.wait()

    @web.middleware
    async def note(request, handler):
        requests.append(request)
        return await handler(request)

    library.read_ahead = read_ahead
    app = create_app(library, options)
    app.middlewares.append(note)
    pair = await library.login(PASSWORD, "")
    headers = {"Authorization": f"Bearer {pair.access_token}"}
    async with serving(app, ServerOptions(port=0)) as address, aiohttp.ClientSession() as session:
        response = await session.get(address + url(photo), headers=headers)
        await reading.wait()
        response.close()
        while requests[0].transport is not None:  # noqa: ASYNC110 - the loop itself is told
            await asyncio.sleep(0)
        gone.set()
        assert await all_closed(library)
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_a_missing_photo_has_no_original(client):
    """404 in JSON."""
    response = await client.get("/photos/0b5ef24b-6d1c-5b0e-9d0a-5c8b7a0f6c11/image")
    assert response.status == 404
    assert (await response.json())["detail"].startswith("Photo not found: ")
