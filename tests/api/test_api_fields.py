"""Title, keywords, rating and the date taken over HTTP."""

import pytest

from tagline.api.history_payloads import FieldValues
from tagline.api.metadata import PhotoMetadata, UpdateMetadataRequest
from tagline.model import Metadata

FULL = Metadata(
    description="d", title="t", keywords=("a", "b"), rating=3, taken_at="2019-07-05T10:00:00Z"
)


@pytest.mark.parametrize("payload", [PhotoMetadata, UpdateMetadataRequest, FieldValues])
def test_every_payload_names_every_field(payload):
    """What goes out, what comes in and what was before hold the fields of the model, in order."""
    guards = {"last_modified"}
    members = tuple(name for name in payload.model_fields if name not in guards)
    assert members == Metadata.__struct_fields__


@pytest.fixture
def photo(library):
    """A photo that says every field."""
    return library.add("said.jpg", metadata=FULL)


async def patch(client, photo, body):
    """Change the photo; the status and what came back."""
    response = await client.patch(f"/photos/{photo.id}/metadata", json=body)
    return response.status, await response.json()


async def test_any_subset_is_changed_and_the_rest_stays(client, photo):
    """What a body leaves out is not touched."""
    status, new = await patch(client, photo, {"title": "new", "rating": 0})
    assert status == 200
    assert new["metadata"] == {
        "description": "d",
        "title": "new",
        "keywords": ["a", "b"],
        "rating": 0,
        "taken_at": "2019-07-05T10:00:00Z",
    }


async def test_null_removes_each_field(client, photo):
    """Null, and the empty text or list, remove."""
    body = {"description": None, "title": "", "keywords": [], "rating": None, "taken_at": None}
    _, new = await patch(client, photo, body)
    empty = {"description": None, "title": None, "keywords": [], "rating": None, "taken_at": None}
    assert new["metadata"] == empty


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("title", "x" * 1001), ("title", 5), ("keywords", ["a", "a"]), ("keywords", "a")),
        *(("keywords", [""]), ("rating", 6), ("rating", -1), ("rating", "3"), ("rating", True)),
        *(("taken_at", "yesterday"), ("taken_at", "2019-13-01T00:00:00"), ("taken_at", 1562320800)),
    ],
)
async def test_a_bad_value_is_refused_by_its_name(client, photo, field, value):
    """422 says which member is wrong, and nothing is changed."""
    status, answer = await patch(client, photo, {field: value, "description": "x"})
    assert status == 422
    assert answer["detail"][0]["loc"][:2] == ["body", field]
    response = await client.get(f"/photos/{photo.id}")
    assert (await response.json())["metadata"]["description"] == "d"


async def test_what_means_the_same_is_taken_for_the_same(client, photo):
    """4.0 is the number 4 in JSON; keywords that differ in outer white space alone are one."""
    _, new = await patch(client, photo, {"rating": 4.0, "keywords": ["b ", "a", "b", "\u0085a"]})
    assert new["metadata"]["rating"] == 4
    assert new["metadata"]["keywords"] == ["b", "a"]
