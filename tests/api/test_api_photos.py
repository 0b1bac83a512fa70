"""Photos over HTTP: list, look, describe."""

import json

import pytest
from tests_api_memory_library import photo_of

from tagline.api import finding_payloads, payloads
from tagline.errors import (
    EditRefused,
    IndexDamaged,
    InvalidValue,
    ObjectBusy,
    ObjectChanged,
    ObjectNotFound,
    ObjectUnreadable,
    StorageFull,
    StorageReadOnly,
    StorageUnavailable,
    TaglineError,
    UnsafeKey,
)
from tagline.model import DescriptionSource, Gps, Metadata

RETRIED = {"storage_unavailable", "index_unavailable", "being_written", "object_changed"}
"""What a client may send again as it is, after a while."""


async def test_a_page_holds_the_stored_json_of_each_photo(client, library):
    """Items are the photos as stored, with the totals around them."""
    response = await client.get("/photos", params={"limit": 2, "offset": 1})
    assert response.status == 200
    assert response.content_type == "application/json"
    page = await response.json()
    assert {k: page[k] for k in ("total", "limit", "offset")} == {
        "total": 3, "limit": 2, "offset": 1,
    }  # fmt: skip
    assert [p["object_key"] for p in page["items"]] == ["b/c.jpg", "d.jpg"]
    assert response.headers["Cache-Control"] == "private, no-cache"
    finding_payloads.PhotoListResponse.model_validate_json(await response.read(), extra="forbid")


async def test_a_page_beyond_the_end_is_empty(client):
    """An offset past the last photo is no error."""
    page = await (await client.get("/photos?offset=9007199254740991")).json()
    assert page["items"] == []
    assert page["limit"] == 100


async def test_ids_alone(client, library):
    """fields=id gives nothing but ids."""
    response = await client.get("/photos?fields=id")
    page = await response.json()
    assert {item["id"] for item in page["items"]} == set(library.photos)
    finding_payloads.PhotoIdListResponse.model_validate_json(await response.read(), extra="forbid")


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=", "limit"),
        ("limit=1_0", "limit"),
        ("limit=1.0", "limit"),
        ("limit=%2B1", "limit"),
        ("limit=%D9%A3", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=1&limit=2", "limit"),
        ("offset=-1", "offset"),
        ("offset=9007199254740992", "offset"),
        ("fields=name", "fields"),
        ("limt=3", "limt"),
        ("%FF=1", "\ufffd"),
    ],
)
async def test_wrong_queries_are_named(client, query, where):
    """422 says which parameter is wrong; a misspelt one is not passed over."""
    response = await client.get(f"/photos?{query}")
    assert response.status == 422
    answer = payloads.ValidationErrorResponse.model_validate_json(
        await response.read(), extra="forbid"
    )
    assert answer.detail[0].loc == ["query", where]


async def test_a_photo_with_its_validators(client, photo):
    """A photo's own JSON, its entity tag quoted, its time in whole seconds."""
    response = await client.get(f"/photos/{photo.id.upper()}")
    assert response.status == 200
    assert (await response.json())["object_key"] == "photo.jpg"
    assert response.headers["ETag"] == f'"{photo.etag}"'
    assert response.headers["Last-Modified"] == "Wed, 01 May 2024 12:34:56 GMT"
    head = await client.head(f"/photos/{photo.id}")
    assert head.status == 200
    assert head.headers["ETag"] == response.headers["ETag"]
    assert head.headers["Content-Length"] == response.headers["Content-Length"]


@pytest.mark.parametrize(
    "headers",
    [
        lambda p: {"If-None-Match": f'"{p.etag}"'},
        lambda p: {"If-None-Match": f'"z", W/"{p.etag}"'},
        lambda _: {"If-Modified-Since": "Wed, 01 May 2024 12:34:56 GMT"},
    ],
)
async def test_a_photo_that_the_client_has_is_not_sent_again(client, photo, headers):
    """304 without a body, with the validators."""
    response = await client.get(f"/photos/{photo.id}", headers=headers(photo))
    assert response.status == 304
    assert await response.read() == b""
    assert response.headers["ETag"] == f'"{photo.etag}"'


async def test_a_read_with_if_match_of_another_version_fails(client, photo):
    """412 tells the current tag."""
    response = await client.get(f"/photos/{photo.id}", headers={"If-Match": '"other"'})
    assert response.status == 412
    assert (await response.json())["etag"] == photo.etag


async def test_an_unknown_id_is_not_found(client):
    """The sentence of the design."""
    response = await client.get("/photos/0b5ef24b-6d1c-5b0e-9d0a-5c8b7a0f6c11")
    assert response.status == 404
    assert (await response.json())["detail"].startswith("Photo not found: ")


async def patch(client, photo, body, **headers):
    """Change a photo's metadata."""
    path = f"/photos/{photo.id}/metadata"
    return await client.patch(path, json=body, headers=headers)


async def test_a_description_is_written_and_answered(client, library, photo):
    """The answer is the new photo with its new tag."""
    response = await patch(client, photo, {"description": "  Ålesund\n1974 📷 "})
    assert response.status == 200
    new = await response.json()
    assert new["metadata"]["description"] == "  Ålesund\n1974 📷 "
    assert new["etag"] != photo.etag
    assert response.headers["ETag"] == f'"{new["etag"]}"'
    assert new == json.loads(library.photo_json(photo.id))


@pytest.mark.parametrize("empty", [None, ""])
async def test_null_and_the_empty_text_remove_the_description(client, library, empty):
    """Both mean that there is no description."""
    photo = library.add("described.jpg", metadata=Metadata(description="old"))
    response = await patch(client, photo, {"description": empty})
    assert (await response.json())["metadata"]["description"] is None


async def test_a_change_of_nothing_answers_the_photo(client, library):
    """A body that asks for nothing changes nothing, and is judged by its conditions."""
    photo = library.add("described.jpg", metadata=Metadata(description="old"))
    response = await patch(client, photo, {})
    assert response.status == 200
    assert (await response.json())["metadata"]["description"] == "old"
    assert (await patch(client, photo, {}, **{"If-Match": '"x"'})).status == 412


async def test_an_edit_since_is_a_conflict(client, photo):
    """409 tells the sentence and the current state."""
    body = {"description": "x", "last_modified": "2024-05-01T12:34:56.789011Z"}
    response = await patch(client, photo, body)
    assert response.status == 409
    assert await response.json() == {
        "type": "photo_modified",
        "detail": "Photo has been modified since last retrieval",
        "last_modified": photo.last_modified,
        "etag": photo.etag,
    }
    body["last_modified"] = photo.last_modified
    assert (await patch(client, photo, body)).status == 200


async def test_if_match_guards_a_change(client, photo):
    """The current tag or a star passes; another or a weak one is 412; what is no tag is 422."""
    tag = photo.etag
    for value in ('"other"', f'W/"{tag}"'):
        response = await patch(client, photo, {}, **{"If-Match": value})
        assert response.status == 412
        assert (await response.json())["etag"] == tag
    for value in (f'"{tag}"', "*", f'"other", "{tag}"'):
        assert (await patch(client, photo, {}, **{"If-Match": value})).status == 200
    response = await patch(client, photo, {}, **{"If-Match": tag})
    assert response.status == 422
    assert (await response.json())["detail"][0]["loc"] == ["header", "If-Match"]


async def test_if_unmodified_since_guards_a_change(client, photo):
    """A newer photo is 412; no date is ignored; beside If-Match it does not count."""
    old = {"If-Unmodified-Since": "Wed, 01 May 2024 12:34:55 GMT"}
    response = await patch(client, photo, {}, **old)
    assert response.status == 412
    assert (await response.json())["etag"] == photo.etag
    for headers in (
        {"If-Unmodified-Since": "Wed, 01 May 2024 12:34:56 GMT"},
        {"If-Unmodified-Since": "some day"},
        old | {"If-Match": f'"{photo.etag}"'},
    ):
        assert (await patch(client, photo, {}, **headers)).status == 200


async def test_several_if_match_lines_are_one_list(client, photo):
    """RFC 9110, 5.3."""
    headers = [("If-Match", '"other"'), ("If-Match", f'"{photo.etag}"')]
    response = await client.patch(f"/photos/{photo.id}/metadata", json={}, headers=headers)
    assert response.status == 200


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        (b'{"description": "%s"}' % (b"x" * 10_001), ["body", "description"]),
        (b'{"description": "a\\u0000b"}', ["body", "description"]),
        (b'{"description": "\\ud800"}', ["body", "description"]),
        (b'{"description": 7}', ["body", "description"]),
        (b'{"description": ["x"]}', ["body", "description"]),
        (b'{"descripton": "x"}', ["body", "descripton"]),
        (b'{"\\ud800": "x"}', ["body"]),
        (b'{"last_modified": "yesterday"}', ["body", "last_modified"]),
        (b'{"last_modified": 1}', ["body", "last_modified"]),
        (b"", ["body"]),
        (b"null", ["body"]),
        (b"[]", ["body"]),
        (b'"x"', ["body"]),
        (b"{", ["body"]),
        (b'{"description": "\xff"}', ["body"]),
        (b'{"description": "a", "description": "b"}', ["body"]),
        (b'{"description": NaN}', ["body"]),
        (b"[" * 100_000, ["body"]),
        (b'{"a":' * 20_000, ["body"]),
        (b"9" * 6000, ["body"]),
    ],
)
async def test_wrong_bodies_are_named(client, photo, body, loc):
    """422 says where, whatever the body."""
    path = f"/photos/{photo.id}/metadata"
    response = await client.patch(path, data=body, headers={"Content-Type": "application/json"})
    assert response.status == 422
    answer = payloads.ValidationErrorResponse.model_validate_json(
        await response.read(), extra="forbid"
    )
    assert answer.detail[0].loc == loc


async def test_the_longest_description_passes_however_it_is_escaped(client, photo):
    """10,000 characters beyond the basic plane, as twelve bytes each."""
    text = "📷" * 10_000
    body = json.dumps({"description": text}).encode()
    path = f"/photos/{photo.id}/metadata"
    response = await client.patch(path, data=body, headers={"Content-Type": "application/json"})
    assert (await response.json())["metadata"]["description"] == text


async def test_a_body_with_a_thousand_mistakes_gets_a_short_answer(client, photo):
    """The list of problems is bounded, and so are the names in it."""
    response = await patch(client, photo, {f"{i}" + "x" * 150: 1 for i in range(1000)})
    assert response.status == 422
    assert len(await response.read()) < 20_000


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (StorageReadOnly("a"), 403, "permissions"),
        (ObjectNotFound("a"), 404, "Photo not found"),
        (UnsafeKey("a", "x"), 404, "Photo not found"),
        (ObjectChanged("a"), 409, "changed the file meanwhile"),
        (EditRefused("no room"), 409, "no room"),
        (ObjectBusy("a", "writer", "It is being written: wait."), 409, "being written"),
        (StorageFull("a"), 507, "No space"),
        (StorageUnavailable(), 503, "not available"),
        (ObjectUnreadable("a", "permission denied"), 500, "permission denied"),
        (IndexDamaged("/secret/path", "x"), 503, "index"),
        (TaglineError("/secret/path"), 500, "X-Request-ID"),
        (RuntimeError("/secret/path"), 500, "X-Request-ID"),
    ],
)
async def test_each_error_has_its_answer(client, library, photo, error, status, words):
    """Status and sentence by the one table; nothing of an unexpected error's text."""
    library.failure = error
    response = await patch(client, photo, {"description": "x"})
    assert response.status == status
    answer = await response.json()
    assert words in answer["detail"]
    assert "secret" not in await response.text()
    assert ("Retry-After" in response.headers) == (answer["type"] in RETRIED)


async def test_a_refused_value_is_a_validation_error(client, library, photo):
    """What the library refuses looks like what the payload refuses."""
    library.failure = InvalidValue("description", "too odd")
    response = await patch(client, photo, {"description": "x"})
    assert response.status == 422
    assert (await response.json())["detail"] == [
        {"loc": ["body", "description"], "msg": "too odd", "type": "invalid_value"}
    ]


def test_the_model_of_a_photo_is_its_stored_json(library):
    """Every member of the stored JSON is in the payload model, and no other."""
    full = photo_of(
        "full.jpg",
        metadata=Metadata(description="x"),
        gps=Gps(latitude=1.0, longitude=2.0, altitude=3.5),
        taken_at="2020-01-01T00:00:00.000000Z",
        taken_at_offset="+01:00",
        stored_in=("exif",),
        description_sources=(DescriptionSource(place="exif", agrees=False, text="y"),),
    )
    library.photos = {p.id: p for p in (full, photo_of("bare.jpg"))}
    for photo_id in library.photos:
        stored = library.photo_json(photo_id)
        model = payloads.Photo.model_validate_json(stored, extra="forbid", strict=True)
        assert list(model.model_dump()) == list(json.loads(stored))
