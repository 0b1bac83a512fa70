"""The OpenAPI document, and the page made of it."""

import base64
import hashlib
import json
import re

import pytest

from tagline.api import ALL_OPERATIONS, payloads
from tagline.api.errors import TABLE
from tagline.api.openapi import make_document
from tagline.api.operations import Access
from tagline.api.refusal_table import REFUSALS

DOCUMENT = make_document(ALL_OPERATIONS, "1.2.3")
OPERATIONS = {
    (path, method): operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def walk(value):
    """Every object inside a JSON value."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from walk(item)


def resolve(reference):
    """What a reference inside the document points at."""
    found = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


async def test_the_document_is_served_to_everybody(anonymous):
    """As JSON, with a tag that saves sending it again."""
    response = await anonymous.get("/openapi.json")
    assert response.status == 200
    assert await response.json() == json.loads(json.dumps(DOCUMENT))
    headers = {"If-None-Match": response.headers["ETag"]}
    assert (await anonymous.get("/openapi.json", headers=headers)).status == 304


def test_every_reference_leads_somewhere():
    """No reference is broken."""
    references = [o["$ref"] for o in walk(DOCUMENT) if "$ref" in o]
    assert references
    assert all(resolve(reference) for reference in references)


def test_no_schema_is_left_unused():
    """Every schema and header is referred to."""
    used = {o["$ref"] for o in walk(DOCUMENT) if "$ref" in o}
    for kind in ("schemas", "headers"):
        for name in DOCUMENT["components"][kind]:
            assert f"#/components/{kind}/{name}" in used, name


def test_the_schemas_bear_the_names_of_the_design():
    """Client authors meet the names that the design promises."""
    assert {
        "LoginRequest", "LoginResponse", "RefreshRequest", "RefreshResponse", "LogoutRequest",
        "PhotoListResponse", "Photo", "PhotoMetadata", "Gps", "DescriptionSource",
        "UpdateMetadataRequest", "RescanResponse", "RescanProgress", "HealthResponse",
        "ErrorResponse", "ValidationErrorResponse",
    } <= set(DOCUMENT["components"]["schemas"])  # fmt: skip


@pytest.mark.parametrize("key", OPERATIONS, ids=lambda k: f"{k[1]} {k[0]}")
def test_every_operation_is_described(key):
    """Summary, description, tag, answers, parameters that stand in the path, and body."""
    operation = OPERATIONS[key]
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"][0] in {tag["name"] for tag in DOCUMENT["tags"]}
    in_path = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
    assert in_path == set(re.findall(r"\{(\w+)\}", key[0]))
    for parameter in operation["parameters"]:
        assert parameter["description"]
        assert "null" not in json.dumps(parameter["schema"])
        assert parameter["required"] == (parameter["in"] == "path")
    for status, response in operation["responses"].items():
        assert 200 <= int(status) < 600
        assert response["description"]
        assert "X-Request-ID" in response["headers"]
        if int(status) >= 400 and key[1] != "head":
            assert "application/json" in response["content"]
    assert "500" in operation["responses"]


def test_operation_ids_are_unique():
    """Client generators name functions after them."""
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(ids) == len(set(ids))


def test_security_is_as_enforced():
    """What demands a token says so by the default of the whole document; open ones by none."""
    assert DOCUMENT["security"] == [{"bearer": []}]
    for operation in ALL_OPERATIONS:
        said = OPERATIONS[operation.path, operation.method.lower()]
        expected = {Access.TOKEN: None, Access.OPEN: [], Access.OWN_CHECK: [{"bearer": []}, {}]}
        assert said.get("security") == expected[operation.access]
        assert ("401" in said["responses"]) == (
            operation.access is not Access.OPEN or 401 in operation.refusals
        )


def test_head_goes_with_every_get():
    """HEAD is described wherever GET is, without bodies."""
    for path, methods in DOCUMENT["paths"].items():
        assert ("get" in methods) == ("head" in methods), path
        for response in methods.get("head", {}).get("responses", {}).values():
            assert "content" not in response


def test_examples_are_valid_by_their_own_models():
    """What the document shows as an example would be accepted or answered."""
    for name in dir(payloads):
        model = getattr(payloads, name)
        if isinstance(model, type) and issubclass(model, payloads.BaseModel):
            for field, info in model.model_fields.items():
                for example in info.examples or ():
                    model.__pydantic_validator__.validate_assignment(
                        model.model_construct(), field, example
                    )


def test_every_error_status_of_the_table_is_documented():
    """The table of answers and the table of meanings know the same statuses."""
    assert {row.status for row in TABLE.values()} <= set(REFUSALS)


async def test_the_page_stands_alone(anonymous):
    """Every operation on one page; no script, no outside address, its style allowed by hash."""
    response = await anonymous.get("/docs")
    assert response.status == 200
    assert response.content_type == "text/html"
    html = await response.text()
    for operation in ALL_OPERATIONS:
        assert f'id="{operation.name}"' in html
    assert "<script" not in html
    assert not re.search(r'(src|href)="(?!#|openapi\.json")', html)
    style = re.search("<style>(.*?)</style>", html, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = response.headers["Content-Security-Policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
