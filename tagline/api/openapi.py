"""The OpenAPI 3.1 document, made of the operations' declarations and nothing else."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from tagline.api.headers import COMMON_HEADERS, HEADERS
from tagline.api.inputs import BodyInput, HeaderInput, PathInput, QueryInput
from tagline.api.links import LINKS
from tagline.api.operations import Answer, Input, Operation
from tagline.api.refusal_table import BODIES, Refusal, refusals_of
from tagline.api.security import SECURITY_SCHEMES, security_of

Document = dict[str, Any]
Key = tuple[type[BaseModel], JsonSchemaMode]

_ABOUT = """\
Tagline serves a directory of photos, and writes descriptions back where every other photo program
finds them.

Log in with `POST /login`, and send the access token as `Authorization: Bearer …` with every other
request. Scripts send an API token the same way (`POST /tokens`); web pages let the browser send
cookies (`Accept-Session: cookie`).

Every error is JSON with a `type`, a stable word for programs, and a `detail`: a sentence that says
what to do, or (422) a list of what is wrong. Each operation lists its types by status; later
versions may add some. Every answer carries `X-Request-ID`, which the server's log names as well;
send your own to follow a request through. `HEAD` works wherever `GET` does, `OPTIONS` everywhere.
Long JSON is sent compressed to who accepts gzip; conditions may name the entity tag of either form.
"""

_TAGS = {
    "Sessions": "Logging in and out.",
    "API tokens": "What scripts send instead of logging in.",
    "Photos": "Finding photos, describing them, getting the originals.",
    "History": "What was done to a photo, and undoing it.",
    "Pictures": "Renderings that every browser shows, upright and small.",
    "Events": "Being told what happens.",
    "Upkeep": "Looking after the server.",
    "Documentation": "This API about itself.",
}


def servers(base_path: str) -> list[Document]:
    """The one server: this, below a path."""
    return [{"url": base_path or "/"}]


def make_document(operations: Sequence[Operation], version: str, base_path: str = "") -> Document:
    """The OpenAPI document of these operations, whose paths follow ``base_path``."""
    references, schemas = _schemas(operations)
    paths: Document = {}
    for operation in operations:
        item = paths.setdefault(operation.path, {})
        item[operation.method.lower()] = _operation(operation, references)
        if operation.method == "GET":
            item["head"] = _head_of(item["get"])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tagline",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": servers(base_path),
        "tags": [{"name": name, "description": says} for name, says in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "headers": HEADERS,
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def _schemas(operations: Iterable[Operation]) -> tuple[dict[Key, Document], Document]:
    """Where each model's schema stands, and the schemas."""
    keys: set[Key] = {(body, "serialization") for body in BODIES}
    for operation in operations:
        for answer in operation.answers:
            models = (*answer.body, *answer.events.values())
            keys.update((model, "serialization") for model in models)
        if body := operation.input(BodyInput):
            keys.add((body.model, "validation"))
    ordered = sorted(keys, key=lambda key: key[0].__name__)
    references, made = models_json_schema(ordered, ref_template="#/components/schemas/{model}")
    return {key: references[key] for key in ordered}, made.get("$defs", {})


def _operation(operation: Operation, references: dict[Key, Document]) -> Document:
    """One operation object."""
    summary, _, rest = operation.docstring.partition("\n\n")
    made: Document = {
        "operationId": operation.name,
        "summary": " ".join(summary.split()).removesuffix("."),
        "description": rest or summary,
        "tags": [operation.tag],
        "security": security_of(operation),
        "parameters": _parameters(operation),
        "responses": _responses(operation, references),
    }
    if body := operation.input(BodyInput):
        schema = references[body.model, "validation"]
        made["requestBody"] = {
            "required": body.required,
            "content": {"application/json": {"schema": schema}},
        }
    return made


def _parameters(operation: Operation) -> list[Document]:
    """The parameters of path, query and headers."""
    places = (("path", PathInput), ("query", QueryInput), ("header", HeaderInput))
    return [
        parameter
        for place, kind in places
        if (item := operation.input(kind)) is not None
        for parameter in _parameters_of(place, item)
    ]


def _parameters_of(place: str, item: Input) -> list[Document]:
    """The parameters of one place, by the schema of their model."""
    schema = item.model.model_json_schema(by_alias=True)
    required = schema.get("required", ())
    return [
        _parameter(place, name, property_schema, required=name in required)
        for name, property_schema in schema["properties"].items()
    ]


def _parameter(place: str, name: str, schema: Document, *, required: bool) -> Document:
    """One parameter object. A parameter is left out or it has a value: null is for JSON alone."""
    schema = dict(schema)
    says = schema.pop("description", "")
    schema.pop("title", None)
    if schema.get("default", ...) is None:
        del schema["default"]
    for choice in schema.pop("anyOf", ()):
        if choice != {"type": "null"}:
            schema |= choice
    return {
        "name": name,
        "in": place,
        "description": says,
        "required": required,
        "schema": schema,
    }


def _responses(operation: Operation, references: dict[Key, Document]) -> Document:
    """Every answer that the operation may give, by status."""
    made = {str(a.status): _answer(a, references) for a in operation.answers}
    for answer in operation.answers:
        if links := LINKS.get((operation.name, answer.status)):
            made[str(answer.status)]["links"] = links
    for status, refusal in refusals_of(operation).items():
        refused = _refusal(refusal, references)
        known = made.get(str(status))
        made[str(status)] = refused if known is None else _either(known, refused)
    return dict(sorted(made.items()))


def _refusal(refusal: Refusal, references: dict[Key, Document]) -> Document:
    """One response object of an error: its body, narrowed to the types that it may have."""
    types = {"properties": {"type": {"enum": list(refusal.types)}}}
    schema = references[refusal.body, "serialization"] | types
    return {
        "description": refusal.says,
        "headers": _headers(refusal.headers),
        "content": {"application/json": {"schema": schema}},
    }


def _either(answer: Document, refusal: Document) -> Document:
    """One response object of a status that is an answer's and an error's."""
    bodies = (each["content"]["application/json"]["schema"] for each in (answer, refusal))
    return {
        "description": f"{answer['description']} {refusal['description']}",
        "headers": answer["headers"] | refusal["headers"],
        "content": {"application/json": {"schema": {"anyOf": list(bodies)}}},
    }


def _answer(answer: Answer, references: dict[Key, Document]) -> Document:
    """One response object."""
    made: Document = {"description": answer.says, "headers": _headers(answer.headers)}
    schemas = [references[model, "serialization"] for model in answer.body]
    if schemas:
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        made["content"] = {"application/json": {"schema": schema}}
    elif answer.media_type is not None:
        made["content"] = {answer.media_type: _events(answer, references)}
    return made


def _events(answer: Answer, references: dict[Key, Document]) -> Document:
    """What one event of a stream is, for OpenAPI 3.1 has no words for the stream of them."""
    if not answer.events:
        return {}
    kinds = ((kind, references[m, "serialization"]) for kind, m in answer.events.items())
    return {"schema": {"oneOf": [_event(kind, data) for kind, data in kinds]}}


def _event(kind: str, data: Document) -> Document:
    """An event by its fields (HTML, 9.2.6), whose data is text that holds JSON."""
    content = {"type": "string", "contentMediaType": "application/json", "contentSchema": data}
    fields: Document = {"event": {"const": kind}, "data": content, "id": {"type": "string"}}
    return {
        "type": "object",
        "required": ["event", "data"],
        "properties": fields | {"retry": {"type": "integer", "minimum": 0}},
    }


def _headers(names: Iterable[str]) -> Document:
    """References to the descriptions of headers."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*names, *COMMON_HEADERS)}


_OF_BODIES = {"content", "links"}


def _head_of(get: Document) -> Document:
    """The ``HEAD`` that goes with a ``GET``: the same without bodies."""
    responses = {
        status: {name: part for name, part in response.items() if name not in _OF_BODIES}
        for status, response in get["responses"].items()
        if status != "206"
    }
    return get | {"operationId": f"head_{get['operationId']}", "responses": responses}
