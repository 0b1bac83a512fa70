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


class Waits:
    """Waits that take no time, and are remembered."""

    def __init__(self) -> None:
        self.seconds = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def refusal(status: int, word: str | None, retry_after: str | None = None) -> web.Response:
    """An error as the server answers it, or (without a word) a proxy before it."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    body = {"detail": "Wait."} | ({} if word is None else {"type": word})
    return web.json_response(body, status=status, headers=headers)


@pytest.fixture
def refusing(serve):
    """Start a server that refuses the first requests, and then answers; its requests are kept."""

    async def start(*refusals, login=()):
        met, logins = [], list(login)
        left = list(refusals)

        async def answer(request):
            if request.path == "/login" and logins:
                return logins.pop(0)()
            if request.path in {"/login", "/logout"}:
                return web.json_response(PAIR)
            met.append((request.method, request.path, await request.text()))
            return left.pop(0)() if left else web.json_response({"id": "x"})

        return await serve(answer), met

    return start


@pytest.mark.parametrize(
    ("status", "word", "method"),
    [
        (409, "being_written", "PATCH"),
        (409, "being_written", "POST"),
        (429, "too_many_streams", "GET"),
        (429, None, "PATCH"),
        (503, "too_many_connections", "PATCH"),
        (503, "storage_unavailable", "GET"),
        (503, None, "GET"),
    ],
)
async def test_what_only_needs_time_is_sent_again(refusing, status, word, method):
    """The same request, after the seconds that the server names."""
    waits = Waits()
    url, met = await refusing(*[lambda: refusal(status, word, "7")] * 2)
    async with TaglineClient(url, password=PASSWORD, sleep=waits) as tagline:
        assert await tagline.request(method, "/photos/x", json={"rating": 1}) == {"id": "x"}
    assert waits.seconds == [7, 7]
    assert met == [(method, "/photos/x", '{"rating": 1}')] * 3


@pytest.mark.parametrize(
    ("status", "word", "retry_after", "method"),
    [
        (409, "object_changed", "1", "PATCH"),
        (409, "edit_refused", None, "PATCH"),
        (409, "being_written", None, "PATCH"),
        (409, "being_written", "soon", "PATCH"),
        (409, "being_written", "9" * 5000, "PATCH"),
        (409, "being_written", "61", "PATCH"),
        (503, "index_unavailable", "1", "PATCH"),
        (503, "storage_unavailable", "1", "POST"),
        (503, "storage_unavailable", None, "GET"),
        (500, "internal_error", None, "GET"),
    ],
)
async def test_what_needs_more_than_time_is_told_at_once(
    refusing, status, word, retry_after, method
):
    """Never what may have been done already, or asks for a look; nor longer than one has."""
    waits = Waits()
    url, met = await refusing(lambda: refusal(status, word, retry_after))
    async with TaglineClient(url, password=PASSWORD, sleep=waits) as tagline:
        with pytest.raises(ApiError) as refused:
            await tagline.request(method, "/photos/x")
    assert (refused.value.status, refused.value.type) == (status, word)
    assert (len(met), waits.seconds) == (1, [])


@pytest.mark.parametrize(
    ("patience", "waited"), [(0, []), (29, [10, 10]), (30, [10, 10, 10]), (35.5, [10, 10, 10])]
)
async def test_patience_has_an_end(refusing, patience, waited):
    """No call waits longer in all than it may; then the refusal is told."""
    waits = Waits()
    url, met = await refusing(*[lambda: refusal(409, "being_written", "10")] * 9)
    async with TaglineClient(
        url, password=PASSWORD, patience_seconds=patience, sleep=waits
    ) as tagline:
        with pytest.raises(ApiError) as refused:
            await tagline.describe("x", "text")
        assert refused.value.retry_after_seconds == 10
        assert (waits.seconds, len(met)) == (waited, len(waited) + 1)


async def test_a_server_that_names_no_seconds_is_not_asked_without_end(refusing):
    """``Retry-After: 0`` counts as a second."""
    waits = Waits()
    url, _ = await refusing(*[lambda: refusal(429, "too_many_attempts", "0")] * 99)
    async with TaglineClient(url, password=PASSWORD, patience_seconds=3, sleep=waits) as tagline:
        with pytest.raises(ApiError):
            await tagline.photo("x")
    assert waits.seconds == [1, 1, 1]


async def test_a_login_waits_as_well(refusing):
    """Somebody else's guesses from the same address only delay it; the time is that of the call."""
    waits = Waits()
    url, _ = await refusing(
        lambda: refusal(409, "being_written", "5"),
        login=[lambda: refusal(429, "too_many_attempts", "8")],
    )
    async with TaglineClient(url, password=PASSWORD, patience_seconds=13, sleep=waits) as tagline:
        assert await tagline.describe("x", "text") == {"id": "x"}
    assert waits.seconds == [8, 5]


def busy(photo: str, seconds: int = 10) -> dict:
    """The result of a change that came while another program wrote."""
    return {"id": photo, "status": 409, "type": "being_written", "retry_after": seconds}


def made(photo: str) -> dict:
    """The result of a change that was made."""
    return {"id": photo, "status": 200}


@pytest.mark.parametrize(
    ("answers", "sent", "waited", "given"),
    [
        pytest.param(
            [[made("a"), busy("b", 3), busy("c", 4)], [busy("b"), made("c")], [made("b")]],
            [["a", "b", "c"], ["b", "c"], ["b"]],
            [4, 10],
            [200, 200, 200],
            id="alone",
        ),
        pytest.param(
            [[busy("a"), made("A"), busy("a")], [made("a")]],
            [["a", "A", "a"], ["a"]],
            [10],
            [409, 200, 200],
            id="not behind a later change",
        ),
        pytest.param(
            [[busy("a"), busy("a")], [busy("a"), made("a")]],
            [["a", "a"], ["a", "a"]],
            [10],
            [409, 200],
            id="in their order",
        ),
        pytest.param([[busy("a", 7)]] * 3, [["a"]] * 3, [7, 7], [409], id="no longer than it may"),
        pytest.param(
            [[{"id": "a", "status": 409, "type": "edit_refused"}, {"id": None, "status": 422}]],
            [["a", "b"]],
            [],
            [409, 422],
            id="not what nothing helps",
        ),
    ],
)
async def test_of_many_changes_those_are_sent_again_that_need_time(
    serve, answers, sent, waited, given
):
    """Alone, in their order, and never so that an old value replaces a newer one."""
    waits, met, left = Waits(), [], list(answers)

    async def take(request):
        if request.path != "/photos/metadata":
            return web.json_response(PAIR)
        met.append([change["id"] for change in (await request.json())["changes"]])
        return web.json_response({"results": left.pop(0)})

    changes = [{"id": photo, "rating": 1} for photo in sent[0]]
    url = await serve(take)
    async with TaglineClient(url, password=PASSWORD, patience_seconds=20, sleep=waits) as tagline:
        results = await tagline.edit_many(changes)
    assert [result["status"] for result in results] == given
    assert (met, waits.seconds) == (sent, waited)
