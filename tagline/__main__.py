"""The entry point of ``tagline`` and ``python -m tagline``."""

import sys


def main() -> int:
    """Run the command line; return its exit code."""
    from tagline.cli import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
