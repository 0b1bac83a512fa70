"""What can go wrong between client and server.

ClientError
├── ApiError        the server answered with an error
└── Unreachable     no answer of Tagline's came, or it broke off
"""

import json
import re
from collections.abc import Mapping
from typing import Any, cast

_SECONDS = re.compile("[0-9]{1,9}")


class ClientError(Exception):
    """The request was not answered as hoped."""


class Unreachable(ClientError):
    """No answer of Tagline's came, or it broke off; ``__cause__`` says why, where it is known."""


class ApiError(ClientError):
    """The server answered with an error: its ``status``, ``type``, ``detail``, and the ``body``.

    A redirect is one as well: following it could send a password elsewhere, and would turn some
    edits into a mere look.
    ``type`` is the stable word of the error, by which a program decides; None where the answer is
    not Tagline's own. ``detail`` is a sentence that says what to do, or (422) a list of what is
    wrong. ``retry_after_seconds`` is there where the server says when to try again.
    """

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.status = status
        self.body = _members(body)
        self.detail: Any = self.body.get("detail", _unsaid(headers.get("Location")))
        word = self.body.get("type")
        self.type = word if isinstance(word, str) else None
        wait = headers.get("Retry-After", "")
        self.retry_after_seconds = int(wait) if _SECONDS.fullmatch(wait) else None
        super().__init__(f"{status}: {self.detail}")


def _unsaid(location: str | None) -> str:
    """What to say of an answer that says nothing itself."""
    if location is None:
        return "no reason was given"
    return f"the server is to be found elsewhere; it names {location}"


def _members(body: bytes) -> dict[str, Any]:
    """The JSON of an error; empty where a proxy answered with something else."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
