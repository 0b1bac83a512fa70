"""The write path: from a wish to files on disk, each whole or absent."""

from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec
from msgspec import UNSET

from tagline.errors import (
    ObjectChanged,
    PhotoModified,
    PreconditionFailed,
    StorageReadOnly,
)
from tagline.library import homing
from tagline.library.beside import SIDECAR_MODE, UNWRITABLE, WriteMode, why_beside
from tagline.library.holding import Memory, content_of
from tagline.library.pending import Witness, unwitnessed
from tagline.library.reading import (
    Seen,
    as_written,
    decoded_of,
    hidden_sidecars,
    kinds_of,
    read_with_strays,
)
from tagline.library.replacing import Replacer
from tagline.library.rest import NOT_WHOLE, Rest
from tagline.metadata import (
    Edit,
    EditRequest,
    Field,
    FieldValue,
    Format,
    accepted,
    apply_to_sidecars,
    bound,
    carrying,
    edit_photo,
    edits_of,
)
from tagline.metadata.field_types import FieldEdit
from tagline.model import (
    Data,
    FileState,
    IndexedFile,
    Intended,
    Metadata,
    MetadataChange,
    Precondition,
    source_of,
    with_etag,
)
from tagline.model.keys import directory_of, join, name_of
from tagline.storage import OpenObject, PhotoStorageProvider
from tagline.sync import Decoded, Look, Strays


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What an edit did: whether any file was written, and why the photo itself was not, if so.

    ``touched`` are the keys of sidecars that were moved or copied before. ``look`` knows what lies
    beside the photo now, where that is simply told. ``decoded`` is the photo as it was written,
    or as it was found.
    """

    changed: bool
    not_embedded: str | None = None
    touched: tuple[str, ...] = ()
    look: Look | None = None
    decoded: Decoded | None = None


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The photo to edit: where it is, and what the caller knows of it.

    ``fingerprint`` is None where the caller knows a path only; else the file must have it.
    ``shared`` are the strays that other photos show too, so that they have to stay; None where
    nobody knows. ``homes`` are photos by the fingerprints of sidecars that may stand in the way.
    ``files`` are those that the index knows of the photo. With ``anew`` what is there already is
    written as well: a place for it may be missing.
    """

    object_key: str
    photo_id: str = ""
    fingerprint: str | None = None
    shared: frozenset[str] | None = None
    homes: Mapping[str, Sequence[str]] = {}
    files: tuple[IndexedFile, ...] = ()
    anew: bool = False


class _Work(msgspec.Struct, frozen=True, kw_only=True):
    """An edit that is planned and not begun."""

    target: Target
    seen: Seen
    planned: homing.Plan
    edit: Edit
    edits: tuple[FieldEdit, ...]
    data: Data | None
    look: Look

    def contents(self) -> dict[str, Data | None]:
        """What the files hold that may be written, by key."""
        key, before = self.target.object_key, self.planned.sidecars
        own = (before.xmp, before.stem_xmp, before.json)
        found = {join(directory_of(key), f.name): f.data for f in own if f}
        return {**found, key: self.data}

    def intended(self) -> Intended:
        """What a witness is told."""
        before = self.planned.sidecars
        name = name_of(self.target.object_key)
        return Intended(
            before=change_to({one.field: one.old for one in self.edits}),
            after=change_to({one.field: one.new for one in self.edits}),
            beside_before=kinds_of(before),
            beside_after=kinds_of(apply_to_sidecars(name, before, self.edit.sidecars)),
        )

    def decoded(
        self, states: Mapping[str, FileState], moved: Collection[str], *, writable: bool
    ) -> Decoded | None:
        """The photo as it was written; None where that is not known from the edit."""
        reading = self.edit.reading
        if reading is None:
            return None
        left = {f.object_key: f.state for f in self.planned.stale.values()}
        left = {key: state for key, state in left.items() if key not in moved}
        return as_written(reading, self.target.object_key, {**left, **states}, writable=writable)


class PhotoWriter:
    """Edits photos of one storage; every method blocks, and is thread-safe.

    Of two edits of one photo at once, the storage refuses one (``ObjectChanged``): callers that
    want both hold a lock a photo. Files that another program may still be writing are not replaced:
    ``rest`` judges that; without one, nobody but Tagline writes files.
    """

    def __init__(
        self,
        storage: PhotoStorageProvider,
        mode: WriteMode = "embed",
        strays: Strays | None = None,
        rest: Rest | None = None,
    ) -> None:
        self._storage = storage
        self._mode: WriteMode = mode
        self._rest = Rest() if rest is None else rest
        self._strays = Strays(storage) if strays is None else strays
        self._memory = Memory()

    def edit(
        self,
        target: Target,
        change: MetadataChange,
        precondition: Precondition,
        witness: Witness = unwitnessed,
    ) -> Written:
        """Make the change if the precondition holds of the files as they are now.

        The witness is told of it before any file is written, and of its end.

        Raises:
            InvalidValue: a value cannot be stored.
            PhotoModified: ``last_modified`` is not the current one.
            PreconditionFailed: no entity tag matches.
            EditRefused: there is no safe place for a value.
            ObjectChanged: the file is another photo, or was changed meanwhile.
            ObjectBusy: another program may still be writing the photo or a sidecar of it.
            StorageError: the file is gone, or cannot be written.
        """
        try:
            return self._edit(target, change, precondition, witness)
        except StorageReadOnly as error:
            if not error.beside:
                raise
        # Some shares let a file be written by its permissions, and refuse it when that is tried.
        return self._edit(target, change, precondition, witness, UNWRITABLE)

    def _edit(
        self,
        target: Target,
        change: MetadataChange,
        precondition: Precondition,
        witness: Witness,
        refusal: str | None = None,
    ) -> Written:
        values = accepted(asked_of(change))
        with self._reading(target) as (opened, seen, look):
            was = decoded_of(opened, seen, self._mode)
            check_precondition(was, target.photo_id, precondition)
            edits = edits_of(seen.reading, values, anew=target.anew)
            if not edits:
                return Written(changed=False, decoded=was)
            request, planned = self._request(opened, seen, target, edits)
            if refusal is not None and not request.damaged:
                request = msgspec.structs.replace(request, data=None, refusal=refusal)
            work = _Work(
                target=target,
                seen=seen,
                planned=planned,
                edit=edit_photo(carrying(request) if planned.homecomings else request),
                edits=edits,
                data=request.data,
                look=look,
            )
            # A large photo's bytes are copied out of the file that is open here.
            return self._carry_out(work, witness, writable=was.photo.writable)

    def bind(self, target: Target) -> Written:
        """Let the sidecars of a photo that was damaged say which photo it is, once it is whole.

        Raises:
            EditRefused: they cannot be edited.
            ObjectChanged: the file is another photo, or was changed meanwhile.
            ObjectBusy: another program may still be writing the photo or a sidecar of it.
            StorageError: the file is gone, or a sidecar cannot be written.
        """
        with self._reading(target) as (opened, seen, look):
            was = decoded_of(opened, seen, self._mode)
            if not seen.reading.damaged:
                return Written(changed=False, decoded=was)
            request, planned = self._request(opened, seen, target, ())
            if request.damaged or planned.homecomings:
                return Written(changed=False, decoded=was)
            work = _Work(
                target=target,
                seen=seen,
                planned=planned,
                edit=bound(request),
                edits=(),
                data=None,
                look=look,
            )
            return self._carry_out(work, unwitnessed, writable=was.photo.writable)

    @contextmanager
    def _reading(self, target: Target) -> Generator[tuple[OpenObject, Seen, Look]]:
        """The photo open and read, while its edit has room in memory.

        Raises:
            ObjectChanged: the file is another photo.
        """
        key, look = target.object_key, Look(self._storage, [target.object_key])
        photo, *beside = (file.state.size for file in look.photo(key).files)
        with self._memory.taking(photo, sum(beside)), self._storage.open(key) as opened:
            seen = read_with_strays(opened, key, self._strays, look)
            if target.fingerprint not in {None, seen.reading.fingerprint}:
                raise ObjectChanged(key)
            yield opened, seen, look

    def _request(
        self, opened: OpenObject, seen: Seen, target: Target, edits: tuple[FieldEdit, ...]
    ) -> tuple[EditRequest, homing.Plan]:
        """What is asked of the photo's files, and which sidecars come home for it.

        Raises:
            ObjectBusy: they are not at rest.
        """
        self._rest.demand(self._storage, opened, seen, target.files)
        shared = seen.reading.adopted if target.shared is None else target.shared
        hidden = hidden_sidecars(self._storage, target.object_key, seen.sidecars)
        apart = {file.name for file in hidden or ()}
        planned = homing.plan(target.object_key, seen, shared, apart)
        refusal = self._refusal(opened, seen.row)
        data = None if refusal else content_of(opened, target.object_key)
        source = opened if data is None else source_of(data)
        missing = self._rest.why_damaged(source, seen.files[0], target.files)
        request = EditRequest(
            name=name_of(target.object_key),
            source=opened,
            reading=msgspec.structs.replace(seen.reading, stale_sidecars=()),
            sidecars=planned.sidecars,
            edits=edits,
            hidden=hidden,
            data=None if missing else data,
            refusal=f"{NOT_WHOLE}: {missing}" if missing else refusal,
            damaged=missing is not None,
        )
        return request, planned

    def _carry_out(self, work: "_Work", witness: Witness, *, writable: bool) -> Written:
        """Write the files; that is told to the witness before the first and after the last one."""
        planned, edit, key = work.planned, work.edit, work.target.object_key
        mover = homing.Mover(self._storage, key, work.target.homes)
        goals = [name_of(each.goal) for each in planned.homecomings]
        names = [*goals, *(name for name, data in edit.sidecars.items() if data)]
        files: Replacer | None = None
        end = witness(work.intended())
        try:
            mover.make_way(planned, names)
            home = mover.bring_home(planned)
            files = Replacer(self._storage, (*planned.files, *home), work.contents())
            files.write(edit)
            self._rest.note_own(work.seen.files, files.states)
        except BaseException:
            end("undone" if files is None or files.undone else "unknown")
            raise
        end("made")
        work.look.follow(key, {n: data is not None for n, data in edit.sidecars.items()})
        return Written(
            changed=True,
            not_embedded=edit.not_embedded,
            touched=tuple(mover.touched),
            look=None if mover.touched else work.look,
            decoded=work.decoded(files.states, mover.touched, writable=writable),
        )

    def _refusal(self, opened: OpenObject, row: Format | None) -> str | None:
        """Why the photo itself is not to be edited, before its content is looked at."""
        if self._mode == "sidecar":
            return SIDECAR_MODE
        if (reason := why_beside(opened, row)) is not None:
            return reason
        return UNWRITABLE if opened.editable and not opened.writable else None


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
