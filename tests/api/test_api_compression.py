"""Compressed answers: who gets them, and that conditions hold for both forms."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.api import create_app
from tagline.api.accept import accepts_gzip
from tagline.api.compression import gzip as squeezed

GZIP = {"Accept-Encoding": "gzip"}
LONG = {"description": "Grandmother at the sea. " * 200}


@pytest.fixture
async def raw(aiohttp_client, library, options):
    """A client that is logged in and unpacks nothing; it asks for no coding by itself."""
    pair = await library.login("open sesame", "")
    headers = {"Authorization": f"Bearer {pair.access_token}"}
    return await aiohttp_client(
        create_app(library, options),
        headers=headers,
        auto_decompress=False,
        skip_auto_headers=["Accept-Encoding"],
    )


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("identity", False),
        ("gzip;q=0.5, identity", False),
        ("gzip;q=0.5, *;q=0.8", False),
        ("gzip;q=0.8, identity;q=0.5", True),
        ("br, zstd", False),
        ("identity;q=0", False),
        ("gzip;q=nonsense", False),
    ],
)
def test_gzip_is_for_who_likes_it_best(header, wanted):
    """By name or ``*``, by weight, and never where it is refused."""
    assert accepts_gzip(header) is wanted


@given(st.text())
def test_any_accept_encoding_is_understood(header):
    """Whatever comes gets an answer."""
    assert accepts_gzip(header) in {True, False}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_list_is_compressed_for_who_asks(raw, library, method):
    """The same JSON, smaller; the headers say what it is and on what it depends."""
    for number in range(200):
        library.add(f"{number}.jpg")
    plain = await raw.request(method, "/photos?limit=500")
    packed = await raw.request(method, "/photos?limit=500", headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 5
    if method == "GET":
        assert gzip.decompress(await packed.read()) == await plain.read()


async def test_what_is_small_is_sent_as_it_is(raw):
    """Below a kibibyte there is nothing to gain."""
    answer = await raw.get("/photos?limit=1&fields=id", headers=GZIP)
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert (await answer.json())["limit"] == 1


async def test_each_form_has_an_entity_tag_of_its_own(raw, photo):
    """Either tag spares sending the photo again, whichever form is asked for (RFC 9110, 8.8.3)."""
    address = f"/photos/{photo.id}"
    await raw.patch(f"{address}/metadata", json=LONG)
    plain = (await raw.get(address)).headers["ETag"]
    packed = (await raw.get(address, headers=GZIP)).headers["ETag"]
    assert packed == f'{plain[:-1]}-gzip"'
    for tag in (plain, packed, f"W/{packed}"):
        for coding in ({}, GZIP):
            kept = await raw.get(address, headers={"If-None-Match": tag, **coding})
            assert kept.status == 304
            assert kept.headers["ETag"] == tag.removeprefix("W/")
            assert kept.headers["Vary"] == "Accept-Encoding"
    await raw.patch(f"{address}/metadata", json={"rating": 3})
    for tag in (plain, packed):
        fresh = await raw.get(address, headers={"If-None-Match": tag, **GZIP})
        assert fresh.status == 200


async def test_the_tag_of_the_compressed_form_guards_a_change(raw, photo):
    """``If-Match`` takes it once, and refuses it when the photo is another."""
    address = f"/photos/{photo.id}"
    await raw.patch(f"{address}/metadata", json=LONG)
    tag = (await raw.get(address, headers=GZIP)).headers["ETag"]
    assert tag.endswith('-gzip"')
    guard = {"If-Match": tag}
    assert (await raw.get(address, headers=guard)).status == 200
    assert (await raw.patch(f"{address}/metadata", json={"rating": 1}, headers=guard)).status == 200
    assert (await raw.patch(f"{address}/metadata", json={"rating": 2}, headers=guard)).status == 412
    assert (await raw.get(address, headers=guard)).status == 412


async def test_nothing_with_a_secret_in_it_is_compressed(raw):
    """Tokens come as they are, and nobody may store them."""
    for address in ("/login", "/refresh"):
        body = {"password": "open sesame", "refresh_token": "refresh0.a-b_c"}
        wanted = {"login": "password", "refresh": "refresh_token"}[address[1:]]
        answer = await raw.post(address, json={wanted: body[wanted]}, headers=GZIP)
        assert answer.status == 200
        assert "Content-Encoding" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
        assert "access_token" in await answer.json()


async def test_pictures_are_sent_as_they_are(raw, library):
    """An original is never compressed, whatever the client likes."""
    photo = library.add("large.jpg", bytes(100_000))
    answer = await raw.get(f"/photos/{photo.id}/image", headers=GZIP)
    assert "Content-Encoding" not in answer.headers
    assert await answer.read() == bytes(100_000)


async def test_the_document_comes_compressed(raw):
    """And saves sending it again, too."""
    answer = await raw.get("/openapi.json", headers=GZIP)
    assert json.loads(gzip.decompress(await answer.read()))["openapi"] == "3.1.0"
    again = {"If-None-Match": answer.headers["ETag"], **GZIP}
    assert (await raw.get("/openapi.json", headers=again)).status == 304


@given(st.binary(max_size=5000))
def test_compression_loses_nothing_and_is_always_the_same(data):
    """Equal bytes give equal bytes, as a strong entity tag promises."""
    assert gzip.decompress(squeezed(data)) == data
    assert squeezed(data) == squeezed(data)
