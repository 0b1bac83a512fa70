"""One reconcile: list and compare in one thread, read in others, then settle what is left."""

import asyncio
from collections.abc import Iterable, Sequence

from tagline.model.keys import join
from tagline.sync.backlog import Backlog
from tagline.sync.echoes import files_named, without_echoes
from tagline.sync.intake import Intake
from tagline.sync.listing import Lister
from tagline.sync.looking import LARGE, Look, narrow
from tagline.sync.parts import Parts
from tagline.sync.turns import Turns
from tagline.sync.values import Decoded, ReadError, ReconcileResult, Scope

EXAMINED = 64
"""So many files that may be strays are read on one way through a thread."""


class Run:
    """One reconcile. ``read`` counts the photos that were read so far.

    ``anew`` has every photo read that is listed, whether or not its files changed.
    """

    def __init__(self, parts: Parts, *, anew: bool = False) -> None:
        self.read = 0
        self.listing_done = False
        self._parts = parts
        self._backlog = Backlog()
        self._turns = Turns()
        self.intake = Intake(parts)
        self.lister = Lister(parts, self._backlog, self.intake, anew=anew)

    async def reconcile(self, scopes: Sequence[Scope]) -> ReconcileResult:
        """Make the index say of the scopes what the disk holds.

        Raises:
            StorageUnavailable: the photo directory is gone; what was stored so far is right.
            IndexFailure: the index could not be written.
        """
        parts = self._parts
        await parts.thread(parts.storage.check)
        look = Look(parts.storage)
        news = await self._news(scopes)
        to_list, photos = await parts.thread(narrow, look, news, parts.strays)
        to_list += self._subtrees_of_files(scopes)
        await self.intake.look(photos, look)
        if to_list:
            await self._list_and_read(to_list)
        await self.intake.finish()
        full = Scope("", recursive=True) in to_list
        near = None if full else self.lister.seen | {scope.directory for scope in scopes}
        while await parts.thread(parts.strays.examine, EXAMINED, near):
            pass
        await self._adopt()
        return self._result()

    async def _news(self, scopes: Sequence[Scope]) -> Sequence[Scope]:
        """The scopes without those in large directories that the index is right of."""
        parts, photos_in = self._parts, self._parts.writer.directories.photos
        large = [scope for scope in scopes if scope.names and photos_in(scope.directory) > LARGE]
        rows = files_named(parts.index, large)
        if not rows:
            return scopes
        return await parts.thread(without_echoes, parts.storage, scopes, rows)

    async def look(
        self, keys: Iterable[str], look: Look | None = None, written: Decoded | None = None
    ) -> ReconcileResult:
        """Look at single photos; ``look`` has listed their directories just now.

        ``written`` is one of them as it was just written.

        Raises:
            StorageUnavailable: the photo directory is gone.
            IndexFailure: the index could not be written.
        """
        await self.intake.look(keys, look)
        if written is not None:
            await self.intake.stand_in(written)
        await self.intake.finish()
        await self._adopt()
        return self._result()

    async def reread(self, keys: Iterable[str]) -> ReconcileResult:
        """Read photos again, whether or not their states say that they changed.

        Raises:
            StorageUnavailable: the photo directory is gone.
            IndexFailure: the index could not be written.
        """
        await self.intake.reread(keys)
        await self.intake.finish()
        await self._adopt()
        return self._result()

    async def _adopt(self) -> None:
        """Have photos take or leave the sidecars that lie elsewhere, where those changed."""
        strays = self._parts.strays
        while touched := strays.take_touched():
            done = False
            try:
                await self.intake.reconsider(touched)
                await self.intake.finish()
                done = True
            finally:
                if not done:
                    strays.touch(touched)

    async def _list_and_read(self, scopes: Sequence[Scope]) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._list(scopes))
                for _ in range(self._parts.readers):
                    tasks.create_task(self._read())
        except ExceptionGroup as group:
            # Whatever failed first made the others fail or be cancelled.
            raise group.exceptions[0] from group

    async def _list(self, scopes: Sequence[Scope]) -> None:
        await self.lister.list_scopes(scopes)
        self.listing_done = True

    async def _read(self) -> None:
        parts = self._parts
        while work := await self._backlog.take():
            todo = work.todo
            if todo is None:
                todo = await self.lister.list_again(work.directory)
                self._backlog.add_next(work.directory, todo)
                continue
            async with self._turns.turn():
                readings = await parts.thread(parts.reader.read, todo)
            await self.intake.take(readings)
            self.read += len(todo)

    def _subtrees_of_files(self, scopes: Iterable[Scope]) -> list[Scope]:
        """Where the index has rows below what may be a file now, all below is to be listed."""
        keys = (join(s.directory, name) for s in scopes for name in sorted(s.names or ()))
        states = self._parts.index.states
        strays = self._parts.strays
        return [
            Scope(key, recursive=True)
            for key in keys
            if next(states(key), None) or strays.is_below(key)
        ]

    def _result(self) -> ReconcileResult:
        intake = self.intake
        return ReconcileResult(
            imported=tuple(intake.tally.imported),
            updated=tuple(intake.tally.updated),
            removed=tuple(intake.tally.removed),
            skipped=intake.tally.current,
            errors=tuple(ReadError(key, detail) for key, detail in sorted(intake.errors.items())),
            unsettled=len(intake.unsettled),
            late=intake.tally.late,
            longest_bytes=self.lister.longest_bytes,
        )
