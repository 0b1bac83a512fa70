"""GET /events: the real application over the real library, its photos in memory; real sockets."""

import asyncio
import io
import json
import socket
import time

import aiohttp
import pytest
from PIL import Image

from tagline.api import ApiOptions, ServerOptions, create_app
from tagline.api.event_payloads import EVENTS
from tagline.api.keys import STREAMS
from tagline.api.options import EventOptions
from tagline.api.refusals import NoMoreStreams
from tagline.api.server import serving
from tagline.errors import StorageUnavailable
from tagline.index import open_index
from tagline.library import read_observed
from tagline.library.events import CAPACITY
from tagline.library.happenings import PhotoRemoved, PhotosChanged
from tagline.model import PhotoQuery
from tagline.storage import MemoryStorage
from tagline.sync import Reconciler
from tests.composing import PASSWORD, compose

FLOOD = 60
QUICK = EventOptions(heartbeat_seconds=0.1, check_seconds=0.02, send_seconds=0.2, most=4,
                     most_of_session=3)  # fmt: skip


def picture(number):
    """A small picture as a file; every number gives other pixels."""
    file = io.BytesIO()
    Image.new("RGB", (8, 6), (number % 256, number // 256, 7)).save(file, "PNG")
    return file.getvalue()


async def until(condition):
    """Let the others go on until it holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - there is nothing to be waited for
            await asyncio.sleep(0.001)


class World:
    """A library over photos in memory, which other programs change; its server and clock."""

    def __init__(self):
        self.seconds = 1_700_000_000.0
        self.storage = MemoryStorage({"a.png": picture(1), "b/c.png": picture(2)})
        self.index = open_index(None)
        self.reconciler = Reconciler(self.storage, self.index, read_observed)
        self.library = compose(
            self.storage, self.index, self.reconciler, clock=lambda: self.seconds
        )

    async def login(self):
        """The headers of a new session."""
        pair = await self.library.login(PASSWORD, "")
        return {"Authorization": f"Bearer {pair.access_token}"}

    def photos(self):
        """Ids and entity tags by object key, as the API shows them."""
        items = [json.loads(i) for i in self.index.page(PhotoQuery(limit=500)).items]
        return {item["object_key"]: item for item in items}


class Stream:
    """What a client reads of an answer."""

    def __init__(self, response):
        self.response = response
        self.last_id = None

    async def line(self):
        """One line, without its end; None at the end of the stream."""
        line = await asyncio.wait_for(self.response.content.readline(), 10)
        return line.decode().rstrip("\n") if line else None

    async def next(self):
        """Type and data of the next event; None at the end. Checks what holds for every event."""
        kind = data = None
        while (line := await self.line()) is not None:
            name, _, value = line.partition(": ")
            if name == "id":
                self.last_id = value
            elif name == "event":
                kind = value
            elif name == "data":
                data = value
            elif not line and kind:
                EVENTS[kind].model_validate_json(data, strict=True, extra="forbid")
                return kind, json.loads(data)
        return None

    async def of_photos(self, count):
        """The next events that tell of photos."""
        found = []
        while len(found) < count:
            kind, data = await self.next()
            if kind.startswith("photo"):
                found.append((kind, data))
        return found


@pytest.fixture
async def world():
    """A library whose first scan is over."""
    made = World()
    reader = made.library.subscribe(lambda: None, None)
    await made.library.start()
    told = []
    await until(lambda: told.extend(reader.take(9)) or len(told) >= 2)
    await until(lambda: made.library.health().watcher.state == "off")
    reader.close()
    yield made
    await made.library.stop()


@pytest.fixture
async def open_stream(world):
    """Open a stream on the server, by the headers and query given."""
    app = create_app(world.library, ApiOptions(events=QUICK, cors_allowed_origins=("https://x",)))
    world.login_headers = await world.login()
    async with (
        serving(app, ServerOptions(port=0)) as world.url,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        world.session = session
        opened = []

        async def connect(path="/events", status=200, **headers):
            headers = {k.replace("_", "-"): v for k, v in headers.items()}
            response = await session.get(world.url + path, headers=world.login_headers | headers)
            opened.append(response)
            assert response.status == status, await response.text()
            return Stream(response)

        yield connect
        for response in opened:
            response.close()


async def test_photos_come_change_move_and_go(world, open_stream):
    """An event each, in order, when the API already shows what it tells of; no description."""
    stream = await open_stream()
    assert stream.response.content_type == "text/event-stream"
    assert stream.response.headers["Cache-Control"] == "no-store"
    assert stream.response.headers["X-Accel-Buffering"] == "no"
    assert stream.response.headers["X-Content-Type-Options"] == "nosniff"
    assert await stream.next() == ("opened", {"resumed": False})
    world.storage.put("new.png", picture(3))
    await world.reconciler.reconcile()
    [(kind, data)] = await stream.of_photos(1)
    new = world.photos()["new.png"]
    assert (kind, data) == (
        "photo_created",
        {"id": new["id"], "etag": new["etag"], "object_key": "new.png"},
    )
    response = await world.session.patch(
        f"{world.url}/photos/{new['id']}/metadata",
        json={"description": "a secret"},
        headers=world.login_headers,
    )
    etag = (await response.json())["etag"]
    expected = {"id": new["id"], "etag": etag, "object_key": "new.png"}
    assert await stream.of_photos(1) == [("photo_changed", expected)]
    world.storage.rename("new.png", "b/moved.png")
    await world.reconciler.reconcile()
    moved = world.photos()["b/moved.png"]
    expected = {"id": new["id"], "etag": moved["etag"], "object_key": "b/moved.png"}
    assert await stream.of_photos(1) == [("photo_changed", expected)]
    assert moved["etag"] != etag
    world.storage.delete("b/moved.png")
    await world.reconciler.reconcile()
    expected = {"id": new["id"], "object_key": "b/moved.png"}
    assert await stream.of_photos(1) == [("photo_removed", expected)]


async def test_a_touched_file_is_no_event(world, open_stream):
    """What the API shows stays the same, so nobody is told."""
    stream = await open_stream()
    before = world.photos()
    world.storage.rename("a.png", "away.png")
    world.storage.rename("away.png", "a.png")
    assert (await world.reconciler.reconcile()).skipped == 2
    world.storage.put("last.png", picture(10))
    await world.reconciler.reconcile()
    assert [data["object_key"] for _, data in await stream.of_photos(1)] == ["last.png"]
    assert before.items() <= world.photos().items()


async def test_a_scan_that_was_asked_for_is_told(world, open_stream):
    """It began, and it ended; both with its times."""
    stream = await open_stream()
    await stream.next()
    async with world.session.post(world.url + "/rescan", headers=world.login_headers) as response:
        assert response.status == 200
    (first, began), (second, ended) = await stream.next(), await stream.next()
    assert (first, second) == ("scan_started", "scan_finished")
    assert began["started_at"] == ended["started_at"] <= ended["finished_at"]
    assert ended["complete"]


async def test_a_directory_that_goes_and_comes_back_is_told(world, open_stream):
    """As health says it."""
    stream = await open_stream()
    await stream.next()
    world.storage.set_unavailable()
    kind, data = await stream.next()
    assert (kind, data["ready"], data["status"]) == ("health_changed", False, "unavailable")
    assert data["storage"] == {"available": False, "problem": str(StorageUnavailable())}
    world.storage.set_unavailable(False)
    kind, data = await stream.next()
    assert (kind, data["ready"], data["storage"]["available"]) == ("health_changed", True, True)


@pytest.mark.parametrize("place", ["header", "query", "both"])
async def test_who_was_away_gets_what_was_missed(world, open_stream, place):
    """Every event after the last one seen, none twice; the header counts more than the query."""
    stream = await open_stream()
    world.storage.put("1.png", picture(11))
    await world.reconciler.reconcile()
    first = await stream.of_photos(1)
    seen = stream.last_id
    stream.response.close()
    for number in (2, 3, 4):
        world.storage.put(f"{number}.png", picture(10 + number))
        await world.reconciler.reconcile()
    query = {"header": "", "query": f"?last_event_id={seen}", "both": "?last_event_id=x"}[place]
    headers = {} if place == "query" else {"Last_Event_ID": seen}
    stream = await open_stream("/events" + query, **headers)
    assert await stream.next() == ("opened", {"resumed": True})
    assert stream.last_id == seen
    told = await stream.of_photos(3)
    assert [data["object_key"] for _, data in told] == ["2.png", "3.png", "4.png"]
    assert first[0] not in told


@pytest.mark.parametrize(
    ("last_id", "reason"),
    [
        ("anything", "unknown_id"),
        ("{run}-999999", "unknown_id"),
        ("{run}--1", "unknown_id"),
        ("{run}-" + "9" * 400, "unknown_id"),
        ("0123456789abcdef-1", "restarted"),
    ],
)
async def test_an_id_that_is_not_known_means_a_reload(open_stream, last_id, reason):
    """It says why, and from where the stream goes on."""
    stream = await open_stream()
    await stream.next()
    run = stream.last_id.partition("-")[0]
    other = await open_stream(Last_Event_ID=last_id.replace("{run}", run))
    assert await other.next() == ("reload", {"reason": reason})
    assert other.last_id == stream.last_id


async def test_an_empty_id_is_none(open_stream):
    """Browsers send none then; others do."""
    stream = await open_stream("/events?last_event_id=", Last_Event_ID="")
    assert await stream.next() == ("opened", {"resumed": False})


async def test_what_is_too_old_means_a_reload(world, open_stream):
    """The buffer is bounded, whatever happens."""
    stream = await open_stream()
    await stream.next()
    seen = stream.last_id
    stream.response.close()
    for number in range(CAPACITY + 1):
        world.library._announcer._hub.publish(PhotosChanged(created=number, changed=0, removed=0))
    stream = await open_stream(Last_Event_ID=seen)
    assert await stream.next() == ("reload", {"reason": "too_old"})
    assert int(stream.last_id.partition("-")[2]) > CAPACITY


async def test_many_changes_are_one_event(world, open_stream):
    """A thousand photos at once give their number."""
    stream = await open_stream()
    for number in range(1000):
        world.storage.put(f"many/{number}.png", b"no picture %d" % number)
    await world.reconciler.reconcile()
    created = told = 0
    while created < 1000:
        [(kind, data)] = await stream.of_photos(1)
        created += data["created"] if kind == "photos_changed" else 1
        told += 1
    assert created == 1000
    assert told < 300


async def test_the_stream_says_when_to_retry_and_that_it_lives(open_stream):
    """A hint in milliseconds, and comments while nothing happens."""
    stream = await open_stream()
    lines = [await stream.line() for _ in range(9)]
    assert lines[0] == "retry: 2000"
    assert lines[1].startswith("id: ")
    assert lines[2:5] == ["event: opened", 'data: {"resumed":false}', ""]
    assert lines[5:] == [":", "", ":", ""]


@pytest.mark.parametrize("how", ["logout", "expiry", "revoked"])
async def test_a_stream_ends_with_its_token(world, open_stream, how):
    """It says so, and nothing more is told; whoever comes with a good one goes on from there."""
    if how == "revoked":
        made = await world.library.sessions.create_api_token("script", "read", None)
        world.login_headers = {"Authorization": f"Bearer {made.token}"}
    stream = await open_stream()
    await stream.next()
    if how == "logout":
        token = world.login_headers["Authorization"].partition(" ")[2]
        await world.library.logout(token, None)
    elif how == "expiry":
        world.seconds += 901
    else:
        await world.library.sessions.revoke_api_token(made.shown.id)
    assert await stream.next() == ("ended", {"reason": "token"})
    assert await stream.next() is None
    await open_stream(status=401)
    world.login_headers = await world.login()
    stream = await open_stream(Last_Event_ID=stream.last_id)
    assert await stream.next() == ("opened", {"resumed": True})


async def test_streams_are_bounded(world, open_stream):
    """By session and in all; who comes too late is told when to try again; a place gets free."""
    streams = [await open_stream() for _ in range(3)]
    refused = await open_stream(status=429)
    assert int(refused.response.headers["Retry-After"]) > 0
    assert (await refused.response.json())["type"] == "too_many_streams"
    world.login_headers = await world.login()
    await open_stream()
    refused = await open_stream(status=503)
    assert int(refused.response.headers["Retry-After"]) > 0
    assert (await refused.response.json())["type"] == "streams_busy"
    streams[0].response.close()
    while True:
        response = await world.session.get(f"{world.url}/events", headers=world.login_headers)
        response.close()
        if response.status == 200:
            break


async def test_a_head_opens_no_stream(world, open_stream):
    """The headers of a stream, as often as one likes."""
    for _ in range(5):
        response = await world.session.head(f"{world.url}/events", headers=world.login_headers)
        response.close()
        assert response.status == 200
        assert response.content_type == "text/event-stream"
    assert (await world.session.head(f"{world.url}/events")).status == 401


async def test_pages_of_other_origins(world, open_stream):
    """Allowed ones may read the stream, and send the last id."""
    stream = await open_stream(Origin="https://x")
    assert stream.response.headers["Access-Control-Allow-Origin"] == "https://x"
    asked = {"Origin": "https://x", "Access-Control-Request-Method": "GET"}
    response = await world.session.options(f"{world.url}/events", headers=asked)
    assert "Last-Event-ID" in response.headers["Access-Control-Allow-Headers"]


def unread(world):
    """A raw connection that asks for events, and reads none of them."""
    port = int(world.url.rpartition(":")[2])
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect(("127.0.0.1", port))
    lines = ["GET /events HTTP/1.1", "Host: x"]
    lines += [f"{name}: {value}" for name, value in world.login_headers.items()]
    made.sendall("\r\n".join([*lines, "", ""]).encode())
    return made


async def flood(world):
    """Publish more than all buffers between the server and who does not read can hold."""
    hub = world.library._announcer._hub
    for _ in range(FLOOD):
        hub.publish(PhotoRemoved(id="x", object_key="y" * 200_000))
        await asyncio.sleep(0)


async def test_who_does_not_read_is_dropped(world):
    """After a while, though its token is good; its memory is bounded, and its place is free."""
    app = create_app(world.library, ApiOptions(events=QUICK))
    world.login_headers = await world.login()
    async with serving(app, ServerOptions(port=0)) as world.url:
        with unread(world):
            await until(lambda: app[STREAMS]._open)
            await flood(world)
            await until(lambda: not app[STREAMS]._open)


async def test_who_is_overtaken_is_told(world, open_stream):
    """One that reads, and too slowly: it is cut off, and comes back to a reload."""
    stream = await open_stream()
    await stream.next()
    for number in range(CAPACITY + 1):
        world.library._announcer._hub.publish(PhotosChanged(created=number, changed=0, removed=0))
    assert await stream.next() == ("ended", {"reason": "slow"})
    assert await stream.next() is None
    stream = await open_stream(Last_Event_ID=stream.last_id)
    assert await stream.next() == ("reload", {"reason": "too_old"})


async def test_stopping_ends_every_stream_at_once(world):
    """One that waits is told so, one whose client does not read is cut off; none is opened."""
    patient = EventOptions(send_seconds=60, check_seconds=60)
    app = create_app(world.library, ApiOptions(events=patient))
    world.login_headers = await world.login()
    async with aiohttp.ClientSession() as session:
        async with serving(app, ServerOptions(port=0, shutdown_seconds=30)) as world.url:
            response = await session.get(f"{world.url}/events", headers=world.login_headers)
            stream = Stream(response)
            assert await stream.next() == ("opened", {"resumed": False})
            with unread(world) as deaf:
                await until(lambda: len(app[STREAMS]._open) == 2)
                flooding = asyncio.create_task(flood(world))
                await stream.of_photos(FLOOD)
                await flooding
                before = time.monotonic()
                await app[STREAMS].close(app)
                with pytest.raises(NoMoreStreams), app[STREAMS].stream(None, ""):
                    raise AssertionError
                assert await stream.next() == ("ended", {"reason": "shutdown"})
                assert deaf
        assert time.monotonic() - before < 5
