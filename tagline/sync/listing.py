"""Listing: directories come from a thread, are compared with the index, and fill the backlog."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from tagline.index.protocol import IndexedState
from tagline.model import IndexedFile
from tagline.model.keys import directory_of, path_from_key
from tagline.storage.provider import StoredObject
from tagline.sync.backlog import Backlog
from tagline.sync.intake import Intake
from tagline.sync.looking import LARGE
from tagline.sync.parts import Pace, Parts
from tagline.sync.plan import Difference, Todo, compare_directory
from tagline.sync.strays import Strays
from tagline.sync.values import Scope
from tagline.sync.walking import Listing, list_directory, listings

_ROWS = 64
INLINE = 32
"""So many files that may be strays are read while a batch is compared; more of them at the end, so
that unrelated files do not keep photos waiting."""


class Lister:
    """One listing of some scopes.

    ``listed`` counts the photos met so far, ``to_read`` those of them that are new or changed;
    ``seen`` are the directories that files were met in, ``longest_bytes`` the length of the longest
    path of one. ``anew`` has every photo read.
    """

    def __init__(
        self, parts: Parts, backlog: Backlog, intake: Intake, *, anew: bool = False
    ) -> None:
        self.listed = 0
        self.to_read = 0
        self.longest_bytes = 0
        self._parts = parts
        self._backlog = backlog
        self._intake = intake
        self._anew = anew
        self._directories = parts.writer.directories
        self.seen: set[str] = set()
        self._rows_seen = 0
        self._moves_before = parts.writer.moves
        self._pace = Pace()

    async def list_scopes(self, scopes: Sequence[Scope]) -> None:
        """List the scopes, fill and close the backlog, and note the rows without a photo.

        Raises:
            StorageUnavailable: the photo directory is gone.
        """
        batches = listings(self._parts.storage, scopes)
        batch = await self._parts.thread(next, batches, None)
        while batch is not None:
            self._measure(batch)
            changed = [listing for listing in batch if not self._is_current(listing)]
            compared = [await self._compared(listing) for listing in changed]
            differences, batch = await self._parts.thread(
                _compare, compared, batches, self._parts.strays
            )
            for each, difference in zip(compared, differences, strict=True):
                self._note(each, difference)
        for scope in scopes:
            await self._note_unseen(scope)
            await self._parts.thread(
                self._parts.strays.forget_unseen,
                scope.directory,
                self.seen,
                recursive=scope.recursive,
            )
        self._backlog.close()

    async def list_again(self, directory: str) -> Sequence[Todo]:
        """The photos of one directory that are new or changed now.

        Raises:
            StorageUnavailable: the photo directory is gone.
        """
        listing = await self._parts.thread(list_directory, self._parts.storage, directory)
        compared = await self._compared(listing)
        differences, _ = await self._parts.thread(
            _compare, [compared], iter(()), self._parts.strays
        )
        self._remember(compared, differences[0])
        self._intake.gone.update(differences[0].gone)
        return differences[0].to_read

    def _measure(self, batch: Sequence[Listing]) -> None:
        for listing in batch:
            length = len(listing.directory)
            if 4 * length > self.longest_bytes:  # no character takes more bytes
                length = len(path_from_key(listing.directory))
                self.longest_bytes = max(self.longest_bytes, length)

    def _is_current(self, listing: Listing) -> bool:
        """Whether the directory need not be compared; if so, its photos are counted."""
        photos = self._directories.photos_if_current(listing.directory, listing.digest)
        if photos is None or self._anew:
            return False
        self._count(listing.directory, photos)
        self._intake.tally.current += photos
        self.listed += photos
        return True

    async def _compared(self, listing: Listing) -> "_Compared":
        changes = self._directories.changes(listing.directory)
        rows = await self._rows_of(listing)
        return _Compared(listing, changes, rows, self._anew)

    async def _rows_of(self, listing: Listing) -> list[IndexedState]:
        rows: list[IndexedState] = []
        seen: dict[str, StoredObject] = {}
        if len(listing.objects) > LARGE:
            seen = {found.object_key: found for found in listing.objects}
        for row in self._parts.index.states(listing.directory, recursive=False):
            rows.append(_sharing(row, seen) if seen else row)
            if len(rows) % _ROWS == 0:
                await self._pace.breathe()
        await self._pace.breathe()
        return rows

    def _note(self, compared: "_Compared", difference: Difference) -> None:
        todo, listing = difference.to_read, compared.listing
        self._remember(compared, difference)
        self._intake.tally.current += difference.current
        self._intake.gone.update(difference.gone)
        self.listed += difference.current + len(todo)
        self.to_read += len(todo)
        if todo:
            self._backlog.add(listing.directory, todo, listing.newest_ns)
        self._count(listing.directory, len(compared.rows))

    def _remember(self, compared: "_Compared", difference: Difference) -> None:
        """Note when the rows will agree with the listing: after so many photos were stored."""
        if not difference.gone:
            todo, listing = len(difference.to_read), compared.listing
            self._directories.remember(
                listing.directory,
                listing.digest,
                compared.changes + todo,
                difference.current + todo,
            )

    def _count(self, directory: str, rows: int) -> None:
        if directory not in self.seen:
            self.seen.add(directory)
            self._rows_seen += rows

    async def _note_unseen(self, scope: Scope) -> None:
        """Note the rows in directories that no file was met in."""
        if scope == Scope("", recursive=True) and self._all_rows_seen():
            return
        for place, row in enumerate(
            self._parts.index.states(scope.directory, recursive=scope.recursive)
        ):
            if directory_of(row.object_key) not in self.seen:
                self._intake.gone.add(row.object_key)
            if place % _ROWS == 0:
                await self._pace.breathe()

    def _all_rows_seen(self) -> bool:
        """Whether the rows that were compared, and those stored since by this run, are all."""
        arrived = self._intake.tally.arrived
        alone = self._parts.writer.moves - self._moves_before == arrived
        return alone and len(self._parts.index) == self._rows_seen + arrived


def _sharing(row: IndexedState, seen: Mapping[str, StoredObject]) -> IndexedState:
    """The row, with the keys and states of a listing where they are equal: half the memory."""
    files: list[IndexedFile] = []
    for file in row.files:
        found = seen.get(file.object_key)
        if found is not None and found.state == file.state:
            file = IndexedFile(found.object_key, found.state)  # noqa: PLW2901
        files.append(file)
    return IndexedState(
        id=row.id,
        object_key=files[0].object_key,
        fingerprint=row.fingerprint,
        files=tuple(files),
        adopted=row.adopted,
        stale=row.stale,
    )


class _Compared(msgspec.Struct, frozen=True):
    """A listing, the rows to compare it with, and how often rows had changed before."""

    listing: Listing
    changes: int
    rows: Sequence[IndexedState]
    anew: bool


def _compare(
    batch: Sequence[_Compared], batches: Iterator[list[Listing]], strays: Strays
) -> tuple[list[Difference], list[Listing] | None]:
    """Compare a batch, note its strays, and fetch the next one on one way through the thread."""
    differences = [
        compare_directory(each.listing.directory, each.listing.objects, each.rows, anew=each.anew)
        for each in batch
    ]
    for each, difference in zip(batch, differences, strict=True):
        _note_strays(each.listing, difference, strays)
    strays.examine(INLINE, [each.listing.directory for each in batch])
    return differences, next(batches, None)


def _note_strays(listing: Listing, difference: Difference, strays: Strays) -> None:
    """Note the sidecars without photo here, and the rows that may have others or none now."""
    for observed, row in difference.linked:
        for file in observed.files[1:]:
            if file.object_key in row.stale:
                strays.note_stale(file)
    present = {found.object_key for found in listing.objects}
    strays.settle(listing.directory, difference.loose, present)
    strays.touch(
        row.fingerprint
        for observed, row in difference.linked
        if not strays.is_right(observed, row.fingerprint, row.files)
    )
