"""The client of the package, against a real server."""

import asyncio
import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web

from tagline.client import ApiError, ClientError, TaglineClient, Unreachable
from tests.journeys.conftest import PASSWORD


async def by_key(tagline, **query):
    """The photos that the client gives, by object key."""
    return {photo["object_key"]: photo async for photo in tagline.photos(**query)}


async def test_the_client_finds_describes_and_undoes(server, photos):
    """Pages by cursor, edits under a condition, history, many at once, and the file's own bytes."""
    async with TaglineClient(server.url, password=PASSWORD) as tagline:
        everything = await by_key(tagline, limit=2)
        assert len(everything) == 9
        photo = everything["plain.jpg"]
        changed = await tagline.describe(photo["id"], "Oslo", if_match=photo["etag"])
        assert await tagline.photo(photo["id"]) == changed
        with pytest.raises(ApiError) as refused:
            await tagline.edit(photo["id"], {"rating": 1}, if_match=photo["etag"])
        assert (refused.value.status, refused.value.body["etag"]) == (412, changed["etag"])
        assert refused.value.type == "precondition_failed"
        assert set(await by_key(tagline, q="oslo")) == {"plain.jpg"}
        (change,) = await tagline.history(photo["id"])
        assert (await tagline.restore(photo["id"], change["n"]))["metadata"]["description"] is None
        results = await tagline.edit_many(
            [{"id": p["id"], "rating": 5} for p in everything.values()] + [{"id": "nobody"}]
        )
        assert [result["status"] for result in results] == [200] * 9 + [422]
        assert results[9]["type"] == "validation_error"
        image = b"".join([piece async for piece in tagline.image(photo["id"])])
        assert image == (photos / "plain.jpg").read_bytes()
        assert (await tagline.thumbnail(photo["id"], 32))[:2] == b"\xff\xd8"
        assert (await tagline.preview(photo["id"]))[:2] == b"\xff\xd8"


async def test_the_whole_history_is_given_and_undoing_is_guarded(server):
    """More changes than a page has; an undo under a tag that is no longer true is refused."""
    async with TaglineClient(server.url, password=PASSWORD) as tagline:
        photo = (await by_key(tagline))["plain.jpg"]
        for number in range(25):
            seen, photo = photo, await tagline.edit(photo["id"], {"rating": 1 + number % 2})
        changes = await tagline.history(photo["id"])
        assert [change["n"] for change in changes] == list(range(25, 0, -1))
        with pytest.raises(ClientError) as refused:
            await tagline.restore(photo["id"], 25, if_match=seen["etag"])
        assert (refused.value.status, refused.value.body["etag"]) == (412, photo["etag"])
        restored = await tagline.restore(photo["id"], 25, if_match=photo["etag"])
        assert restored["metadata"]["rating"] == 2


async def test_the_client_pauses_as_the_server_asks(aiohttp_server):
    """A server that ends each stream at once is not asked again before its ``retry`` is over."""
    opened, loop = [], asyncio.get_running_loop()

    async def login(request):
        return web.json_response({"access_token": "a", "refresh_token": "r"})

    async def stream(request):
        opened.append((loop.time(), request.headers.get("Last-Event-ID")))
        first = f"retry: 400\nid: {len(opened)}\nevent: opened\ndata: {{}}\n\n"
        return web.Response(text=f"{first}event: ended\ndata: {{}}\n\n")

    app = web.Application()
    app.add_routes([web.post("/login", login), web.get("/events", stream)])
    app.add_routes([web.post("/logout", login)])
    server = await aiohttp_server(app)
    async with TaglineClient(str(server.make_url("/")), password=PASSWORD) as tagline:
        kinds = []
        async with contextlib.aclosing(tagline.events()) as events:
            async for event in events:
                kinds.append(event.kind)
                if len(opened) == 2:
                    break
    assert kinds == ["opened", "ended", "opened"]
    assert [last for _, last in opened] == [None, "1"]
    assert opened[1][0] - opened[0][0] >= 0.4


async def test_many_tasks_refresh_once(photos, start_server):
    """A token that is no longer taken is renewed once for all that wait; then by the password."""
    server = await start_server(photos, TAGLINE_LOG_LEVEL="info")
    async with TaglineClient(server.url, password=PASSWORD) as tagline:
        await tagline.request("GET", "/photos")
        tagline._session._access = "over.and.out"
        await asyncio.gather(*(tagline.request("GET", "/photos") for _ in range(20)))
        assert server.log.read_text().count("POST /refresh") == 1
        await server.session.post("/logout", json={"refresh_token": tagline._session._refresh})
        assert len(await by_key(tagline)) == 9


async def test_an_api_token_stands_for_the_password(server):
    """It is sent as it is, and what it may not do is refused with a reason."""
    async with TaglineClient(server.url, password=PASSWORD) as tagline:
        made = await tagline.request("POST", "/tokens", json={"name": "reader", "scope": "read"})
    async with TaglineClient(server.url, token=made["token"]) as reader:
        photos = await by_key(reader)
        with pytest.raises(ApiError) as refused:
            await reader.describe(photos["plain.jpg"]["id"], "no")
        assert refused.value.status == 403
        assert isinstance(refused.value.detail, str)


async def test_events_go_on_behind_the_last_one_seen(server, photos):
    """What happened between two streams comes with the second."""
    async with TaglineClient(server.url, password=PASSWORD) as tagline:
        photo = (await by_key(tagline))["plain.jpg"]
        async for event in tagline.events():
            assert event.kind == "opened"
            last = event.id
            break
        changed = await tagline.describe(photo["id"], "seen later")
        kinds = []
        async for event in tagline.events(after=last):
            kinds.append(event.kind)
            if event.kind == "photo_changed":
                assert event.data["etag"] == changed["etag"]
                break
        assert kinds[0] == "opened"


async def test_wrong_passwords_and_absent_servers_are_told(server):
    """Each is an exception of its own."""
    async with TaglineClient(server.url, password="wrong") as tagline:
        with pytest.raises(ApiError, match="401: Invalid password"):
            await tagline.request("GET", "/photos")
    await server.stop()
    async with TaglineClient(server.url, password=PASSWORD) as tagline:
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
            await tagline.request("GET", "/photos")
    with pytest.raises(ValueError, match="password or an API token"):
        await TaglineClient(server.url).__aenter__()


def test_the_client_loads_nothing_of_the_server():
    """Importing it brings neither the database nor the watcher nor any other part of Tagline."""
    program = "import sys, tagline.client; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"tinydb", "watchfiles", "pydantic", "PIL", "msgspec"}
    ours = {name for name in loaded if name.startswith("tagline.")}
    assert all(name.startswith("tagline.client") for name in ours)


async def test_the_example_of_the_readme_works(server, photos):
    """Word by word, but for the address and the password."""
    text = (Path(__file__).parents[2] / "README.md").read_text()
    program = text.split("### From Python")[1].split("```python\n")[1].split("```")[0]
    program = program.replace("http://127.0.0.1:8000", server.url).replace("choose one", PASSWORD)
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", program], check=True)
    described = {k: p["metadata"]["description"] for k, p in (await server.photos_by_key()).items()}
    assert described["plain.jpg"] == "Scanned as plain.jpg"
    assert described["2019/scan.png"] is None
