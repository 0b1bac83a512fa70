"""Listing: directories come from a thread, are compared with the index, and fill the backlog."""

from collections.abc import Iterator, Sequence

from tagline.index.protocol import IndexedState
from tagline.model.keys import directory_of
from tagline.sync.backlog import Backlog
from tagline.sync.intake import Intake
from tagline.sync.parts import Pace, Parts
from tagline.sync.plan import Difference, Todo, compare_directory
from tagline.sync.values import Scope
from tagline.sync.walking import Listing, list_directory, listings

_ROWS = 64


class Lister:
    """One listing of some scopes.

    ``listed`` counts the photos met so far, ``to_read`` those of them that are new or changed.
    """

    def __init__(self, parts: Parts, backlog: Backlog, intake: Intake) -> None:
        self.listed = 0
        self.to_read = 0
        self._parts = parts
        self._backlog = backlog
        self._intake = intake
        self._seen: set[str] = set()
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
            rows = [await self._rows_of(listing.directory) for listing in batch]
            differences, following = await self._parts.thread(_compare, batch, rows, batches)
            for listing, indexed, difference in zip(batch, rows, differences, strict=True):
                self._note(listing, len(indexed), difference)
            batch = following
        for scope in scopes:
            await self._note_unseen(scope)
        self._backlog.close()

    async def list_again(self, directory: str) -> Sequence[Todo]:
        """The photos of one directory that are new or changed now.

        Raises:
            StorageUnavailable: the photo directory is gone.
        """
        listing = await self._parts.thread(list_directory, self._parts.storage, directory)
        rows = await self._rows_of(directory)
        difference = await self._parts.thread(compare_directory, directory, listing.objects, rows)
        self._intake.gone.update(difference.gone)
        return difference.to_read

    async def _rows_of(self, directory: str) -> list[IndexedState]:
        rows: list[IndexedState] = []
        for row in self._parts.index.states(directory, recursive=False):
            rows.append(row)
            if len(rows) % _ROWS == 0:
                await self._pace.breathe()
        await self._pace.breathe()
        return rows

    def _note(self, listing: Listing, rows: int, difference: Difference) -> None:
        todo = difference.to_read
        self._intake.tally.current += difference.current
        self._intake.gone.update(difference.gone)
        self.listed += difference.current + len(todo)
        self.to_read += len(todo)
        if todo:
            self._backlog.add(listing.directory, todo, listing.newest_ns)
        if listing.directory not in self._seen:
            self._seen.add(listing.directory)
            self._rows_seen += rows

    async def _note_unseen(self, scope: Scope) -> None:
        """Note the rows in directories that no file was met in."""
        if scope == Scope("", recursive=True) and self._all_rows_seen():
            return
        for place, row in enumerate(
            self._parts.index.states(scope.directory, recursive=scope.recursive)
        ):
            if directory_of(row.object_key) not in self._seen:
                self._intake.gone.add(row.object_key)
            if place % _ROWS == 0:
                await self._pace.breathe()

    def _all_rows_seen(self) -> bool:
        """Whether the rows that were compared, and those stored since by this run, are all."""
        arrived = self._intake.tally.arrived
        alone = self._parts.writer.moves - self._moves_before == arrived
        return alone and len(self._parts.index) == self._rows_seen + arrived


def _compare(
    batch: Sequence[Listing],
    rows: Sequence[Sequence[IndexedState]],
    batches: Iterator[list[Listing]],
) -> tuple[list[Difference], list[Listing] | None]:
    """Compare a batch, and fetch the next one on the same way through the thread."""
    compared = [
        compare_directory(listing.directory, listing.objects, indexed)
        for listing, indexed in zip(batch, rows, strict=True)
    ]
    return compared, next(batches, None)
