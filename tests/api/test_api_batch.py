"""Many changes in one request, over the real library."""

import asyncio
import io
import json

import pytest
from PIL import Image

from tagline.api.batch import MAX_BODY_BYTES
from tests.api.real_library import picture

NOBODY = "0b5ef24b-6d1c-5b0e-9d0a-5c8b7a0f6c11"


async def send(world, body, status=200):
    """Send a large body; gives the answer."""
    headers = {"Content-Type": "application/json"}
    data = io.BytesIO(body.encode())
    return await world.ask("PATCH", "/photos/metadata", status, data=data, headers=headers)


@pytest.fixture
async def world(make_world):
    """Three photos: two that are edited in place, one that is not."""
    return await make_world(
        {"a.jpg": picture(1), "b.png": picture(2, "PNG"), "c.gif": picture(3, "GIF")}
    )


async def test_each_change_is_made_and_told_in_order(world):
    """Results come in the order of the changes, each with the photo's new tag and moment."""
    photos = await world.by_key()
    keys = ["c.gif", "a.jpg", "b.png"]
    results = await world.edit_many(
        *({"id": photos[k]["id"], "description": k, "rating": 4} for k in keys)
    )
    now = await world.by_key()
    assert results == [
        {
            "id": photos[k]["id"],
            "status": 200,
            "etag": now[k]["etag"],
            "last_modified": now[k]["last_modified"],
        }
        for k in keys
    ]
    assert [now[k]["metadata"]["description"] for k in keys] == keys
    assert {now[k]["metadata"]["rating"] for k in keys} == {4}


async def test_a_refusal_refuses_itself_alone(world):
    """Stale tags and moments, unknown ids and invalid values are told as the single call does."""
    photos = await world.by_key()
    a, b, c = (photos[k] for k in ("a.jpg", "b.png", "c.gif"))
    answer = await world.ask(
        "PATCH",
        "/photos/metadata",
        json={
            "changes": [
                {"id": a["id"], "description": "no", "if_match": "stale"},
                {"id": b["id"], "title": "no", "last_modified": "2001-01-01T00:00:00Z"},
                {"id": NOBODY, "description": "no"},
                {"id": "no-id", "description": "no"},
                {"id": a["id"], "rating": 6, "colour": "red"},
                {"description": "of nobody"},
                "no change at all",
                {"id": a["id"], "if_match": '"quoted"'},
                {"id": a["id"].upper(), "description": "yes", "if_match": a["etag"]},
                {"id": c["id"], "description": "yes", "last_modified": c["last_modified"]},
            ]
        },
    )
    results = answer["results"]
    assert answer["refused"] == 8
    statuses = [result["status"] for result in results]
    assert statuses == [412, 409, 404, 422, 422, 422, 422, 422, 200, 200]
    types = ["precondition_failed", "photo_modified", "photo_not_found"]
    assert [result.get("type") for result in results] == types + ["validation_error"] * 5 + [
        None,
        None,
    ]
    assert results[8]["id"] == a["id"].upper()
    assert results[0]["etag"] == a["etag"]
    assert results[1]["last_modified"] == b["last_modified"]
    for single, headers, many in (
        ({"description": "no"}, {"If-Match": '"stale"'}, results[0]),
        ({"rating": 6, "colour": "red"}, None, results[4]),
    ):
        said = await world.edit(a["id"], many["status"], headers=headers, **single)
        assert (said["type"], said["detail"]) == (many["type"], many["detail"])
    assert results[2]["detail"].startswith("Photo not found: ")
    assert [[p["loc"] for p in results[n]["detail"]] for n in (3, 5)] == [[["body", "id"]]] * 2
    assert [r["id"] for r in results[5:8]] == [None, None, a["id"]]
    now = await world.by_key()
    assert now["a.jpg"]["metadata"] == a["metadata"] | {"description": "yes"}
    assert now["b.png"]["metadata"] == b["metadata"]


async def test_changes_of_one_photo_are_made_in_their_order(world):
    """The last of twenty changes of one photo stands; the second meets what the first has made."""
    photo = (await world.by_key())["a.jpg"]
    texts = [{"id": photo["id"], "description": f"text {n}"} for n in range(20)]
    results = await world.edit_many(
        *texts, {"id": photo["id"], "title": "late", "if_match": photo["etag"]}
    )
    assert [r["status"] for r in results] == [200] * 20 + [412]
    assert len({r["etag"] for r in results[:20]}) == 20
    now = (await world.by_key())["a.jpg"]["metadata"]
    assert (now["description"], now["title"]) == ("text 19", None)


async def test_five_hundred_at_once_while_others_are_answered(make_world):
    """500 changes, the same four of 125 photos each: written once, while the loop is free."""
    world = await make_world({f"{n:03}.jpg": picture(n) for n in range(125)})
    photos = await world.by_key()
    changes = [{"id": p["id"], "description": f"{k} ø"} for k, p in photos.items()] * 4
    work = asyncio.create_task(world.edit_many(*changes))
    answered = 0
    while not work.done():
        await world.ask("GET", "/photos?limit=1")
        answered += 1
    results = await work
    assert [r["id"] for r in results] == [c["id"] for c in changes]
    assert {r["status"] for r in results} == {200}
    assert answered > 20
    now = await world.by_key()
    assert all(now[k]["metadata"]["description"] == f"{k} ø" for k in photos)
    assert results[-1]["etag"] == now["124.jpg"]["etag"]
    with Image.open(world.photos / "124.jpg") as image:
        assert image.getexif()[0x010E].encode("latin-1").decode() == "124.jpg ø"
    assert len(world.history) == 125


async def test_a_body_of_brackets_takes_no_memory(world):
    """What would take twenty times its size in memory is refused before it is parsed."""
    answer = await send(world, '{"changes":[' + "[]," * 200_000 + "[]]}", 422)
    assert "brackets" in answer["detail"][0]["msg"]


async def test_too_many_and_too_much_are_refused_as_a_whole(world):
    """501 changes are 422, a body over the limit 413, no list 422; nothing is changed."""
    photo = (await world.by_key())["a.jpg"]
    one = {"id": photo["id"], "description": "no"}
    answer = await world.edit_many(*[one] * 501, status=422)
    assert answer["detail"][0]["loc"] == ["body", "changes"]
    answer = await send(world, json.dumps({"changes": [one]}).ljust(MAX_BODY_BYTES + 1), 413)
    assert str(MAX_BODY_BYTES) in answer["detail"]
    await world.ask("PATCH", "/photos/metadata", 422, json=[one])
    await world.ask("PATCH", "/photos/metadata", 422, json={})
    assert await world.edit_many() == []
    assert (await world.by_key())["a.jpg"] == photo


async def test_five_hundred_long_descriptions_fit(world):
    """500 descriptions of 10,000 characters are read, and each refused or made on its own."""
    photo = (await world.by_key())["a.jpg"]
    long = {"id": NOBODY, "description": "x" * 10_000}
    changes = [*[long] * 499, {"id": photo["id"], "description": "y" * 10_000}]
    answer = await send(world, json.dumps({"changes": changes}))
    assert [r["status"] for r in answer["results"]] == [404] * 499 + [200]


async def test_the_document_shows_a_change_as_a_schema(world):
    """Client authors see what a change may hold, not how refusals of one are made."""
    document = await world.ask("GET", "/openapi.json")
    schemas = document["components"]["schemas"]
    items = schemas["UpdateManyRequest"]["properties"]["changes"]["items"]
    assert items == {"$ref": "#/components/schemas/PhotoChange"}
    assert schemas["PhotoChange"]["required"] == ["id"]
    assert {"description", "title", "keywords", "rating", "taken_at", "if_match"} <= set(
        schemas["PhotoChange"]["properties"]
    )


async def test_a_change_that_is_no_object_is_told_in_words_of_the_api(world):
    """Not by the name of a class of the server's."""
    answer = await send(world, '{"changes": [1]}')
    (problem,) = answer["results"][0]["detail"]
    assert (problem["loc"], problem["msg"]) == (["body"], "Send a JSON object")
