"""The OpenAPI document, and the page made of it."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import get_args

import pytest

from tagline.api import (
    ALL_OPERATIONS,
    batch_payloads,
    health,
    history_payloads,
    payloads,
    probes,
)
from tagline.api.errors import row_of
from tagline.api.openapi import make_document
from tagline.api.operations import Access
from tagline.errors import IndexUnavailable, StorageUnavailable
from tagline.library import ScanState, Status
from tagline.sync import WatchMode, WatchState
from tests.api.declared import faults_of, faults_of_error, faults_of_results

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


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/login", {"password": "open sesame"}),
        ("POST", "/refresh", {"refresh_token": "refresh0.a-b_c"}),
        ("POST", "/logout", None),
        ("GET", "/photos/{id}", None),
        ("GET", "/photos/{id}/image", None),
    ],
)
async def test_what_may_be_unavailable_says_so(client, library, photo, method, path, body):
    """A disk that fails is 503, with the seconds to wait, and the document knows of it."""
    reads = method == "GET"
    library.failure = StorageUnavailable() if reads else IndexUnavailable("tokens", "no space")
    answer = await client.request(method, path.format(id=photo.id), json=body)
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    declared = OPERATIONS[path.replace("{id}", "{photo_id}"), method.lower()]
    assert "503" in declared["responses"]


def test_what_is_not_declared_is_found():
    """The check behind every test of this directory notices each kind of fault."""
    right = {"Cache-Control": "no-store", "X-Request-ID": "x", "ETag": '"x"', "Date": "today"}
    same = {name: value for name, value in right.items() if name != "ETag"}
    path = f"/photos/{payloads.ID_EXAMPLE}"
    assert faults_of(DOCUMENT, "GET", path, 304, right) == []
    assert faults_of(DOCUMENT, "GET", path, 304, same) == [f"GET {path}: 304 lacks etag"]
    odd = faults_of(DOCUMENT, "HEAD", path, 304, right | {"Location": "/"})
    assert odd == [f"HEAD {path}: 304 has location, undeclared"]
    assert faults_of(DOCUMENT, "GET", path, 507, right) == [f"GET {path}: 507 is not declared"]
    busy = SimpleNamespace(status=503, headers={"Retry-After": "1"})
    assert faults_of_error(DOCUMENT, "GET", path, busy, {"type": "storage_unavailable"}) == []
    for word in ("storage_full", None):
        (fault,) = faults_of_error(DOCUMENT, "GET", path, busy, {"type": word})
        assert fault == f"GET {path}: 503 has the type {word}, not listed"
    at_once = SimpleNamespace(status=503, headers={})
    (fault,) = faults_of_error(DOCUMENT, "GET", path, at_once, {"type": "storage_unavailable"})
    assert fault.endswith("lacks Retry-After")
    odd = [{"status": 409}, {"status": 409, "type": "storage_full"}, {"status": 409, "type": "x"}]
    assert len(faults_of_results(DOCUMENT, odd)) == 2


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
    """Each operation names what it takes: a session, an API token of a scope, a cookie, nothing."""
    bearer, cookie = {"bearer": []}, {"cookie": []}
    for operation in ALL_OPERATIONS:
        said = OPERATIONS[operation.path, operation.method.lower()]
        expected = {
            Access.TOKEN: [bearer, {"api_token": [operation.scope]}, cookie],
            Access.SESSION: [bearer, cookie],
            Access.OPEN: [],
            Access.OWN_CHECK: [bearer, cookie, {}],
        }
        assert said["security"] == expected[operation.access]
        for alternative in said["security"]:
            assert set(alternative) <= set(DOCUMENT["components"]["securitySchemes"])
        assert ("401" in said["responses"]) == (
            operation.access is not Access.OPEN
            or any(row_of(kind).status == 401 for kind in operation.refusals)
        )
        if operation.access is Access.SESSION or operation.scope == "write":
            assert "403" in said["responses"] or operation.access is Access.OPEN


def test_head_goes_with_every_get():
    """HEAD is described wherever GET is, without bodies."""
    for path, methods in DOCUMENT["paths"].items():
        assert ("get" in methods) == ("head" in methods), path
        for response in methods.get("head", {}).get("responses", {}).values():
            assert "content" not in response


def test_every_link_leads_to_an_operation():
    """The operation that a link names exists, and has the parameters that the link gives."""
    by_id = {operation["operationId"]: operation for operation in OPERATIONS.values()}
    links = [link for o in walk(DOCUMENT) for link in o.get("links", {}).values()]
    assert links
    for link in links:
        parameters = {p["name"] for p in by_id[link["operationId"]]["parameters"]}
        assert set(link["parameters"]) <= parameters


def test_examples_are_valid_by_their_own_models():
    """What the document shows as an example would be accepted or answered."""
    modules = (payloads, batch_payloads, history_payloads, health, probes)
    for model in (getattr(module, name) for module in modules for name in dir(module)):
        if isinstance(model, type) and issubclass(model, payloads.BaseModel):
            for field, info in model.model_fields.items():
                for example in info.examples or ():
                    model.__pydantic_validator__.validate_assignment(
                        model.model_construct(), field, example
                    )


def test_the_words_of_health_are_listed():
    """A monitor can see every value that it may meet; examples are among them."""
    schemas = DOCUMENT["components"]["schemas"]
    said = {
        "HealthResponse.status": get_args(Status),
        "ReadyResponse.status": get_args(Status),
        "HealthChangedEvent.status": get_args(Status),
        "WatcherHealth.mode": get_args(WatchMode),
        "WatcherHealth.state": get_args(WatchState),
        "ScanHealth.state": get_args(ScanState),
        "RescanProgress.state": get_args(ScanState),
    }
    for place, words in said.items():
        model, _, member = place.partition(".")
        declared = schemas[model]["properties"][member]
        assert tuple(declared["enum"]) == words
        assert set(declared.get("examples", ())) <= set(words)


class Page(HTMLParser):
    """What a page loads, and what stands inside it."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded, self.links, self.inline, self.handlers = [], [], [], []
        self._open = None

    def handle_starttag(self, tag, attrs):
        """Note what is loaded, linked to, or would be run in place."""
        found = dict(attrs)
        self.handlers += [name for name in found if name.startswith("on") or name == "style"]
        address = found.get("src") or found.get("href")
        if address and tag != "a":
            self.loaded.append(address)
        elif address:
            self.links.append(address)
        self._open = tag if tag in {"script", "style"} and "src" not in found else None

    def handle_data(self, data):
        """Note scripts and styles that stand in the page."""
        if self._open:
            self.inline.append((self._open, data))
            self._open = None


async def test_the_page_stands_alone(anonymous):
    """Nothing is run in place but a style allowed by hash; all that is loaded comes from here."""
    response = await anonymous.get("/docs")
    assert response.status == 200
    assert response.content_type == "text/html"
    page = Page()
    page.feed(await response.text())
    assert not page.handlers
    (kind, style), *more = page.inline
    assert (kind, more) == ("style", [])
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    rules = dict(
        rule.strip().split(" ", 1)
        for rule in response.headers["Content-Security-Policy"].split(";")
    )
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["script-src"] == rules["connect-src"] == "'self'"
    assert rules["style-src"] == f"'self' 'sha256-{digest}'"
    assert all(link.startswith("#") or link == "openapi.json" for link in page.links)
    types = {"js": "text/javascript", "css": "text/css"}
    assert {address.rpartition(".")[2] for address in page.loaded} == set(types)
    for address in page.loaded:
        assert re.fullmatch(r"docs/[\w.-]+", address)
        file = await anonymous.get(f"/{address}")
        assert file.status == 200
        assert file.content_type == types[address.rpartition(".")[2]]
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        again = {"If-None-Match": file.headers["ETag"]}
        assert (await anonymous.get(f"/{address}", headers=again)).status == 304
    assert (await anonymous.get("/docs/nothing.js")).status == 404


async def test_the_page_shows_every_operation_without_scripts(anonymous):
    """For who has scripts switched off the whole page is there."""
    html = await (await anonymous.get("/docs")).text()
    plain = html.rpartition("<noscript>")[2]
    for operation in ALL_OPERATIONS:
        assert f'id="{operation.name}"' in plain


@pytest.mark.parametrize("name", ["swagger-ui-bundle.js", "swagger-ui.css", "start.js"])
async def test_the_files_of_the_page_come_packed_or_not(anonymous, name):
    """Who does not take gzip gets the same file."""
    packed = await anonymous.get(f"/docs/{name}", headers={"Accept-Encoding": "gzip"})
    plain = await anonymous.get(f"/docs/{name}", headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert await packed.read() == await plain.read()
    assert packed.headers["ETag"] != plain.headers["ETag"]


async def test_a_name_in_a_path_is_never_taken_for_an_id(client):
    """An address that knows PATCH alone says so to who sends GET."""
    response = await client.get("/photos/metadata")
    assert response.status == 405
    assert response.headers["Allow"] == "OPTIONS, PATCH"
