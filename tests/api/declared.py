"""Answers as they come, held against what the OpenAPI document declares for them."""

import json
import re

import aiohttp

from tagline.api.errors import TABLE
from tagline.api.keys import DESCRIBED

OF_EVERY_MESSAGE = frozenset(
    {
        "connection", "content-encoding", "content-length", "content-security-policy",
        "content-type", "cross-origin-resource-policy", "date", "referrer-policy", "server",
        "transfer-encoding", "vary", "x-accel-buffering", "x-content-type-options",
    }
)  # fmt: skip
"""Headers of HTTP itself and for the safety of browsers: no client of this API acts on them."""
NOT_ALWAYS = frozenset({"last-modified", "link", "preference-applied", "set-cookie", "vary"})
"""Declared headers of a success that are left out where there is nothing to say."""
OF_NO_OPERATION = frozenset({405})
"""What no operation answers: the address has none of this method."""
MANY = "/photos/metadata"


def faults_of(document, method: str, path: str, status: int, headers) -> list[str]:
    """What is undeclared, or declared and missing, about an answer to an address."""
    declared = _declared(document, method.lower(), path)
    if declared is None or (status in OF_NO_OPERATION and str(status) not in declared):
        return []
    if str(status) not in declared:
        return [f"{method} {path}: {status} is not declared"]
    named = {name.lower() for name in declared[str(status)].get("headers", ())}
    sent = {name.lower() for name in headers if not name.lower().startswith("access-control-")}
    undeclared = sent - named - OF_EVERY_MESSAGE
    missing = named - sent - NOT_ALWAYS if status < 400 else set()
    where = f"{method} {path}: {status}"
    return [f"{where} has {name}, undeclared" for name in sorted(undeclared)] + [
        f"{where} lacks {name}" for name in sorted(missing)
    ]


def faults_of_error(document, method: str, path: str, answer, body) -> list[str]:
    """What is wrong with the type of an error: it is not listed, or its headers are not there."""
    said, where = body.get("type"), f"{method} {path}: {answer.status}"
    declared = (_declared(document, method.lower(), path) or {}).get(str(answer.status))
    listed = types_in(declared) if declared else {row.type for row in TABLE.values()}
    if said is None and answer.status == 503 and "status" in body:
        return []  # how the server is, which is no error
    if said not in listed:
        return [f"{where} has the type {said}, not listed"]
    wanted = {name for row in TABLE.values() if row.type == said for name in row.headers}
    return [f"{where} ({said}) lacks {name}" for name in wanted - set(answer.headers)]


def types_in(response) -> set[str]:
    """The types of errors that one declared answer lists."""
    schema = response["content"]["application/json"]["schema"]
    narrowed = (each.get("properties", {}) for each in schema.get("anyOf", [schema]))
    return {word for each in narrowed for word in each.get("type", {}).get("enum", ())}


def faults_of_results(document, results) -> list[str]:
    """What is wrong with the types of the results of many changes."""
    listed = document["components"]["schemas"]["ChangeResult"]["properties"]["type"]["enum"]
    refused = [each for each in results if each["status"] >= 400]
    odd = [each for each in results if each["status"] < 400 and "type" in each]
    return [f"{MANY}: a result has {each.get('type')}, not listed" for each in odd] + [
        f"{MANY}: a result has the type {each.get('type')}, not listed"
        for each in refused
        if each.get("type") not in listed
    ]


def _declared(document, method: str, path: str):
    """The answers that are declared for an address; None where there is no such operation."""
    base = document["servers"][0]["url"].rstrip("/")
    if not path.startswith(f"{base}/"):
        return None
    below = path.removeprefix(base)
    for template in sorted(document["paths"], key=lambda path: path.count("{")):
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), below):
            return document["paths"][template].get(method, {}).get("responses")
    return None


def watching(app, faults: list[str]) -> aiohttp.TraceConfig:
    """What makes a client note the faults of every answer that an application gives it."""
    document = json.loads(app[DESCRIBED]().document)

    async def note(session, context, told):
        path, answer = told.url.raw_path, told.response
        faults.extend(faults_of(document, told.method, path, answer.status, answer.headers))
        if told.method == "HEAD":
            return
        if answer.status >= 400:
            error = json.loads(await answer.read())
            faults.extend(faults_of_error(document, told.method, path, answer, error))
        elif (told.method, path) == ("PATCH", MANY):
            faults.extend(faults_of_results(document, json.loads(await answer.read())["results"]))

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(note)
    return trace
