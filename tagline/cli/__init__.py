"""The command line."""

import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from tagline.cli import directory, files, serve
from tagline.cli.parser import build_parser
from tagline.config.settings import SettingsError
from tagline.errors import ConfigurationError, TaglineError

DONE, FAILED, WRONG_USAGE = 0, 1, 2

_COMMANDS: Mapping[str, Callable[..., int]] = MappingProxyType(
    {
        "serve": serve.serve,
        "scan": directory.scan,
        "show": files.show,
        "describe": files.describe,
        "verify": directory.verify_directory,
    }
)


def run(argv: Sequence[str]) -> int:
    """Run one command; return its exit code. Errors are one line each on stderr."""
    arguments = build_parser().parse_args(argv)
    try:
        return _COMMANDS[arguments.command](arguments)
    except SettingsError as error:
        for fault in error.faults:
            print(f"tagline: {fault}", file=sys.stderr)
        return WRONG_USAGE
    except ConfigurationError as error:
        print(f"tagline: {error}", file=sys.stderr)
        return WRONG_USAGE
    except TaglineError as error:
        print(f"tagline: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        # Whoever read the output has gone; there is nobody left to tell.
        sys.stderr.close()
        return FAILED
    except KeyboardInterrupt:
        return FAILED


__all__ = ["run"]
