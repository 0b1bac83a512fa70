"""What reaches a terminal or a pipe."""

import io
import json
import os
import sys
import unicodedata

import msgspec

from tagline.errors import TaglineError

# Bidirectional overrides can make a text read as another (Unicode TR 36, 3.6).
_BIDIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INDENT = "\n" + " " * 15


class OutputLost(TaglineError):
    """What a command prints cannot be written, so it ends there."""


def say(line: str) -> None:
    """Print a line on standard output, at once: a failure at the exit would be nobody's error.

    Raises:
        OutputLost: it cannot be written.
        BrokenPipeError: whoever read it has gone.
    """
    try:
        print(line, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = error.strerror or "input/output error"
        raise OutputLost(f"the output cannot be written: {reason}.") from error


def say_json(value: object) -> None:
    """Print a value as a line of JSON; the errors of ``say``.

    It is in ASCII, so that no terminal obeys it, whatever it is told, and no encoding lacks it.
    """
    say(json.dumps(msgspec.to_builtins(value), separators=(",", ":")))


def accept_every_character() -> None:
    """Let what the encoding of the terminal lacks be printed by its number."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def abandon_output() -> None:
    """Forget what could not be written, which Python would try again, and tell of, at the exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def printable(text: str) -> str:
    """The text with line breaks indented and every other control character made visible.

    A description is anybody's text: printed as it is, it could move the cursor or set the title.
    """
    shown = "".join(_visible(c) for c in text.replace("\r\n", "\n"))
    return shown.replace("\n", _INDENT)


def _visible(character: str) -> str:
    harmless = unicodedata.category(character) not in {"Cc", "Cs"}
    if character in "\n\t" or (harmless and character not in _BIDIRECTIONAL):
        return character
    return character.encode("unicode_escape").decode("ascii")
