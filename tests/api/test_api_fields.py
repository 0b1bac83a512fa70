"""Title, keywords, rating and the date taken over HTTP."""

import pytest

from tagline.model import Metadata

FULL = Metadata(
    description="d", title="t", keywords=("a", "b"), rating=3, taken_at="2019-07-05T10:00:00Z"
)


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
