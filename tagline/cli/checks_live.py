"""Checks of what runs and what the kernel gives: events, the index's lock, the port."""

import asyncio
import errno
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tagline.api.tls import TlsFiles
from tagline.cli.asking import NoAnswer, ServerAddress
from tagline.cli.checks import Check, counted, fault, note, ok, skipped
from tagline.cli.checks_disk import Tree
from tagline.config.access import why_unreadable
from tagline.config.settings import Settings
from tagline.errors import ConfigurationError
from tagline.index.lockfile import holder_of
from tagline.index.opening import FILE_NAME
from tagline.sync.notifier import Notifier, NotifierDied
from tagline.sync.watches import is_limit_reached

EVENT_SECONDS = 5.0
_LIMIT = Path("/proc/sys/fs/inotify/max_user_watches")
_RAISE = "raise it on the host: sysctl fs.inotify.max_user_watches={}, and in /etc/sysctl.d/"


class _Health(msgspec.Struct):
    status: str
    version: str


def event_checks(settings: Settings, tree: Tree | None) -> Iterator[Check]:
    """Whether the kernel tells of changes, for as many directories as there are."""
    if settings.watch in {"poll", "off"}:
        yield skipped("events", f"TAGLINE_WATCH is {settings.watch}")
        return
    yield watches(tree, _limit())
    data = settings.database_directory
    if data is None or not data.is_dir():
        yield skipped("events", "there is no data directory yet to try them in")
        return
    yield _events(data)


def _limit() -> int | None:
    try:
        return int(_LIMIT.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def watches(tree: Tree | None, limit: int | None) -> Check:
    """Whether each directory can be watched; other programs of this user share the limit."""
    if limit is None or tree is None:
        return skipped("inotify", "the limit or the number of directories is not known")
    more = _RAISE.format(max(524288, 4 * tree.directories))
    directories = counted(tree.directories, "directory", "directories")
    says = f"{directories} of {limit} that a user may watch"
    if tree.directories >= limit:
        return fault("inotify", f"{says}: all is looked at again and again instead", more)
    if tree.directories > limit // 2:
        return note("inotify", says, more)
    return ok("inotify", says)


def _events(data: Path) -> Check:
    if is_limit_reached(str(data)):
        do = _RAISE.format(524288)
        return fault("events", "this user may watch no further directory now", do)
    try:
        with tempfile.TemporaryDirectory(prefix="doctor-", dir=data) as place:
            came = asyncio.run(_an_event_comes(Path(place).resolve()))
    except OSError as error:
        reason = error.strerror or "input/output error"
        return fault("events", f"could not be tried: {reason}", "mend the data directory first")
    except NotifierDied as error:
        return fault("events", f"do not come: {error}", "set TAGLINE_WATCH=poll")
    if not came:
        says = f"a file was written in the data directory, and not told of in {EVENT_SECONDS:g} s"
        return fault("events", says, "set TAGLINE_WATCH=poll if it is so for the photos too")
    return ok("events", "a file written in the data directory was told of at once")


async def _an_event_comes(place: Path) -> bool:
    notifier = Notifier([place])
    try:
        await notifier.start()
        place.joinpath("probe").write_bytes(b"")
        async with asyncio.timeout(EVENT_SECONDS):
            return bool((await notifier.changes()).paths)
    except TimeoutError:
        return False
    finally:
        await notifier.stop()


def server_checks(settings: Settings) -> Iterator[Check]:
    """Whether it can speak https, who has the index open, and who listens on the port."""
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate and key:
        yield _tls(TlsFiles(certificate, key))
    answers = _answering(ServerAddress.of(settings)) if settings.port else None
    if settings.database_directory is not None:
        yield _index(settings.database_directory / FILE_NAME, answers)
    yield _port(settings, answers)


def _tls(files: TlsFiles) -> Check:
    try:
        files.context()
    except ConfigurationError as error:
        return fault("tls", str(error), f"set {error.variable} right, or renew the files")
    return ok("tls", "the certificate and its key can be used")


def _index(path: Path, answers: _Health | str | None) -> Check:
    lock = path.with_name(f"{path.name}.lock")
    if lock.exists() and why_unreadable(lock):
        return skipped("index", "this user may not see who has it open")
    holder = holder_of(path)
    if holder is None:
        return ok("index", "no process has it open")
    if isinstance(answers, _Health):
        return ok("index", f"in use by {holder}, the server that answers")
    do = f"stop {holder}, or ask by TAGLINE_PORT for the port that it serves"
    return fault("index", f"in use by {holder}, and no Tagline answers at the port", do)


def _answering(address: ServerAddress) -> _Health | str | None:
    """What a running Tagline says of itself; else why it could not be asked, where that is told."""
    try:
        return msgspec.json.decode(address.ask("GET", "/health").body, type=_Health)
    except NoAnswer as error:
        return str(error) if address.certificate else None
    except (msgspec.DecodeError, ConfigurationError):
        return None


def _port(settings: Settings, answers: _Health | str | None) -> Check:
    where = f"{settings.host} port {settings.port}"
    if isinstance(answers, _Health):
        return ok("port", f"Tagline {answers.version} answers at {where}: {answers.status}")
    try:
        family, kind, _, _, place = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            do = "stop the other program, or choose another TAGLINE_PORT"
            told = f"; over TLS there is {answers}" if answers else ""
            return fault("port", f"{where} is taken by another program{told}", do)
        reason = error.strerror or "no such address"
        return fault("port", f"{where}: {reason}", "choose another TAGLINE_HOST or TAGLINE_PORT")
    return ok("port", f"{where} is free")
