"""Where settings come from, gathered into one value a variable, each with its origin.

The command line wins over the environment, which wins over ``.env``. A variable that is set to
nothing counts as unset. ``NAME_FILE`` names a file that holds the value of ``NAME``, for the
variables that may come so; of the two the one with the stronger origin counts.
"""

import difflib
import io
import stat
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from dotenv.parser import parse_stream

from tagline.config.access import why_unreadable
from tagline.config.values import Unusable
from tagline.errors import ConfigurationError

PREFIX = "TAGLINE_"
FILE_SUFFIX = "_FILE"
SECRET_FILE_MAX_BYTES = 65536
_ALIKE = 0.9


class Given(NamedTuple):
    """A value as it was given, and where: a phrase such as "from the environment"."""

    value: str
    origin: str


class Gathered(NamedTuple):
    """What was given for each variable, and what is wrong already."""

    given: dict[str, Given]
    faults: list[ConfigurationError]


class Names(NamedTuple):
    """The names of all variables, and of those whose value may come from a file."""

    known: Collection[str]
    with_file: Collection[str]

    def all(self) -> set[str]:
        """Every name that may be set."""
        return {*self.known, *(name + FILE_SUFFIX for name in self.with_file)}


def gather(
    names: Names,
    overrides: Mapping[str, object],
    environ: Mapping[str, str],
    env_file: Path | None,
) -> Gathered:
    """Gather what is given; ``overrides`` whose value is ``None`` are not."""
    faults: list[ConfigurationError] = []
    chosen = {name: str(value) for name, value in overrides.items() if value is not None}
    layers = [
        {name: Given(value, "from the command line") for name, value in chosen.items()},
        {name: Given(value, "from the environment") for name, value in environ.items()},
        _read_env_file(env_file, faults) if env_file else {},
    ]
    given: dict[str, Given] = {}
    for layer in layers:
        present = {name: one for name, one in layer.items() if one.value}
        faults += _unknown(names, present)
        found = {name: present[name] for name in names.known if name in present}
        for name in names.with_file:
            if name not in given and name + FILE_SUFFIX in present:
                _add_from_file(name, present, found, faults)
        given = found | given
    return Gathered(given, faults)


def _unknown(names: Names, layer: Mapping[str, Given]) -> Iterator[ConfigurationError]:
    known = names.all()
    for name, one in sorted(layer.items()):
        if name.startswith(PREFIX) and name not in known:
            near = _nearest(name, known)
            advice = f"did you mean {near}?" if near else "see .env.example for those it has"
            plain = ascii(name)[1:-1]
            yield ConfigurationError(plain, f"is no setting of Tagline ({one.origin}); {advice}")


def misspelt(names: Names, environ: Mapping[str, str]) -> Iterator[str]:
    """What looks like a misspelt variable that bears no prefix, one sentence each.

    It may belong to another program, so it is no mistake.
    """
    bare = sorted(name for name in names.all() if not name.startswith(PREFIX))
    for name in sorted(environ):
        near = difflib.get_close_matches(name.upper(), bare, n=1, cutoff=_ALIKE)
        if near and name not in bare:
            yield f"{ascii(name)[1:-1]}: is no setting of Tagline; did you mean {near[0]}?"


def _nearest(name: str, known: Collection[str]) -> str | None:
    bare = name.removeprefix(PREFIX)
    if bare in known:
        return bare
    return next(iter(difflib.get_close_matches(name.upper(), sorted(known), n=1, cutoff=0.7)), None)


def _add_from_file(
    name: str,
    layer: Mapping[str, Given],
    found: dict[str, Given],
    faults: list[ConfigurationError],
) -> None:
    variable = name + FILE_SUFFIX
    value, origin = layer[variable]
    if name in found:
        faults.append(ConfigurationError(variable, f"{name} is set as well; set one of the two"))
        return
    try:
        content = _read_secret_file(Path(value))
    except Unusable as error:
        faults.append(ConfigurationError(variable, f"{error} ({origin})", error.cause))
    except OSError as error:
        reason = error.strerror or "input/output error"
        fault = f"the file cannot be read: {reason} ({origin})"
        cause = "forbidden" if isinstance(error, PermissionError) else None
        faults.append(ConfigurationError(variable, fault, cause))
    except ValueError as error:
        faults.append(ConfigurationError(variable, f"{error} ({origin})"))
    else:
        found[name] = Given(content, f"from the file that {variable} names")


def _read_secret_file(path: Path) -> str:
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("names no regular file")
    if fault := why_unreadable(path):
        raise Unusable(f"the file {fault}", "forbidden")
    with path.open("rb") as file:
        content = file.read(SECRET_FILE_MAX_BYTES + 1)
    if len(content) > SECRET_FILE_MAX_BYTES:
        raise ValueError(f"the file is larger than {SECRET_FILE_MAX_BYTES} bytes")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        # Its message would show bytes of the secret.
        raise ValueError("the file is not UTF-8 text") from None
    text = text.removeprefix("\ufeff").removesuffix("\n").removesuffix("\r")
    if not text:
        raise ValueError("the file is empty")
    return text


def _read_env_file(path: Path, faults: list[ConfigurationError]) -> dict[str, Given]:
    """The variables of a ``.env`` file; ``$`` is an ordinary character there."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        faults.append(ConfigurationError(path.name, f"cannot be read: {reason}"))
        return {}
    values: dict[str, Given] = {}
    for binding in parse_stream(io.StringIO(text)):
        # A binding begins with the blank lines ahead of it.
        blank = len(binding.original.string) - len(binding.original.string.lstrip("\r\n"))
        line = binding.original.line + binding.original.string[:blank].count("\n")
        if binding.error:
            faults.append(
                ConfigurationError(path.name, f"line {line} is not of the form NAME=value")
            )
        elif binding.key is not None:
            values[binding.key] = Given(binding.value or "", f"from {path.name}, line {line}")
    return values
