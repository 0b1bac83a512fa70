"""``show``, ``describe`` and ``edit``: single files, without server or index."""

import os
import sys
import time
from argparse import Namespace
from pathlib import Path

import msgspec
from msgspec import UNSET

from tagline.cli.output import printable, say, say_json
from tagline.config.loading import load_some
from tagline.config.mirroring import is_sidecar_name, mirrored_storage_of_file
from tagline.errors import InvalidValue, ObjectBusy, StorageError, TaglineError
from tagline.library import (
    Patience,
    PhotoWriter,
    Rest,
    Target,
    WriteMode,
    read_alone,
    strays_in,
)
from tagline.library.rest import WAIT_SECONDS
from tagline.library.writing import asked_of
from tagline.metadata import accepted, is_photo
from tagline.model import MetadataChange, Photo, Precondition
from tagline.model.keys import directory_of, key_from_path
from tagline.storage import LocalStorage, PhotoStorageProvider
from tagline.storage.paths import IgnoreRules
from tagline.sync import Stillness, Strays

# Clients know a photo by these two, which only an index can give.
_NEEDS_INDEX = ("id", "etag")


def show(arguments: Namespace) -> int:
    """Print what each file says; 1 when one could not be read."""
    failed, directories = False, _Directories()
    for name in arguments.files:
        try:
            storage, key = locate(Path(name))
            photo = read_alone(storage, key, directories.strays(name, storage, key)).photo
        except TaglineError as error:
            failed = True
            _complain(name, error)
            continue
        if arguments.json:
            say_json(_as_json(name, photo))
        else:
            say(_as_text(name, photo))
    return int(failed)


def describe(arguments: Namespace) -> int:
    """Write the text into each file; 1 when one could not be written, 2 without a text.

    A text that is the name of a file is none: ``describe *.jpg`` would write the name of the last
    photo over what all others say, and nothing remembers that.
    """
    if os.path.isfile(arguments.text):  # noqa: PTH113 - a text may be no path at all
        return _misused(
            "the last argument is a file, and no text; if that is the text, say tagline edit "
            "FILE… --description TEXT"
        )
    return _edit_each(arguments, MetadataChange(description=arguments.text))


def edit(arguments: Namespace) -> int:
    """Write the fields into each file; 1 when one could not be written, 2 for wrong values."""
    asked = {name: getattr(arguments, name) for name in MetadataChange.__struct_fields__}
    asked = {name: value for name, value in asked.items() if value is not None}
    both = sorted(asked.keys() & set(arguments.remove))
    if both or not (asked or arguments.remove):
        fault = f"{both[0]} is both set and removed" if both else "say what to change"
        return _misused(f"{fault}; see tagline edit --help")
    if "keywords" in asked:
        words = (word.strip() for word in asked["keywords"].split(","))
        asked["keywords"] = tuple(dict.fromkeys(word for word in words if word))
    change = MetadataChange(**asked, **dict.fromkeys(arguments.remove))
    try:
        accepted(asked_of(change))
    except InvalidValue as error:
        return _misused(str(error))
    return _edit_each(arguments, change)


def _misused(fault: str) -> int:
    print(f"tagline: {fault}", file=sys.stderr)
    return 2


def _edit_each(arguments: Namespace, change: MetadataChange) -> int:
    """Edit the files; those that are not at rest are tried again when all others are done.

    Raises:
        SettingsError: TAGLINE_SETTLE_SECONDS is set wrongly.
    """
    editing = _Editing(change, "sidecar" if arguments.sidecar else "embed")
    patience = Patience(most_seconds=max(WAIT_SECONDS, editing.settle_seconds + 1))
    names, failed = list(arguments.files), False
    while names:
        waiting: dict[ObjectBusy, str] = {}
        for name in names:
            try:
                done = editing.edit(name)
            except ObjectBusy as error:
                waiting[error] = name
            except TaglineError as error:
                failed = True
                _complain(name, error)
            else:
                say(done)
        pause_seconds = patience.pause_seconds(waiting.keys()) if waiting else 0
        if pause_seconds is None:
            for error, name in waiting.items():
                _complain(name, error)
            return 1
        time.sleep(pause_seconds)
        names = list(waiting.values())
    return int(failed)


def locate(path: Path) -> tuple[PhotoStorageProvider, str]:
    """The storage that a file lies in, and its key there; a symbolic link is followed.

    That is the directory of the file, or the configured one where sidecars lie apart.

    Raises:
        StorageError: there is no such file, or it is no photo.
        SettingsError: where sidecars lie, or TAGLINE_SETTLE_SECONDS, is set wrongly.
    """
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise StorageError("There is no such file.") from error
    key = key_from_path(os.fsencode(target.name))
    if why := _why_no_photo(target, key):
        raise StorageError(why)
    if found := mirrored_storage_of_file(target):
        return found
    probes = load_some(("TAGLINE_SETTLE_SECONDS",)).others_write
    return LocalStorage(target.parent, is_sidecar=is_sidecar_name, probe_writers=probes), key


def _why_no_photo(file: Path, key: str) -> str | None:
    """Why the file, which has this key in its directory, cannot be a photo; None when it can."""
    if not file.is_file():
        return "This is no file, but a directory or the like."
    if not is_photo(key):
        return "Tagline knows no photos of this kind; the README lists those that it knows."
    if IgnoreRules().hide_path(key):
        return "A file of this name is left out by Tagline, as one that is hidden; rename it first."
    return None


class _Directories:
    """The sidecars in each directory that lie elsewhere than their photo; each is listed once."""

    def __init__(self) -> None:
        self._strays: dict[Path, Strays] = {}

    def strays(self, name: str, storage: PhotoStorageProvider, key: str) -> Strays:
        """Those in the directory of a file, which has this key in the storage."""
        directory = Path(name).resolve().parent
        if directory not in self._strays:
            self._strays[directory] = strays_in(storage, directory_of(key))
        return self._strays[directory]


class _Editing:
    """One change of many files; what was seen of them is remembered from one try to the next."""

    def __init__(self, change: MetadataChange, mode: WriteMode) -> None:
        self._change = change
        self._mode: WriteMode = mode
        self._directories = _Directories()
        self.settle_seconds = load_some(("TAGLINE_SETTLE_SECONDS",)).settle_seconds
        # Keys are those of a directory, so each has its own.
        self._rests: dict[Path, Rest] = {}

    def edit(self, name: str) -> str:
        """Edit one file; what was done, for a person."""
        storage, key = locate(Path(name))
        strays = self._directories.strays(name, storage, key)
        directory = Path(name).resolve().parent
        rest = self._rests.setdefault(directory, Rest(Stillness(self.settle_seconds)))
        writer = PhotoWriter(storage, self._mode, strays, rest)
        written = writer.edit(Target(object_key=key), self._change, Precondition())
        if not written.changed:
            return f"{printable(name)}: unchanged, it says so already"
        photo = read_alone(storage, key, strays).photo
        places = "written"
        if self._change.description is not UNSET:
            places = ", ".join(photo.stored_in) or "removed"
        why = f" (not in the photo itself: {written.not_embedded})" if written.not_embedded else ""
        return f"{printable(name)}: {places}{why}"


def _complain(name: str, error: TaglineError) -> None:
    print(f"tagline: {printable(name)}: {printable(str(error))}", file=sys.stderr)


def _as_json(name: str, photo: Photo) -> dict[str, object]:
    said = msgspec.to_builtins(photo)
    for member in _NEEDS_INDEX:
        del said[member]
    return {"file": name, **said}


def _as_text(name: str, photo: Photo) -> str:
    size = f"{photo.width} x {photo.height}" if photo.width else None
    gps = photo.gps and f"{photo.gps.latitude:.6f}, {photo.gps.longitude:.6f}"
    rows: dict[str, str | None] = {
        "description": photo.metadata.description,
        "stored in": ", ".join(photo.stored_in) or None,
        "title": photo.metadata.title,
        "keywords": ", ".join(photo.metadata.keywords) or None,
        "rating": None if photo.metadata.rating is None else str(photo.metadata.rating),
        "taken": photo.taken_at and f"{photo.taken_at} {photo.taken_at_offset or '(zone unknown)'}",
        "camera": photo.camera,
        "lens": photo.lens,
        "pixels": size,
        "position": gps,
        "media type": photo.media_type,
        "problem": photo.problem,
    }
    said = [(label, value) for label, value in rows.items() if value]
    differing = (s for s in photo.description_sources if not s.agrees)
    said += [("differs", f"{source.place}: {source.text}") for source in differing]
    lines = (f"  {label:<12} {printable(text)}" for label, text in said)
    return "\n".join([printable(name), *lines])
