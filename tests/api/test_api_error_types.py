"""The types of errors: stable words by which a program decides, without reading sentences."""

import inspect
import json
import re
from pathlib import Path

import pytest

from tagline import errors
from tagline.api import ALL_OPERATIONS, create_app, refusals
from tagline.api.errors import TABLE, row_of
from tagline.api.openapi import make_document
from tagline.api.server import ServerOptions, serving
from tests.api.declared import types_in
from tests.api.test_api_server import exchange

DOCUMENT = make_document(ALL_OPERATIONS, "1")
RESPONSES = {
    operation.name: DOCUMENT["paths"][operation.path][operation.method.lower()]["responses"]
    for operation in ALL_OPERATIONS
}
ROOTS = {errors.TaglineError, refusals.RequestRefused}
NEVER_ANSWERED = {
    errors.ConfigurationError: "ends the start",
    errors.EventsLost: "ends a stream, whose last event says `slow`",
}
RETRIED = {
    "being_written", "index_unavailable", "object_changed", "pictures_busy", "server_stopping",
    "session_refreshed", "storage_unavailable", "streams_busy", "too_many_attempts",
    "too_many_connections", "too_many_streams",
}  # fmt: skip
"""After these the same request helps, sooner or later, and without anybody's doing."""


def leaves(module) -> list[type]:
    """The errors of a module that are raised: those without any below them."""
    found = [each for _, each in inspect.getmembers(module, inspect.isclass)]
    ours = [each for each in found if issubclass(each, errors.TaglineError)]
    return [each for each in ours if not each.__subclasses__()]


@pytest.mark.parametrize("kind", leaves(errors) + leaves(refusals), ids=lambda kind: kind.__name__)
def test_every_error_has_a_row(kind):
    """None is answered as if nobody had thought of it."""
    by_default = {row_of(root).type for root in ROOTS}
    assert (row_of(kind).type in by_default) == (kind in NEVER_ANSWERED)


def test_a_type_means_one_thing():
    """One word has one status and one meaning, and is made of small letters."""
    meanings = {}
    for row in TABLE.values():
        assert re.fullmatch("[a-z]+(_[a-z]+)*", row.type)
        assert meanings.setdefault(row.type, (row.status, row.says)) == (row.status, row.says)
        assert row.says.endswith((".", "`."))


def test_what_may_be_sent_again_says_when():
    """Retry-After comes with each type after which waiting helps, and with no other."""
    assert {row.type for row in TABLE.values() if "Retry-After" in row.headers} == RETRIED


@pytest.mark.parametrize("operation", ALL_OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_lists_its_types(operation):
    """By status: each word belongs to that status, and the sentence there explains it."""
    statuses = {row.type: row.status for row in TABLE.values()}
    for status, response in RESPONSES[operation.name].items():
        if int(status) < 400:
            continue
        words = types_in(response)
        assert words
        assert {statuses[word] for word in words} == {int(status)}
        assert all(f"`{word}`: " in response["description"] for word in words)


def test_a_conflict_tells_what_to_do_by_its_type():
    """Look again, send it again later, and never: three kinds of 409, told apart by a word."""
    assert types_in(RESPONSES["update_metadata"]["409"]) == {
        "being_written", "edit_refused", "object_changed", "photo_modified",
    }  # fmt: skip
    assert types_in(RESPONSES["update_metadata"]["503"]) == {
        "index_unavailable", "storage_unavailable", "too_many_connections",
    }  # fmt: skip
    assert types_in(RESPONSES["create_token"]["409"]) == {
        "api_token_name_taken", "too_many_api_tokens",
    }  # fmt: skip


def table() -> list[str]:
    """The rows of the table for people, made of the one table."""
    rows = {row.type: row for row in TABLE.values()}
    more = {word: [*row.members, *row.headers] for word, row in rows.items()}
    return [
        f"| {row.status} | `{row.type}` | {row.says} |"
        f" {', '.join(f'`{name}`' for name in more[row.type] if name not in UNTOLD)} |"
        for row in sorted(rows.values(), key=lambda row: (row.status, row.type))
    ]


UNTOLD = {"detail", "Connection"}
"""What stands in every answer, or is none of the client's business."""


def test_the_documentation_has_the_table():
    """Row by row as the server answers; write it anew by what this test prints."""
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    rows = "\n".join(table())
    assert f"\n{rows}\n" in text, rows


async def test_what_is_refused_before_anything_else_has_a_type(library, options):
    """An expectation that nobody knows, at an address where nothing is."""
    request = b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: miracles\r\n\r\n"
    async with serving(create_app(library, options), ServerOptions(port=0)) as url:
        status, head, body = await exchange(url, request)
    assert (status, json.loads(body)["type"]) == (417, "expectation_failed")
    assert b"miracles" not in head + body


async def test_a_file_that_is_being_written_is_told_in_full(client, library, photo):
    """What was waited for, and when to try again: for one change, and inside many."""
    library.failure = errors.ObjectBusy(photo.object_key, "stillness", "Wait a little.")
    answer = await client.patch(f"/photos/{photo.id}/metadata", json={"title": "x"})
    told = {"type": "being_written", "detail": "Wait a little.", "awaited": "stillness"}
    assert (answer.status, await answer.json()) == (409, told)
    assert answer.headers["Retry-After"] == "10"
    changes = {"changes": [{"id": photo.id, "title": "x"}]}
    answer = await client.patch("/photos/metadata", json=changes)
    (result,) = (await answer.json())["results"]
    assert result == {"id": photo.id, "status": 409, **told, "retry_after": 10}


async def test_an_edit_that_never_helps_says_so(client, library, photo):
    """It has a type of its own, and the reason apart from the sentence."""
    library.failure = errors.EditRefused("the file has two Exif segments")
    answer = await client.patch(f"/photos/{photo.id}/metadata", json={"title": "x"})
    told = await answer.json()
    assert (told["type"], told["reason"]) == ("edit_refused", "the file has two Exif segments")
    assert "Retry-After" not in answer.headers
