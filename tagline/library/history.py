"""Edits that are remembered: one, many at once, and the undoing of one."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence

import msgspec

from tagline.errors import ChangeNotFound, ObjectBusy, TaglineError
from tagline.library.editing import Editor
from tagline.library.outcomes import refusal_of
from tagline.library.pending import Scribe
from tagline.library.resolving import Resolver
from tagline.library.rest import Patience, given_up
from tagline.model import Actor, Cause, HistoryPage, MetadataChange, Photo, Precondition

EDITS_AT_ONCE = 3
"""So many edits of bulk requests run at a time, whoever asked: single ones find threads free."""


class PhotoEdit(msgspec.Struct, frozen=True, kw_only=True):
    """One of many edits: which photo, what, and on which condition."""

    photo_id: str
    change: MetadataChange
    precondition: Precondition = Precondition()


class Historian:
    """Edits photos and remembers what was there before; use it on the event loop.

    The order of steps: the change is announced durably; the files are replaced durably; the change
    is confirmed; the index follows; the caller is told. What is on disk is acknowledged even if it
    cannot be recorded. An edit that has begun runs to its end even if its caller is cancelled.

    Photos that another program may still be writing are waited for, between the tries of an edit
    and outside their locks, with one ``patience`` for all that one caller asks for.
    """

    def __init__(
        self,
        editor: Editor,
        scribe: Scribe,
        resolver: Resolver,
        demand_storage: Callable[[], None],
        patience: Callable[[], Patience] = Patience,
    ) -> None:
        self._editor = editor
        self._store = scribe.store
        self._scribe = scribe
        self._resolver = resolver
        self._demand_storage = demand_storage
        self._patience = patience
        self._few = asyncio.Semaphore(EDITS_AT_ONCE)
        self._running: set[asyncio.Task[Photo]] = set()

    async def edit(self, wanted: PhotoEdit, cause: Cause) -> Photo:
        """Make one edit; a photo that is not at rest is tried again for a while.

        Raises:
            StorageUnavailable: the photo directory is gone.
            The errors of ``Editor.edit``.
        """
        self._demand_storage()
        patience = self._patience()
        while True:
            try:
                return await self._try(wanted, cause)
            except ObjectBusy as error:
                if not await patience.pause([error]):
                    self._editor.outcomes[refusal_of(error)] += 1
                    raise given_up(error) from error

    async def _try(self, wanted: PhotoEdit, cause: Cause) -> Photo:
        task = asyncio.create_task(self._edit(wanted, cause))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _edit(self, wanted: PhotoEdit, cause: Cause) -> Photo:
        photo_id = wanted.photo_id
        await self._resolve(photo_id)  # it has its place in the history before this edit
        witness = self._scribe.witness(photo_id, cause)
        try:
            return await self._editor.edit(photo_id, wanted.change, wanted.precondition, witness)
        except TaglineError:
            await self._resolve(photo_id)
            raise

    async def _resolve(self, photo_id: str) -> None:
        """Put right what was left of edits of a photo."""
        if self._store.left(photo_id):
            await self._resolver.resolve(photo_id)

    async def edit_many(self, wanted: Sequence[PhotoEdit], cause: Cause) -> list[Photo | Exception]:
        """Make edits, a few at a time and those of one photo in their order.

        Those of photos that are not at rest are tried again when all others are done.

        The result has, in the order of the edits, the photo or why that edit was refused.
        """
        results: dict[int, Photo | Exception] = {}
        by_photo: defaultdict[str, list[int]] = defaultdict(list)
        for place, edit in enumerate(wanted):
            by_photo[edit.photo_id].append(place)
        patience, chains = self._patience(), list(by_photo.values())
        while waiting := await self._round(wanted, chains, results, cause):
            if not await patience.pause(waiting.keys()):
                break
            chains = list(waiting.values())
        for error, chain in waiting.items():
            self._editor.outcomes[refusal_of(error)] += len(chain)
            results |= dict.fromkeys(chain, given_up(error))
        return [results[place] for place in range(len(wanted))]

    async def _round(
        self,
        wanted: Sequence[PhotoEdit],
        chains: Sequence[Sequence[int]],
        results: dict[int, Photo | Exception],
        cause: Cause,
    ) -> dict[ObjectBusy, Sequence[int]]:
        """Try edits once, each chain in its order; what is left of those that have to wait."""
        waiting: dict[ObjectBusy, Sequence[int]] = {}
        todo = iter(chains)

        async def work() -> None:
            for chain in todo:
                for done, place in enumerate(chain):
                    async with self._few:
                        outcome = await self._outcome(wanted[place], cause)
                    if isinstance(outcome, ObjectBusy):
                        waiting[outcome] = chain[done:]
                        break
                    results[place] = outcome

        async with asyncio.TaskGroup() as group:
            for _ in range(min(EDITS_AT_ONCE, len(chains))):
                group.create_task(work())
        return waiting

    async def _outcome(self, wanted: PhotoEdit, cause: Cause) -> Photo | Exception:
        try:
            self._demand_storage()
            return await self._try(wanted, cause)
        except Exception as error:  # noqa: BLE001 - told to the caller: others are done already
            return error

    async def restore(
        self, photo_id: str, n: int, precondition: Precondition, by: Actor | None
    ) -> Photo:
        """Put back the values from before a change, as an edit of its own.

        Raises:
            ChangeNotFound: the photo's history has no such change.
            The errors of ``edit``.
        """
        past = self._store.get(photo_id, n)
        if past is None:
            raise ChangeNotFound(photo_id, n)
        wanted = PhotoEdit(photo_id=photo_id, change=past.before, precondition=precondition)
        return await self.edit(wanted, Cause(by=by, restores=n))

    def page(self, photo_id: str, limit: int, offset: int) -> HistoryPage:
        """A part of a photo's history, newest first; from memory."""
        return self._store.page(photo_id, limit, offset)

    async def finish(self) -> None:
        """Wait for the edits that have begun."""
        await asyncio.gather(*self._running, return_exceptions=True)
