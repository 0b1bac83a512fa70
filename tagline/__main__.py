"""The entry point of ``tagline`` and ``python -m tagline``."""

import sys

from tagline.cli import run


def main() -> int:
    """Run the command line; return its exit code."""
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
