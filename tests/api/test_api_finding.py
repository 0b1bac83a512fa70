"""Finding photos over HTTP: filters, sorts, cursors, links, folders, keywords, months."""

import pytest
from tests_api_memory_library import photo_of
from yarl import URL

from tagline.api import finding_payloads, payloads
from tagline.api.cursors import decode_cursor, encode_cursor
from tagline.api.filters import SearchQuery
from tagline.model import Metadata, PhotoFilter, PhotoQuery

MEMBERS = tuple(payloads.Photo.model_fields)


@pytest.fixture
def many(library):
    """Photos of several folders, dates and kinds, in place of the three."""
    library.photos.clear()
    for number in range(12):
        library.add(
            f"{1970 + number % 3}/{'oslo/' if number % 2 else ''}IMG_{number:02d}.jpg",
            taken_at=f"19{70 + number}-07-05T10:00:00.000000Z" if number % 4 else None,
            media_type="image/png" if number % 5 == 0 else "image/jpeg",
            metadata=Metadata(
                description=f"Grandma in Ålesund {number}" if number % 2 else None,
                title="Summer house" if number == 3 else None,
                keywords=("Family", "Oslo") if number % 3 == 0 else ("family",),
                rating=number % 6 if number % 2 else None,
            ),
        )
    return library


async def ask(client, path, status=200, **params):
    """The JSON of an answer."""
    answer = await client.get(path, params=params)
    assert answer.status == status, await answer.text()
    return await answer.json()


async def numbers(client, **params):
    """The numbers in the file names of the photos that are found."""
    page = await ask(client, "/photos", **params)
    return [int(item["object_key"][-6:-4]) for item in page["items"]]


def linked(answer, relation):
    """Where the answer's Link header leads to, without the server."""
    return URL(str(answer.links[relation]["url"])).relative()


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"q": "alesund GRAND"}, {1, 3, 5, 7, 9, 11}),
        ({"q": '"summer house"'}, {3}),
        ({"q": '"summer hous"'}, set()),
        ({"q": "IMG_1"}, {10, 11}),
        ({"q": "oslo"}, {0, 3, 6, 9}),
        ({"q": "?!"}, set(range(12))),
        ({"folder": "1971"}, {1, 4, 7, 10}),
        ({"folder": "1971/", "subfolders": "false"}, {4, 10}),
        ({"folder": "1971/os"}, set()),
        ({"subfolders": "false"}, set()),
        ({"described": "false"}, {0, 2, 4, 6, 8, 10}),
        ({"taken_from": "1979-07-05", "taken_to": "1981-07-05"}, {9, 10, 11}),
        ({"taken_from": "1979-07-05T10:00:00Z", "taken_to": "1981-07-05T10:00:00Z"}, {9, 10}),
        ({"taken_from": "1979-07-05T12:00:00.000001+02:00"}, {10, 11}),
        ({"rating_min": "5"}, {5, 11}),
        ({"keyword": "FAMILY", "rating_min": "0"}, {1, 3, 5, 7, 9, 11}),
        ({"keyword": "Fam"}, set()),
        ({"media_type": "IMAGE/png"}, {0, 5, 10}),
        ({"media_type": "image/*"}, set(range(12))),
        ({"media_type": "video/*"}, set()),
    ],
)
async def test_filters(client, many, params, expected):
    """Each filter gives the photos that meet it, and their number."""
    assert set(await numbers(client, **params)) == expected
    assert (await ask(client, "/photos", **params))["total"] == len(expected)


async def test_sorts(client, many):
    """By key or date, in either direction; photos without a date are last in both."""
    assert (await numbers(client))[:3] == [0, 6, 3]
    assert (await numbers(client, order="desc"))[:3] == [11, 5, 8]
    dated = [1, 2, 3, 5, 6, 7, 9, 10, 11]
    assert await numbers(client, sort="taken_at") == [*dated, 0, 4, 8]
    assert await numbers(client, sort="taken_at", order="desc") == [*dated[::-1], 8, 4, 0]
    assert len(await numbers(client, sort="last_modified")) == 12


@pytest.mark.parametrize("sort", ["object_key", "taken_at", "last_modified"])
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("more", [{}, {"q": "img"}])
async def test_a_cursor_passes_nothing_over_and_repeats_nothing(client, many, sort, order, more):
    """While photos before and behind the cursor come and go, those that stay come once."""
    params = {"sort": sort, "order": order, "limit": "3", **more}
    stay = set(many.photos)
    found = []
    page = await ask(client, "/photos", **params)
    for number in range(100):
        found += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        for name in (f"1969/IMG_{number}.jpg", f"1999/IMG_{number}.jpg"):
            many.add(name, taken_at=f"{name[:4]}-01-01T00:00:00.000000Z")
        if number == 1:
            gone = found[-1]
            del many.photos[gone]
        page = await ask(client, "/photos", **params, cursor=page["next"])
    assert len(found) == len(set(found))
    assert stay <= set(found)


async def test_offset_is_where_a_page_is_now(client, many):
    """A page by cursor says how many photos come before it."""
    page = await ask(client, "/photos", limit="5")
    assert page["offset"] == 0
    page = await ask(client, "/photos", limit="5", cursor=page["next"])
    assert (page["offset"], page["total"]) == (5, 12)
    page = await ask(client, "/photos", limit="5", cursor=page["next"], fields="id")
    assert (page["offset"], page["next"]) == (10, None)
    finding_payloads.PhotoIdListResponse.model_validate(page, extra="forbid")


async def test_links_lead_through_the_list(client, many):
    """`next` leads to the end, `prev` and `first` back, `last` to the last page."""
    answer = await client.get("/photos?limit=5&described=true&q=alesund")
    assert set(answer.links) == {"first", "next", "last"}
    second = await client.get(linked(answer, "next"))
    items = (await answer.json())["items"] + (await second.json())["items"]
    assert len({item["id"] for item in items}) == 6
    assert "next" not in second.links
    last = await client.get(linked(answer, "last"))
    assert (await last.json())["items"] == (await second.json())["items"]
    assert linked(last, "prev").query == {
        "limit": "5", "described": "true", "q": "alesund",
    }  # fmt: skip
    assert await (await client.get(linked(last, "first"))).json() == await answer.json()
    assert set((await client.get("/photos")).links) == {"first"}


async def test_links_never_make_a_header_that_clients_refuse(client, many):
    """With long parameters there are none, and `next` in the body is enough."""
    name = "ä" * 600
    for number in range(2):
        many.add(f"{name}/{number}.jpg")
    answer = await client.get("/photos", params={"folder": name, "limit": "1"})
    assert "Link" not in answer.headers
    cursor = (await answer.json())["next"]
    page = await ask(client, "/photos", folder=name, limit="1", cursor=cursor)
    assert (page["offset"], page["next"], len(page["items"])) == (1, None, 1)


async def test_parts_of_photos(client, many):
    """Items have the members that are named, in the order of a photo."""
    page = await ask(client, "/photos", fields="metadata,id,object_key", limit="2")
    whole = await ask(client, "/photos", limit="2")
    names = ("id", "object_key", "metadata")
    assert page["items"] == [{n: item[n] for n in names} for item in whole["items"]]
    assert [list(item) for item in page["items"]] == [list(names)] * 2
    page = await ask(client, "/photos", fields=",".join(MEMBERS))
    assert page["items"] == (await ask(client, "/photos"))["items"]


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/photos?q=" + "x" * 201, "q"),
        ("/photos?described=1", "described"),
        ("/photos?subfolders=yes", "subfolders"),
        ("/photos?taken_from=2019", "taken_from"),
        ("/photos?taken_from=2019-02-29", "taken_from"),
        ("/photos?taken_to=2019-07-05T10:00:00", "taken_to"),
        ("/photos?taken_to=2019-07-05T10:00:00+02:00", "taken_to"),
        ("/photos?taken_to=0000-01-01", "taken_to"),
        ("/photos?rating_min=6", "rating_min"),
        ("/photos?keyword=" + "x" * 251, "keyword"),
        ("/photos?media_type=jpeg", "media_type"),
        ("/photos?sort=size", "sort"),
        ("/photos?order=up", "order"),
        ("/photos?fields=", "fields"),
        ("/photos?fields=id,,etag", "fields"),
        ("/photos?fields=name", "fields"),
        ("/photos?cursor=", "cursor"),
        ("/photos?cursor=AAAAAAAAAAAAAAAAAAAAAAAA", "cursor"),
        ("/photos?cursor=AAAAAAAAAAAAAAAAA", "cursor"),
        ("/photos?cursor=AAAAAAAAAAAAAAAA%2B%2F%3D", "cursor"),
        ("/photos?folder=a&folder=b", "folder"),
        ("/folders?depth=-1", "depth"),
        ("/folders?limit=1001", "limit"),
        ("/keywords?limit=0", "limit"),
        ("/keywords?described=maybe", "described"),
        ("/timeline?limit=2001", "limit"),
        ("/timeline?month=1", "month"),
    ],
)
async def test_wrong_parameters_are_named(client, path, where):
    """422 says which parameter is wrong."""
    answer = await client.get(URL(path, encoded=True))
    assert answer.status == 422
    said = payloads.ValidationErrorResponse.model_validate_json(await answer.read())
    assert said.detail[0].loc == ["query", where]


@pytest.mark.parametrize(
    "other",
    [
        {"sort": "taken_at"},
        {"order": "desc"},
        {"q": "img"},
        {"described": "true"},
        {"folder": ""},
        {"offset": "0"},
    ],
)
async def test_a_cursor_of_other_parameters_is_refused(client, many, other):
    """422: it would give a page of another list."""
    cursor = (await ask(client, "/photos", limit="2"))["next"]
    said = await ask(client, "/photos", 422, cursor=cursor, **other)
    assert said["detail"][0]["loc"] in (["query", "cursor"], ["query", "offset"])
    assert (await ask(client, "/photos", limit="9", fields="id", cursor=cursor))["offset"] == 2


def test_a_forged_cursor_is_refused():
    """Every change of a cursor's characters makes it one of no list."""
    query = PhotoQuery(filter=PhotoFilter(folder="å"))
    cursor = encode_cursor(query, "å/1.jpg\0id".encode())
    assert decode_cursor(query, cursor) == "å/1.jpg\0id".encode()
    for place, character in enumerate(cursor[:-1]):
        forged = cursor[:place] + ("A" if character != "A" else "B") + cursor[place + 1 :]
        assert decode_cursor(query, forged) is None
    assert decode_cursor(PhotoQuery(), cursor) is None


@pytest.mark.parametrize("cursor", ["", "zzz", "a" * 40, "?" * 40])
async def test_a_cursor_that_nobody_gave_is_told_what_to_do(client, many, cursor):
    """Whatever is wrong with it, the sentence says to start without."""
    answer = await client.get("/photos", params={"cursor": cursor})
    assert answer.status == 422
    problem = (await answer.json())["detail"][0]
    assert problem["loc"] == ["query", "cursor"]
    assert problem["msg"].endswith("start without")


async def test_folders(client, many):
    """The tree with its counts, or a part of it, of all photos or some."""
    tree = await ask(client, "/folders")
    finding_payloads.FolderListResponse.model_validate(tree, extra="forbid")
    counts = [(f["folder"], f["photos"], f["photos_below"]) for f in tree["items"]]
    assert counts == [
        ("", 0, 12),
        ("1970", 2, 4), ("1970/oslo", 2, 2),
        ("1971", 2, 4), ("1971/oslo", 2, 2),
        ("1972", 2, 4), ("1972/oslo", 2, 2),
    ]  # fmt: skip
    top = await ask(client, "/folders", depth="1", limit="2", offset="1")
    assert [f["folder"] for f in top["items"]] == ["1970", "1971"]
    assert top["total"] == 4
    some = await ask(client, "/folders", folder="1971", described="true")
    assert [(f["folder"], f["photos"], f["photos_below"]) for f in some["items"]] == [
        ("1971", 0, 2), ("1971/oslo", 2, 2),
    ]  # fmt: skip
    assert (await ask(client, "/folders", folder="none"))["items"] == []


async def test_keywords(client, many):
    """Spelled as most photos do, the most frequent first; by prefix, and of some photos."""
    said = await ask(client, "/keywords")
    finding_payloads.KeywordListResponse.model_validate(said, extra="forbid")
    assert said["items"] == [{"keyword": "family", "photos": 12}, {"keyword": "Oslo", "photos": 4}]
    assert (await ask(client, "/keywords", q="ÓS"))["items"] == said["items"][1:]
    assert (await ask(client, "/keywords", limit="1", offset="1"))["items"] == said["items"][1:]
    some = await ask(client, "/keywords", keyword="oslo")
    assert some["items"] == [{"keyword": "Family", "photos": 4}, {"keyword": "Oslo", "photos": 4}]


async def test_timeline(client, many):
    """Months with photos, those without a date apart."""
    said = await ask(client, "/timeline")
    finding_payloads.TimelineResponse.model_validate(said, extra="forbid")
    assert (said["undated"], said["total"], said["items"][0]) == (
        3, 9, {"month": "1971-07", "photos": 1},
    )  # fmt: skip
    some = await ask(client, "/timeline", rating_min="5", limit="1")
    assert (some["undated"], some["total"], len(some["items"])) == (0, 2, 1)


@pytest.mark.parametrize("path", ["/photos?q=img", "/photos", "/folders", "/keywords", "/timeline"])
async def test_a_list_that_did_not_change_is_not_sent_again(client, many, path):
    """304 to its weak tag, until any photo changes."""
    answer = await client.get(path)
    tag = answer.headers["ETag"]
    assert tag.startswith('W/"')
    again = await client.get(path, headers={"If-None-Match": f'"x", {tag}'})
    assert (again.status, await again.read()) == (304, b"")
    assert again.headers["ETag"] == tag
    many.add("new.jpg")
    changed = await client.get(path, headers={"If-None-Match": tag})
    assert changed.status == 200
    assert changed.headers["ETag"] != tag


def test_photos_of_a_part_have_what_photos_have():
    """The document says of `fields` what it says of photos, but that nothing has to be there."""
    part = finding_payloads.PhotoPart.model_json_schema()
    assert "required" not in part
    assert set(part["properties"]) == set(MEMBERS) == set(photo_of("a").__struct_fields__)


def test_every_parameter_makes_a_condition():
    """No parameter of a search is taken and then passed over."""
    asked = {
        "folder": "1970",
        "subfolders": "false",
        "described": "true",
        "taken_from": "1970-01-01",
        "taken_to": "1980-01-01",
        "rating_min": "3",
        "keyword": "oslo",
        "media_type": "image/png",
        "q": "grandma",
    }
    assert set(asked) == set(SearchQuery.model_fields)
    for name, value in asked.items():
        assert SearchQuery.model_validate({name: value}).searched() != PhotoFilter()
