"""``health``: what a running server says of itself, for people and for probes."""

import sys
from argparse import Namespace

import msgspec

from tagline.cli.asking import server_address
from tagline.cli.output import printable, say, say_json


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


class _History(msgspec.Struct, frozen=True):
    problem: str | None = None
    recovered: str | None = None


class _Health(msgspec.Struct):
    """What of the answer is looked at here."""

    status: str
    live: bool
    ready: bool
    storage: _Storage
    watcher: _Watcher
    index: _Index
    scan: _Scan
    history: _History = _History()


def health(arguments: Namespace) -> int:
    """Print the state of the server; 1 when it does not work, or with ``--ready`` not yet.

    A first scan counts as working: every request is answered during it.
    """
    address = server_address(arguments.host, arguments.port)
    body = address.ask("GET", "/health").body
    try:
        said = msgspec.json.decode(body, type=_Health)
    except msgspec.DecodeError as error:
        raise address.not_tagline() from error
    healthy = said.ready or (said.live and said.storage.available and not arguments.ready)
    if arguments.json:
        say_json(msgspec.json.decode(body))
    elif healthy:
        say(_sentence(said))
    else:
        print(f"tagline: {_sentence(said)}", file=sys.stderr)
    return int(not healthy)


def _sentence(said: _Health) -> str:
    """The state in one line."""
    parts = [f"{said.status}: {said.index.photos} photos"]
    if said.scan.state == "running":
        parts.append(f"a scan has read {said.scan.decoded} of {said.scan.total or 'unknown'}")
    parts.append(f"changes are noticed by {said.watcher.mode}")
    problems = (
        said.storage.problem,
        said.watcher.degraded,
        said.index.recovered,
        said.history.recovered,
        said.history.problem,
    )
    parts += [problem for problem in problems if problem]
    return printable("; ".join(dict.fromkeys(parts)))
