"""The secret that signs tokens when none is configured: made once, and kept in a file."""

import contextlib
import os
import re
import secrets
import stat
import tempfile
from pathlib import Path

from tagline.errors import ConfigurationError

_RANDOM_BYTES = 48
_MAX_BYTES = 514
_KEPT = re.compile(rb"([A-Za-z0-9_-]{43,512})\n?")
_ADVICE = "set JWT_SECRET, or put the file right"


def load_or_create_secret(path: Path) -> str:
    """The secret in this file, which is made, mode 0600, if it is missing.

    The file is whole or absent whenever the process ends; of several processes that make it at
    the same time, all get the same secret. A looser mode is tightened where the file system
    knows modes. A file that holds anything else than such a secret is left as it is.

    Raises:
        ConfigurationError: the file holds no such secret, or cannot be read or written.
    """
    try:
        if not os.path.lexists(path):
            _create(path)
        content = _load(path)
    except OSError as error:
        reason = error.strerror or "input/output error"
        raise _unusable(path, f"{reason}; {_ADVICE}") from error
    kept = _KEPT.fullmatch(content)
    if kept is None:
        fault = "it is too short, or is no secret that Tagline made"
        raise _unusable(path, f"{fault}; {_ADVICE}, or delete it: a new one ends all sessions")
    return kept[1].decode("ascii")


def _unusable(path: Path, reason: str) -> ConfigurationError:
    fault = f"is not set, and the file {path.name} beside the tokens cannot be used: {reason}"
    return ConfigurationError("JWT_SECRET", fault)


def _load(path: Path) -> bytes:
    # Non-blocking, or a FIFO of this name would hold up the start for ever.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags), "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            return b""
        if mode & 0o077:
            with contextlib.suppress(OSError):
                os.fchmod(file.fileno(), 0o600)
        return file.read(_MAX_BYTES)


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_urlsafe(_RANDOM_BYTES).encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        _take_name(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _take_name(temporary: Path, path: Path) -> None:
    """Give the file its name, unless another process was faster."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return
    except OSError:
        # No hard links on this file system.
        temporary.rename(path)
