"""Ids in paths: what is none is told so, at every address that takes one."""

import json
import re
from string import Template

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from yarl import URL

from tagline.api import ALL_OPERATIONS, create_app
from tagline.api.openapi import make_document
from tagline.api.payloads import ID_EXAMPLE
from tagline.api.photos import PhotoPath
from tagline.api.server import ServerOptions, serving
from tests.api.test_api_server import exchange

DOCUMENT = make_document(ALL_OPERATIONS, "1")
GOOD = {"photo_id": ID_EXAMPLE, "token_id": "9f86d081884c", "n": "17"}
NAMES_OF_FILES = {"name"}
"""Members of paths that are no ids: where there is no such file nothing is there."""
TAKING_IDS = [
    (operation, member)
    for operation in ALL_OPERATIONS
    for member in re.findall(r"\{(\w+)\}", operation.path)
    if member not in NAMES_OF_FILES
]
HOSTILE = {
    "a word": "nothing",
    "NUL": "%00",
    "a way up": "%2e%2e%2fetc%2fpasswd",
    "braces": "%7Bx%7D",
    "an emoji": "%F0%9F%92%BE",
    "no UTF-8": "%ff%fe",
    "half an escape": "%25%2",
    "a lone surrogate": "%ED%A0%80",
    "very long": "a" * 8000,
    "a line break": f"{ID_EXAMPLE}%0A",
    "without hyphens": ID_EXAMPLE.replace("-", ""),
    "in braces": f"%7B{ID_EXAMPLE}%7D",
    "a URN": f"urn:uuid:{ID_EXAMPLE}",
    "wide digits": "%EF%BC%91" * 12,
    "a sign": "-1",
    "a space": "%20",
}


def address(operation, **members: str) -> URL:
    """An operation's address, with these members beside good ones, as it is sent."""
    path = re.sub(r"\{(\w+)\}", r"${\1}", operation.path)
    return URL(Template(path).substitute(GOOD | members), encoded=True)


@pytest.mark.parametrize("member", sorted({member for _, member in TAKING_IDS}))
def test_every_member_of_a_path_is_known_here(member):
    """Whoever adds one decides what it may be, and says so in the document."""
    assert member in GOOD
    declared = [
        parameter["schema"]
        for methods in DOCUMENT["paths"].values()
        for operation in methods.values()
        for parameter in operation["parameters"]
        if (parameter["in"], parameter["name"]) == ("path", member)
    ]
    assert len({json.dumps(schema, sort_keys=True) for schema in declared}) == 1
    (schema, *_) = declared
    assert ("pattern" in schema) == (member != "n")
    assert (schema.get("format") == "uuid") == (member == "photo_id")
    if "pattern" in schema:
        assert re.fullmatch(schema["pattern"], GOOD[member])


@pytest.mark.parametrize("junk", HOSTILE.values(), ids=HOSTILE)
async def test_what_is_no_id_is_told_with_its_place(client, junk):
    """422 with the type and the place, whatever the operation and whichever member; HEAD too."""
    for operation, member in TAKING_IDS:
        sent = {"json": {}} if operation.method == "PATCH" else {}
        path = address(operation, **{member: junk})
        answer = await client.request(operation.method, path, **sent)
        assert answer.status == 422, (operation.name, member)
        told = await answer.json()
        assert told["type"] == "validation_error"
        assert [problem["loc"] for problem in told["detail"]] == [["path", member]]
        assert not re.search("regex|pattern", told["detail"][0]["msg"])
        if operation.method == "GET":
            assert (await client.head(path)).status == 422


async def test_ids_that_nobody_has_are_not_found(client):
    """What could be an id is looked for: 404, by its type."""
    found = {"photo_id": "photo_not_found", "token_id": "api_token_not_found"}
    for operation, member in TAKING_IDS:
        sent = {"json": {}} if operation.method == "PATCH" else {}
        answer = await client.request(operation.method, address(operation), **sent)
        if member in found and operation.name not in {"get_history", "restore_change"}:
            assert (answer.status, (await answer.json())["type"]) == (404, found[member])


async def test_an_id_longer_than_any_address_is_told_so(library, options):
    """Ten thousand characters are no request at all, and the answer is JSON as ever."""
    request = b"GET /photos/" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    async with serving(create_app(library, options), ServerOptions(port=0)) as url:
        status, _, body = await exchange(url, request)
    assert (status, json.loads(body)["type"]) == (431, "header_too_large")


@given(st.uuids(), st.sampled_from([str, lambda i: i.hex, lambda i: i.urn, lambda i: f"{{{i}}}"]))
def test_an_id_is_known_in_either_case_and_in_one_form(photo_id, written):
    """Ids are those of RFC 9562 with hyphens, in either case; other forms are none."""
    for text in (written(photo_id), written(photo_id).upper(), written(photo_id) + "\n"):
        if text.lower() == str(photo_id):
            assert PhotoPath(photo_id=text).photo_id == str(photo_id)
        else:
            with pytest.raises(ValidationError):
                PhotoPath(photo_id=text)
