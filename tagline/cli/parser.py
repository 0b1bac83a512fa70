"""The arguments of every command, and the help that teaches them."""

import argparse
from collections.abc import Callable

from tagline import __version__
from tagline.model import MetadataChange

DESCRIPTION = """\
Tagline serves a photo directory over HTTP, keeps an index of it, and writes
descriptions, titles, keywords, ratings and dates back into the photos, where
every other photo program finds them.
"""
EPILOG = """\
examples:
  tagline serve ~/Pictures                serve, index and watch a directory
  tagline describe IMG_1.jpg "At sea"     write a description, no server needed
  tagline edit IMG_1.jpg --rating 4       title, keywords, rating, date taken
  tagline show IMG_1.jpg                  what a photo says, and where it says it
  tagline verify ~/Pictures               find what does not agree
  tagline token create backup             make an API token for a script
  tagline health                          ask a running server how it is
  tagline doctor ~/Pictures               check what a server needs here

Settings come from environment variables and a .env file; .env.example lists them.
Exit codes: 0 done, 1 something failed, 2 wrong usage or configuration, 3 the photo
directory is not there, 4 this user may not use a directory or port, 5 the port is
taken, 6 the index is in use by another process.
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="tagline",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tagline {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, text: str, more: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.\n\n{more}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    for add_command in _COMMANDS:
        add_command(add)
    return parser


Add = Callable[[str, str, str], argparse.ArgumentParser]
"""Adds a command: its name, what it does, and more of it."""


def _add_directory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "directory",
        metavar="DIR",
        nargs="?",
        help="the photo directory (default: PHOTO_STORAGE_PATH)",
    )


def _add_address(parser: argparse.ArgumentParser, doing: str) -> None:
    """Where to listen, or to find who listens."""
    parser.add_argument("--host", help=f"address to {doing} at (default: TAGLINE_HOST, 127.0.0.1)")
    parser.add_argument("--port", help=f"port to {doing} at (default: TAGLINE_PORT, 8000)")


def _add_serve(add: Add) -> None:
    parser = add(
        "serve",
        "serve a photo directory over HTTP",
        "Without BACKEND_PASSWORD a random password is made for this run and printed once.\n"
        "SIGTERM or Ctrl-C ends it: requests and writes under way are finished first.",
    )
    _add_directory(parser)
    _add_address(parser, "listen")


def _add_scan(add: Add) -> None:
    parser = add(
        "scan",
        "bring the index up to date, without serving",
        "Reads photos that are new or changed since the last scan.",
    )
    _add_directory(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def _add_show(add: Add) -> None:
    parser = add(
        "show",
        "show what photos say, and where they say it",
        "Reads the files themselves: no server, no index, no password.",
    )
    parser.add_argument("files", metavar="FILE", nargs="+")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def _add_describe(add: Add) -> None:
    parser = add(
        "describe",
        "write a description into photos",
        "The text goes into the file itself where that is provably safe, and else into sidecar\n"
        "files beside it. An empty TEXT removes the description. A running server notices.",
    )
    parser.add_argument("files", metavar="FILE", nargs="+")
    parser.add_argument("text", metavar="TEXT")
    _add_sidecar(parser)


def _add_sidecar(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sidecar", action="store_true", help="never touch the photos: write sidecars only"
    )


def _add_edit(add: Add) -> None:
    parser = add(
        "edit",
        "write title, keywords, rating, date or description into photos",
        "Each value goes into the file itself where that is provably safe, and else into sidecar\n"
        "files beside it. What is not named stays as it is. A running server notices.",
    )
    parser.add_argument("files", metavar="FILE", nargs="+")
    parser.add_argument("--description", metavar="TEXT")
    parser.add_argument("--title", metavar="TEXT")
    parser.add_argument(
        "--keywords", metavar="A,B", help="all keywords, commas between them; replaces the old ones"
    )
    parser.add_argument("--rating", metavar="N", type=int, help="0 (unrated) to 5")
    parser.add_argument(
        "--taken-at",
        metavar="TIME",
        help="such as 2019-07-05T10:00:00+02:00; without an offset where the zone is unknown",
    )
    parser.add_argument(
        "--remove",
        metavar="FIELD",
        action="append",
        default=[],
        choices=MetadataChange.__struct_fields__,
        help="remove a field: " + ", ".join(MetadataChange.__struct_fields__) + "; may be repeated",
    )
    _add_sidecar(parser)


def _add_verify(add: Add) -> None:
    parser = add(
        "verify",
        "compare the index, the photos and their sidecars",
        "Prints one line a finding: a photo that the index does not hold or holds differently,\n"
        "a sidecar without its photo, a photo whose places hold different descriptions.\n"
        "Changes nothing without --repair. Exit code 1 when something is off still.\n\n"
        "--repair moves sidecars that were left behind, or have another photo's name, beside the\n"
        "photo that they were written for. It asks before each one, never writes over a file, and\n"
        "may run beside a server. Places that disagree are only told: describe such a photo again.",
    )
    _add_directory(parser)
    parser.add_argument("--repair", action="store_true", help="move sidecars beside their photos")
    parser.add_argument("--yes", action="store_true", help="agree to every move of --repair")
    parser.add_argument("--json", action="store_true", help="print one JSON object a finding")


def _add_token(add: Add) -> None:
    parser = add(
        "token",
        "make, list and revoke API tokens for scripts",
        "A token is sent as Authorization: Bearer …, and shown only once. Where a server runs, it\n"
        "is asked with BACKEND_PASSWORD at TAGLINE_HOST and TAGLINE_PORT; else the database is\n"
        "changed itself. A changed password ends every token.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a token, and print it")
    create.add_argument("name", metavar="NAME", help="what it is for")
    create.add_argument(
        "--scope", choices=("read", "write"), default="read", help="what it may do (default: read)"
    )
    create.add_argument(
        "--days", metavar="N", type=int, help="how long it lives (default: until it is revoked)"
    )
    listing = actions.add_parser("list", help="show all tokens, without their text")
    revoke = actions.add_parser("revoke", help="end a token")
    revoke.add_argument("token", metavar="TOKEN", help="its name or id")
    for action in (create, listing, revoke):
        action.add_argument(
            "--directory", metavar="DIR", help="the photo directory (default: PHOTO_STORAGE_PATH)"
        )
        _add_address(action, "find the server")
        action.add_argument("--json", action="store_true", help="print JSON, one object a token")


def _add_health(add: Add) -> None:
    parser = add(
        "health",
        "ask a running server how it is",
        "Prints its state in one line. Exit code 0 when it answers and the photos are there, also\n"
        "while a scan is under way; 1 when not. For probes of containers and of other monitors.",
    )
    _add_address(parser, "find the server")
    parser.add_argument("--ready", action="store_true", help="exit code 1 during the first scan")
    parser.add_argument("--json", action="store_true", help="print all that GET /health says")


def _add_doctor(add: Add) -> None:
    parser = add(
        "doctor",
        "check what a server needs on this machine, and say what to do",
        "Looks at settings, directories, mounts, events, clock, space, port and decoders; writes\n"
        "nothing among the photos. Run it as the user that serves. It may run beside a server.\n"
        "Exit code 1 when something is off.",
    )
    _add_directory(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object a check")


_COMMANDS = (
    _add_serve,
    _add_scan,
    _add_show,
    _add_describe,
    _add_edit,
    _add_verify,
    _add_token,
    _add_health,
    _add_doctor,
)
