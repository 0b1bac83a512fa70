"""Sessions in cookies: what is set, when it counts, and which pages may use it."""

import re

import pytest
from aiohttp import DummyCookieJar
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from tests_api_memory_library import PASSWORD

from tagline.api import ALL_OPERATIONS, ApiOptions, create_app, payloads
from tagline.api.authentication import is_trusted_page
from tagline.api.cookies import ACCESS_COOKIE, read_cookie
from tagline.api.operations import Access
from tagline.errors import InvalidToken

WANT = {"Accept-Session": "cookie"}
UNSAFE = [
    o for o in ALL_OPERATIONS if o.access in {Access.TOKEN, Access.SESSION} and o.method != "GET"
]


@pytest.fixture
async def browser(aiohttp_client, library, options):
    """A client whose cookies the test sets by hand."""
    return await aiohttp_client(create_app(library, options), cookie_jar=DummyCookieJar())


def origin_of(client, scheme="http"):
    """The origin of the client's own server."""
    return f"{scheme}://{client.host}:{client.port}"


def cookies_of(response):
    """What an answer sets: by name the value and the attributes."""
    found = {}
    for line in response.headers.getall("Set-Cookie", []):
        pair, *attributes = line.split("; ")
        name, _, value = pair.partition("=")
        assert name not in found
        found[name] = (value, set(attributes))
    return found


async def log_in(client, scheme="http"):
    """The cookies of a new session, as a browser sends them back to every address."""
    headers = WANT | {"Origin": origin_of(client, scheme)}
    response = await client.post("/login", json={"password": PASSWORD}, headers=headers)
    assert response.status == 200
    return {name: value for name, (value, _) in cookies_of(response).items()}


def sending(cookies, **headers):
    """Headers that carry cookies."""
    line = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return {"Cookie": line} | {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_what_login_sets(browser, scheme):
    """No script can read them; over TLS they are marked and named so that nobody else sets them."""
    headers = WANT | {"Origin": origin_of(browser, scheme)}
    response = await browser.post("/login", json={"password": PASSWORD}, headers=headers)
    body = await response.json()
    payloads.CookieSessionResponse.model_validate(body, extra="forbid")
    assert body == {"token_type": "cookie", "expires_in": 900, "refresh_expires_in": 2592000}
    cookies = cookies_of(response)
    tls = {"Secure"} if scheme == "https" else set()
    common = {"HttpOnly", "SameSite=Strict", *tls}
    access, refresh = (
        ("__Host-tagline_access", "__Secure-tagline_refresh")
        if tls
        else ("tagline_access", "tagline_refresh")
    )
    assert cookies[access][1] == {"Path=/", "Max-Age=900", *common}
    assert cookies[refresh][1] == {"Path=/refresh", "Max-Age=2592000", *common}
    assert len(cookies) == 2
    text = await response.text()
    assert not any(value in text for value, _ in cookies.values())


async def test_without_the_wish_there_is_no_cookie(browser):
    """A script's login sets none; a wish that is not known is refused."""
    response = await browser.post("/login", json={"password": PASSWORD})
    assert "Set-Cookie" not in response.headers
    response = await browser.post(
        "/login", json={"password": PASSWORD}, headers={"Accept-Session": "cookies"}
    )
    assert response.status == 422
    assert (await response.json())["detail"][0]["loc"] == ["header", "Accept-Session"]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_picture_in_a_page(browser, photo, scheme):
    """An ``img`` needs nothing but the cookie, and is refused without it."""
    cookies = await log_in(browser, scheme)
    path = f"/photos/{photo.id}/image"
    response = await browser.get(path, headers=sending(cookies, Sec_Fetch_Site="same-origin"))
    assert response.status == 200
    assert (await browser.get(path, headers=sending(cookies))).status == 200
    assert (await browser.get(path)).status == 401


async def test_a_session_from_login_to_logout(browser):
    """Refresh needs no body and gives new cookies; logout ends the session and deletes them."""
    first = await log_in(browser)
    origin = origin_of(browser)
    headers = sending(first, Origin=origin) | WANT
    response = await browser.post("/refresh", headers=headers)
    assert response.status == 200
    assert (await response.json())["token_type"] == "cookie"
    second = {name: value for name, (value, _) in cookies_of(response).items()}
    assert not set(first.values()) & set(second.values())
    assert (await browser.post("/refresh", headers=headers)).status == 401

    response = await browser.post("/logout", headers=sending(second, Origin=origin))
    assert response.status == 204
    deleted = cookies_of(response)
    assert set(deleted) == {
        "tagline_access", "tagline_refresh", "__Host-tagline_access", "__Secure-tagline_refresh"
    }  # fmt: skip
    for name, (value, attributes) in deleted.items():
        assert value == ""
        assert {"Max-Age=0", "HttpOnly", "SameSite=Strict"} <= attributes
        assert ("Secure" in attributes) == name.startswith("__")
        assert ("Path=/refresh" if "refresh" in name else "Path=/") in attributes
    assert (await browser.get("/photos", headers=sending(second))).status == 401


async def test_login_always_begins_a_new_session(browser, library):
    """Cookies that come with a login are not taken up."""
    first = await log_in(browser)
    headers = sending(first, Origin=origin_of(browser)) | WANT
    response = await browser.post("/login", json={"password": PASSWORD}, headers=headers)
    second = {name: value for name, (value, _) in cookies_of(response).items()}
    assert not set(first.values()) & set(second.values())
    assert len(library.pairs) == 2


async def test_tokens_of_cookies_never_come_in_a_body(browser):
    """A script in the page cannot trade the refresh cookie for tokens that it could read."""
    cookies = await log_in(browser)
    headers = sending(cookies, Origin=origin_of(browser))
    for wish in ({}, {"Accept-Session": "token"}):
        response = await browser.post("/refresh", headers=headers | wish)
        assert response.status == 422
    assert (await browser.post("/refresh", headers=headers | WANT)).status == 200


PAGES = [
    # Its own pages, as browsers tell of them: over TLS or on this machine, and else.
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "{own}"}, True),
    ({"Origin": "{own}"}, True),
    # A proxy that ends TLS passes the Host header on.
    ({"Origin": "https://photos.example", "Host": "photos.example"}, True),
    ({"Origin": "https://photos.example", "Host": "photos.example:443"}, True),
    ({"Origin": "https://PHOTOS.example", "Host": "photos.EXAMPLE"}, True),
    # One that does not, before a browser that tells of the site.
    ({"Origin": "https://photos.example", "Sec-Fetch-Site": "same-origin"}, True),
    # The origin that the configuration names.
    ({"Origin": "https://app.example"}, True),
    ({"Origin": "https://app.example", "Sec-Fetch-Site": "same-site"}, True),
    # Everybody else.
    ({}, False),
    ({"Sec-Fetch-Site": "none"}, False),
    ({"Sec-Fetch-Site": ""}, False),
    ({"Origin": "null"}, False),
    ({"Origin": ""}, False),
    ({"Origin": "*"}, False),
    ({"Origin": "https://evil.example"}, False),
    ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, False),
    ({"Origin": "{own}", "Sec-Fetch-Site": "cross-site"}, False),
    ({"Origin": "{own}", "Sec-Fetch-Site": "same-site"}, False),
    ({"Origin": "http://127.0.0.1:1"}, False),
    ({"Origin": "http://127.0.0.1"}, False),
    ({"Origin": "{own}.evil.example"}, False),
    ({"Origin": "https://photos.example.evil.example", "Host": "photos.example"}, False),
    ({"Origin": "https://evil.example/photos.example", "Host": "photos.example"}, False),
    ({"Origin": "https://photos.example:8443", "Host": "photos.example"}, False),
    ({"Origin": "http://", "Host": ""}, False),
    ({"Origin": "photos.example", "Host": "photos.example"}, False),
    ({"Referer": "{own}/", "X-Requested-With": "XMLHttpRequest"}, False),
]


@pytest.fixture
async def paged(aiohttp_client, library):
    """A browser before a server that names the origin of another page."""
    options = ApiOptions(cors_allowed_origins=("https://app.example",))
    return await aiohttp_client(create_app(library, options), cookie_jar=DummyCookieJar())


@pytest.mark.parametrize(("page", "trusted"), PAGES)
async def test_which_pages_may_change_something(paged, photo, page, trusted):
    """A cookie changes something for its own page alone; else 403, and nothing has happened."""
    cookies = await log_in(paged)
    said = {name: value.replace("{own}", origin_of(paged)) for name, value in page.items()}
    headers = sending(cookies) | said
    path = f"/photos/{photo.id}/metadata"
    response = await paged.patch(path, json={"description": "x"}, headers=headers)
    assert response.status == (200 if trusted else 403)
    if not trusted:
        assert "Origin" in (await response.json())["detail"]
        assert (await paged.post("/logout", headers=headers)).status == 403
        assert (await paged.post("/refresh", headers=headers | WANT)).status == 403
        assert (await paged.get("/photos", headers=sending(cookies))).status == 200
    # Whatever the page: a token in the header is the script's own.
    token = cookies["tagline_access"]
    headers |= {"Authorization": f"Bearer {token}"}
    assert (await paged.patch(path, json={"title": "y"}, headers=headers)).status == 200


@pytest.mark.parametrize("operation", UNSAFE, ids=lambda o: o.name)
async def test_every_operation_that_changes_something_asks_for_the_page(browser, operation):
    """No endpoint can forget it: a foreign page's cookie is refused before all else."""
    cookies = await log_in(browser)
    path = re.sub(r"\{\w+\}", "x", operation.path)
    for page in ({}, {"Origin": "https://evil.example"}):
        response = await browser.request(
            operation.method, path, data=b"{", headers=sending(cookies) | page
        )
        assert response.status == 403
    own = {"Origin": origin_of(browser)}
    response = await browser.request(operation.method, path, headers=sending(cookies) | own)
    assert response.status == {"rescan": 200}.get(operation.name, 422)


@pytest.mark.parametrize(
    ("page", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "{own}"}, 200),
        ({"Origin": "https://app.example"}, 200),
        ({"Origin": "https://evil.example"}, 401),
        ({"Origin": "null"}, 401),
    ],
)
async def test_reading_by_a_script_of_another_origin(paged, page, status):
    """A cookie does not count for a script of a foreign page, which gets no answer to read."""
    cookies = await log_in(paged)
    said = {name: value.replace("{own}", origin_of(paged)) for name, value in page.items()}
    response = await paged.get("/photos", headers=sending(cookies) | said)
    assert response.status == status
    allowed = response.headers.get("Access-Control-Allow-Origin")
    assert allowed == ("https://app.example" if "app" in said.get("Origin", "") else None)


async def test_any_origin_in_cors_lets_no_cookie_in(aiohttp_client, library):
    """``*`` means any page without credentials."""
    options = ApiOptions(cors_allowed_origins=("*",))
    client = await aiohttp_client(create_app(library, options), cookie_jar=DummyCookieJar())
    cookies = await log_in(client)
    headers = sending(cookies, Origin="https://evil.example")
    response = await client.get("/photos", headers=headers)
    assert response.status == 401
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert (await client.post("/rescan", headers=headers)).status == 403


async def test_the_header_goes_first(browser, library):
    """A bad header is not saved by a good cookie, nor a good one harmed by a bad cookie."""
    cookies = await log_in(browser)
    headers = sending(cookies, Authorization="Bearer wrong")
    assert (await browser.get("/photos", headers=headers)).status == 401
    token = cookies["tagline_access"]
    for cookie in ("tagline_access=wrong", "tagline_access=a; tagline_access=b"):
        headers = {"Authorization": f"Bearer {token}", "Cookie": cookie}
        assert (await browser.get("/photos", headers=headers)).status == 200
        assert (await browser.post("/rescan", headers=headers)).status == 200


@pytest.mark.parametrize(
    "line",
    [
        "tagline_access={token}; tagline_access=evil",
        "tagline_access=evil; tagline_access={token}",
        "tagline_access={token}; tagline_access={token}",
        "tagline_access=; tagline_access={token}",
    ],
)
async def test_a_cookie_that_another_host_added(browser, line):
    """Two of one name: nobody knows which is ours, so neither counts, and the answer says why."""
    token = (await log_in(browser))["tagline_access"]
    response = await browser.get("/photos", headers={"Cookie": line.format(token=token)})
    assert response.status == 401
    detail = (await response.json())["detail"]
    assert "tagline_access" in detail
    assert token not in detail


async def test_over_tls_a_cookie_of_another_host_is_not_looked_at(browser):
    """The name that only this host can set goes first, whatever a subdomain adds."""
    cookies = await log_in(browser, "https")
    line = "tagline_access=evil; " + sending(cookies)["Cookie"] + "; tagline_access=evil2"
    assert (await browser.get("/photos", headers={"Cookie": line})).status == 200


@pytest.mark.parametrize(
    "value", ["", '""', "x", "x" * 4000, "tagline_9f86d081884c_" + "0" * 64, "a b", "=", "é"]
)
async def test_a_cookie_that_holds_no_access_token(browser, value):
    """401, whatever it holds."""
    headers = {"Cookie": f"tagline_access={value}"}
    assert (await browser.get("/photos", headers=headers)).status == 401


async def test_an_api_token_in_a_cookie_does_not_count(client, browser):
    """Cookies are for sessions: an API token in one is refused, though it is good."""
    made = await client.post("/tokens", json={"name": "x", "scope": "write"})
    token = (await made.json())["token"]
    headers = {"Cookie": f"tagline_access={token}"}
    assert (await browser.get("/photos", headers=headers)).status == 401


async def test_a_cookie_session_may_make_api_tokens(browser):
    """It is somebody who knew the password."""
    headers = sending(await log_in(browser), Origin=origin_of(browser))
    response = await browser.post("/tokens", json={"name": "x", "scope": "read"}, headers=headers)
    assert response.status == 201


def test_cookies_of_several_lines_are_one_list():
    """HTTP/2 proxies may split the header (RFC 9113, 8.2.3)."""
    headers = CIMultiDict([("Cookie", "a=b"), ("Cookie", 'x; tagline_access="t"; c')])
    assert read_cookie(headers, ACCESS_COOKIE) == "t"
    headers.add("Cookie", "tagline_access=u")
    with pytest.raises(InvalidToken):
        read_cookie(headers, ACCESS_COOKIE)


@given(line=st.text(max_size=200))
def test_any_cookie_header_is_read_or_refused(line):
    """No text is anything else than a token, none, or refused."""
    try:
        value = read_cookie(CIMultiDict([("Cookie", line)]), ACCESS_COOKIE)
    except InvalidToken:
        return
    assert value is None or value in line


@given(
    origin=st.text(max_size=30) | st.just("https://photos.example"),
    host=st.text(max_size=30) | st.just("photos.example"),
)
def test_an_origin_is_trusted_only_for_its_own_host(origin, host):
    """What is trusted without the browser's word is the very host that was asked for."""
    headers = CIMultiDict({"Origin": origin, "Host": host})
    if is_trusted_page(headers, ()):
        asked = host.lower().removesuffix(":443").removesuffix(":80")
        assert asked in origin.lower()


async def test_two_pages_that_refresh_at_once(browser):
    """The slower one is told to repeat its request; its cookies stay as they are."""
    headers = sending({"tagline_refresh": "exchanged"}, Origin=origin_of(browser)) | WANT
    response = await browser.post("/refresh", headers=headers)
    assert response.status == 409
    assert "repeat" in (await response.json())["detail"]
    assert "Set-Cookie" not in response.headers
    response = await browser.post("/refresh", json={"refresh_token": "exchanged"}, headers=WANT)
    assert response.status == 401
