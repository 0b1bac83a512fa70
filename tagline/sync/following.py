"""Following events: one session, from the first event to whatever ends it."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tagline.errors import TaglineError
from tagline.sync.agenda import Agenda
from tagline.sync.hints import keys_of, scopes_of
from tagline.sync.notifier import Changes, Notifier, NotifierDied
from tagline.sync.options import WatchOptions
from tagline.sync.reconciler import Reconciler
from tagline.sync.values import ReconcileResult

SHORT_SECONDS = 0.02
TICK_SECONDS = 0.5
"""So often it is looked whether something is due that no event tells of."""


class Following:
    """One session of following events; make it on the event loop.

    Args:
        reconciler: is asked for partial and full reconciles.
        root: the photo directory on this machine.
        options: how often what is looked at.
        after_full: called after each full reconcile; told whether it proved that events are told,
            by finding nothing that they should have told.
    """

    def __init__(
        self,
        reconciler: Reconciler,
        root: Path,
        options: WatchOptions,
        after_full: Callable[[bool], None],
    ) -> None:
        self._reconciler = reconciler
        self._storage = reconciler.storage
        self._root = root
        self._options = options
        self._after_full = after_full
        self._notifier = Notifier(root)
        self._agenda = Agenda(time.monotonic())
        self._full: asyncio.Task[ReconcileResult] | None = None
        self._is_proof = False
        self._pause_seconds = min(options.reconcile_seconds, options.doubt_seconds)
        self._checked = time.monotonic()

    async def run(self) -> None:
        """Reconcile everything, then what events tell of; and everything now and then.

        Raises:
            NotifierDied: events come no longer, or not all of them.
            StorageUnavailable: the photo directory is gone.
            IndexFailure: the index could not be written.
        """
        await self._notifier.start()
        while True:
            await self._do_what_is_due()
            wait_seconds = self._agenda.wait_seconds(time.monotonic())
            changes = None
            with suppress(TimeoutError):
                async with asyncio.timeout(min(max(wait_seconds, SHORT_SECONDS), TICK_SECONDS)):
                    changes = await self._notifier.changes()
            if changes is not None and (changes.paths or changes.lost):
                await self._take(changes)

    async def _do_what_is_due(self) -> None:
        now = time.monotonic()
        if self._full is not None and self._full.done():
            self._end_full(self._full.result(), now)
        if self._full is None and self._agenda.full_is_due(now):
            self._begin_full()
        if scopes := self._agenda.take_again(now):
            await self._reconciler.reconcile(scopes)
        if now - self._checked >= self._options.check_seconds:
            await asyncio.to_thread(self._storage.check)
            self._checked = time.monotonic()

    async def stop(self) -> None:
        """Return when the session has left nothing behind but a full reconcile's own work."""
        if self._full is not None:
            self._full.cancel()
            with suppress(asyncio.CancelledError, TaglineError):
                await self._full
        await self._notifier.stop()

    async def _take(self, changes: Changes) -> None:
        """Reconcile where something happened."""
        keys = keys_of(changes.paths, str(self._root))
        now = time.monotonic()
        self._agenda.note_paths(len(keys), now, lost=changes.lost)
        if "" in keys:
            # The photo directory itself was moved or mounted over: what is watched may be another.
            await asyncio.to_thread(self._storage.check)
            raise NotifierDied("the photo directory itself was changed")
        scopes, directories = await asyncio.to_thread(scopes_of, keys, self._storage)
        if scopes:
            await self._reconciler.reconcile(scopes)
        self._agenda.note_again(directories, time.monotonic())

    def _begin_full(self) -> None:
        if self._agenda.is_stormy:
            self._is_proof = False
        self._agenda.begin_full()
        self._full = asyncio.create_task(self._reconciler.reconcile(join=False))
        self._full.add_done_callback(lambda _: self._notifier.wake())

    def _end_full(self, result: ReconcileResult, now: float) -> None:
        """Learn from a full reconcile whether events are told.

        The first one, and one after a storm, cannot say that.
        """
        self._full = None
        if self._is_proof:
            if result.late:
                raise NotifierDied(f"{result.late} changes were not told")
            self._pause_seconds = self._options.reconcile_seconds
        self._after_full(self._is_proof)
        self._is_proof = True
        self._agenda.end_full(now, self._pause_seconds)
