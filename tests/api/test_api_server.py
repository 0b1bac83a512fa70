"""The server itself: what is no HTTP, its log, its address, and how it stops."""

import asyncio
import io
import json
import logging
import os
import re
import signal
import socket

import aiohttp
import pytest
from tests_api_memory_library import PASSWORD

from tagline.api import ApiOptions, ServerOptions, create_app, run_server
from tagline.api.browsers import RULES
from tagline.api.server import serving
from tagline.config.logs import TextLines
from tagline.errors import ConfigurationError

ANY_PORT = ServerOptions(port=0, shutdown_seconds=1.0, keepalive_seconds=0.3)


@pytest.fixture
def app(library, options):
    """The application."""
    return create_app(library, options)


@pytest.fixture
def lines():
    """What is logged by anybody, as the operator sees it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextLines())
    root, ours = logging.getLogger(), logging.getLogger("tagline")
    level = ours.level
    ours.setLevel(logging.INFO)
    root.addHandler(handler)
    yield stream.getvalue
    root.removeHandler(handler)
    ours.setLevel(level)


async def connect(url):
    """A raw connection to the server."""
    return await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))


async def exchange(url, request):
    """What the server answers to some bytes, until it closes the connection."""
    reader, writer = await connect(url)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head, body


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"HELLO\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nAuthorization: Bearer s3cret\x00\r\n\r\n", 400),
        (b"GET /s3cret\xff\x00 HTTP/1.1\r\n\r\n", 400),
        (b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST /login HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"s3cret" * 2000 + b"\r\n\r\n", 431),
        (b"GET /" + b"s3cret" * 2000 + b" HTTP/1.1\r\n\r\n", 431),
    ],
)
async def test_what_is_no_http_is_answered_in_json(app, lines, request_bytes, status):
    """An error of the protocol is JSON as well, and neither answered nor logged with its bytes."""
    async with serving(app, ANY_PORT) as url:
        got, head, body = await exchange(url, request_bytes)
    assert got == status
    assert b"application/json" in head
    assert {f"{name}: {value}".encode() for name, value in RULES.items()} <= set(
        head.split(b"\r\n")
    )
    assert json.loads(body)["type"] == {400: "malformed_request", 431: "header_too_large"}[got]
    assert b"s3cret" not in head + body
    assert "s3cret" not in lines()


async def test_bad_chunks_in_a_body(app):
    """A body that does not arrive as announced is 400."""
    head = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    request = head + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n"
    async with serving(app, ANY_PORT) as url:
        status, _, body = await exchange(url, request)
    assert status == 400
    assert json.loads(body)["type"] in {"incomplete_body", "malformed_request"}


async def test_who_hangs_up_in_a_body_fills_no_log(app, lines):
    """A stranger who goes away before the body's end is no error of the server's."""
    head = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    async with serving(app, ANY_PORT) as url:
        for end in (asyncio.StreamWriter.close, lambda writer: writer.transport.abort()):
            reader, writer = await connect(url)
            writer.write(head + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n")
            await asyncio.wait_for(reader.readuntil(b" 100 Continue\r\n"), 10)
            end(writer)
    assert "Traceback" not in lines()
    assert "ERROR" not in lines()


async def test_a_connection_that_says_nothing_is_closed(app):
    """Half a header is not waited for beyond the limit of idle connections."""
    async with serving(app, ANY_PORT) as url:
        reader, writer = await connect(url)
        writer.write(b"GET /health HTTP/1.1\r\nHo")
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()


async def test_each_request_is_one_line_without_secrets(app, library, lines):
    """Address, method, path, status, size, time, who and id; no query, no header."""
    token = (await library.login(PASSWORD, "")).access_token
    script = await library.sessions.create_api_token("script", "read", None)
    headers = {"Authorization": f"Bearer {token}", "X-Request-ID": "abc"}
    async with serving(app, ANY_PORT) as url, aiohttp.ClientSession() as session:
        (await session.get(f"{url}/photos%0A?limit=3&token=s3cret", headers=headers)).close()
        (await session.get(f"{url}/photos?limit=3", headers=headers)).close()
        (await session.get(f"{url}/health")).close()
        headers = {"Authorization": f"Bearer {script.token}"}
        (await session.get(f"{url}/photos", headers=headers)).close()
        (await session.get(f"{url}/photos", headers={"Authorization": "Bearer none"})).close()
    access = [line for line in lines().splitlines() if "tagline.access" in line]
    assert len(access) == 5
    who = [re.findall(r" by=(\S+)", line) for line in access]
    assert who == [
        [],
        [f"session:{library.authenticate(token).id}"],
        [],
        [f"token:{script.shown.id}"],
        [],
    ]
    assert "GET /photos%0A" in access[0]
    assert "status=404" in access[0]
    assert "GET /photos " in access[1]
    assert "status=200" in access[1]
    assert "request_id=abc" in access[1]
    assert "s3cret" not in lines()
    assert token not in lines()
    assert script.token not in lines()


async def test_a_port_in_use_is_a_mistake_in_the_configuration(library):
    """The error names the variable; the library was not started, and is stopped."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"TAGLINE_PORT: port {port} is in use"):
            await run_server(library, ApiOptions(), ServerOptions(port=port), ready=print)
    assert library.events == ["stop"]


@pytest.mark.parametrize(
    ("host", "port", "variable"),
    [("127.0.0.1", 70000, "TAGLINE_PORT"), ("203.0.113.1", 0, "TAGLINE_HOST")],
)
async def test_an_address_that_cannot_be_had(app, host, port, variable):
    """The error names the variable at fault."""
    with pytest.raises(ConfigurationError) as caught:
        async with serving(app, ServerOptions(host=host, port=port)):
            raise AssertionError
    assert caught.value.variable == variable


class Blocking:
    """An edit that waits until it is released."""

    def __init__(self, library):
        self.started, self.release, self.done = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.edit, library.edit = library.edit, self.wait

    async def wait(self, *arguments):
        self.started.set()
        await self.release.wait()
        photo = await self.edit(*arguments)
        self.done.set()
        return photo


async def start(library, options=ANY_PORT):
    """A running server: its task and its URL."""
    url = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(run_server(library, ApiOptions(), options, ready=url.set_result))
    return task, await url


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_requests_under_way_before_the_server(library, photo, number):
    """A PATCH under way is answered; new connections are refused; then the library stops."""
    edit = Blocking(library)
    token = (await library.login(PASSWORD, "")).access_token
    options = ServerOptions(port=0, shutdown_seconds=9)
    task, url = await start(library, options)
    assert library.events == ["start"]
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        patch = asyncio.create_task(
            session.patch(f"{url}/photos/{photo.id}/metadata", json={"description": "kept"})
        )
        await edit.started.wait()
        os.kill(os.getpid(), number)
        while True:
            try:
                _, writer = await connect(url)
            except OSError:
                break
            writer.close()
        assert not task.done()
        edit.release.set()
        response = await patch
        assert response.status == 200
        assert (await response.json())["metadata"]["description"] == "kept"
        await asyncio.wait_for(task, 5)
    assert library.events == ["start", "stop"]


async def test_a_request_that_does_not_end_is_cut_off(library, photo):
    """The server stops within its time, whatever a request does."""
    edit = Blocking(library)
    token = (await library.login(PASSWORD, "")).access_token
    task, url = await start(library, ServerOptions(port=0, shutdown_seconds=0.2))
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        patch = asyncio.create_task(session.patch(f"{url}/photos/{photo.id}/metadata", json={}))
        await edit.started.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(task, 5)
        with pytest.raises(aiohttp.ClientError):
            await patch
    assert not edit.done.is_set()
    assert library.events == ["start", "stop"]


async def test_who_waits_for_a_rescan_is_told_that_the_server_stops(library):
    """503 with when to come again, at once, and not a connection that breaks."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def rescan():
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    library.rescan = rescan
    token = (await library.login(PASSWORD, "")).access_token
    task, url = await start(library)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        waiting = asyncio.create_task(session.post(f"{url}/rescan"))
        await begun.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        response = await waiting
        assert response.status == 503
        assert int(response.headers["Retry-After"]) > 0
        assert "stopping" in (await response.json())["detail"]
        await asyncio.wait_for(task, 5)
    assert ended.is_set()


async def test_a_client_that_goes_away_cancels_no_change(app, library, photo):
    """A PATCH that has begun is ended, though nobody waits for its answer."""
    edit = Blocking(library)
    token = (await library.login(PASSWORD, "")).access_token
    body = b'{"description": "kept"}'
    head = (
        f"PATCH /photos/{photo.id}/metadata HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    async with serving(app, ANY_PORT) as url:
        _, writer = await connect(url)
        writer.write(head.encode() + body)
        await edit.started.wait()
        writer.transport.abort()
        async with aiohttp.ClientSession() as session:
            (await session.get(f"{url}/health")).close()
        edit.release.set()
        await asyncio.wait_for(edit.done.wait(), 5)
    assert library.photos[photo.id].metadata.description == "kept"
