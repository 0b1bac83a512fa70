"""The command line."""

import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType

from tagline.cli.exits import FAILED, exit_code
from tagline.cli.output import OutputLost, abandon_output, accept_every_character, printable
from tagline.cli.parser import build_parser
from tagline.config.loading import SettingsError
from tagline.errors import TaglineError

# Loaded when called: a description needs no HTTP server, and is written in half the time.
_COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "serve": ("tagline.cli.serve", "serve"),
        "scan": ("tagline.cli.directory", "scan"),
        "show": ("tagline.cli.files", "show"),
        "describe": ("tagline.cli.files", "describe"),
        "edit": ("tagline.cli.files", "edit"),
        "verify": ("tagline.cli.verify", "verify_directory"),
        "token": ("tagline.cli.token", "token"),
        "doctor": ("tagline.cli.doctor", "doctor"),
        "health": ("tagline.cli.health", "health"),
    }
)


def run(argv: Sequence[str]) -> int:
    """Run one command; return its exit code (``exits``). Errors are one line each on stderr."""
    accept_every_character()
    arguments = build_parser().parse_args(argv)
    try:
        return _command(arguments.command)(arguments)
    except SettingsError as error:
        for fault in error.faults:
            _complain(fault)
        return exit_code(error)
    except TaglineError as error:
        if isinstance(error, OutputLost):
            abandon_output()
        _complain(error)
        return exit_code(error)
    except BrokenPipeError:
        # Whoever read the output has gone; there is nobody left to tell.
        abandon_output()
        return FAILED
    except KeyboardInterrupt:
        return FAILED


def _complain(error: object) -> None:
    """Tell of an error, which may hold what somebody else wrote."""
    print(f"tagline: {printable(str(error))}", file=sys.stderr)


def _command(name: str) -> Callable[[Namespace], int]:
    module, function = _COMMANDS[name]
    return getattr(import_module(module), function)


__all__ = ["run"]
