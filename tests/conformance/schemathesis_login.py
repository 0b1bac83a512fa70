"""How schemathesis logs in and walks: loaded by its configuration, inside its own process."""

import itertools
import json
import os
from http.client import HTTPConnection
from urllib.parse import urlsplit

import schemathesis
from schemathesis.generation.meta import TestPhase

ANOTHER_ADDRESS = "127.0.0.2"
"""Logins are limited per address, and the one that the requests come from guesses passwords."""

_number = itertools.count()


def _key(case, context):
    """Which login a request uses: the one of all, but to log out it is one of its own."""
    return next(_number) if case.path == "/logout" else "shared"


@schemathesis.auth(cache_by_key=_key)
class PasswordLogin:
    """Bearer tokens of ``POST /login``."""

    def get(self, case, context):  # noqa: ARG002 - as the tool calls it
        """A new access token."""
        server = urlsplit(os.environ["API_URL"])
        connection = HTTPConnection(
            server.hostname, server.port, timeout=10, source_address=(ANOTHER_ADDRESS, 0)
        )
        body = json.dumps({"password": os.environ["BACKEND_PASSWORD"]})
        connection.request("POST", "/login", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        return json.load(answer)["access_token"]

    def set(self, case, data, context):  # noqa: ARG002 - as the tool calls it
        """Put the token where it belongs."""
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(context, case, kwargs):
    """Links start from a page with photos on it: what is not there cannot be followed."""
    if case.path == "/photos" and case.meta and case.meta.phase.name == TestPhase.STATEFUL:
        case.query = {name: case.query[name] for name in ("limit",) if name in (case.query or {})}
