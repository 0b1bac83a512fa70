"""``verify``: what does not agree, and the putting right of sidecars that lie elsewhere."""

import sys
from argparse import Namespace
from collections.abc import Iterable

from tagline.cli.directory import settings_of
from tagline.cli.output import printable, say, say_json
from tagline.config.compose import index_of, storage_of
from tagline.config.settings import Settings
from tagline.errors import IndexLocked, StorageError
from tagline.index import TinyPhotoIndex
from tagline.library import Finding, Moved, Repairer, verify


def verify_directory(arguments: Namespace) -> int:
    """Print what does not agree, repair what is agreed to; 1 when something is still off."""
    settings = settings_of(arguments)
    index = _index_if_any(settings)
    movable: list[Finding] = []
    count = 0
    try:
        for finding in verify(storage_of(settings), index):
            count += 1
            if finding.move_to:
                movable.append(finding)
            _print_finding(finding, as_json=arguments.json)
    finally:
        if index is not None:
            index.close()
    repaired = _repair(arguments, settings, movable) if arguments.repair else 0
    if not arguments.json:
        _print_summary(count, repaired, len(movable))
    return int(count > repaired)


def _repair(arguments: Namespace, settings: Settings, findings: Iterable[Finding]) -> int:
    """Repair what the person agrees to; return how many findings are put right."""
    if not (arguments.yes or sys.stdin.isatty()):
        print("tagline: nobody to ask: --yes agrees to every move", file=sys.stderr)
        return 0
    repairer = Repairer(storage_of(settings))
    repaired = 0
    for finding in findings:
        if not (arguments.yes or _agrees(finding)):
            continue
        try:
            moves = repairer.repair(finding)
        except StorageError as error:
            key = printable(finding.object_key)
            print(f"tagline: {key}: {printable(str(error))}", file=sys.stderr)
            continue
        repaired += 1
        for moved in moves:
            _print_move(moved, as_json=arguments.json)
    return repaired


def _agrees(finding: Finding) -> bool:
    question = f"Move {printable(finding.object_key)} to {printable(finding.move_to or '')}? [y/N] "
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().casefold() in {"y", "yes"}


def _index_if_any(settings: Settings) -> TinyPhotoIndex | None:
    """The index to compare with; None where there is none yet, or a server has it open."""
    directory = settings.database_directory
    if directory is None or not directory.is_dir():
        print("tagline: there is no index yet: only files are compared", file=sys.stderr)
        return None
    try:
        return index_of(settings)
    except IndexLocked as error:
        print(f"tagline: {error} Only files are compared.", file=sys.stderr)
        return None


def _print_finding(finding: Finding, *, as_json: bool) -> None:
    if as_json:
        say_json(finding)
    else:
        say(f"{finding.kind}: {printable(finding.object_key)}: {printable(finding.detail)}")


def _print_move(moved: Moved, *, as_json: bool) -> None:
    if as_json:
        say_json(moved)
    else:
        say(f"moved: {printable(moved.object_key)} -> {printable(moved.moved_to)}")


def _print_summary(count: int, repaired: int, movable: int) -> None:
    found = f"{count} {'finding' if count == 1 else 'findings'}"
    if not count:
        say("everything agrees")
    elif repaired:
        say(f"{found}, {repaired} of them put right")
    elif movable:
        say(f"{found}; --repair can put {movable} of them right")
    else:
        say(found)
