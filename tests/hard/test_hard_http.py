"""An attacker with a socket: forged tokens, guesses, half-open connections, odd requests."""

import asyncio
import base64
import hashlib
import hmac
import json
import re
import time
import urllib.parse
from collections import Counter
from io import BytesIO

import aiohttp
import jwt
import pytest

from tests.hard.processes import PASSWORD, save_photo

SECRET = "a secret of the operator's, of more than 32 bytes"
LIMIT_SECONDS = 10


@pytest.fixture
async def guarded(photos, start_server):
    """A server whose signing secret is known to the test."""
    return await start_server(photos, JWT_SECRET=SECRET)


def part(value):
    """One part of a token by hand."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def signed(header, claims, key=SECRET):
    """A token by hand, signed with HMAC-SHA256 whatever its header says."""
    text = f"{part(header)}.{part(claims)}"
    digest = hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


async def talk(server, data, seconds=LIMIT_SECONDS):
    """Send bytes, and give everything that comes back until the server closes or is silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    received = b""
    try:
        writer.write(data)
        await writer.drain()
        async with asyncio.timeout(seconds):
            while chunk := await reader.read(65536):
                received += chunk
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return received


@pytest.mark.slow
async def test_no_forged_token_opens_anything(guarded):
    """Whatever is changed in a token, or however another is made, the answer is 401."""
    good = guarded.tokens["access_token"]
    refresh = guarded.tokens["refresh_token"]
    claims = jwt.decode(good, SECRET, algorithms=["HS256"], issuer="tagline")
    later = claims | {"exp": claims["exp"] + 1000}
    head, body, signature = good.split(".")
    hs256 = {"alg": "HS256", "typ": "JWT"}
    forged = {
        "none": f"{part({'alg': 'none'})}.{body}.",
        "None": f"{part({'alg': 'None', 'typ': 'JWT'})}.{body}.{signature}",
        "RS256 keyed by the secret": signed({"alg": "RS256", "typ": "JWT"}, claims),
        "ES256": signed({"alg": "ES256", "typ": "JWT"}, claims),
        "HS512": jwt.encode(claims, SECRET + "x" * 64, algorithm="HS512"),
        "empty algorithm": signed({"alg": "", "typ": "JWT"}, claims),
        "a list of algorithms": signed({"alg": ["HS256"]}, claims),
        "other key": signed(hs256, claims, "another secret of more than 32 bytes in all"),
        "empty key": signed(hs256, claims, ""),
        "later expiry, old signature": f"{head}.{part(later)}.{signature}",
        "refresh as access": refresh,
        "swapped kind": f"{head}.{part(claims | {'kind': 'refresh'})}.{signature}",
        "another session": signed(hs256, claims | {"sid": "x" * 22}),
        "session of another type": signed(hs256, claims | {"sid": {"$ne": 1}}),
        "no session": signed(hs256, {k: v for k, v in claims.items() if k != "sid"}),
        "expired": signed(hs256, claims | {"exp": int(time.time()) - 1}),
        "expiry as text": signed(hs256, claims | {"exp": str(claims["exp"])}),
        "endless expiry": signed(hs256, claims | {"exp": 1e400}),
        "other issuer": signed(hs256, claims | {"iss": "somebody"}),
        "key id of a file": signed(hs256 | {"kid": "/dev/null"}, claims, ""),
        "embedded key": signed(hs256 | {"jwk": {"kty": "oct", "k": ""}}, claims, ""),
        "critical header": signed(hs256 | {"crit": ["exp"]}, claims),
        "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "more parts": f"{good}.{signature}",
        "junk": "....",
        "very long": good + "A" * 6000,
    }
    for how, token in forged.items():
        answer = await guarded.ask("GET", "/photos", headers={"Authorization": f"Bearer {token}"})
        assert answer.status == 401, (how, answer)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), how
    told = []
    for token in (good, *forged.values()):
        if token != refresh:
            answer = await guarded.ask("POST", "/refresh", json={"refresh_token": token})
            told.append(answer.status)
    # Ten failures are free; what is too long for any token is no attempt.
    assert told == [401] * 10 + [429] * (len(told) - 11) + [422]
    assert (await guarded.ask("GET", "/photos")).status == 200


@pytest.mark.slow
async def test_a_refresh_token_is_used_once_however_many_race(guarded):
    """Of twenty uses at once one is answered; the others are theft, so the session is dead."""
    token = guarded.tokens["refresh_token"]
    answers = await asyncio.gather(
        *(guarded.ask("POST", "/refresh", json={"refresh_token": token}) for _ in range(20))
    )
    told = Counter(answer.status for answer in answers)
    assert told == {200: 1, 401: 10, 429: 9}, "ten failures are free"
    won = next(answer.json for answer in answers if answer.status == 200)
    for access in (won["access_token"], guarded.tokens["access_token"]):
        answer = await guarded.ask("GET", "/photos", headers={"Authorization": f"Bearer {access}"})
        assert answer.status == 401
    answer = await guarded.ask("POST", "/refresh", json={"refresh_token": won["refresh_token"]})
    assert answer.status == 429


@pytest.mark.slow
async def test_guessing_is_stopped_and_does_not_lock_out_others(server):
    """A guesser gets a handful of tries, even with the right word then; others can log in."""

    async def guess(word, headers=None):
        return await server.ask("POST", "/login", json={"password": word}, headers=headers)

    answers = await asyncio.gather(*(guess(f"guess {n}") for n in range(200)))
    told = Counter(answer.status for answer in answers)
    assert told == {401: 10, 429: 190}
    refused = await guess(PASSWORD, {"X-Forwarded-For": "8.8.8.8", "Forwarded": "for=8.8.8.8"})
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) > 30
    connector = aiohttp.TCPConnector(local_addr=("127.0.0.9", 0))
    async with (
        aiohttp.ClientSession(server.url, connector=connector) as other,
        other.post("/login", json={"password": PASSWORD}) as answer,
    ):
        assert answer.status == 200
    assert (await server.ask("GET", "/photos")).status == 200


@pytest.mark.slow
async def test_half_open_connections_do_not_keep_others_out(server):
    """With 200 connections that send a byte now and then, a good client is served as before."""
    opened = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(200)]
    post = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    patch = b"PATCH /photos/x/metadata HTTP/1.1\r\nHost: x\r\n"
    starts = (
        b"GET /photos HTTP/1.1\r\nHost: x\r\nX-A: ",
        post + b'Content-Length: 1000\r\n\r\n{"pass',
        b"",
        patch + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    )
    for number, (_, writer) in enumerate(opened):
        writer.write(starts[number % len(starts)])
    photo = (await server.by_key())["a.jpg"]
    slowest = 0.0
    for number in range(50):
        for _, writer in opened[number % 4 :: 8]:
            writer.write(b"a")
        began = time.monotonic()
        answer = await server.describe(photo["id"], f"served {number}")
        slowest = max(slowest, time.monotonic() - began)
        assert answer.status == 200
    assert slowest < 2
    for _, writer in opened:
        writer.close()
    print(f"slowest PATCH beside 200 half-open connections: {slowest * 1000:.0f} ms")  # noqa: T201


@pytest.mark.slow
async def test_a_thousand_connections_at_once_are_served(server):
    """A thousand requests at the same time are all answered, pages, images and edits mixed."""
    shown = list((await server.by_key()).values())

    async def one(number):
        photo = shown[number % 3]
        match number % 4:
            case 0:
                return await server.ask("GET", "/photos")
            case 1:
                return await server.ask("GET", f"/photos/{photo['id']}/image")
            case 2:
                return await server.ask("GET", "/health")
            case _:
                return await server.describe(photo["id"], f"one of many {number}")

    answers = await asyncio.gather(*(one(number) for number in range(1000)))
    assert Counter(answer.status for answer in answers) == {200: 1000}
    assert (await server.ask("GET", "/health")).json["ready"]


@pytest.mark.slow
async def test_oversized_requests_are_refused_in_words(server):
    """Huge headers, addresses, bodies and depths get a 4xx in JSON, and cost no memory."""
    patch = f"/photos/{(await server.by_key())['a.jpg']['id']}/metadata"
    before = memory(server)
    bearer = f"Authorization: {server.session.headers['Authorization']}\r\n".encode()
    requests = {
        "long header": b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 100_000 + b"\r\n\r\n",
        "long address": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        "announced body": b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 99999999999\r\n\r\n{",
        "chunked body": f"PATCH {patch} HTTP/1.1\r\nHost: x\r\n".encode()
        + bearer
        + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"".join(b"10000\r\n" + b" " * 65536 + b"\r\n" for _ in range(64)),
        "both lengths": b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /photos HTTP/1.1\r\n\r\n",
        "two lengths": b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
        b"Content-Length: 6\r\n\r\nhello!",
        "negative length": b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "header fold": b"GET /health HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
        "NUL": b"GET /health HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
        "bare CR": b"GET /health HTTP/1.1\r\nHost: x\r\nA: b\rc: d\r\n\r\n",
        "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n" * 3,
    }
    for how, data in requests.items():
        received = await talk(server, data, 3)
        status = int(received.split(b" ", 2)[1])
        assert 400 <= status < 500, (how, received[:300])
        assert b'{"type": "' in received, (how, received[:300])
        assert len(re.findall(rb"HTTP/1\.\d \d", received)) == 1, (how, received[:600])
        assert b"aiohttp" not in received, how
    many = b"".join(b"X-%d: y\r\n" % n for n in range(50_000))
    received = await talk(server, b"GET /health HTTP/1.1\r\nHost: x\r\n" + many + b"\r\n", 3)
    assert received.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")) or not received, received[:300]
    bodies = {
        "deep": b'{"description":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "deep objects": b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
        "long number": b'{"description":' + b"9" * 100_000 + b"}",
        "long text": json.dumps({"description": "x" * 200_000}).encode(),
        "huge": b'{"description":"' + b"x" * 5_000_000 + b'"}',
        "lone surrogate": b'{"description":"\\ud800"}',
        "NUL": b'{"description":"a\\u0000b"}',
        "twice": b'{"description":"a","description":"b"}',
        "other keys": b'{"description":"a","id":"b"}',
        "no object": b'["description"]',
        "not UTF-8": b'{"description":"\xff"}',
    }
    for how, body in bodies.items():
        answer = await server.ask(
            "PATCH", patch, data=BytesIO(body), headers={"Content-Type": "application/json"}
        )
        assert answer.status in {413, 422}, (how, answer)
        assert answer.json["detail"], how
    assert memory(server) - before < 64 << 20
    assert (await server.by_key())["a.jpg"]["metadata"]["description"] is None


def memory(server):
    """Resident memory of the server in bytes."""
    with open(f"/proc/{server.process.pid}/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * 4096


@pytest.mark.slow
async def test_pipelined_requests_are_answered_in_order(server):
    """Fifty requests in one packet get fifty answers, each to its own request."""
    bearer = server.session.headers["Authorization"]
    data = b"".join(
        f"GET /photos?limit={n} HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer}\r\n"
        f"{'Connection: close' if n == 50 else 'A: b'}\r\n\r\n".encode()
        for n in range(1, 51)
    )
    received = await talk(server, data)
    limits = [int(piece.split(b",")[0]) for piece in received.split(b'"limit":')[1:]]
    assert limits == list(range(1, 51))


@pytest.mark.slow
async def test_no_id_leads_out_of_the_library(server, photos):
    """Ids that are paths, keys, patterns or code are 422 (or no route), and reach no file."""
    (photos.parent / "secret.jpg").write_bytes(b"outside")
    photo = (await server.by_key())["a.jpg"]
    odd = [
        "../secret.jpg",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/secret.jpg",
        "/etc/passwd",
        "a.jpg",
        "%00",
        photo["id"] + "%00.jpg",
        photo["id"] + "/..",
        photo["id"] + "%2f..",
        "{" + photo["id"] + "}",
        "urn:uuid:" + photo["id"],
        photo["id"].replace("-", ""),
        "0" * 36,
        "*",
        "'; drop table photos --",
        "%ff%fe",
        "\u0661" * 36,
        "$(reboot)",
        "A" * 5000,
    ]
    for name in odd:
        for tail in ("", "/image", "/metadata"):
            method = "PATCH" if tail == "/metadata" else "GET"
            address = f"{server.url}/photos/{name}{tail}".encode()
            request = (
                f"{method} /photos/{urllib.parse.quote(name, safe='/%')}{tail} HTTP/1.1\r\n"
                f"Host: x\r\nAuthorization: {server.session.headers['Authorization']}\r\n"
                "Content-Type: application/json\r\nContent-Length: 19\r\n"
                'Connection: close\r\n\r\n{"description":"x"}'
            )
            received = await talk(server, request.encode())
            status = int(received.split(b" ", 2)[1])
            assert status in {422, 404, 405, 400}, (address, received[:400])
            assert b"outside" not in received
            assert b"root:" not in received
            assert str(photos.parent).encode() not in received
    upper = await server.ask("GET", f"/photos/{photo['id'].upper()}")
    assert upper.status == 200


@pytest.mark.slow
async def test_ranges_never_give_more_than_asked(server, photos):
    """Odd ranges give the whole, the part or 416; many ranges at once are no amplifier."""
    data = (photos / "a.jpg").read_bytes()
    size = len(data)
    photo = (await server.by_key())["a.jpg"]
    cases = {
        "bytes=0-0": (206, data[:1]),
        f"bytes={size - 1}-": (206, data[-1:]),
        f"bytes={size}-": (416, None),
        "bytes=-0": (416, None),
        f"bytes=-{size * 2}": (206, data),
        "bytes=0-99999999999999999": (206, data),
        "bytes=99999999999999999-": (416, None),
        "bytes=" + "9" * 400 + "-": (200, data),
        "bytes=5-2": (200, data),
        "bytes=0-1,2-3": (200, data),
        "bytes=" + ",".join(f"{n}-" for n in range(1000)): (200, data),
        "bytes=-": (200, data),
        "bytes=a-b": (200, data),
        "bytes=\u0661-\u0662": (200, data),
        "lines=0-1": (200, data),
        "bytes = 0-1": (200, data),
        "": (200, data),
    }
    for value, (status, content) in cases.items():
        answer = await server.ask("GET", f"/photos/{photo['id']}/image", headers={"Range": value})
        assert answer.status == status, (value, answer.status)
        if content is not None:
            assert answer.body == content, value
    head = await server.ask("HEAD", f"/photos/{photo['id']}/image", headers={"Range": "bytes=0-0"})
    assert (head.status, int(head.headers["Content-Length"]), head.body) == (200, size, b"")


@pytest.mark.slow
async def test_every_method_on_every_address_is_answered(server):
    """OPTIONS tells the methods, HEAD goes with GET, the rest is 405; nothing is open by that."""
    document = (await server.ask("GET", "/openapi.json")).json
    photo_id = (await server.by_key())["a.jpg"]["id"]
    open_to_all = {"/health", "/health/live", "/health/ready", "/openapi.json", "/docs"}
    for path, operations in document["paths"].items():
        address = re.sub(r"\{\w+\}", "x", path.replace("{photo_id}", photo_id))
        told = await server.ask("OPTIONS", address)
        assert told.status == 204, (path, told)
        allowed = {method.strip() for method in told.headers["Allow"].split(",")}
        assert {name.upper() for name in operations} <= allowed
        for method in ("GET", "HEAD", "PUT", "DELETE", "POST", "PATCH", "TRACE", "CONNECT", "FOO"):
            if method in allowed:
                continue
            answer = await server.ask(method, address)
            assert answer.status in {400, 404 if method == "CONNECT" else 405}, (method, path)
        if "get" in operations:
            head = await server.ask("HEAD", address, headers={"Authorization": ""})
            whole = await server.ask("GET", address, headers={"Authorization": ""})
            assert (head.status, head.body) == (whole.status, b""), path
            assert (whole.status != 401) == (not operations["get"]["security"]), path
            assert (whole.status == 200) == (path in open_to_all), path


@pytest.mark.slow
async def test_file_names_cannot_inject_anything(server, photos):
    """Names with markup, quotes, line breaks and control characters stay names everywhere."""
    names = (
        "<script>alert(1)<!--.jpg",
        'a"; filename="evil.html.jpg',
        "line\r\nSet-Cookie: x=1\r\n\r\n<html>.jpg",
        "\x1b[31mred\x1b[0m\x07.jpg",
        "\u202egpj.exe.jpg",
        "%2e%2e%2f%0d%0aX: y.jpg",
        "semi;colon,comma=equals.jpg",
        "back\\slash\\x41.jpg",
        "'single' `tick` $(id).jpg",
    )
    for seed, name in enumerate(names):
        save_photo(photos / name, seed + 10)
    (photos / "\nfake 2026-01-01 ERROR stolen\x1b[2J.jpg").write_bytes(b"no picture")

    async def all_there():
        shown = await server.by_key()
        return shown if len(shown) == 3 + len(names) + 1 else None

    shown = await server.until(all_there)
    # A backslash before an x is escaped, so that keys are reversible.
    found = {key.replace("\\x5c", "\\") for key in shown}
    assert set(names) <= found
    for key, photo in shown.items():
        raw = await talk(
            server,
            f"GET /photos/{photo['id']}/image HTTP/1.1\r\nHost: x\r\nAuthorization: "
            f"{server.session.headers['Authorization']}\r\nConnection: close\r\n\r\n".encode(),
        )
        head = raw.split(b"\r\n\r\n", 1)[0].decode("ascii")
        lines = head.split("\r\n")
        assert lines[0] == "HTTP/1.1 200 OK", key
        assert all(": " in line for line in lines[1:]), lines
        assert "set-cookie" not in {line.split(":")[0].lower() for line in lines}
        sent = {line.split(": ")[0].lower(): line.split(": ", 1)[1] for line in lines[1:]}
        assert sent["x-content-type-options"] == "nosniff"
        assert "sandbox" in sent["content-security-policy"]
        assert sent["content-type"].startswith("image/")
        assert not any(ord(letter) < 32 or ord(letter) == 127 for line in lines for letter in line)
        answer = await server.describe(photo["id"], f"<b>{key}</b>"[:100].replace("\0", ""))
        assert answer.status == 200, (key, answer)
        assert answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.slow
async def test_no_request_forges_a_log_line(photos, start_server):
    """Addresses and names with line breaks or escape codes stay inside their line of the log."""
    server = await start_server(photos, TAGLINE_LOG_LEVEL="debug")
    before = len(server.log.read_text().splitlines())
    for path in ("/photos/x%0aERROR%20forged", "/%1b[2Jx%0d%0aforged", "/photos?a=%0aforged"):
        await talk(server, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    await talk(
        server,
        b"GET /health HTTP/1.1\r\nHost: x\r\nX-Request-ID: a b\x1b[31m\r\n"
        b"User-Agent: \x1b[31mforged\r\nConnection: close\r\n\r\n",
    )
    (photos / "\nforged\x1b[31m.jpg").write_bytes(b"no picture")

    async def shown():
        return len(await server.by_key()) == 4

    await server.until(shown)
    added = server.log.read_text().splitlines()[before:]
    assert added
    for line in added:
        assert not line.startswith(("forged", "ERROR forged"))
        assert "\x1b" not in line
