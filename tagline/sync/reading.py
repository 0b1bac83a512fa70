"""The blocking side of reading: photos are read, and found to be there, gone or in motion."""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import msgspec

from tagline.errors import ObjectError, ObjectNotFound, UnsafeKey
from tagline.model.keys import directory_of, join, name_of
from tagline.storage.provider import PhotoStorageProvider
from tagline.sync.looking import Look
from tagline.sync.observe import start_of
from tagline.sync.plan import Base, Todo
from tagline.sync.strays import Strays
from tagline.sync.values import Decoded, Observed, ReadError, ReadPhoto

ATTEMPTS = 3
"""So often a stray that vanishes while its photo is read is replaced by another one."""
RECENT_SECONDS = 2.0
"""A file changed so lately may still be being written: it is looked at again after reading."""

TICK_SECONDS = 0.02
COARSE_TICK_SECONDS = 2.0

_LONG_AGO = float("inf")


class Fresh(msgspec.Struct, frozen=True):
    """A photo as read, and the row's files when it was decided to read it.

    ``age_seconds`` is the time between the last change of any of its files and the reading,
    ``strays_version`` that of the strays when the photo's were chosen. ``fault`` says what is
    missing, where the photo could be read in part only. ``touched`` says that meanwhile a file got
    another change time, and kept its size and modification time.
    """

    decoded: Decoded
    base: Base
    age_seconds: float = _LONG_AGO
    strays_version: int = 0
    fault: str | None = None
    touched: bool = False

    @property
    def may_hide_a_change(self) -> bool:
        """Whether a file could have changed once more without a change of its state.

        Kernels stamp files with a clock that ticks every 1 to 10 ms. Where all times are whole
        seconds, the file system (FAT, some shares) has no finer ones.
        """
        if self.touched:
            return True
        coarse = all(file.state.ctime_ns % 1_000_000_000 == 0 for file in self.decoded.files)
        return self.age_seconds < (COARSE_TICK_SECONDS if coarse else TICK_SECONDS)


class Row(msgspec.Struct, frozen=True):
    """The photo that an index row tells of, and the row's files; ``base`` None for no row.

    ``fingerprint`` is the row's, where its photo is to be compared with the row.
    """

    object_key: str
    base: Base
    fingerprint: str | None = None


class Gone(msgspec.Struct, frozen=True):
    """A photo that is not there, and the files of the row that says otherwise."""

    object_key: str
    base: Base


class Unsettled(msgspec.Struct, frozen=True):
    """A photo that changed while it was read: what was read may be half old and half new."""

    object_key: str


Motion = Literal["still", "touched", "changed"]
Reading = Fresh | Gone | Unsettled | ReadError


class PhotoReader:
    """Reads photos of one storage; every method blocks and is thread-safe.

    All raise ``StorageUnavailable`` when the photo directory is gone. ``clock`` gives Unix seconds.
    """

    def __init__(
        self,
        storage: PhotoStorageProvider,
        read: ReadPhoto,
        clock: Callable[[], float],
        strays: Strays,
    ) -> None:
        self._storage = storage
        self._strays = strays
        self._read = read
        self._clock = clock

    def read(self, todo: Iterable[Todo]) -> list[Reading]:
        """Read photos that a listing met."""
        return [self._attempt(each.observed, each.base) for each in todo]

    def look(self, rows: Sequence[Row], look: Look | None = None) -> list[Reading | None]:
        """Look at the photos of rows again: None for each that is as its row says.

        ``look`` has listed their directories just now.
        """
        look = look or self._look(rows)
        found = [(row, self._observe(row, look)) for row in rows]
        return [
            None
            if isinstance(seen, Observed) and self._is_current(seen, row)
            else self._go_on(row, seen)
            for row, seen in found
        ]

    def reread(self, rows: Sequence[Row]) -> list[Reading]:
        """Read the photos of rows, even where their states say that nothing has changed."""
        look = self._look(rows)
        return [self._go_on(row, self._observe(row, look)) for row in rows]

    def _look(self, rows: Iterable[Row]) -> Look:
        return Look(self._storage, (row.object_key for row in rows))

    def _is_current(self, seen: Observed, row: Row) -> bool:
        """Whether a photo's files, and the strays that are its own, are those of its row."""
        if row.base is None or row.fingerprint is None:
            return False
        return self._strays.adopt(seen, row.fingerprint, row.base).files == row.base

    def _go_on(self, row: Row, seen: Observed | Gone | Unsettled | ReadError) -> Reading:
        return self._attempt(seen, row.base) if isinstance(seen, Observed) else seen

    def _observe(self, row: Row, look: Look) -> Observed | Gone | Unsettled | ReadError:
        try:
            return look.photo(row.object_key)
        except ObjectNotFound as error:
            if error.object_key != row.object_key:
                # A sidecar went between listing and looking: the photo itself may well be there.
                return Unsettled(row.object_key)
            # Its sidecars may wait for it where it was: another photo may be it, under a new name.
            self._strays.meet_files(row.base or (), look.names)
            return Gone(row.object_key, row.base)
        except UnsafeKey:
            return Gone(row.object_key, row.base)
        except ObjectError as error:
            return ReadError(row.object_key, str(error))

    def _attempt(self, observed: Observed, base: Base) -> Reading:
        try:
            if self._leaves_out(observed, base):
                row = Row(observed.object_key, base)
                seen = self._observe(row, self._look([row]))
                if not isinstance(seen, Observed):
                    return seen
                observed = seen
            version = self._strays.version
            decoded = self._read_adopting(observed, base)
            age_seconds = self._age_seconds(decoded)
            motion = self._motion(decoded) if age_seconds < RECENT_SECONDS else "still"
            if motion == "changed":
                return Unsettled(observed.object_key)
        except ObjectNotFound as error:
            if error.object_key != observed.object_key:
                return Unsettled(observed.object_key)
            return Gone(observed.object_key, base)
        except ObjectError as error:
            return self._without_sidecars(observed, base, error)
        return Fresh(decoded, base, age_seconds, version, touched=motion == "touched")

    def _without_sidecars(self, observed: Observed, base: Base, error: ObjectError) -> Reading:
        """A photo that nothing is known of yet, as it is without a sidecar that cannot be read.

        Where there is a row, it says more.
        """
        key, detail = observed.object_key, str(error)
        if error.object_key != key:
            detail = f"{name_of(error.object_key)}, its sidecar: {detail}"
        alone = Observed(key, observed.files[:1], observed.links)
        if base is not None or alone.files == observed.files:
            return ReadError(key, detail)
        try:
            decoded = self._read(self._storage, alone)
        except ObjectError:
            return ReadError(key, detail)
        photo = msgspec.structs.replace(decoded.photo, problem=detail)
        return Fresh(msgspec.structs.replace(decoded, photo=photo), base, fault=detail)

    def _leaves_out(self, observed: Observed, base: Base) -> bool:
        """Whether the row has files beside the photo that are there and were not seen.

        Names are listed before the rows are looked up. An edit may have come in between: its
        sidecars are in the row then, and must not go again because a listing is older. Those of
        other names are never seen with the photo; they are chosen when it is read.
        """
        seen = {file.object_key for file in observed.files}
        key = observed.object_key
        beside = join(directory_of(key), start_of(name_of(key)))
        unseen = (file.object_key for file in base or () if file.object_key not in seen)
        return any(self._is_there(each) for each in unseen if each.startswith(beside))

    def _is_there(self, object_key: str) -> bool:
        try:
            self._storage.stat(object_key)
        except ObjectNotFound:
            return False
        return True

    def _read_adopting(self, observed: Observed, base: Base) -> Decoded:
        """Read a photo with its own sidecars, and again with strays that are its own."""
        own = self._read(self._storage, observed)
        self._strays.note_reading(own.files[1:], own.stale)
        for _ in range(ATTEMPTS):
            seen = self._strays.adopt(observed, own.fingerprint, base or ())
            if not seen.adopted:
                break
            try:
                decoded = self._read(self._storage, seen)
            except ObjectError as error:
                if error.object_key not in seen.adopted:
                    raise
                self._strays.drop(error.object_key)
            else:
                return msgspec.structs.replace(decoded, adopted=seen.adopted)
        return own

    def _age_seconds(self, decoded: Decoded) -> float:
        """Time since the last change by the clock, whichever way the clocks differ.

        Only ``ctime`` tells: programs set the modification time to what they like.
        """
        changed_ns = max(file.state.ctime_ns for file in decoded.files)
        return abs(self._clock() - changed_ns / 1e9)

    def _motion(self, decoded: Decoded) -> Motion:
        """What became of the files since they were opened.

        A change time alone says nothing of the content: a chmod or a link gives another one, and
        some FUSE systems tell it late.
        """
        motion: Motion = "still"
        for file in decoded.files:
            now, then = self._storage.stat(file.object_key).state, file.state
            if not then.is_touched(now):
                return "changed"
            if now != then:
                motion = "touched"
        return motion
