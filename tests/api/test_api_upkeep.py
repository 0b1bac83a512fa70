"""Rescan, health, documentation, and what every answer has in common."""

import asyncio
import io
import json
import logging
import re

import pytest
from tests_api_memory_library import PASSWORD

from tagline.api import ALL_OPERATIONS, ApiOptions, create_app, payloads
from tagline.api.headers import HEADERS
from tagline.api.health import HealthResponse
from tagline.config.logs import TextLines
from tagline.errors import StorageUnavailable

NOTHING_FROM = ("default-src", "object-src", "base-uri", "form-action", "frame-ancestors")


async def test_a_rescan_waits_for_its_outcome(client, library):
    """The ids that came, changed and went, and what could not be read."""
    response = await client.post("/rescan")
    assert response.status == 200
    answer = payloads.RescanResponse.model_validate_json(await response.read(), extra="forbid")
    assert set(answer.imported) == set(library.photos)
    assert answer.errors[0].object_key == "x.jpg"


@pytest.mark.parametrize("prefer", ["respond-async", "wait=5, Respond-Async ;x=1"])
async def test_a_rescan_in_the_background(client, library, prefer):
    """202 at once, with where to look."""
    response = await client.post("/rescan", headers={"Prefer": prefer})
    assert response.status == 202
    assert response.headers["Location"] == "/rescan"
    assert response.headers["Preference-Applied"] == "respond-async"
    assert library.scans == 1
    progress = await client.get(response.headers["Location"])
    for answer in (response, progress):
        payloads.RescanProgress.model_validate_json(await answer.read(), extra="forbid")


async def test_a_rescan_without_the_directory(client, library):
    """503 says when to come back."""
    library.failure = StorageUnavailable()
    response = await client.post("/rescan")
    assert response.status == 503
    assert int(response.headers["Retry-After"]) > 0


async def test_health(anonymous, library):
    """Open to everybody; 503 while not ready; never kept by a cache."""
    response = await anonymous.get("/health")
    assert response.status == 200
    assert response.headers["Cache-Control"] == "no-store"
    HealthResponse.model_validate_json(await response.read(), extra="forbid")
    library.ready = False
    response = await anonymous.get("/health")
    assert response.status == 503
    assert (await response.json())["ready"] is False
    assert int(response.headers["Retry-After"]) > 0
    assert (await anonymous.head("/health")).status == 503


async def test_unknown_addresses_and_methods(anonymous):
    """404 and 405 in JSON; 405 lists the methods."""
    response = await anonymous.get("/nothing")
    assert response.status == 404
    assert (await response.json())["type"] == "address_not_found"
    assert (await anonymous.get("/photos/")).status == 404
    response = await anonymous.delete("/photos")
    assert response.status == 405
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert (await response.json())["type"] == "method_not_allowed"
    assert (await anonymous.request("PROPFIND", "/photos")).status == 405


async def test_options_lists_the_methods(anonymous):
    """OPTIONS works at every known address, and only there."""
    for operation in ALL_OPERATIONS:
        response = await anonymous.options(re.sub(r"\{\w+\}", "x", operation.path))
        assert response.status == 204
        assert operation.method in response.headers["Allow"].split(", ")
    assert (await anonymous.options("/nothing")).status == 404


async def test_every_answer_has_the_common_headers(client, photo):
    """Request id, security, and no word about the software beneath."""
    for path in ("/photos", f"/photos/{photo.id}/image", "/docs", "/nothing", "/photos?limit=0"):
        response = await client.get(path, headers={"X-Request-ID": "my-id.1"})
        assert response.headers["X-Request-ID"] == "my-id.1"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        policy = set(response.headers["Content-Security-Policy"].split("; "))
        assert policy >= {f"{name} 'none'" for name in NOTHING_FROM}, path
        assert response.headers["Server"] == "Tagline"
        assert "Cache-Control" in response.headers


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "é"])
async def test_an_unusable_request_id_is_replaced(client, given):
    """What could confuse a log is not taken over."""
    response = await client.get("/health", headers={"X-Request-ID": given})
    assert re.fullmatch("[0-9a-f]{16}", response.headers["X-Request-ID"])


@pytest.fixture
def lines():
    """What Tagline logs, as the operator sees it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextLines())
    logger = logging.getLogger("tagline")
    logger.addHandler(handler)
    yield stream.getvalue
    logger.removeHandler(handler)


async def test_an_unexpected_error_is_logged_under_its_request_id(client, library, lines):
    """500 without a trace; the log has it."""
    library.failure = ZeroDivisionError("inner words")
    response = await client.get("/photos", headers={"X-Request-ID": "abc"})
    assert response.status == 500
    assert "inner words" not in await response.text()
    assert "request_id=abc" in lines()
    assert "ZeroDivisionError: inner words" in lines()


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp",
                     "application/json; charset=latin-1", "multipart/form-data", None]
)  # fmt: skip
async def test_another_content_type_is_refused(anonymous, content_type):
    """415 says what to send."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    skip = () if content_type else ("Content-Type",)
    response = await anonymous.post(
        "/login", data=b'{"password": "x"}', headers=headers, skip_auto_headers=skip
    )
    assert response.status == 415
    assert "application/json" in (await response.json())["detail"]


async def test_json_with_its_charset_is_json(anonymous):
    """UTF-8 may be said."""
    body = json.dumps({"password": PASSWORD}).encode()
    headers = {"Content-Type": "Application/JSON; charset=UTF-8"}
    assert (await anonymous.post("/login", data=body, headers=headers)).status == 200


async def test_a_compressed_body_is_refused(anonymous):
    """Nothing is decompressed."""
    response = await anonymous.post("/login", data=b'{"password": "x"}', compress="gzip",
        headers={"Content-Type": "application/json"})  # fmt: skip
    assert response.status == 415


async def chunks(number, size=1000):
    """A body in pieces whose length is not announced."""
    for _ in range(number):
        yield b" " * size


async def test_a_body_over_the_limit_is_refused(anonymous):
    """413, whether the length is announced or not."""
    headers = {"Content-Type": "application/json"}
    for body in (b" " * 200_001, chunks(201)):
        response = await anonymous.post("/login", data=body, headers=headers)
        assert response.status == 413
        assert "200000" in (await response.json())["detail"]


async def test_a_slow_body_is_not_waited_for(anonymous):
    """408 when the body does not come in time."""
    stop = asyncio.Event()

    async def slow():
        yield b"{"
        await stop.wait()

    headers = {"Content-Type": "application/json"}
    response = await anonymous.post("/login", data=slow(), headers=headers)
    assert response.status == 408
    stop.set()


async def test_expect_continue_is_answered_when_the_body_is_wanted(anonymous):
    """100 for a body that is read; another expectation is 417."""
    body = {"password": PASSWORD}
    response = await anonymous.post("/login", json=body, expect100=True)
    assert response.status == 200
    response = await anonymous.post("/login", json=body, headers={"Expect": "miracles"})
    assert response.status == 417
    assert (await response.json())["type"] == "expectation_failed"
    assert response.headers["X-Request-ID"]


ORIGIN = "https://photos.example"


@pytest.fixture
def browser(aiohttp_client, library):
    """A client of an application that allows some origins."""

    async def make(*origins):
        return await aiohttp_client(create_app(library, ApiOptions(cors_allowed_origins=origins)))

    return make


async def test_without_origins_no_page_may_read(anonymous):
    """CORS is off unless configured."""
    for method in ("GET", "OPTIONS"):
        headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
        response = await anonymous.request(method, "/health", headers=headers)
        assert not [name for name in response.headers if name.startswith("Access-Control")]


async def test_a_listed_origin_may_read_every_answer(browser):
    """Also errors; the answer depends on the origin, and says so."""
    client = await browser(ORIGIN)
    for path in ("/health", "/photos", "/nothing"):
        response = await client.get(path, headers={"Origin": ORIGIN})
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert response.headers["Access-Control-Allow-Credentials"] == "true"
        assert response.headers["Vary"] == "Origin"
        exposed = response.headers["Access-Control-Expose-Headers"].split(", ")
        described = set(HEADERS) - {"Set-Cookie"}  # which no script ever sees
        assert set(exposed) == described | {"Allow"}
        assert {"ETag", "Link", "Location", "Retry-After", "X-Request-ID"} <= set(exposed)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://photos.example", ""])
async def test_another_origin_may_not(browser, origin):
    """Nothing is allowed to origins that are not listed."""
    client = await browser(ORIGIN)
    headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    for method in ("GET", "OPTIONS"):
        response = await client.request(method, "/health", headers=headers)
        assert not [name for name in response.headers if name.startswith("Access-Control")]
        assert response.headers["Vary"] == "Origin"


async def test_a_preflight_is_answered_without_a_token(browser, photo):
    """The address's methods, and the headers that requests may carry."""
    client = await browser(ORIGIN)
    headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "PATCH"}
    response = await client.options(f"/photos/{photo.id}/metadata", headers=headers)
    assert response.status == 204
    assert response.headers["Access-Control-Allow-Methods"] == "OPTIONS, PATCH"
    allowed = response.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"Authorization", "Content-Type", "If-Match", "Range", "Prefer"} <= set(allowed)
    assert int(response.headers["Access-Control-Max-Age"]) > 0


async def test_any_origin_goes_without_credentials(browser):
    """A star allows no credentials, and does not vary."""
    client = await browser("*")
    response = await client.get("/health", headers={"Origin": "https://any.example"})
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert "Vary" not in response.headers
