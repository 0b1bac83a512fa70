"""``health``: what a running server says of itself, for people and for probes."""

import sys
from argparse import Namespace
from http.client import HTTPConnection, HTTPException

import msgspec

from tagline.cli.output import printable
from tagline.config.settings import load_address
from tagline.errors import ConfigurationError, TaglineError

TIMEOUT_SECONDS = 5.0
_MAX_ANSWER_BYTES = 65536
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - listened on, not asked


class _NoAnswer(TaglineError):
    """The server did not answer, or something else did."""


class _Storage(msgspec.Struct):
    available: bool
    problem: str | None


class _Watcher(msgspec.Struct):
    mode: str
    degraded: str | None


class _Index(msgspec.Struct):
    photos: int
    recovered: str | None


class _Scan(msgspec.Struct):
    state: str
    decoded: int
    total: int | None


class _Health(msgspec.Struct):
    """What of the answer is looked at here."""

    status: str
    live: bool
    ready: bool
    storage: _Storage
    watcher: _Watcher
    index: _Index
    scan: _Scan


def health(arguments: Namespace) -> int:
    """Print the state of the server; 1 when it does not work, or with ``--ready`` not yet.

    A first scan counts as working: every request is answered during it.
    """
    host, port = load_address({"TAGLINE_HOST": arguments.host, "TAGLINE_PORT": arguments.port})
    if port == 0:
        raise ConfigurationError("TAGLINE_PORT", "is 0; say by --port which one the server took")
    where = (_EVERY_ADDRESS.get(host, host), port)
    body = _ask(*where)
    try:
        said = msgspec.json.decode(body, type=_Health)
    except msgspec.DecodeError as error:
        raise _NoAnswer(f"what answers at {where[0]} port {port} is not Tagline.") from error
    healthy = said.ready or (said.live and said.storage.available and not arguments.ready)
    if arguments.json:
        print(body.decode())
    elif healthy:
        print(_sentence(said))
    else:
        print(f"tagline: {_sentence(said)}", file=sys.stderr)
    return int(not healthy)


def _ask(host: str, port: int) -> bytes:
    """The body of ``GET /health``, whatever the status of the answer.

    Raises:
        _NoAnswer: there is none.
    """
    connection = HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/health", headers={"Connection": "close"})
        return connection.getresponse().read(_MAX_ANSWER_BYTES)
    except TimeoutError as error:
        raise _NoAnswer(
            f"no answer from {host} port {port} in {TIMEOUT_SECONDS:g} seconds."
        ) from error
    except (OSError, HTTPException, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "what is there speaks no HTTP"
        raise _NoAnswer(f"no answer from {host} port {port}: {reason}.") from error
    finally:
        connection.close()


def _sentence(said: _Health) -> str:
    """The state in one line."""
    parts = [f"{said.status}: {said.index.photos} photos"]
    if said.scan.state == "running":
        parts.append(f"a scan has read {said.scan.decoded} of {said.scan.total or 'unknown'}")
    parts.append(f"changes are noticed by {said.watcher.mode}")
    problems = (said.storage.problem, said.watcher.degraded, said.index.recovered)
    parts += [problem for problem in problems if problem]
    return printable("; ".join(dict.fromkeys(parts)))
