"""The API over the real library, its photos in memory."""

import inspect
import io
import json

import pytest
from PIL import Image
from tests_api_memory_library import MemoryLibrary

from tagline.api import ApiOptions, create_app, finding_payloads, payloads
from tagline.api.health import HealthResponse
from tagline.index import open_index
from tagline.library import Library, read_observed
from tagline.storage import MemoryStorage
from tagline.sync import Reconciler
from tests.composing import PASSWORD, compose


def picture(kind, color):
    """A small picture as a file."""
    file = io.BytesIO()
    Image.new("RGB", (8, 6), color).save(file, kind)
    return file.getvalue()


@pytest.fixture
def storage():
    """Photos, one of which is none."""
    return MemoryStorage(
        {
            "a.jpg": picture("JPEG", "red"),
            "b/ø.png": picture("PNG", "green"),
            "broken.jpg": b"no picture",
        }
    )


@pytest.fixture
async def client(aiohttp_client, storage):
    """A client that is logged in to the real library."""
    index = open_index(None)
    library = compose(storage, index, Reconciler(storage, index, read_observed))
    client = await aiohttp_client(create_app(library, ApiOptions()))
    await library.start()
    await library.rescan()
    response = await client.post("/login", json={"password": PASSWORD})
    client.session.headers["Authorization"] = f"Bearer {(await response.json())['access_token']}"
    yield client
    await client.close()
    await library.stop()


def test_the_library_in_memory_has_the_interface_of_the_real_one():
    """Other suites use a library in memory; its methods take what the real ones take."""
    for name, method in inspect.getmembers(MemoryLibrary, inspect.isfunction):
        if not name.startswith("_") and name != "add":
            real = getattr(Library, name)
            assert list(inspect.signature(real).parameters) == list(
                inspect.signature(method).parameters
            )
            assert inspect.iscoroutinefunction(real) == inspect.iscoroutinefunction(method)


async def test_every_answer_is_as_its_model_says(client):
    """Stored JSON, health, rescan and progress have the declared members and no others."""
    for path, model in (
        ("/photos", finding_payloads.PhotoListResponse),
        ("/photos?fields=id", finding_payloads.PhotoIdListResponse),
        ("/health", HealthResponse),
        ("/rescan", payloads.RescanProgress),
    ):
        response = await client.get(path)
        assert response.status == 200
        model.model_validate_json(await response.read(), extra="forbid")
    response = await client.post("/rescan")
    payloads.RescanResponse.model_validate_json(await response.read(), extra="forbid")
    response = await client.post("/rescan", headers={"Prefer": "respond-async"})
    payloads.RescanProgress.model_validate_json(await response.read(), extra="forbid")


async def photos_of(client):
    """All photos by object key."""
    page = await (await client.get("/photos")).json()
    return {photo["object_key"]: photo for photo in page["items"]}


@pytest.mark.parametrize("name", ["a.jpg", "b/ø.png", "broken.jpg"])
async def test_a_description_comes_back_from_every_kind_of_file(client, storage, name):
    """Written, answered, listed and tagged alike; the original is served as it then is."""
    photo = (await photos_of(client))[name]
    path = f"/photos/{photo['id']}"
    response = await client.patch(
        f"{path}/metadata",
        json={"description": "Ålesund", "last_modified": photo["last_modified"]},
        headers={"If-Match": f'"{photo["etag"]}"'},
    )
    assert response.status == 200
    new = payloads.Photo.model_validate_json(await response.read(), extra="forbid")
    assert new.metadata.description == "Ålesund"
    assert new.id == photo["id"]
    assert await (await client.get(path)).read() == await response.read()
    assert (await client.get(path, headers={"If-None-Match": f'"{new.etag}"'})).status == 304
    with storage.open(name) as opened:
        image = await client.get(f"{path}/image")
        assert await image.read() == opened.read_at(0, opened.size)
        assert image.content_type == photo["media_type"]


async def test_stale_preconditions_are_refused_by_the_real_library(client):
    """409 for last_modified, 412 for If-Match, each with the current state."""
    photo = (await photos_of(client))["a.jpg"]
    path = f"/photos/{photo['id']}/metadata"
    stale = {"description": "x", "last_modified": "2001-01-01T00:00:00Z"}
    response = await client.patch(path, json=stale)
    assert response.status == 409
    assert json.loads(await response.read()) == {
        "type": "photo_modified",
        "detail": "Photo has been modified since last retrieval",
        "last_modified": photo["last_modified"],
        "etag": photo["etag"],
    }
    response = await client.patch(path, json={"description": "x"}, headers={"If-Match": '"x"'})
    assert response.status == 412
    assert (await response.json())["etag"] == photo["etag"]


async def test_a_change_of_nothing_changes_nothing(client):
    """An empty change answers the photo as it is."""
    photo = (await photos_of(client))["a.jpg"]
    response = await client.patch(f"/photos/{photo['id']}/metadata", json={})
    assert response.status == 200
    assert await response.json() == photo


async def test_a_read_only_directory(client, storage):
    """403, with what to look at."""
    photo = (await photos_of(client))["a.jpg"]
    storage.set_read_only()
    response = await client.patch(f"/photos/{photo['id']}/metadata", json={"description": "x"})
    assert response.status == 403
    assert "permissions" in (await response.json())["detail"]


async def test_a_session_ends(client):
    """After the logout the access token is dead, and the refresh token too."""
    response = await client.post("/login", json={"password": PASSWORD})
    pair = await response.json()
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    assert (await client.post("/logout", headers=headers)).status == 204
    assert (await client.get("/photos", headers=headers)).status == 401
    response = await client.post("/refresh", json={"refresh_token": pair["refresh_token"]})
    assert response.status == 401
    assert await response.json() == {
        "type": "invalid_refresh_token",
        "detail": "Invalid or expired refresh token",
    }


async def test_wrong_passwords_are_limited_by_address(client):
    """Sooner or later the answer is 429, and says when to come back."""
    for _ in range(50):
        response = await client.post("/login", json={"password": "wrong"})
        if response.status == 429:
            break
        assert await response.json() == {
            "type": "invalid_password",
            "detail": "Invalid password",
        }
    assert response.status == 429
    assert int(response.headers["Retry-After"]) >= 1


async def test_a_rescan_that_was_asked_for_is_running(client):
    """The 202 speaks of the rescan that was asked for, not of the one before it."""
    response = await client.post("/rescan", headers={"Prefer": "respond-async"})
    assert response.status == 202
    said = await response.json()
    assert (said["state"], said["finished_at"], said["result"]) == ("running", None, None)
