"""Edits that are remembered: one, many at once, and the undoing of one."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence

import msgspec

from tagline.errors import ChangeNotFound, IndexFailure
from tagline.index import TinyHistory
from tagline.library.editing import Editor
from tagline.library.reading import rfc3339_from_ns
from tagline.library.writing import Written
from tagline.model import (
    Actor,
    Cause,
    HistoryPage,
    MetadataChange,
    PastChange,
    Photo,
    Precondition,
)

_logger = logging.getLogger(__name__)

EDITS_AT_ONCE = 3
"""So many edits of bulk requests run at a time, whoever asked: single ones find threads free."""


class PhotoEdit(msgspec.Struct, frozen=True, kw_only=True):
    """One of many edits: which photo, what, and on which condition."""

    photo_id: str
    change: MetadataChange
    precondition: Precondition = Precondition()


class Historian:
    """Edits photos and remembers what was there before; use it on the event loop.

    The order of steps: the files are replaced durably; the change is recorded durably; the index
    follows; the caller is told. What is on disk is acknowledged even if it cannot be recorded. An
    edit that has begun runs to its end even if its caller is cancelled.
    """

    def __init__(
        self,
        editor: Editor,
        store: TinyHistory,
        clock_ns: Callable[[], int],
        demand_storage: Callable[[], None],
    ) -> None:
        self._editor = editor
        self._store = store
        self._clock_ns = clock_ns
        self._demand_storage = demand_storage
        self._few = asyncio.Semaphore(EDITS_AT_ONCE)
        self._running: set[asyncio.Task[Photo]] = set()
        self._failing = False

    async def edit(self, wanted: PhotoEdit, cause: Cause) -> Photo:
        """Make one edit.

        Raises:
            StorageUnavailable: the photo directory is gone.
            The errors of ``Editor.edit``.
        """
        self._demand_storage()

        async def record(written: Written) -> None:
            await self._record(wanted.photo_id, written, cause)

        task = asyncio.create_task(
            self._editor.edit(wanted.photo_id, wanted.change, wanted.precondition, record)
        )
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def edit_many(self, wanted: Sequence[PhotoEdit], cause: Cause) -> list[Photo | Exception]:
        """Make edits, a few at a time and those of one photo in their order.

        The result has, in the order of the edits, the photo or why that edit was refused.
        """
        results: dict[int, Photo | Exception] = {}
        by_photo: defaultdict[str, list[int]] = defaultdict(list)
        for place, edit in enumerate(wanted):
            by_photo[edit.photo_id].append(place)
        chains = iter(by_photo.values())

        async def work() -> None:
            for chain in chains:
                for place in chain:
                    async with self._few:
                        results[place] = await self._outcome(wanted[place], cause)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(EDITS_AT_ONCE, len(by_photo))):
                group.create_task(work())
        return [results[place] for place in range(len(wanted))]

    async def _outcome(self, wanted: PhotoEdit, cause: Cause) -> Photo | Exception:
        try:
            return await self.edit(wanted, cause)
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

    async def _record(self, photo_id: str, written: Written, cause: Cause) -> None:
        """Remember what an edit did; if that fails the log says so once, until it works again."""
        change = PastChange(
            photo_id=photo_id,
            at=rfc3339_from_ns(self._clock_ns()),
            by=cause.by,
            restores=cause.restores,
            before=written.before,
            after=written.after,
        )
        try:
            await asyncio.to_thread(self._store.add, change)
        except IndexFailure as error:
            if not self._failing:
                _logger.warning("a change was made that cannot be undone: %s", error)
            self._failing = True
        else:
            self._failing = False
