"""The history of changes and undoing them, over the real library."""

import asyncio
import io
import itertools

import pytest
from PIL import Image

from tagline.api.history_payloads import HistoryResponse
from tests.api.real_library import picture

NOTHING = {
    "description": None,
    "title": None,
    "keywords": [],
    "rating": None,
    "taken_at": None,
}
SOMETHING = {
    "description": "Grandma",
    "title": "G",
    "keywords": ["a", "b"],
    "rating": 3,
    "taken_at": "2019-07-05T10:00:00.123+02:00",
}


@pytest.fixture
async def world(make_world):
    """Two photos: one that is edited in place, one that is not."""
    return await make_world({"a.jpg": picture(1), "c.gif": picture(3, "GIF")})


@pytest.mark.parametrize("key", ["a.jpg", "c.gif"])
async def test_undo_restores_every_field_and_an_undo_is_undone(world, key):
    """Setting all fields, undone, removes all; undone again, all are there; file and API agree."""
    photo = (await world.by_key())[key]
    await world.edit(photo["id"], **SOMETHING)
    (first,) = await world.past(photo["id"])
    assert (first["before"], first["after"]) == (NOTHING, SOMETHING)
    assert first["photo_id"] == photo["id"]
    undone = await world.restore(photo["id"], first["n"])
    assert undone["metadata"] == NOTHING
    if key == "a.jpg":
        assert (world.photos / key).read_bytes() == picture(1)
    second, _ = await world.past(photo["id"])
    assert (second["before"], second["after"]) == (SOMETHING, NOTHING)
    assert second["restores"] == first["n"]
    again = await world.restore(photo["id"], second["n"])
    assert again["metadata"] == SOMETHING
    assert (await world.by_key())[key]["metadata"] == SOMETHING
    assert [p["restores"] for p in await world.past(photo["id"])] == [2, 1, None]


async def test_history_says_when_who_and_only_what_changed(world):
    """Newest first, by the clock and the session; fields that said it already are left out."""
    photo = (await world.by_key())["a.jpg"]
    await world.edit(photo["id"], title="T", rating=1)
    await world.edit(photo["id"], title="T", rating=2, keywords=[])
    await world.edit(photo["id"], title="T", rating=2)
    answer = await world.ask("GET", f"/photos/{photo['id']}/history")
    HistoryResponse.model_validate(answer, strict=False, extra="forbid")
    assert answer["total"] == 2
    new, old = answer["items"]
    assert (old["before"], old["after"]) == (
        {"title": None, "rating": None},
        {"title": "T", "rating": 1},
    )
    assert (new["before"], new["after"]) == ({"rating": 1}, {"rating": 2})
    assert (new["n"], old["n"]) == (2, 1)
    assert [old["at"], new["at"]] == ["2024-05-01T12:34:57.789012Z", "2024-05-01T12:34:58.789012Z"]
    assert new["by"]["kind"] == "session"
    assert len(new["by"]["name"]) > 8


async def test_what_was_before_is_judged_from_the_file(world):
    """An edit by another program that nobody has noticed yet is what an undo puts back."""
    photo = (await world.by_key())["a.jpg"]
    await world.edit(photo["id"], description="ours")
    path = world.photos / "a.jpg"
    path.write_bytes(path.read_bytes().replace(b"ours", b"them"))
    await world.edit(photo["id"], description="ours again")
    newest = (await world.past(photo["id"]))[0]
    assert newest["before"] == {"description": "them"}
    assert (await world.restore(photo["id"], newest["n"]))["metadata"]["description"] == "them"


async def test_a_value_beyond_the_limits_cannot_be_put_back(make_world, tmp_path):
    """12,000 characters of another program are remembered; restoring them is 422 and harmless."""
    exif = Image.Exif()
    exif[0x010E] = "x" * 12_000
    with Image.open(io.BytesIO(picture(1))) as image:
        image.save(tmp_path / "long.jpg", exif=exif)
    world = await make_world({"a.jpg": (tmp_path / "long.jpg").read_bytes()})
    photo = (await world.by_key())["a.jpg"]
    now = await world.edit(photo["id"], description="short")
    assert (await world.past(photo["id"]))[0]["before"] == {"description": "x" * 12_000}
    told = await world.restore(photo["id"], 1, 422)
    assert told["detail"][0]["loc"] == ["body", "description"]
    assert (await world.by_key())["a.jpg"]["etag"] == now["etag"]


async def test_an_api_token_is_named(world):
    """What a script did bears the name of its token, one by one and many at once."""
    photo = (await world.by_key())["a.jpg"]
    made = await world.ask("POST", "/tokens", 201, json={"name": "tagger", "scope": "write"})
    world.client.session.headers["Authorization"] = f"Bearer {made['token']}"
    await world.edit(photo["id"], title="one")
    await world.edit_many({"id": photo["id"], "title": "two"})
    await world.restore(photo["id"], 1)
    past = await world.past(photo["id"])
    assert [p["by"] for p in past] == [{"kind": "token", "name": "tagger"}] * 3


async def test_a_restore_keeps_the_conditions_of_an_edit(world):
    """A stale tag is 412, a stale moment 409, both without harm; the right ones pass."""
    photo = (await world.by_key())["a.jpg"]
    now = await world.edit(photo["id"], description="now")
    told = await world.restore(photo["id"], 1, 412, headers={"If-Match": f'"{photo["etag"]}"'})
    assert told["etag"] == now["etag"]
    stale = {"last_modified": "2001-01-01T00:00:00Z"}
    told = await world.restore(photo["id"], 1, 409, json=stale)
    assert told["last_modified"] == now["last_modified"]
    old_date = {"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}
    await world.restore(photo["id"], 1, 412, headers=old_date)
    assert (await world.by_key())["a.jpg"]["etag"] == now["etag"]
    assert len(await world.past(photo["id"])) == 1
    done = await world.restore(
        photo["id"],
        1,
        headers={"If-Match": f'"{now["etag"]}"'},
        json={"last_modified": now["last_modified"]},
    )
    assert done["metadata"]["description"] is None


async def test_unknown_changes_and_photos_are_not_found(world):
    """404 for a number that the photo's history does not have; 422 for what is none, or no id."""
    photos = await world.by_key()
    a, c = photos["a.jpg"]["id"], photos["c.gif"]["id"]
    await world.edit(a, description="x")
    for photo_id, n in ((a, 2), (a, 2**53 - 1), (c, 1)):
        assert "history" in (await world.restore(photo_id, n, 404))["detail"]
    for n in (0, -1, "x", "1_0", 2**53):
        await world.restore(a, n, 422)
    nobody = "0b5ef24b-6d1c-5b0e-9d0a-5c8b7a0f6c11"
    for photo_id, status in ((nobody, 404), ("no-id", 422)):
        await world.restore(photo_id, 1, status)
        await world.ask("GET", f"/photos/{photo_id}/history", status)
    for query in ("?limit=0", "?limit=51", "?offset=-1", "?page=1"):
        await world.ask("GET", f"/photos/{a}/history{query}", 422)


async def test_the_newest_fifty_of_a_photo_are_kept_and_paged(world):
    """Of 53 changes the last 50 stay, given in pages, newest first; older ones are not found."""
    photo = (await world.by_key())["a.jpg"]
    await world.edit_many(*({"id": photo["id"], "description": str(n)} for n in range(1, 54)))
    answer = await world.ask("GET", f"/photos/{photo['id']}/history?limit=50")
    assert answer["total"] == 50
    assert [p["n"] for p in answer["items"]] == list(range(53, 3, -1))
    assert [p["n"] for p in await world.past(photo["id"], "?limit=2&offset=3")] == [50, 49]
    assert [p["n"] for p in await world.past(photo["id"], "?offset=49")] == [4]
    assert await world.past(photo["id"], "?offset=50") == []
    await world.restore(photo["id"], 3, 404)
    assert (await world.restore(photo["id"], 4))["metadata"]["description"] == "3"


async def test_an_unchanged_history_is_not_sent_again(world):
    """Its entity tag holds for every part of it, and until a change is added to this photo."""
    photos = await world.by_key()
    photo, other = photos["a.jpg"], photos["c.gif"]
    path = f"/photos/{photo['id']}/history"
    tags = []
    for count in range(3):
        answer = await world.client.get(path)
        tags.append(answer.headers["ETag"])
        condition = {"If-None-Match": tags[-1]}
        for query in ("", "?limit=1&offset=1"):
            again = await world.client.get(path + query, headers=condition)
            assert again.status == 304
            assert again.headers["ETag"] == tags[-1]
            assert again.headers["Cache-Control"] == "private, no-cache"
        await world.edit(other["id"], description=str(count))
        assert (await world.client.get(path, headers=condition)).status == 304
        await world.edit(photo["id"], description=str(count))
        assert (await world.client.get(path, headers=condition)).status == 200
    assert len(set(tags)) == 3


async def test_history_survives_a_restart_and_a_rename(make_world):
    """After renames, with and without a server running, a new server knows and undoes it all."""
    world = await make_world({"a.jpg": picture(1)})
    photo = (await world.by_key())["a.jpg"]
    await world.edit(photo["id"], description="one")
    (world.photos / "sub").mkdir()
    (world.photos / "a.jpg").rename(world.photos / "sub" / "b.jpg")
    await world.library.rescan()
    await world.edit(photo["id"], description="two")
    await world.stop()
    (world.photos / "sub" / "b.jpg").rename(world.photos / "c.jpg")
    again = await make_world()
    assert set(await again.by_key()) == {"c.jpg"}
    assert [p["after"]["description"] for p in await again.past(photo["id"])] == ["two", "one"]
    assert (await again.restore(photo["id"], 2))["metadata"]["description"] == "one"
    assert (await again.past(photo["id"]))[0]["n"] == 3


async def test_history_waits_for_a_photo_that_is_gone(world):
    """404 while the photo is away; when it comes back, so does what was done to it."""
    photo = (await world.by_key())["a.jpg"]
    await world.edit(photo["id"], description="one")
    away = world.photos.parent / "away.jpg"
    (world.photos / "a.jpg").rename(away)
    await world.library.rescan()
    await world.ask("GET", f"/photos/{photo['id']}/history", 404)
    away.rename(world.photos / "a.jpg")
    await world.library.rescan()
    assert len(await world.past(photo["id"])) == 1


@pytest.mark.parametrize("damage", [b"no journal at all\n", "flip", "other version"])
async def test_a_damaged_history_is_set_aside(make_world, caplog, damage):
    """The server starts with an empty history, keeps the file, says so, and goes on recording."""
    world = await make_world({"a.jpg": picture(1)})
    photo = (await world.by_key())["a.jpg"]
    for text in ("one", "two"):
        await world.edit(photo["id"], description=text)
    await world.stop()
    path = world.data / "history.jsonl"
    kept = path.read_bytes()
    if damage == "flip":
        damage = kept.replace(b"one", b"ome", 1)
    elif damage == "other version":
        damage = kept.replace(b'"history 1"', b'"history 9"')
    path.write_bytes(damage)
    again = await make_world()
    health = await again.ask("GET", "/health")
    assert "history.jsonl.damaged-1" in health["history"]["recovered"]
    assert health["ready"]
    assert (again.data / "history.jsonl.damaged-1").read_bytes() == damage
    assert await again.past(photo["id"]) == []
    assert (await again.edit(photo["id"], description="three"))["metadata"]["title"] is None
    assert (await again.past(photo["id"]))[0]["before"] == {"description": "two"}


@pytest.mark.parametrize(("lines", "kept"), [(4, [2, 1]), (3, [1])])
async def test_a_torn_end_loses_no_more_than_that(make_world, lines, kept):
    """A power cut in the middle of a line leaves what was recorded before.

    Where the last line only confirms a change, the photo itself says that it was made.
    """
    world = await make_world({"a.jpg": picture(1)})
    photo = (await world.by_key())["a.jpg"]
    for text in ("one", "two"):
        await world.edit(photo["id"], description=text)
    await world.stop()
    path = world.data / "history.jsonl"
    before = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(before[: len(before) - 4 + lines])[:-5])
    again = await make_world()
    assert [p["n"] for p in await again.past(photo["id"])] == kept
    assert (await again.ask("GET", "/health"))["history"]["recovered"] is None


async def test_a_history_that_cannot_be_opened_is_in_memory(make_world, tmp_path):
    """With a directory in the file's place changes can be undone for now, and health says so."""
    (tmp_path / "data" / "history.jsonl").mkdir(parents=True)
    world = await make_world({"a.jpg": picture(1)})
    photo = (await world.by_key())["a.jpg"]
    assert "memory" in (await world.ask("GET", "/health"))["history"]["problem"]
    await world.edit(photo["id"], description="one")
    assert (await world.restore(photo["id"], 1))["metadata"]["description"] is None


async def test_edits_of_one_photo_at_once_are_numbered_as_they_were_made(world):
    """Each of many changes at once begins where the one before it ended."""
    photo = (await world.by_key())["a.jpg"]
    await asyncio.gather(*(world.edit(photo["id"], description=str(n)) for n in range(12)))
    past = await world.past(photo["id"])
    for newer, older in itertools.pairwise(past):
        assert newer["before"] == older["after"]
        assert newer["n"] == older["n"] + 1
    assert past[-1]["before"] == {"description": None}
