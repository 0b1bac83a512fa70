"""Whom a request is from behind proxies, and a server below a path."""

import ipaddress
import re

import pytest
from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from tests_api_memory_library import PASSWORD

from tagline.api import ApiOptions, ServerOptions, create_app
from tagline.api.forwarding import client_of
from tagline.api.server import serving
from tests.composing import PASSWORD as REAL

TRUSTED = tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "10.0.0.0/8", "::1/128")))
PROXY = "127.0.0.1"


def seen(*lines, peer=PROXY, secure=False, trusted=TRUSTED):
    """The client of a request with these header lines."""
    headers = CIMultiDict(line.split(": ", 1) for line in ("Host: me.example", *lines))
    return client_of(peer, headers, trusted, secure=secure)


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        ((), PROXY),
        (("X-Forwarded-For: 203.0.113.7",), "203.0.113.7"),
        (("X-Forwarded-For: 6.6.6.6, 203.0.113.7",), "203.0.113.7"),
        (("X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 203.0.113.7"), "203.0.113.7"),
        (("X-Forwarded-For: 6.6.6.6, 203.0.113.7, 10.0.0.5, 127.0.0.9",), "203.0.113.7"),
        (("X-Forwarded-For: 10.0.0.1, 10.0.0.2",), "10.0.0.1"),
        (("X-Forwarded-For: 203.0.113.7:4711",), "203.0.113.7"),
        (("X-Forwarded-For: [2001:db8::1]:4711",), "2001:db8::1"),
        (("X-Forwarded-For: 2001:db8::1",), "2001:db8::1"),
        (("X-Forwarded-For: ::ffff:203.0.113.7",), "203.0.113.7"),
        (("X-Forwarded-For: 6.6.6.6, nonsense",), PROXY),
        (("X-Forwarded-For: 6.6.6.6, nonsense, 10.0.0.5",), "10.0.0.5"),
        (("X-Forwarded-For: ",), PROXY),
        (("Forwarded: for=203.0.113.7",), "203.0.113.7"),
        (("Forwarded: For=6.6.6.6, FOR=203.0.113.7;proto=https",), "203.0.113.7"),
        (('Forwarded: for="[2001:db8::1]:4711"',), "2001:db8::1"),
        (("Forwarded: for=6.6.6.6, for=_hidden, for=10.0.0.3",), "10.0.0.3"),
        (("Forwarded: for=unknown",), PROXY),
        (("Forwarded: for=6.6.6.6;for=203.0.113.7",), PROXY),
        (('Forwarded: for="6.6.6.6, for=203.0.113.7',), PROXY),
        (("Forwarded: 203.0.113.7",), PROXY),
        # What a proxy does not write itself it may hand on as the client sent it.
        (("Forwarded: for=6.6.6.6", "X-Forwarded-For: 203.0.113.7"), PROXY),
        (("Forwarded: for=203.0.113.7", "X-Forwarded-For: 203.0.113.7"), "203.0.113.7"),
        (("Forwarded: nonsense", "X-Forwarded-For: 203.0.113.7"), PROXY),
    ],
)
def test_the_rightmost_address_that_is_not_trusted_counts(lines, address):
    """Whatever stands left of it is the client's own word."""
    assert seen(*lines).address == address


def test_who_is_not_trusted_is_not_believed():
    """Every header of a stranger is ignored."""
    lines = (
        "X-Forwarded-For: 1.2.3.4", "Forwarded: for=1.2.3.4;proto=https;host=a.example",
        "X-Forwarded-Proto: https", "X-Forwarded-Host: a.example", "X-Forwarded-Prefix: /a",
    )  # fmt: skip
    for trusted, peer in ((TRUSTED, "203.0.113.9"), ((), PROXY), (TRUSTED, "")):
        client = seen(*lines, peer=peer, trusted=trusted)
        assert (client.address, client.secure) == (peer, False)
        assert (client.host, client.prefix) == ("me.example", "")


@pytest.mark.parametrize(
    ("lines", "secure", "host"),
    [
        (("X-Forwarded-For: 9.9.9.9", "X-Forwarded-Proto: https"), True, "me.example"),
        (("X-Forwarded-For: 9.9.9.9", "X-Forwarded-Proto: http, HTTPS"), True, "me.example"),
        (("X-Forwarded-For: 9.9.9.9", "X-Forwarded-Proto: gopher"), False, "me.example"),
        (("X-Forwarded-For: 9.9.9.9", "X-Forwarded-Host: a.example:8443"), False, "a.example:8443"),
        (("X-Forwarded-For: 9.9.9.9", "X-Forwarded-Host: a b"), False, "me.example"),
        (
            ("X-Forwarded-For: 9.9.9.9, 10.0.0.1", "X-Forwarded-Proto: https, http"),
            True,
            "me.example",
        ),
        (("X-Forwarded-For: 9.9.9.9, 10.0.0.1", "X-Forwarded-Proto: https"), True, "me.example"),
        (('Forwarded: for=9.9.9.9;proto=https;host="a.example"',), True, "a.example"),
        (("Forwarded: proto=https;host=x;for=6.6.6.6, for=9.9.9.9",), False, "me.example"),
    ],
)
def test_scheme_and_host_are_those_of_the_client_s_hop(lines, secure, host):
    """Each proxy tells what it was asked by."""
    client = seen(*lines)
    assert (client.address, client.secure, client.host) == ("9.9.9.9", secure, host)


@pytest.mark.parametrize(
    ("given", "prefix"),
    [("/a/b/", "/a/b"), ("/", ""), ("a", ""), ("/a/../b", ""), ("/a;b", ""), ("//evil.example", ""),
     ("/" + "a" * 300, ""), ("/a b", "")],
)  # fmt: skip
def test_a_prefix_is_a_plain_path(given, prefix):
    """Nothing that would be another host or another header."""
    assert seen(f"X-Forwarded-Prefix: {given}").prefix == prefix


TEXT = st.text(st.characters(codec="ascii", exclude_characters="\r\n\0"), max_size=60)
LINES = st.lists(
    st.tuples(
        st.sampled_from(["Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"]),
        TEXT | st.from_regex(r'(for=("?[0-9.\[\]:]+"?|_x)[;,] ?){0,9}', fullmatch=True),
    ),
    max_size=4,
)


@given(LINES, st.ip_addresses())
def test_no_headers_make_it_fail_or_believe_a_stranger(lines, peer):
    """Any headers give an address: of a stranger always its own."""
    client = client_of(str(peer), CIMultiDict(lines), TRUSTED)
    ipaddress.ip_address(client.address)
    if not any(peer in network for network in TRUSTED):
        mapped = getattr(peer, "ipv4_mapped", None)
        assert client.address == str(peer) or mapped is not None


@given(LINES, st.ip_addresses(v=4).filter(lambda a: all(a not in n for n in TRUSTED)))
def test_what_the_client_sends_ahead_changes_nothing(lines, address):
    """Behind a proxy that appends, no list of a client's own hides where it is."""
    lines = [(name, value) for name, value in lines if name != "Forwarded"]
    headers = CIMultiDict([*lines, ("X-Forwarded-For", str(address))])
    assert client_of(PROXY, headers, TRUSTED).address == str(address)


@pytest.fixture
async def below(aiohttp_client, library):
    """A server below a path, behind a trusted proxy."""
    options = ApiOptions(version="1.2.3", base_path="/tagline", trusted_proxies=TRUSTED)
    return await aiohttp_client(create_app(library, options))


async def test_everything_is_below_the_base_path(below, library):
    """Routes, the document's server, Location; nothing at the root."""
    assert (await below.get("/health")).status == 404
    assert (await below.get("/taglinehealth")).status == 404
    assert (await below.get("/tagline/health")).status == 200
    document = await (await below.get("/tagline/openapi.json")).json()
    assert document["servers"] == [{"url": "/tagline"}]
    pair = await library.login(PASSWORD, "")
    headers = {"Authorization": f"Bearer {pair.access_token}", "Prefer": "respond-async"}
    answer = await below.post("/tagline/rescan", headers=headers)
    assert answer.headers["Location"] == "/tagline/rescan"
    assert (await below.get(answer.headers["Location"], headers=headers)).status == 200
    page = await (await below.get("/tagline/docs")).text()
    assets = re.findall(r'(?:src|href)="([^"#]+)"', page)
    assert assets
    for asset in assets:
        assert (await below.get(f"/tagline/{asset}")).status == 200
    figures = await (await below.get("/tagline/metrics", headers=headers)).text()
    assert 'route="/health"' in figures


async def test_a_prefix_that_a_proxy_took_away_is_put_back(below):
    """Links and cookies are as the browser sees the paths."""
    headers = {"X-Forwarded-Prefix": "/home", "X-Forwarded-For": "9.9.9.9"}
    document = await (await below.get("/tagline/openapi.json", headers=headers)).json()
    assert document["servers"] == [{"url": "/home/tagline"}]
    told = {**headers, "Accept-Session": "cookie", "X-Forwarded-Proto": "https"}
    answer = await below.post("/tagline/login", json={"password": PASSWORD}, headers=told)
    lines = answer.headers.getall("Set-Cookie")
    assert any("; Path=/home/tagline; " in line for line in lines)
    assert any("; Path=/home/tagline/refresh; " in line for line in lines)
    assert all(line.startswith("__Secure-") and "; Secure" in line for line in lines)
    jar = "; ".join(line.partition(";")[0] for line in lines)
    assert (await below.get("/tagline/photos", headers={**headers, "Cookie": jar})).status == 200
    away = {**told, "Cookie": jar, "Host": "inner", "X-Forwarded-Host": "home.example"}
    page = {"Origin": "https://home.example"}
    assert (await below.post("/tagline/rescan", headers={**away, **page})).status == 200
    elsewhere = {"Origin": "https://evil.example"}
    assert (await below.post("/tagline/rescan", headers={**away, **elsewhere})).status == 403
    answer = await below.post("/tagline/refresh", headers={**away, **page})
    assert answer.status == 200
    jar = "; ".join(line.partition(";")[0] for line in answer.headers.getall("Set-Cookie"))
    away = {**away, "Cookie": jar}
    answer = await below.post("/tagline/logout", headers={**away, **page})
    assert answer.status == 204
    gone = answer.headers.getall("Set-Cookie")
    assert {line.partition("=")[0] for line in lines} <= {line.partition("=")[0] for line in gone}


async def test_the_client_s_address_counts_for_the_limit_and_the_log(make_world, caplog):
    """Not the proxy's: who guesses behind it locks out himself alone, and is in the log."""
    caplog.set_level("INFO", "tagline.access")
    app = create_app((await make_world()).library, ApiOptions(trusted_proxies=TRUSTED))
    guesser, other = ({"X-Forwarded-For": f"6.6.6.6, 203.0.113.{n}"} for n in (7, 8))
    statuses = []
    async with serving(app, ServerOptions(port=0)) as url, ClientSession(url) as session:
        while 429 not in statuses and len(statuses) < 50:
            async with session.post("/login", json={"password": "no"}, headers=guesser) as answer:
                statuses.append(answer.status)
        async with session.post("/login", json={"password": REAL}, headers=other) as answer:
            assert answer.status == 200
    assert statuses == [401] * (len(statuses) - 1) + [429]
    logged = [record.fields for record in caplog.records if record.name == "tagline.access"]
    assert [fields["address"] for fields in logged] == [
        *["203.0.113.7"] * len(statuses),
        "203.0.113.8",
    ]


async def test_without_trust_headers_change_nothing(anonymous, library):
    """The peer is the client, and cookies are plain."""
    headers = {
        "X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/home", "Accept-Session": "cookie",
    }  # fmt: skip
    answer = await anonymous.post("/login", json={"password": PASSWORD}, headers=headers)
    assert library.addresses == [PROXY]
    assert answer.headers["Set-Cookie"].startswith("tagline_access=")
    assert "; Path=/; " in answer.headers["Set-Cookie"]
