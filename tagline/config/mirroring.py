"""Sidecars apart from the photos: what TAGLINE_SIDECAR_PATH makes of the storage."""

import os
from collections.abc import Iterator
from pathlib import Path

from tagline.config.access import why_read_only
from tagline.config.loading import load_some
from tagline.config.settings import Settings
from tagline.config.values import is_inside
from tagline.metadata.strays import suffix_of
from tagline.model.keys import key_from_path
from tagline.storage import LocalStorage, Mirror, MirroredStorage

NOTE = "sidecars-in-use"
"""Name of the file in the data directory that says that there were sidecars apart."""


def mirrored_storage(settings: Settings) -> MirroredStorage | None:
    """The storage of photos with their sidecars apart; None where the settings name no such place.

    With ``TAGLINE_WRITE_MODE=sidecar`` nothing is ever written among the photos.
    """
    photos, sidecars = settings.photo_storage_path, settings.sidecar_path
    if photos is None or sidecars is None:
        return None
    data, ignore, probes = settings.database_directory, settings.ignore, settings.others_write
    note = data / NOTE if data else None
    return MirroredStorage(
        LocalStorage(photos, ignore=ignore, is_sidecar=is_sidecar_name, probe_writers=probes),
        Mirror(sidecars, ignore=ignore, note=note, probe_writers=probes),
        is_sidecar_name,
        protect=settings.write_mode == "sidecar",
    )


def mirrored_storage_of_file(file: Path) -> tuple[MirroredStorage, str] | None:
    """The storage of a single file, and its key, where the settings say that sidecars lie apart.

    They say so of files below PHOTO_STORAGE_PATH. Other settings may be wrong.

    Raises:
        SettingsError: with the mistakes in these.
    """
    names = (
        "PHOTO_STORAGE_PATH",
        "TAGLINE_SIDECAR_PATH",
        "TAGLINE_WRITE_MODE",
        "TAGLINE_SETTLE_SECONDS",
        "TAGLINE_IGNORE",
    )
    if load_some(("TAGLINE_SIDECAR_PATH",)).sidecar_path is None:
        return None
    settings = load_some(names)
    photos, storage = settings.photo_storage_path, mirrored_storage(settings)
    if photos is None or storage is None or not is_inside(file, photos):
        return None
    below = os.path.relpath(os.path.realpath(file), os.path.realpath(photos))
    return storage, key_from_path(os.fsencode(below))


def is_sidecar_name(name: str) -> bool:
    """Whether a file of this name is a sidecar, and lies apart where others do."""
    return suffix_of(name) is not None


def warnings_of(settings: Settings) -> Iterator[str]:
    """What cannot be written, told before somebody tries."""
    photos, sidecars, data = (
        settings.photo_storage_path,
        settings.sidecar_path,
        settings.database_directory,
    )
    if sidecars is None and data is not None and (data / NOTE).is_file():
        yield (
            "TAGLINE_SIDECAR_PATH: is not set, and was before: what was written there is not "
            "shown. Set it again; or, if that is meant, delete "
            f"{NOTE} in the data directory"
        )
    barred = why_read_only(photos) if photos is not None else None
    if sidecars is not None and (reason := why_read_only(sidecars)):
        yield f"TAGLINE_SIDECAR_PATH: {reason}; no sidecar can be written"
    elif barred and sidecars is not None:
        yield f"PHOTO_STORAGE_PATH: {barred}; what is edited goes to TAGLINE_SIDECAR_PATH"
        return
    if barred:
        yield f"PHOTO_STORAGE_PATH: {barred}; photos are shown, and changes of them answered 403"
