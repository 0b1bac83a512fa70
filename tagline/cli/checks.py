"""What a check found, and the checks that need no directory: versions, clock, decoders."""

import os
import platform
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import msgspec

import tagline
from tagline.config.settings import Settings
from tagline.errors import PictureError
from tagline.pictures.jobs import Job, Limits
from tagline.pictures.process import WorkerProcess

State = Literal["ok", "note", "fault", "skipped"]
_LIBRARIES = (
    "aiohttp",
    "pydantic",
    "msgspec",
    "tinydb",
    "watchfiles",
    "pillow",
    "pi-heif",
    "pyjwt",
)
_LAST_YEAR = 2100
_SECONDS = 20
_MEGABYTE = 1024 * 1024
_GIF = bytes.fromhex("47494638396101000100800000ff0000ffffff2c00000000010001000002024401003b")


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at.

    ``note`` is something to know that keeps nothing from working; ``fault`` is something to mend,
    and ``do`` says how.
    """

    name: str
    state: State
    says: str
    do: str | None = None


def ok(name: str, says: str) -> Check:
    """All is well."""
    return Check(name=name, state="ok", says=says)


def note(name: str, says: str, do: str | None = None) -> Check:
    """It works, and is worth knowing."""
    return Check(name=name, state="note", says=says, do=do)


def fault(name: str, says: str, do: str) -> Check:
    """It does not work as it should."""
    return Check(name=name, state="fault", says=says, do=do)


def skipped(name: str, says: str) -> Check:
    """It was not looked at."""
    return Check(name=name, state="skipped", says=says)


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number} {one if number == 1 else many}"


def versions() -> Check:
    """Python, and the libraries that do the work."""
    found: list[str] = []
    missing: list[str] = []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    says = f"Tagline {tagline.__version__}, Python {platform.python_version()}"
    if missing:
        told = f"{says}; {', '.join(missing)} not installed"
        return fault("versions", told, "install Tagline again, with all that it needs")
    return ok("versions", f"{says}, {', '.join(found)}; {platform.platform()}")


def clock(now: float | None = None) -> Check:
    """Whether the clock may be right: it decides which tokens are good, and which file is newer."""
    seconds = time.time() if now is None else now
    shown = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    installed = Path(tagline.__file__).stat().st_mtime
    do = "set the clock, best by NTP: sessions end too early or too late by a wrong one"
    if seconds < installed - _SECONDS:
        return fault("clock", f"{shown} is before Tagline was installed here", do)
    if datetime.fromtimestamp(seconds, UTC).year >= _LAST_YEAR:
        return fault("clock", f"{shown} is far in the future", do)
    return ok("clock", shown)


def pictures(settings: Settings | None) -> Check:
    """Whether a worker process starts, within its limits, and decodes a picture."""
    megabytes = settings.picture_memory_megabytes if settings else 2048
    limits = Limits(memory_bytes=megabytes * _MEGABYTE)
    do = (
        "see whether memory is short and whether the program may start processes; thumbnails fail, "
        "and all else works"
    )
    try:
        made = _rendered(limits)
    except (PictureError, OSError) as error:
        return fault("pictures", f"no picture could be made: {error}", do)
    if not made.startswith(b"\xff\xd8"):
        return fault("pictures", "what was made is no JPEG", do)
    return ok("pictures", "a worker process decoded a picture, and encoded a thumbnail")


def _rendered(limits: Limits) -> bytes:
    job = Job(
        kind="gif",
        offset=0,
        length=len(_GIF),
        orientation=1,
        stored=None,
        edge=256,
        media_type="image/jpeg",
        max_pixels=limits.max_pixels,
        seconds=limits.seconds,
    )
    # A file in memory: there may be no place to write one.
    with os.fdopen(os.memfd_create("tagline-doctor"), "w+b") as file:
        file.write(_GIF)
        file.flush()
        worker = WorkerProcess(limits)
        try:
            return worker.render(job, file.fileno())
        finally:
            worker.close()
