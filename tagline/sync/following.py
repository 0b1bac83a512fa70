"""Following events: one session, from the first event to whatever ends it."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from tagline.sync.agenda import Agenda
from tagline.sync.hints import keys_of, scopes_of
from tagline.sync.notifier import LIMIT_REACHED, Changes, Notifier, NotifierDied
from tagline.sync.options import WatchOptions
from tagline.sync.reconciler import Reconciler
from tagline.sync.values import ReconcileResult
from tagline.sync.watches import is_limit_reached

SHORT_SECONDS = 0.02
TICK_SECONDS = 0.5
"""So often it is looked whether something is due that no event tells of."""
LONGEST_BYTES = 4_095
"""The longest path that the system takes: ``PATH_MAX`` (limits.h) without the NUL at its end."""
TOO_LONG = (
    "A directory's path has more than 4,095 bytes, so that nobody tells of changes in it: "
    "everything is looked at again and again. Move its files to a shorter path to see them at once."
)
_ROOT_CHANGED = "the photo directory itself was changed"


class FullLook(msgspec.Struct, frozen=True):
    """What a full reconcile said of events.

    ``is_proof`` says that they are told: it found nothing that they should have told.
    ``unwatched_seconds`` is after how long changes show of which no event can tell, None where
    there is no such place.
    """

    is_proof: bool
    unwatched_seconds: float | None = None


class Following:
    """One session of following events; make it on the event loop.

    Args:
        reconciler: is asked for partial and full reconciles.
        roots: the photo directory on this machine, and further ones with files of the same keys.
        options: how often what is looked at.
        after_full: called after each full reconcile.
    """

    def __init__(
        self,
        reconciler: Reconciler,
        roots: Sequence[Path],
        options: WatchOptions,
        after_full: Callable[[FullLook], None],
    ) -> None:
        self._reconciler = reconciler
        self._storage = reconciler.storage
        self._incarnation = self._storage.incarnation
        self._roots = [str(root) for root in roots]
        self._options = options
        self._after_full = after_full
        self._notifier = Notifier(roots)
        self._agenda = Agenda(time.monotonic())
        self._full: asyncio.Task[ReconcileResult] | None = None
        self._is_proof = False
        self._pause_seconds = min(options.reconcile_seconds, options.doubt_seconds)
        self._full_began = time.monotonic()
        self._room_bytes = LONGEST_BYTES - 1 - max(len(os.fsencode(root)) for root in roots)
        self._checked = time.monotonic()

    async def run(self) -> None:
        """Reconcile everything, then what events tell of; and everything now and then.

        Raises:
            NotifierDied: events come no longer, or not all of them.
            StorageUnavailable: the photo directory is gone.
            IndexFailure: the index could not be written.
        """
        await self._notifier.start()
        await self._demand_watches()
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
            await self._demand_watches()
        if now - self._checked >= self._options.check_seconds:
            await self._demand_same_root()
            self._checked = time.monotonic()

    async def stop(self) -> None:
        """Return when the session has left nothing behind but a full reconcile's own work."""
        try:
            if self._full is not None:
                self._full.cancel()
                # Whatever became of it was told before, or is nobody's business any more.
                await asyncio.gather(self._full, return_exceptions=True)
        finally:
            await self._notifier.stop()

    async def _take(self, changes: Changes) -> None:
        """Reconcile where something happened."""
        keys = {key for root in self._roots for key in keys_of(changes.paths, root)}
        now = time.monotonic()
        self._agenda.note_paths(len(keys), now, lost=changes.lost)
        if "" in keys:
            # A directory that is watched was moved or mounted over: it may be another one now.
            await asyncio.to_thread(self._storage.check)
            raise NotifierDied(_ROOT_CHANGED)
        scopes, directories = await asyncio.to_thread(scopes_of, keys, self._storage)
        if scopes:
            result = await self._reconciler.reconcile(scopes)
            if self._is_too_long(result):
                self._agenda.end_full(time.monotonic(), self._options.poll_seconds)
        self._agenda.note_again(directories, time.monotonic())

    async def _demand_same_root(self) -> None:
        await asyncio.to_thread(self._storage.check)
        if self._storage.incarnation != self._incarnation:
            raise NotifierDied(_ROOT_CHANGED)

    async def _demand_watches(self) -> None:
        """Nobody tells that a directory which came could not be watched for the limit."""
        if await asyncio.to_thread(is_limit_reached, self._roots[0]):
            raise NotifierDied(LIMIT_REACHED)

    def _is_too_long(self, result: ReconcileResult) -> bool:
        """Whether a directory cannot be watched, since inotify(7) is told of it by its path."""
        return result.longest_bytes > self._room_bytes

    def _begin_full(self) -> None:
        if self._agenda.is_stormy:
            self._is_proof = False
        self._agenda.begin_full()
        self._full_began = time.monotonic()
        self._full = asyncio.create_task(self._reconciler.reconcile(join=False))
        self._full.add_done_callback(lambda _: self._notifier.wake())

    def _end_full(self, result: ReconcileResult, now: float) -> None:
        """Learn from a full reconcile whether events are told.

        The first one, and one after a storm, cannot say that; nor can any where no event tells of
        some directories.
        """
        self._full = None
        if self._is_too_long(result):
            took_seconds = now - self._full_began
            pause_seconds = self._options.pause_seconds(took_seconds)
            self._is_proof = False
            self._after_full(
                FullLook(is_proof=False, unwatched_seconds=pause_seconds + took_seconds)
            )
            self._agenda.end_full(now, pause_seconds)
            return
        if self._is_proof:
            if result.late:
                raise NotifierDied(f"{result.late} changes were not told")
            self._pause_seconds = self._options.reconcile_seconds
        self._after_full(FullLook(self._is_proof))
        self._is_proof = True
        self._agenda.end_full(now, self._pause_seconds)
