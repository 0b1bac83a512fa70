"""The write path: from a wish to files on disk, each whole or absent."""

import contextlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import UNSET

from tagline.errors import (
    EditRefused,
    ObjectChanged,
    PhotoModified,
    PreconditionFailed,
    StorageError,
    StorageReadOnly,
    UnsafeKey,
)
from tagline.library import homing
from tagline.library.beside import SIDECAR_MODE, UNWRITABLE, WriteMode, why_beside
from tagline.library.reading import decoded_of, hidden_sidecars, read_whole, read_with_strays
from tagline.metadata import (
    Edit,
    EditRequest,
    Field,
    FieldValue,
    Format,
    SidecarFiles,
    accepted,
    carrying,
    edit_photo,
    edits_of,
)
from tagline.model import FileState, IndexedFile, Metadata, MetadataChange, Precondition, with_etag
from tagline.model.keys import directory_of, join, name_of
from tagline.storage import OpenObject, PhotoStorageProvider
from tagline.sync import Decoded, Look, Strays


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What an edit did: whether any file was written, and why the photo itself was not, if so.

    ``touched`` are the keys of sidecars that were moved or copied before. ``before`` and ``after``
    have the fields that were written, with the values that were found in the files and put there.
    ``look`` knows what lies beside the photo now, where that is simply told.
    """

    changed: bool
    before: MetadataChange = MetadataChange()
    after: MetadataChange = MetadataChange()
    not_embedded: str | None = None
    touched: tuple[str, ...] = ()
    look: Look | None = None


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The photo to edit: where it is, and what the caller knows of it.

    ``fingerprint`` is None where the caller knows a path only; else the file must have it.
    ``shared`` are the strays that other photos show too, so that they have to stay; None where
    nobody knows. ``homes`` are photos by the fingerprints of sidecars that may stand in the way.
    """

    object_key: str
    photo_id: str = ""
    fingerprint: str | None = None
    shared: frozenset[str] | None = None
    homes: Mapping[str, Sequence[str]] = {}


class PhotoWriter:
    """Edits photos of one storage; every method blocks, and is thread-safe.

    Of two edits of one photo at once, the storage refuses one (``ObjectChanged``): callers that
    want both hold a lock a photo.
    """

    def __init__(
        self,
        storage: PhotoStorageProvider,
        mode: WriteMode = "embed",
        strays: Strays | None = None,
    ) -> None:
        self._storage = storage
        self._mode: WriteMode = mode
        self._strays = Strays(storage) if strays is None else strays

    def edit(self, target: Target, change: MetadataChange, precondition: Precondition) -> Written:
        """Make the change if the precondition holds of the files as they are now.

        Raises:
            InvalidValue: a value cannot be stored.
            PhotoModified: ``last_modified`` is not the current one.
            PreconditionFailed: no entity tag matches.
            EditRefused: there is no safe place for a value.
            ObjectChanged: the file is another photo, or was changed meanwhile.
            StorageError: the file is gone, or cannot be written.
        """
        try:
            return self._edit(target, change, precondition)
        except StorageReadOnly as error:
            if not error.beside:
                raise
        # Some shares let a file be written by its permissions, and refuse it when that is tried.
        return self._edit(target, change, precondition, UNWRITABLE)

    def _edit(
        self,
        target: Target,
        change: MetadataChange,
        precondition: Precondition,
        refusal: str | None = None,
    ) -> Written:
        values = accepted(asked_of(change))
        look = Look(self._storage, [target.object_key])
        with self._storage.open(target.object_key) as opened:
            seen = read_with_strays(opened, target.object_key, self._strays, look)
            reading = seen.reading
            if target.fingerprint not in {None, reading.fingerprint}:
                raise ObjectChanged(target.object_key)
            check_precondition(decoded_of(opened, seen, self._mode), target.photo_id, precondition)
            edits = edits_of(reading, values)
            if not edits:
                return Written(changed=False)
            shared = reading.adopted if target.shared is None else target.shared
            hidden = hidden_sidecars(self._storage, target.object_key, seen.sidecars)
            apart = {file.name for file in hidden or ()}
            planned = homing.plan(target.object_key, seen, shared, apart)
            reading = msgspec.structs.replace(reading, stale_sidecars=())
            refusal = refusal or self._refusal(opened, seen.row)
            request = EditRequest(
                name=name_of(target.object_key),
                source=opened,
                reading=reading,
                sidecars=planned.sidecars,
                edits=edits,
                hidden=hidden,
                data=None if refusal else read_whole(opened, target.object_key),
                refusal=refusal,
            )
            edit = edit_photo(carrying(request) if planned.homecomings else request)
        mover = homing.Mover(self._storage, target.object_key, target.homes)
        goals = [name_of(each.goal) for each in planned.homecomings]
        mover.make_way(planned, [*goals, *(name for name, data in edit.sidecars.items() if data)])
        home = mover.bring_home(planned)
        self._write((*planned.files, *home), edit, planned.sidecars)
        look.follow(target.object_key, {n: data is not None for n, data in edit.sidecars.items()})
        return Written(
            changed=True,
            before=change_to({one.field: one.old for one in edits}),
            after=change_to({one.field: one.new for one in edits}),
            not_embedded=edit.not_embedded,
            touched=tuple(mover.touched),
            look=None if mover.touched else look,
        )

    def _refusal(self, opened: OpenObject, row: Format | None) -> str | None:
        """Why the photo itself is not to be edited, before its content is looked at."""
        if self._mode == "sidecar":
            return SIDECAR_MODE
        if (reason := why_beside(opened, row)) is not None:
            return reason
        return UNWRITABLE if opened.editable and not opened.writable else None

    def _write(self, files: tuple[IndexedFile, ...], edit: Edit, sidecars: SidecarFiles) -> None:
        """Write the sidecars, then the photo; on an error put back what was written already.

        The photo comes last, so that whatever fails before it leaves it untouched.
        """
        photo_key = files[0].object_key
        states = {file.object_key: file.state for file in files}
        old = {f.name: f.data for f in (sidecars.xmp, sidecars.stem_xmp, sidecars.json) if f}
        done: list[tuple[str, bytes | None, FileState | None]] = []
        try:
            for name, data in edit.sidecars.items():
                key = join(directory_of(photo_key), name)
                try:
                    state = self._put(key, data, states.get(key), like=photo_key)
                except StorageError:
                    # The disk may fail when the file has its name already.
                    if data is not None and (placed := self._state_with(key, data)) is not None:
                        done.append((key, old.get(name), placed))
                    raise
                done.append((key, old.get(name), state))
            if edit.photo is not None:
                self._put(photo_key, edit.photo, states[photo_key], like=photo_key)
        except StorageError as error:
            for key, data, state in reversed(done):
                # What cannot be put back shows as a disagreement between places in `verify`.
                with contextlib.suppress(StorageError):
                    self._put(key, data, state, like=photo_key)
            if isinstance(error, UnsafeKey) and error.object_key != photo_key:
                # The photo is there: a link in the sidecar's place leads out, or its name is long.
                name = name_of(error.object_key)
                told = f"its sidecar {name} cannot be written: {error.reason}; rename the photo"
                raise EditRefused(told) from error
            raise

    def _put(
        self, key: str, data: bytes | None, state: FileState | None, *, like: str
    ) -> FileState | None:
        """Replace, create or delete one file; return its state afterwards, None for none."""
        if data is not None:
            return self._storage.replace(key, data, state, like=like).state
        if state is not None:
            self._storage.remove(key, state)
        return None

    def _state_with(self, key: str, data: bytes) -> FileState | None:
        """The state of a file if it holds just that."""
        with contextlib.suppress(StorageError), self._storage.open(key) as opened:
            if opened.size == len(data) and opened.read_at(0, opened.size) == data:
                return opened.state
        return None


def check_precondition(decoded: Decoded, photo_id: str, precondition: Precondition) -> None:
    """Return when the photo on disk is the one that the caller saw.

    Raises:
        PreconditionFailed: ``if_match`` names other entity tags (RFC 9110, 13.1.1).
        PhotoModified: ``last_modified`` is another moment.
    """
    photo = msgspec.structs.replace(decoded.photo, id=photo_id)
    photo = with_etag(photo, decoded.fingerprint)
    wanted = precondition.if_match
    if wanted is not None and "*" not in wanted and photo.etag not in wanted:
        raise PreconditionFailed(photo.etag)
    seen = precondition.last_modified
    if seen is not None and not _same_moment(seen, photo.last_modified):
        raise PhotoModified(seen, photo.last_modified, photo.etag)


def asked_of(change: MetadataChange) -> dict[str, object]:
    """The members of a change that ask for something."""
    asked: dict[str, object] = msgspec.structs.asdict(change)
    return {name: value for name, value in asked.items() if value is not UNSET}


def change_to(values: Mapping[Field, FieldValue]) -> MetadataChange:
    """The change that puts these values there; a field without a value as ``Metadata`` has it."""
    shown = {field.name: field.show(value) for field, value in values.items()}
    nothing: dict[str, object] = msgspec.structs.asdict(Metadata())
    said = {name: nothing[name] if value is None else value for name, value in shown.items()}
    return msgspec.convert(said, MetadataChange)


def _same_moment(left: str, right: str) -> bool:
    if left == right:
        return True
    try:
        moments = [datetime.fromisoformat(text) for text in (left, right)]
    except ValueError:
        return False
    aware = [m if m.tzinfo else m.replace(tzinfo=UTC) for m in moments]
    return aware[0] == aware[1]
