"""What the document says that a request may hold is what the server takes, both ways."""

import itertools
import json
import re
import unicodedata
from urllib.parse import quote

import pytest

from tagline.api import ALL_OPERATIONS
from tagline.api.openapi import make_document
from tagline.auth import NAME_PATTERN
from tagline.auth.api_tokens import fit_name
from tagline.errors import InvalidValue
from tests.api.real_library import picture

DOCUMENT = make_document(ALL_OPERATIONS, "1")
LIMITS = (1, 64, 100, 200, 250, 1_000, 4_096, 8_000)
MOMENTS = [
    "2019-07-05", "2019-07-05T10:00:00", "2019-07-05T10:00:00Z", "2019-07-05t10:00:00z",
    "2019-07-05T10:00:00+02:00", "2019-07-05T10:00:00.123456Z", "2019-07-05T10:00:00.1234567Z",
    "2019-07-05T10:00:00.Z", "2019-07-05T10:00:60Z", "2019-07-05T24:00:00Z", "2019-07-05T10:00Z",
    "2019-07-05 10:00:00Z", "2019-07-05T10:00:00+24:00", "2019-07-05T10:00:00+0200",
    "2019-07-05T10:00:00-23:59", "2019-7-5T10:00:00Z", "2019-13-01T10:00:00Z",
    "2019-02-29T10:00:00Z", "2020-02-29T10:00:00Z", "1900-02-29T10:00:00Z", "2000-02-29T10:00:00Z",
    "0000-02-29T10:00:00Z", "0004-02-29T10:00:00Z", "2019-04-31T10:00:00Z", "2020-02-30T10:00:00Z",
    "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
    "2019-02-29", "2020-02-29", "0000-01-01", "9999-12-31",
    "\uff12\uff10\uff11\uff19-07-05T10:00:00Z",
    "2019-07-05T10:00:00Z\n",
]  # fmt: skip
IDS = [
    "0b5ef24b-6d1c-5b0e-9d0a-5c8b7a0f6c11", "0B5EF24B-6D1C-5B0E-9D0A-5C8B7A0F6C11",
    "0b5ef24b6d1c5b0e9d0a5c8b7a0f6c11", "{0b5ef24b-6d1c-5b0e-9d0a-5c8b7a0f6c11}",
    "urn:uuid:0b5ef24b-6d1c-5b0e-9d0a-5c8b7a0f6c11", "nobody",
]  # fmt: skip
TAGS = [
    "*", '"a"', 'W/"a"', '"a", "b"', '"a" ,"b"', '"a",', "a", '"a', '"a b"', '"', "**", '"a"b"',
    "W/a", '""',
]  # fmt: skip
WORDS = [
    "true", "false", "True", "1", "0", "-1", "+1", "1.0", "1e1", "007", "1_0", "5", "6", "32",
    "2048", "2049", "500", "501", "9007199254740991", "9007199254740992", "9" * 5000, "asc",
    "object_key", "read", "write", "token", "cookie", "image/*", "image/jpeg", "image", "id",
    "id,etag", "id,", "colour", "A" * 16, "A" * 15,
]  # fmt: skip
CHARACTERS = [
    chr(c)
    for c in (
        0, 1, 9, 10, 0x1B, 0x1C, 0x1F, 0x20, 0x7F, 0x85, 0xA0, 0xAD, 0xE9, 0x301, 0x180E, 0x2000,
        0x200B, 0x2028, 0x202E, 0x2060, 0x3000, 0xE000, 0xFE0F, 0xFEFF, 0xFFFE, 0x1F4BE, 0xE0001,
    )
]  # fmt: skip
TEXTS = [
    "", *MOMENTS, *IDS, *TAGS, *WORDS, *CHARACTERS,
    *(f"a{c}" for c in CHARACTERS), *(f"a{c}b" for c in CHARACTERS),
    *("a" * (limit + more) for limit in LIMITS for more in (0, 1)),
    *("💾" * (limit + more) for limit in (100, 250, 1_000) for more in (0, 1)),
]  # fmt: skip
LONG = ["a" * 10_000, "a" * 10_001, "💾" * 10_000, "💾" * 10_001]
NUMBERS = [0, 1, -1, 4.0, 4.5, 5, 6, -0.0, 1e300, 10**20, 315_360_000, 315_360_001, 60.0]
LISTS = [
    [], ["a"], ["a", "a"], ["a", " a"], ["a", "A"], [""], [" "], ["\0"], ["a\0"], [1], [None],
    ["\u00a0"], ["\u200b"], ["a" * 250], ["a" * 251], [str(n) for n in range(1_000)],
    [str(n) for n in range(1_001)],
]  # fmt: skip
OTHERS = [None, True, False, {}, {"a": 1}]


def resolved(schema) -> dict:
    """A schema without the reference that it may be."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return DOCUMENT["components"]["schemas"][name] if name else schema


KINDS = {
    "string": lambda value: isinstance(value, str),
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "integer": lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
    ),
}
RULES = {
    "type": lambda value, kind: KINDS[kind](value),
    "enum": lambda value, words: value in words,
    "const": lambda value, word: value == word,
    "pattern": lambda value, pattern: matches(value, pattern),  # noqa: PLW0108 - defined below
    "minLength": lambda value, least: len(value) >= least,
    "maxLength": lambda value, most: len(value) <= most,
    "minimum": lambda value, least: value >= least,
    "maximum": lambda value, most: value <= most,
    "maxItems": lambda value, most: len(value) <= most,
    "uniqueItems": lambda value, _: all(a != b for a, b in itertools.combinations(value, 2)),
    "items": lambda value, schema: all(fits(each, schema) for each in value),
}
SAID_OTHERWISE = {"anyOf", "default", "description", "examples", "format", "title"}
"""Of these ``format`` alone judges anything, and a pattern stands beside it that says the same."""


def matches(text: str, pattern: str) -> bool:
    """Whether the whole text is as an anchored pattern says: ``$`` is the very end (ECMA-262)."""
    assert pattern.startswith("^")
    assert pattern.endswith("$")
    return re.fullmatch(pattern[1:-1], text) is not None


def fits(value, schema) -> bool:
    """Whether a value is as a schema says, by the words of JSON Schema that the document uses."""
    schema = resolved(schema)
    if "anyOf" in schema and not any(fits(value, each) for each in schema["anyOf"]):
        return False
    assert set(schema) - SAID_OTHERWISE <= set(RULES), schema
    assert ("format" not in schema) or "pattern" in schema
    return all(RULES[rule](value, schema[rule]) for rule in RULES if rule in schema)


def shown(value) -> str:
    """A value in short, for the message of a failure."""
    return repr(value)[:60]


BODIES = {
    "login": {"password": "x"},
    "refresh": {"refresh_token": "x"},
    "logout": {"refresh_token": "x"},
    "create_token": {"name": "x", "scope": "read"},
    "update_metadata": {},
    "restore_change": {},
}
"""A body of each operation that takes one object, with what it must have."""
VALUES = [*TEXTS, *LONG, *NUMBERS, *LISTS, *OTHERS]


def schema_of_body(operation) -> dict:
    """The members that an operation's body may have, as the document has them."""
    said = DOCUMENT["paths"][operation.path][operation.method.lower()]
    return resolved(said["requestBody"]["content"]["application/json"]["schema"])["properties"]


@pytest.fixture
async def world(make_world):
    """A library with one photo."""
    return await make_world({"a.jpg": picture(1)})


MEMBERS = [
    pytest.param(operation, member, schema, id=f"{operation.name}-{member}")
    for operation in ALL_OPERATIONS
    if operation.name in BODIES
    for member, schema in schema_of_body(operation).items()
]


@pytest.mark.parametrize(("operation", "member", "schema"), MEMBERS)
async def test_a_body_is_judged_as_documented(world, operation, member, schema):
    """Whatever a member of a body is, it is refused with its place where the schema refuses it."""
    photo = (await world.by_key())["a.jpg"]["id"]
    path = operation.path.format(photo_id=photo, n=1)
    for value in VALUES:
        body = BODIES[operation.name] | {member: value}
        answer = await world.client.request(operation.method, path, json=body)
        assert answer.status < 500
        assert (answer.status != 422) == fits(value, schema), shown(value)
        if answer.status == 422:
            assert (await answer.json())["detail"][0]["loc"][:2] == ["body", member]


CHANGE = DOCUMENT["components"]["schemas"]["PhotoChange"]["properties"]


@pytest.mark.parametrize("member", CHANGE)
async def test_each_of_many_changes_is_judged_as_documented(world, member):
    """The result of a change is 422 exactly where the schema of a change refuses it."""
    photo = (await world.by_key())["a.jpg"]["id"]
    changes = [{"id": photo, "if_match": "stale", member: value} for value in VALUES]
    for part in (changes[i : i + 100] for i in range(0, len(changes), 100)):
        for change, result in zip(part, await world.edit_many(*part), strict=True):
            fit = fits(change[member], CHANGE[member])
            assert (result["status"] != 422) == fit, shown(change[member])


def parameters(place: str) -> list:
    """Every parameter of a place, once for all operations that say the same of it."""
    found = {
        json.dumps([parameter["name"], parameter["schema"]]): (operation, parameter)
        for operation in ALL_OPERATIONS
        if operation.name != "get_events"  # whose answer does not end
        for parameter in DOCUMENT["paths"][operation.path][operation.method.lower()]["parameters"]
        if parameter["in"] == place
    }
    return [
        pytest.param(operation, parameter, id=f"{operation.name}-{parameter['name']}")
        for operation, parameter in found.values()
    ]


def parsed(text: str, schema):
    """A parameter as its schema means it: a number or a truth where it can be one."""
    kind = schema.get("type")
    if kind == "integer" and re.fullmatch("-?[0-9]{1,4000}", text):
        return int(text)
    return {"true": True, "false": False}.get(text, text) if kind == "boolean" else text


LONGEST_ADDRESS = 8_000
"""What is longer is 431."""
ONE_WAY = {"cursor"}
"""What must be as the schema says, and is judged by more: only the server makes one."""


@pytest.mark.parametrize(("operation", "parameter"), parameters("query"))
async def test_a_parameter_is_judged_as_documented(world, operation, parameter):
    """Whatever a parameter of the query is, 422 tells its place where the schema refuses it."""
    photo, name = (await world.by_key())["a.jpg"]["id"], parameter["name"]
    path = operation.path.format(photo_id=photo)
    for text in (text for text in TEXTS if len(quote(text)) <= LONGEST_ADDRESS):
        answer = await world.client.request(operation.method, path, params={name: text})
        fit = fits(parsed(text, parameter["schema"]), parameter["schema"])
        assert answer.status < 500
        if fit and name in ONE_WAY:
            continue
        assert (answer.status != 422) == fit, (name, shown(text))


@pytest.mark.parametrize(("operation", "parameter"), parameters("header"))
async def test_a_header_is_judged_as_documented(world, operation, parameter):
    """A header that means something is refused where the schema refuses it, or never."""
    photo, name = (await world.by_key())["a.jpg"]["id"], parameter["name"]
    path = operation.path.format(photo_id=photo, n=1)
    body = {"json": BODIES[operation.name]} if operation.name in BODIES else {}
    for text in (text for text in TEXTS if len(text) <= 4_096 and text.isascii()):
        if not text.isprintable() or text != text.strip():
            continue  # HTTP itself has no such values, or cuts them (RFC 9110, 5.5)
        headers = {name: text}
        answer = await world.client.request(operation.method, path, headers=headers, **body)
        assert answer.status < 500
        assert (answer.status != 422) == fits(text, parameter["schema"]), (name, shown(text))


async def test_lone_surrogates_are_no_text_anywhere(world):
    """JSON can write them, and no schema can say so: each text of a body refuses them."""
    photo = (await world.by_key())["a.jpg"]["id"]
    for name, member in (
        ("login", "password"), ("create_token", "name"), ("update_metadata", "description"),
        ("update_metadata", "title"), ("update_metadata", "taken_at"),
        ("update_metadata", "last_modified"), ("refresh", "refresh_token"),
    ):  # fmt: skip
        operation = next(each for each in ALL_OPERATIONS if each.name == name)
        body = json.dumps(BODIES[name] | {member: "a\ud800"})
        path = operation.path.format(photo_id=photo)
        kind = {"Content-Type": "application/json"}
        answer = await world.client.request(operation.method, path, data=body, headers=kind)
        assert answer.status == 422, name


def test_any_character_of_a_name_is_judged_as_documented():
    """Alone, at the end and inside: every one of the first 65,536, but for lone surrogates."""
    for code in (*range(0xD800), *range(0xE000, 0x10000)):
        for name in (chr(code), f"a{chr(code)}", f"a{chr(code)}b"):
            try:
                taken = fit_name(name) != ""
            except InvalidValue:
                taken = False
            assert taken == matches(name, NAME_PATTERN), hex(code)


def test_what_cannot_be_seen_is_in_no_name():
    """Controls, invisible formats and private use of the first 65,536 characters, by Unicode."""
    for code in (*range(0xD800), *range(0xE000, 0x10000)):
        if unicodedata.category(chr(code)) in {"Cc", "Cf", "Co", "Zl", "Zp"}:
            assert not matches(f"a{chr(code)}b", NAME_PATTERN), hex(code)
