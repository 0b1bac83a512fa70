"""What can go wrong between client and server.

ClientError
├── ApiError        the server answered with an error
└── Unreachable     no answer came, or it broke off
"""

import json
from typing import Any, cast


class ClientError(Exception):
    """The request was not answered as hoped."""


class Unreachable(ClientError):
    """No answer came, or it broke off; ``__cause__`` says why."""


class ApiError(ClientError):
    """The server answered with an error: its ``status``, ``detail``, and the whole ``body``.

    ``detail`` is a sentence that says what to do, or (422) a list of what is wrong.
    ``retry_after_seconds`` is there where the server says when to try again (429, 503).
    """

    def __init__(self, status: int, body: bytes, retry_after: str | None = None) -> None:
        self.status = status
        self.body = _members(body)
        self.detail: Any = self.body.get("detail", "no reason was given")
        wait = retry_after or ""
        self.retry_after_seconds = int(wait) if wait.isdecimal() else None
        super().__init__(f"{status}: {self.detail}")


def _members(body: bytes) -> dict[str, Any]:
    """The JSON of an error; empty where a proxy answered with something else."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
