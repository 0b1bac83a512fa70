"""Answers as they come, held against what the OpenAPI document declares for them."""

import json
import re

import aiohttp

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
OF_NO_OPERATION = frozenset({400, 405, 417})
"""What the server answers before any operation is met: no HTTP, no such method, no such wish."""


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

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(note)
    return trace
