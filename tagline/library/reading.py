"""Reading one photo with its sidecars out of the storage."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from tagline.errors import ObjectUnreadable
from tagline.library.beside import WriteMode, is_editable
from tagline.library.holding import Turn
from tagline.metadata import (
    FIELDS,
    HEAD_BYTES,
    NO_SIDECARS,
    Format,
    PhotoReading,
    SidecarFile,
    SidecarFiles,
    TakenAt,
    codec_of,
    format_of,
    is_photo,
    read_photo,
    sidecars_of,
)
from tagline.metadata.strays import SUFFIXES, proper_name, suffix_of
from tagline.model import FileState, IndexedFile, Metadata, Photo
from tagline.model.keys import directory_of, join, name_of
from tagline.model.text import offset_text
from tagline.storage import OpenObject, PhotoStorageProvider
from tagline.sync import Decoded, Look, Observed, Strays

SIDECAR_MAX_BYTES = 16 * 1024 * 1024
"""A photo beside a larger file of a sidecar's name cannot be read: it might say anything."""
_HEAD_BYTES = 64 * 1024
UNKNOWN_MEDIA_TYPE = "application/octet-stream"


def read_observed(
    storage: PhotoStorageProvider, observed: Observed, mode: WriteMode = "embed"
) -> Decoded:
    """Read a photo that a walk met; blocks.

    Raises:
        StorageError: the photo cannot be read. A sidecar that cannot be read is an error too:
            without it the photo would show another text than the disk holds.
    """
    with storage.open(observed.object_key) as opened:
        return decoded_of(opened, read_open(storage, opened, observed), mode)


def read_alone(
    storage: PhotoStorageProvider, object_key: str, strays: Strays, mode: WriteMode = "embed"
) -> Decoded:
    """Read one photo with its sidecars, wherever they lie; the errors of ``read_observed``."""
    with storage.open(object_key) as opened:
        seen = read_with_strays(opened, object_key, strays, Look(storage, [object_key]))
        return decoded_of(opened, seen, mode)


def strays_in(storage: PhotoStorageProvider, directory: str) -> Strays:
    """The strays of one directory; blocks."""
    strays = Strays(storage)
    strays.meet(directory, list(storage.walk(directory, recursive=False)))
    return strays


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A photo as read: its sidecars' content, and every file's state when it was read.

    ``row`` is the format by whose rules it was read, None where that is not known.
    """

    row: Format | None
    reading: PhotoReading
    sidecars: SidecarFiles
    files: tuple[IndexedFile, ...]


def read_open(storage: PhotoStorageProvider, opened: OpenObject, observed: Observed) -> Seen:
    """Read an open photo with its sidecars; the errors of ``read_observed``."""
    key = observed.object_key
    own = tuple([f.object_key for f in observed.own[1:]])
    with Turn() as turn:
        turn.demand(sum(file.state.size for file in observed.files[1:]))
        sidecars, states = read_sidecars(storage, key, own, observed.adopted)
        source, name = _Buffered(opened, turn), name_of(key)
        reading = read_photo(source, name, sidecars)
        files = (IndexedFile(key, opened.state), *states)
        row = codec_of(name, source.read_at(0, HEAD_BYTES))
        return Seen(row=row, reading=reading, sidecars=sidecars, files=files)


class _Buffered:
    """A ``ByteSource`` that reads the head of a file once: that is where most of it is said."""

    __slots__ = ("_head", "_opened", "_turn", "size")

    def __init__(self, opened: OpenObject, turn: Turn) -> None:
        self._opened = opened
        self._turn = turn
        self._head = opened.read_at(0, _HEAD_BYTES)
        self.size = opened.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``; fewer only at the end of the file."""
        end = offset + length
        if 0 <= offset <= end and (end <= len(self._head) or len(self._head) == self.size):
            return self._head[offset:end]
        self._turn.demand(length)
        return self._opened.read_at(offset, length)


def read_with_strays(opened: OpenObject, object_key: str, strays: Strays, look: Look) -> Seen:
    """Read an open photo with its sidecars wherever they lie; the errors of ``read_observed``."""
    storage, observed = look.storage, look.photo(object_key)
    seen = read_open(storage, opened, observed)
    directory = directory_of(object_key)
    stale = [join(directory, name) for name in seen.reading.stale_sidecars]
    strays.note_reading(seen.files[1:], stale)
    adopting = strays.adopt(observed, seen.reading.fingerprint)
    return read_open(storage, opened, adopting) if adopting.adopted else seen


def decoded_of(opened: OpenObject, seen: Seen, mode: WriteMode = "embed") -> Decoded:
    """What was read, as the reconciler takes it."""
    reading, files = seen.reading, seen.files
    writable = is_editable(opened, seen.row, mode)
    photo = photo_of(reading, files, writable=writable)
    directory = directory_of(files[0].object_key)
    stale = tuple([join(directory, name) for name in reading.stale_sidecars])
    return Decoded(photo=photo, fingerprint=reading.fingerprint, files=files, stale=stale)


def as_written(
    reading: PhotoReading, object_key: str, states: Mapping[str, FileState], *, writable: bool
) -> Decoded:
    """What reading a photo will give that was just written, if nobody changes it.

    ``states`` are those of the photo and its sidecars by key.
    """
    others = sorted(key for key in states if key != object_key)
    files = tuple(IndexedFile(key, states[key]) for key in (object_key, *others))
    photo = photo_of(reading, files, writable=writable)
    adopted = tuple(key for key in reading.adopted if key in states)
    return Decoded(photo=photo, fingerprint=reading.fingerprint, files=files, adopted=adopted)


def read_sidecars(
    storage: PhotoStorageProvider,
    object_key: str,
    sidecar_keys: tuple[str, ...],
    adopted: tuple[str, ...] = (),
) -> tuple[SidecarFiles, tuple[IndexedFile, ...]]:
    """The content of a photo's sidecars, and the state each had when it was read; blocks.

    ``adopted`` are those that are the photo's although their names do not say so: at most one of
    each kind. They are called by their keys.

    Raises:
        StorageError: a sidecar is gone, too large, or cannot be read.
    """
    if not sidecar_keys and not adopted:
        return NO_SIDECARS, ()
    directory = directory_of(object_key)
    names = sidecars_of(name_of(object_key), [name_of(key) for key in sidecar_keys], is_photo)
    states: list[IndexedFile] = []

    def content(key: str, name: str) -> SidecarFile:
        with storage.open(key) as opened:
            if opened.size > SIDECAR_MAX_BYTES:
                reason = f"{name_of(key)}, its sidecar, is too large; move that away"
                raise ObjectUnreadable(object_key, reason)
            states.append(IndexedFile(key, opened.state))
            return SidecarFile(name=name, data=opened.read_at(0, opened.size))

    def own(name: str | None) -> SidecarFile | None:
        return content(join(directory, name), name) if name else None

    def stray(suffix: str) -> SidecarFile | None:
        return next((content(key, key) for key in adopted if suffix_of(key) == suffix), None)

    files = SidecarFiles(
        xmp=own(names.xmp),
        stem_xmp=own(names.stem_xmp),
        json=own(names.json),
        adopted_xmp=stray(".xmp"),
        adopted_json=stray(".json"),
    )
    return files, tuple(sorted(states, key=lambda file: file.object_key))


def kinds_of(files: SidecarFiles, stale: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The kinds of a photo's sidecars, but for those of other photos; see ``Intended``."""
    found = {
        "xmp": files.xmp or files.adopted_xmp,
        "stem_xmp": files.stem_xmp,
        "json": files.json or files.adopted_json,
    }
    return tuple(kind for kind, file in found.items() if file and file.name not in stale)


def hidden_sidecars(
    storage: PhotoStorageProvider, object_key: str, sidecars: SidecarFiles
) -> tuple[SidecarFile, ...] | None:
    """What a photo's sidecars hide, or would once they are written, by their names; blocks.

    None where its JSON sidecar is not kept apart.
    """
    directory, name = directory_of(object_key), name_of(object_key)
    json = sidecars.json.name if sidecars.json else proper_name(name, ".json")
    if storage.beneath(join(directory, json)) is None:
        return None
    own = {file.name for file in (sidecars.xmp, sidecars.stem_xmp, sidecars.json) if file}
    names = sorted(own | {proper_name(name, suffix) for suffix in SUFFIXES})
    found = ((each, storage.beneath(join(directory, each))) for each in names)
    return tuple(SidecarFile(name=each, data=data) for each, data in found if data)


def photo_of(reading: PhotoReading, files: tuple[IndexedFile, ...], *, writable: bool) -> Photo:
    """The photo that a reading makes, still without id and entity tag."""
    object_key, state = files[0].object_key, files[0].state
    row = format_of(object_key)
    newest = max([file.state.mtime_ns for file in files])
    return Photo(
        id="",
        object_key=object_key,
        metadata=metadata_of(reading),
        last_modified=rfc3339_from_ns(newest),
        media_type=row.media_type if row else UNKNOWN_MEDIA_TYPE,
        size=state.size,
        width=reading.width,
        height=reading.height,
        orientation=reading.orientation,
        taken_at=_rfc3339_taken(reading.taken),
        taken_at_offset=_offset(reading.taken),
        camera=camera_of(reading.make, reading.model),
        make=reading.make,
        model=reading.model,
        lens=reading.lens,
        gps=reading.gps,
        stored_in=tuple(s.place for s in reading.sources if s.agrees),
        description_sources=reading.sources,
        writable=writable,
        not_embedded=reading.not_embedded,
        problem=reading.problem,
        etag="",
    )


def metadata_of(reading: PhotoReading) -> Metadata:
    """All that a person may edit, as clients see it."""
    found = reading.found
    shown = {f.name: f.show(found[f.name].value) for f in FIELDS if found[f.name].value is not None}
    return msgspec.convert(shown, Metadata) if shown else _NOTHING_SAID


def camera_of(make: str | None, model: str | None) -> str | None:
    """One name for the camera: the maker's name stands before the model only where it adds one."""
    if make is None or model is None:
        return model or make
    words = make.split(maxsplit=1)
    first_word = words[0].casefold() if words else ""
    return model if model.casefold().startswith(first_word) else f"{make} {model}"


def rfc3339_from_ns(time_ns: int) -> str:
    """RFC 3339 in UTC with microseconds, from nanoseconds since 1970.

    A time outside the years 1 to 9999 is clamped: some file systems and archives give such.
    """
    micros = min(max(time_ns // 1000, _FIRST_MICROS), _LAST_MICROS)
    return _rfc3339(_EPOCH + timedelta(microseconds=micros))


def _rfc3339_taken(taken: TakenAt | None) -> str | None:
    if taken is None:
        return None
    try:
        offset = taken.offset_minutes
        return _rfc3339(taken.local - timedelta(minutes=offset) if offset else taken.local)
    except OverflowError:
        return None


def _offset(taken: TakenAt | None) -> str | None:
    return offset_text(taken.offset_minutes) or None if taken else None


def _rfc3339(utc: datetime) -> str:
    return f"{utc.isoformat(timespec='microseconds')}Z"


_NOTHING_SAID = Metadata()
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC throughout
_FIRST_MICROS = (datetime.min - _EPOCH) // timedelta(microseconds=1)  # noqa: DTZ901 - UTC
_LAST_MICROS = (datetime.max - _EPOCH) // timedelta(microseconds=1)  # noqa: DTZ901 - UTC
