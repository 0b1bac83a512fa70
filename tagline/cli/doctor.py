"""``doctor``: what a server needs on this machine, what is off, and what to do."""

import time
from argparse import Namespace
from collections.abc import Iterator

from tagline.cli.checks import Check, clock, counted, fault, note, ok, pictures, versions
from tagline.cli.checks_disk import Tree, data_checks, photo_checks, survey
from tagline.cli.checks_live import event_checks, server_checks
from tagline.cli.directory import settings_of
from tagline.cli.output import printable, say, say_json
from tagline.config.access import why_unlistable
from tagline.config.loading import SettingsError, doubts
from tagline.config.settings import Settings

_MARKS = {"ok": "ok     ", "note": "note   ", "fault": "FAULT  ", "skipped": "skipped"}


def doctor(arguments: Namespace) -> int:
    """Print what every check found; 1 when something is to be mended."""
    faults = 0
    for check in _checks(arguments):
        faults += check.state == "fault"
        _print(check, as_json=arguments.json)
    if not arguments.json:
        say(f"{counted(faults, 'thing', 'things')} to mend" if faults else "nothing to mend")
    return int(faults > 0)


def _checks(arguments: Namespace) -> Iterator[Check]:
    yield versions()
    yield clock()
    settings = None
    try:
        settings = settings_of(arguments)
    except SettingsError as error:
        for each in error.faults:
            do = f"set {each.variable} right; .env.example says what it means"
            yield fault("settings", str(each), do)
    else:
        yield ok("settings", "all are known and well formed")
    for doubt in doubts():
        yield note("settings", doubt)
    if settings is not None:
        yield from _checks_of(settings)
    yield pictures(settings)


def _checks_of(settings: Settings) -> Iterator[Check]:
    tree = _tree(settings)
    yield from photo_checks(settings, tree)
    yield from data_checks(settings)
    yield from event_checks(settings, tree)
    yield from server_checks(settings)


def _tree(settings: Settings) -> Tree | None:
    photos = settings.photo_storage_path
    if photos is None or why_unlistable(photos):
        return None
    return survey(photos, time.time())


def _print(check: Check, *, as_json: bool) -> None:
    if as_json:
        say_json(check)
        return
    say(f"{_MARKS[check.state]} {check.name}: {printable(check.says)}")
    if check.do is not None:
        say(f"        → {printable(check.do)}")
