"""The client of the package when what answers is not what it should be, or is slow."""

import asyncio
import json

import pytest
from aiohttp import web

from tagline.client import ApiError, TaglineClient, Unreachable

PASSWORD = "a password"
PAIR = {"access_token": "a", "refresh_token": "r"}


@pytest.fixture
def serve(aiohttp_server):
    """Start a server that answers each request by one handler; give its address."""

    async def start(handler):
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", handler)
        server = await aiohttp_server(app)
        return str(server.make_url("/")).rstrip("/")

    return start


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_told_and_not_followed(serve, status):
    """Following would send the password elsewhere, or turn an edit into a look at the photo."""
    met = []

    async def elsewhere(request):
        met.append(request.path)
        return web.json_response(PAIR)

    other = await serve(elsewhere)

    async def moved(request):
        return web.Response(status=status, headers={"Location": other + request.path})

    async with TaglineClient(await serve(moved), password=PASSWORD) as tagline:
        with pytest.raises(ApiError, match=f"{status}: .*{other}/login") as refused:
            await tagline.edit("x", {"rating": 1})
    assert refused.value.status == status
    assert met == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<html>", "text/html"),
        ("{", "application/json"),
        ("[]", "application/json"),
        ("\\xff", "application/json"),
        ("null", "application/json"),
    ],
)
async def test_what_is_no_answer_of_tagline_is_a_client_error(serve, body, kind):
    """A proxy's page or another server's JSON instead of tokens, and instead of a photo."""
    raw = body.encode().decode("unicode_escape").encode("latin-1")

    async def other(request):
        return web.Response(body=raw, content_type=kind)

    async def other_behind_the_login(request):
        return web.json_response(PAIR) if request.method == "POST" else await other(request)

    url = await serve(other)
    async with TaglineClient(url, password=PASSWORD) as tagline:
        with pytest.raises(Unreachable, match="not Tagline"):
            await tagline.photo("x")
    url = await serve(other_behind_the_login)
    async with TaglineClient(url, password=PASSWORD) as tagline:
        with pytest.raises(Unreachable, match="not Tagline"):
            [photo async for photo in tagline.photos()]


async def test_yes_and_no_are_sent_as_the_api_has_them(serve):
    """``described=True`` is what a Python program says."""
    asked = []

    async def photos(request):
        asked.append(request.query.get("described"))
        return web.json_response(PAIR | {"items": [], "next": None})

    async with TaglineClient(await serve(photos), password=PASSWORD) as tagline:
        for described in (True, False, "true"):
            assert [photo async for photo in tagline.photos(described=described)] == []
    assert [value for value in asked if value] == ["true", "false", "true"]


async def test_many_changes_go_in_parts_that_the_server_takes(serve):
    """No request has more bytes than the server takes, or so many edits that it looks dead."""
    bodies = []

    async def take(request):
        if request.path != "/photos/metadata":
            return web.json_response(PAIR)
        bodies.append(await request.read())
        changes = json.loads(bodies[-1])["changes"]
        return web.json_response({"results": [{"id": change["id"]} for change in changes]})

    changes = [{"id": str(n), "description": "😀" * (10_000 if n < 150 else 1)} for n in range(400)]
    async with TaglineClient(await serve(take), password=PASSWORD) as tagline:
        results = await tagline.edit_many(iter(changes))
        assert await tagline.edit_many([]) == []
    assert [result["id"] for result in results] == [change["id"] for change in changes]
    assert max(map(len, bodies)) < 8 << 20
    sizes = [len(json.loads(body)["changes"]) for body in bodies]
    assert max(sizes) == 100


async def test_closing_does_not_wait_long_for_a_server_that_hangs(serve, monkeypatch):
    """Whoever leaves because nothing answers is not kept for two minutes more."""
    never = asyncio.Event()

    async def hang():
        await never.wait()

    monkeypatch.setattr("tagline.client.session._LOGOUT_SECONDS", 0.1)

    async def answer(request):
        if request.path == "/logout":
            await hang()
        return web.json_response(PAIR)

    tagline = TaglineClient(await serve(answer), password=PASSWORD)
    async with asyncio.timeout(10):
        async with tagline:
            await tagline.photo("x")
    never.set()
