"""Many at once: clients that describe, and connections that stay open."""

import asyncio
import time
from collections import Counter

import aiohttp
import pytest

from tests.hard.processes import save_photo
from tests.hard.vitals import descriptors, status_bytes

pytestmark = pytest.mark.slow

CLIENTS = 200
CONNECTIONS = 1000


@pytest.mark.timeout(180)
async def test_two_hundred_clients_describe_at_once(tmp_path, start_server):
    """200 clients, each with a photo of its own: all succeed, and each photo has its own text."""
    photos = tmp_path / "many"
    photos.mkdir()
    for number in range(CLIENTS):
        save_photo(photos / f"{number:03}.{'gif' if number % 8 == 0 else 'jpg'}", number)
    server = await start_server(photos)
    shown = await server.by_key()
    began = time.monotonic()
    answers = await asyncio.gather(
        *(server.describe(photo["id"], f"client of {key}") for key, photo in shown.items())
    )
    took = time.monotonic() - began
    assert Counter(answer.status for answer in answers) == {200: CLIENTS}
    (tmp_path / "again").mkdir()
    now = await server.by_key()
    assert {k: p["metadata"]["description"] for k, p in now.items()} == {
        key: f"client of {key}" for key in shown
    }
    again = await start_server(photos, "again")
    assert await again.by_key() == now
    print(f"{CLIENTS} photos described in {took:.1f} s")  # noqa: T201


@pytest.mark.timeout(180)
async def test_two_hundred_clients_describe_the_same_photo(server, photos, start_server):
    """200 edits of one photo: without a condition all follow each other, with one a single wins."""
    photo = (await server.by_key())["a.jpg"]
    began = time.monotonic()
    answers = await asyncio.gather(
        *(server.describe(photo["id"], f"client {number}") for number in range(CLIENTS))
    )
    took = time.monotonic() - began
    assert Counter(answer.status for answer in answers) == {200: CLIENTS}
    for number, answer in enumerate(answers):
        assert answer.json["metadata"]["description"] == f"client {number}"
    etag = (await server.photo(photo["id"]))["etag"]
    answers = await asyncio.gather(
        *(
            server.describe(photo["id"], f"rival {number}", headers={"If-Match": f'"{etag}"'})
            for number in range(CLIENTS)
        )
    )
    assert Counter(answer.status for answer in answers) == {200: 1, 412: CLIENTS - 1}
    (winner,) = (answer.json for answer in answers if answer.status == 200)
    assert await server.photo(photo["id"]) == winner
    again = await start_server(photos, "again")
    assert (await again.photo(photo["id"])) == winner
    print(f"{CLIENTS} edits of one photo in {took:.1f} s")  # noqa: T201


async def test_a_thousand_connections_that_stay_open_cost_little(server):
    """A thousand kept-alive connections are all served again and again, and are given back."""
    pid = server.process.pid
    before, memory = descriptors(pid), status_bytes(pid, "VmRSS")
    shown = list((await server.by_key()).values())
    connector = aiohttp.TCPConnector(limit=0, force_close=False)
    headers = dict(server.session.headers)
    async with aiohttp.ClientSession(server.url, connector=connector, headers=headers) as crowd:

        async def ask(number):
            photo = shown[number % len(shown)]["id"]
            path = ("/photos", "/health", f"/photos/{photo}", f"/photos/{photo}/image")[number % 4]
            async with crowd.get(path) as answer:
                await answer.read()
                return answer.status

        for _ in range(3):
            statuses = await asyncio.gather(*(ask(number) for number in range(CONNECTIONS)))
            assert Counter(statuses) == {200: CONNECTIONS}
        held = descriptors(pid) - before
        assert held >= CONNECTIONS * 0.9, "they are to be open, or this shows nothing"
        cost = (status_bytes(pid, "VmRSS") - memory) // held
        began = time.monotonic()
        assert (await server.describe(shown[0]["id"], "amid a thousand")).status == 200
        took = time.monotonic() - began
        print(f"{held} connections, {cost // 1024} KiB each; PATCH {took * 1000:.0f} ms")  # noqa: T201
        assert took < 2
        assert cost < 128 << 10

    async def given_back():
        return descriptors(pid) <= before + 4

    await server.until(given_back)
