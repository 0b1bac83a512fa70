"""Strangers who hold connections, unpack bombs, read slowly, or hide one request in another."""

import asyncio
import json
import re
import socket
import time
import zlib

import pytest

from tagline.api import ServerOptions, create_app
from tagline.api.browsers import RULES
from tagline.api.server import serving

BUNDLE = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n"
ALIVE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
LOGIN = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
SOME_ZEROS = zlib.compressobj(wbits=-15)
SOME_ZEROS = SOME_ZEROS.compress(bytes(10_000_000)) + SOME_ZEROS.flush(zlib.Z_FULL_FLUSH)
# A single stream, so that whoever unpacks any of it unpacks a gigabyte.
BOMBS = {
    b"gzip": b"\x1f\x8b\x08\0\0\0\0\0\0\3" + SOME_ZEROS * 100,
    b"deflate": b"\x78\x9c" + SOME_ZEROS * 100,
}
LINES = (b"POST /login", b"GET /health", b"GET /photos", b"PUT /nothing")
CHUNKED = LOGIN + b"Transfer-Encoding: chunked\r\n\r\n"
COMMON = {b"Server: Tagline", *(f"{name}: {value}".encode() for name, value in RULES.items())}


@pytest.fixture
def app(library, options):
    """The application."""
    return create_app(library, options)


def server(app, **options):
    """The application, listening."""
    return serving(app, ServerOptions(port=0, shutdown_seconds=1.0, **options))


async def connect(url):
    """A raw connection."""
    return await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))


async def statuses(url, request):
    """The statuses of all answers to some bytes; the last is 0 where the server hangs up.

    What follows the bytes is a request whose answer tells that nothing was taken for its body.
    """
    reader, writer = await connect(url)
    writer.write(request)
    received = b""
    while not (closed := reader.at_eof()) and b'{"live":true}' not in received:
        received += await asyncio.wait_for(reader.read(65536), 5)
    writer.close()
    found = [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", received)]
    return [*found, 0] if closed else found


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Encoding: gzip\r\n",
        b"Content-Encoding: deflate\r\n",
        b"Content-Encoding: identity\r\nContent-Encoding: gzip\r\n",
    ],
)
@pytest.mark.parametrize("line", LINES)
async def test_no_body_is_ever_unpacked(app, headers, line):
    """A bomb costs what its own bytes cost, whether or not anybody wants the body."""
    bomb = BOMBS[b"deflate" if b"deflate" in headers else b"gzip"]
    head = line + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    body = b"Content-Length: %d\r\n\r\n" % len(bomb) + bomb
    async with server(app) as url:
        plain, _ = await cost_of(url, head + body)
        cost, got = await cost_of(url, head + headers + body)
    assert cost < plain + 0.2
    refused = 413 if b"identity" in headers else 415
    assert got[0] == dict(zip(LINES, (refused, 200, 401, 404), strict=True))[line]


async def cost_of(url, request):
    """The seconds of work in this thread for a request, and the statuses of the answers."""
    began = time.thread_time()
    got = await statuses(url, request + ALIVE)
    return time.thread_time() - began, got


async def test_who_does_not_take_the_answer_is_cut_off(app):
    """Clients that read nothing have lost their places soon."""
    async with server(app, stuck_seconds=0.2, most_connections=8) as url:
        stuck = [await deaf(url) for _ in range(8)]
        assert await statuses(url, ALIVE) == [503, 0]
        async with asyncio.timeout(10):
            while await statuses(url, ALIVE) != [200]:
                pass
        for client in stuck:
            client.close()


async def deaf(url, window=4096):
    """A client that asks for much, and takes one byte beside what its system takes for it."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, ("127.0.0.1", int(url.rpartition(":")[2])))
    await loop.sock_sendall(client, BUNDLE)
    await loop.sock_recv(client, 1)
    return client


@pytest.mark.parametrize(("stuck_seconds", "pause_seconds"), [(1.0, 0.02), (2.4, 0.2)])
async def test_who_reads_at_all_is_waited_for(app, stuck_seconds, pause_seconds):
    """A slow client gets the whole answer, in pieces, as long as it goes on reading.

    The slower one needs longer for what the kernel takes from us at a time (160 kB) than a client
    may do nothing, and much less for what it acknowledges at a time here (up to 16 kB).
    """
    loop = asyncio.get_running_loop()
    async with server(app, stuck_seconds=stuck_seconds) as url, asyncio.timeout(30):
        client, began = await deaf(url, window=16384), loop.time()
        received = b"H" + await loop.sock_recv(client, 8192)
        whole = whole_length(received)
        while len(received) < whole:
            piece = await loop.sock_recv(client, 8192)
            assert piece
            received += piece
            if loop.time() - began < 3.1 * stuck_seconds:
                await asyncio.sleep(pause_seconds)  # as slow as the client is meant to be
        assert len(received) == whole > 1_000_000
        assert loop.time() - began > 3 * stuck_seconds
        await loop.sock_sendall(client, ALIVE)
        assert (await loop.sock_recv(client, 8192)).startswith(b"HTTP/1.1 200 ")
        client.close()


def whole_length(received):
    """How long the answer is that begins with these bytes."""
    head = received.partition(b"\r\n\r\n")[0]
    return len(head) + 4 + int(re.search(rb"Content-Length: (\d+)", head)[1])


async def test_the_oldest_idle_connection_makes_room(app):
    """Whoever fills the server with idle or half-sent requests keeps out nobody."""
    async with server(app, most_connections=3) as url:
        idle = [await connect(url) for _ in range(3)]
        idle[1][1].write(b"GET /health HTTP/1.1\r\nX-Slow: ")
        for _ in range(3):
            assert await statuses(url, ALIVE) == [200]
        assert await asyncio.wait_for(idle[0][0].read(), 5) == b""
        for _, writer in idle:
            writer.close()


async def test_where_all_are_busy_one_more_is_told_so(app):
    """A connection too many gets 503 in JSON, and nothing of it is kept."""
    async with server(app, most_connections=2) as url:
        busy = [await connect(url) for _ in range(2)]
        for _, writer in busy:
            writer.write(LOGIN + b"Expect: 100-continue\r\nContent-Length: 100\r\n\r\n")
        for reader, _ in busy:
            await reader.readuntil(b"100 Continue\r\n\r\n")
        reader, writer = await connect(url)
        head, _, body = (await asyncio.wait_for(reader.read(), 5)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert set(head.split(b"\r\n")) >= COMMON
        assert b"Content-Length: %d\r\n" % len(body) in head + b"\r\n"
        assert json.loads(body)["type"] == "too_many_connections"
        for _, each in (*busy, (reader, writer)):
            each.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n") + b"0\r\n\r\n",
        LOGIN + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        LOGIN + b"Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        LOGIN + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        LOGIN + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        LOGIN + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        LOGIN + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        LOGIN + b"Content-Length: +5\r\n\r\nhello",
        LOGIN + b"Content-Length: 0x5\r\n\r\nhello",
        LOGIN + b"Content-Length: 5, 5\r\n\r\nhello",
        LOGIN + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        LOGIN + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        LOGIN + "Content-Length: \u0665\r\n\r\nhello".encode(),
        LOGIN + b"Content-Length: \r\n\r\n",
        CHUNKED + b"0x1\r\na\r\n0\r\n\r\n",
        CHUNKED + b"-1\r\na\r\n0\r\n\r\n",
        CHUNKED + b"ffffffffffffffff1\r\na\r\n0\r\n\r\n",
        CHUNKED + b"1\na\n0\n\n",
        CHUNKED + b"1;a\nb\r\na\r\n0\r\n\r\n",
        CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
        b"GET /health HTTP/1.1\nHost: x\n\n",
        b"GET /health HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
        b"GET /health HTTP/1.1\r\n Host: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
async def test_no_request_hides_in_another(app, request_bytes):
    """What two servers could read as two different things is refused, and the connection ends."""
    async with server(app) as url:
        assert await statuses(url, request_bytes + ALIVE) == [400, 0]


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (ALIVE[:-2] + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 200),
        (ALIVE[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 200),
        (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (
            CHUNKED.replace(b"/1.1", b"/1.0").replace(
                b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n"
            )
            + b"0\r\n\r\n",
            422,
        ),
        (CHUNKED.replace(b"chunked", b"gzip, chunked") + b"0\r\n\r\n", 422),
        (CHUNKED.replace(b"chunked", b",chunked") + b"0\r\n\r\n", 422),
        (LOGIN + b"Transfer-Encoding: \r\nContent-Length: 2\r\n\r\n{}", 422),
    ],
)
async def test_the_connection_ends_behind_an_odd_request(app, request_bytes, status):
    """Where another protocol or another length may be meant, nothing further is read."""
    async with server(app) as url:
        reader, writer = await connect(url)
        writer.write(request_bytes + ALIVE)
        received = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    assert re.findall(rb"HTTP/1\.[01] (\d{3}) ", received) == [b"%d" % status]
    assert b"\r\nConnection: close\r\n" in received


async def test_a_body_beside_upgrade_is_read(app):
    """A client that offers another protocol with its first request, as Java's does, is served."""
    body = b'{"password": "wrong"}'
    head = (
        LOGIN + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA\r\n"
    )
    async with server(app) as url:
        reader, writer = await connect(url)
        writer.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        received = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    assert received.startswith(b"HTTP/1.1 401 "), received
