"""Checks of the photo directory and the data directory. Nothing is written among the photos."""

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tagline.cli.checks import Check, counted, fault, note, ok, skipped
from tagline.cli.output import printable
from tagline.config.access import why_read_only, why_unlistable
from tagline.config.datafiles import why_data_unusable
from tagline.config.settings import Settings
from tagline.sync.mounts import MOUNTINFO, remote_file_system

WALK_SECONDS = 60.0
"""A walk over a large share is broken off after so long, and says so."""
_FUTURE_SECONDS = 86400
_SHOWN = 3
_MEGABYTE = 1024 * 1024
_LITTLE_MEGABYTES = 500
_FEW_FILES = 1000


class Tree(msgspec.Struct):
    """What a walk over the photo directory saw; examples are paths below it."""

    directories: int = 0
    files: int = 0
    finished: bool = True
    closed: list[str] = msgspec.field(default_factory=list[str])
    read_only: list[str] = msgspec.field(default_factory=list[str])
    future: list[str] = msgspec.field(default_factory=list[str])


def survey(photos: Path, now: float, seconds: float = WALK_SECONDS) -> Tree:
    """Walk over all directories; symbolic links are not followed."""
    tree = Tree()
    end = time.monotonic() + seconds
    for here, _, names in os.walk(photos, onerror=lambda e: _closed(tree, photos, e)):
        tree.directories += 1
        if not os.access(here, os.W_OK | os.X_OK, effective_ids=True):
            tree.read_only.append(_below(photos, here))
        for name in names:
            tree.files += 1
            path = os.path.join(here, name)  # noqa: PTH118 - a Path for each of a million files
            if _modified(path) > now + _FUTURE_SECONDS:
                tree.future.append(_below(photos, path))
        if time.monotonic() > end:
            tree.finished = False
            break
    return tree


def _closed(tree: Tree, photos: Path, error: OSError) -> None:
    tree.closed.append(_below(photos, error.filename or photos))


def _modified(path: str) -> float:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return 0.0


def _below(photos: Path, path: str | Path) -> str:
    return os.path.relpath(path, photos)


def photo_checks(settings: Settings, tree: Tree | None) -> Iterator[Check]:
    """The photo directory: whose it is, what may be done in it, its file system, its files."""
    photos = settings.photo_storage_path
    if photos is None:
        yield skipped("photos", "the photos are kept in memory")
        return
    if why := why_unlistable(photos):
        do = "let the server run as the user that owns the photos, or change their mode"
        yield fault("photos", f"{photos} {why}", do)
        return
    yield ok("photos", f"{photos}: {_owned(photos)}")
    yield _writing(photos, settings.sidecar_path)
    if settings.sidecar_path is not None:
        yield _sidecars(settings.sidecar_path)
    yield _mount(settings, photos)
    if tree is not None:
        yield _inside(tree, apart=settings.sidecar_path is not None)
        yield _times(tree)


def _owned(directory: Path) -> str:
    status = directory.stat()
    return (
        f"user {status.st_uid}, group {status.st_gid}, mode {stat.S_IMODE(status.st_mode):04o}; "
        f"this is user {os.geteuid()}, group {os.getegid()}"
    )


def _writing(photos: Path, sidecars: Path | None) -> Check:
    why = why_read_only(photos)
    if why is None:
        return ok("photos writable", "files can be written beside the photos")
    if sidecars is not None:
        says = f"the directory {why}; changes go to TAGLINE_SIDECAR_PATH"
        return note("photos writable", says)
    if "mounted" in why:
        do = "mount them for writing, or set TAGLINE_SIDECAR_PATH, if they are to be described"
        return note("photos writable", f"the directory {why}; photos are shown only", do)
    do = "let the server run as their owner (container: --user), or give its group the right"
    return fault("photos writable", f"the directory {why}", do)


def _sidecars(directory: Path) -> Check:
    if why := why_read_only(directory):
        do = "let it belong to the server's user: no sidecar can be written there"
        return fault("sidecars", f"{directory} {why}", do)
    return ok("sidecars", f"{directory}: {_owned(directory)}")


def _mount(settings: Settings, photos: Path) -> Check:
    kind = remote_file_system(photos.resolve(), _mountinfo())
    if kind is None:
        return ok("photos mount", "a disk of this machine, whose changes are told at once")
    if settings.watch == "notify":
        do = "set TAGLINE_WATCH=auto, or poll: changes by other machines are never noticed"
        return fault("photos mount", f"{kind} does not tell of changes that others make", do)
    do = "TAGLINE_RECONCILE_SECONDS says how late a change shows at most; 30 to 60 suits"
    says = f"{kind} does not tell of changes that others make: all is looked at again and again"
    return note("photos mount", says, do)


def _mountinfo() -> str:
    try:
        return MOUNTINFO.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def _inside(tree: Tree, *, apart: bool) -> Check:
    """What may be done below; ``apart`` says that sidecars need not be written there."""
    if tree.closed:
        do = "give the server's user the right to read them; what is in them is not shown"
        says = f"{_directories(len(tree.closed))} cannot be read: {_some(tree.closed)}"
        return fault("photos inside", says, do)
    if tree.read_only and len(tree.read_only) < tree.directories and not apart:
        do = "let them belong to the server's user; changes of the photos in them are refused"
        says = f"{_directories(len(tree.read_only))} cannot be written: {_some(tree.read_only)}"
        return fault("photos inside", says, do)
    seen = f"{_directories(tree.directories)} with {counted(tree.files, 'file', 'files')}"
    if not tree.finished:
        seen += f" in {WALK_SECONDS:g} seconds; the rest was not looked at"
    return ok("photos inside", seen)


def _directories(number: int) -> str:
    return counted(number, "directory", "directories")


def _times(tree: Tree) -> Check:
    if not tree.future:
        return ok("photos times", "no file was changed in the future")
    do = "touch them: a file of the future always looks newer than what is written to it"
    files = counted(len(tree.future), "file was", "files were")
    says = f"{files} changed in the future: {_some(tree.future)}"
    return fault("photos times", says, do)


def _some(paths: list[str]) -> str:
    shown = ", ".join(printable(path) for path in sorted(paths)[:_SHOWN])
    return shown + (", …" if len(paths) > _SHOWN else "")


def data_checks(settings: Settings) -> Iterator[Check]:
    """The data directory, its file system, and the space on both."""
    data = settings.database_directory
    photos = settings.photo_storage_path
    if data is None:
        yield note("data", "the index and the sessions are kept in memory, and end with the server")
    else:
        yield _data(data)
        yield _data_mount(data, photos)
        yield _space("data space", data, _LITTLE_MEGABYTES)
    if photos is not None:
        yield _space("photos space", photos, _LITTLE_MEGABYTES)


def _data(data: Path) -> Check:
    if why := why_data_unusable(data):
        if "mounted" in why:
            return fault("data", why, "mount it for writing, or choose another DATABASE_URL")
        do = (
            "serve as whoever owns it (container: --user), give all of it to the server's user "
            f"(as root: chown -R {os.geteuid()}:{os.getegid()} {data}), or choose another "
            "DATABASE_URL"
        )
        return fault("data", why, do)
    return ok("data", f"{data}: " + (_owned(data) if data.is_dir() else "made at the first start"))


def _data_mount(data: Path, photos: Path | None) -> Check:
    there = existing(data)
    kind = remote_file_system(there.resolve(), _mountinfo())
    if kind is not None:
        do = "choose a DATABASE_URL on a disk of this machine: locks and renames are not safe there"
        return fault("data mount", f"it lies on {kind}", do)
    if photos is not None and there.stat().st_dev == photos.stat().st_dev:
        return ok("data mount", "the same disk as the photos: when it is full, both are")
    return ok("data mount", "a disk of this machine, another one than the photos'")


def existing(directory: Path) -> Path:
    """The directory, or the nearest one above it that is there."""
    return next(path for path in (directory, *directory.parents) if path.is_dir())


def _space(name: str, directory: Path, least_megabytes: int) -> Check:
    status = os.statvfs(existing(directory))
    free = status.f_bavail * status.f_frsize // _MEGABYTE
    if free < least_megabytes:
        return fault(name, f"{free} MB are free", "make room: what is written would be refused")
    if status.f_files and status.f_favail < _FEW_FILES:
        do = "remove files: the disk takes no more of them, though it has room"
        return fault(name, f"{status.f_favail} files can still be made", do)
    return ok(name, f"{free} MB are free")
