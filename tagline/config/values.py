"""What the values of settings mean: from text to values. Faults are ``ValueError``s of one phrase.

No fault repeats a value that may hold a password.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from tagline.config.access import why_unlistable
from tagline.errors import Cause

DATABASE_SCHEME = "tinydb://"
MAX_GLOBS = 100
MAX_GLOB_CHARACTERS = 255

_ORIGIN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://"
    r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?)"
    r"(?::(?P<port>[0-9]{1,5}))?"
)
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?|[0-9A-Fa-f:.]+(?:%[\w.-]+)?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_UNREADABLE = re.compile(r"[^A-Za-z0-9]+")


class Unusable(ValueError):
    """A value is well formed, and what it names cannot be used: for this ``cause``."""

    def __init__(self, fault: str, cause: Cause) -> None:
        super().__init__(fault)
        self.cause: Cause = cause


def split_list(text: str) -> tuple[str, ...]:
    """The items of a comma-separated list, without the white space around them."""
    return tuple(item for part in text.split(",") if (item := part.strip()))


def parse_origins(text: str) -> tuple[str, ...]:
    """Origins (RFC 6454, 6.2) as browsers send them: lower case, no default port; or ``("*",)``.

    Raises:
        ValueError: one of them is none, or ``*`` stands beside others.
    """
    items = split_list(text)
    if "*" in items and len(items) > 1:
        raise ValueError("* stands beside other origins, which it includes")
    return items if items == ("*",) else tuple(dict.fromkeys(map(_origin, items)))


def _origin(text: str) -> str:
    match = _ORIGIN.fullmatch(text.lower())
    if match is None:
        raise ValueError(f"an item is no origin: {_why_no_origin(text)}")
    scheme, host, digits = match["scheme"], match["host"], match["port"]
    if digits is None:
        return f"{scheme}://{host}"
    port = int(digits)
    if not 1 <= port <= 65535:
        raise ValueError(f"an item is no origin: there is no port {port}")
    return f"{scheme}://{host}" + ("" if _DEFAULT_PORTS.get(scheme) == port else f":{port}")


def _why_no_origin(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if not separator or not scheme:
        return "it does not begin with a scheme such as https://"
    if "@" in rest:
        return "it holds a user name"
    if any(character in rest for character in "/?#"):
        return "nothing may follow the host and port, not even a /"
    if not rest.isascii():
        return "write the host as browsers send it, in its xn-- form"
    return "its host is no host name"


def parse_globs(text: str) -> tuple[str, ...]:
    """Comma-separated globs.

    Raises:
        ValueError: too many, too long, or with a NUL character.
    """
    globs = split_list(text)
    if len(globs) > MAX_GLOBS:
        raise ValueError(f"holds more than {MAX_GLOBS} patterns")
    if any(len(glob) > MAX_GLOB_CHARACTERS or "\0" in glob for glob in globs):
        raise ValueError(f"holds a pattern of more than {MAX_GLOB_CHARACTERS} characters, or a NUL")
    return globs


def parse_host(text: str) -> str:
    """A host name or IP address to listen on.

    Raises:
        ValueError: it is neither.
    """
    host = text.strip()
    if not _HOST.fullmatch(host):
        raise ValueError(f"{shown(text)} is no host name or IP address")
    return host


def parse_directory(text: str) -> Path:
    """An existing directory that may be listed; ``~`` is the home directory.

    Raises:
        ValueError: it is none.
    """
    if "\0" in text:
        raise ValueError("holds a NUL character")
    try:
        path = Path(text).expanduser().absolute()
        if path.is_dir():
            if fault := why_unlistable(path):
                raise Unusable(f"{shown(text)} {fault}", "forbidden")
            return path
        there = path.exists()
    except RuntimeError as error:
        raise ValueError(f"{shown(text)}: there is no home directory for ~") from error
    except OSError as error:
        raise Unusable(f"{shown(text)} cannot be opened: {error.strerror}", "forbidden") from error
    raise Unusable(
        f"{shown(text)} " + ("is no directory" if there else "does not exist"), "missing"
    )


def parse_database_url(text: str) -> Path | None:
    """The directory of ``tinydb:///DIR``; ``None`` for ``tinydb://``, which is in memory.

    The path is absolute; octets may be percent-encoded (RFC 3986, 2.1).

    Raises:
        ValueError: it is neither, or lies where this process must not look.
    """
    url = text.strip()
    if url[: len(DATABASE_SCHEME)].lower() != DATABASE_SCHEME:
        raise ValueError(f"does not begin with {DATABASE_SCHEME}")
    path = url[len(DATABASE_SCHEME) :]
    if not path:
        return None
    if not path.startswith("/"):
        raise ValueError("is no absolute path after tinydb://, which takes a third slash")
    if "?" in path or "#" in path:
        raise ValueError("holds ? or #, which are written %3F and %23 in a path")
    directory = os.path.normpath("/" + unquote(path, errors="surrogateescape").lstrip("/"))
    if directory == "/" or "\0" in directory:
        raise ValueError("names no directory")
    try:
        usable = Path(directory).is_dir() or not Path(directory).exists()
    except OSError as error:
        raise ValueError(f"{shown(directory)} cannot be opened: {error.strerror}") from error
    if not usable:
        raise ValueError("names something that is no directory")
    return Path(directory)


def default_database_directory(photos: Path, environ: Mapping[str, str]) -> Path:
    """A directory of this photo directory's own below the user's data directory.

    By the XDG Base Directory Specification: ``$XDG_DATA_HOME`` when it is absolute, else
    ``~/.local/share``.

    Raises:
        ValueError: there is no home directory.
    """
    base = environ.get("XDG_DATA_HOME", "")
    if not base.startswith("/"):
        home = environ.get("HOME", "")
        if not home.startswith("/"):
            raise ValueError("is not set, and there is no home directory to keep the index in")
        base = f"{home.rstrip('/')}/.local/share"
    real = os.path.realpath(photos)
    readable = _UNREADABLE.sub("-", Path(real).name).strip("-").lower()[:40] or "photos"
    digest = hashlib.blake2b(os.fsencode(real), digest_size=6).hexdigest()
    return Path(base, "tagline", f"{readable}-{digest}")


def is_inside(path: Path, directory: Path) -> bool:
    """Whether a path, which need not exist, is the directory or below it, links followed."""
    real = Path(os.path.realpath(path))
    return real.is_relative_to(os.path.realpath(directory))


def shown(value: object) -> str:
    """A value as an error shows it: quoted, on one line, not too long."""
    text = str(value)
    return ascii(text if len(text) <= 60 else text[:57] + "...")
