"""How schemathesis logs in, walks and looks: loaded by its configuration, in its own process."""

import itertools
import json
import os
from functools import cache
from http.client import HTTPConnection
from urllib.parse import urlsplit

import jsonschema_rs
import schemathesis
from schemathesis.core import NotSet
from schemathesis.generation.meta import TestPhase

ANOTHER_ADDRESS = "127.0.0.2"
"""Logins are limited per address, and the one that the requests come from guesses passwords."""

_number = itertools.count()


def _key(case, context):
    """Which login a request uses: the one of all, but to log out it is one of its own."""
    return next(_number) if case.path == "/logout" else "shared"


def _ask(method, path, body=None, token=None):
    """The JSON of an answer, asked for from the other address."""
    server = urlsplit(os.environ["API_URL"])
    connection = HTTPConnection(
        server.hostname, server.port, timeout=10, source_address=(ANOTHER_ADDRESS, 0)
    )
    headers = {"Content-Type": "application/json"} if body else {"Authorization": f"Bearer {token}"}
    connection.request(method, path, json.dumps(body) if body else None, headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    return json.load(answer)


def _log_in():
    """A new access token."""
    password = os.environ["BACKEND_PASSWORD"]
    return _ask("POST", "/login", {"password": password})["access_token"]


@cache
def _photo():
    """The id of a photo that is there."""
    return _ask("GET", "/photos?limit=1", token=_log_in())["items"][0]["id"]


@schemathesis.auth(cache_by_key=_key)
class PasswordLogin:
    """Bearer tokens of ``POST /login``."""

    def get(self, case, context):  # noqa: ARG002 - as the tool calls it
        """A new access token."""
        return _log_in()

    def set(self, case, data, context):  # noqa: ARG002 - as the tool calls it
        """Put the token where it belongs."""
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(context, case, kwargs):
    """Send what is good in each part so that it is good as a whole, where no schema can say how."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.path == "/photos" and case.meta.phase.name == TestPhase.STATEFUL:
        # What is not there cannot be followed: links start from a page with photos on it.
        case.query = {name: case.query[name] for name in ("limit",) if name in (case.query or {})}
    elif "photo_id" in (case.path_parameters or {}) and next(_number) % 2:
        if case.meta.phase.name != TestPhase.STATEFUL:
            case.path_parameters["photo_id"] = _photo()  # every other time one that is there
    elif case.path == "/photos" and case.query:
        case.query.pop("cursor", None)  # only the server makes one, for the same query
    elif case.path == "/refresh" and isinstance(case.body, NotSet):
        case.headers["Accept-Session"] = "cookie"  # the token is in a cookie, or in the body


@schemathesis.check
def each_change_is_judged_as_documented(ctx, response, case):
    """Of many changes those are refused as invalid that the schema of a change refuses."""
    if (case.path, case.method, response.status_code) != ("/photos/metadata", "PATCH", 200):
        return
    document = case.operation.schema.raw_schema
    change = document | {"$ref": "#/components/schemas/PhotoChange"}
    validator = jsonschema_rs.Draft202012Validator(change, validate_formats=True)
    sent = json.loads(response.request.body)["changes"]
    for one, result in zip(sent, response.json()["results"], strict=True):
        valid = validator.is_valid(one)
        assert (result["status"] != 422) == valid, f"{one} is {valid=}, and the answer is {result}"
