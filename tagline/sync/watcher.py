"""Watching: the index follows the disk by itself, and says when it cannot follow closely.

By events where the file system tells them; by looking at everything again and again where it does
not. Either way everything is compared now and then, for events may be lost without a word.
"""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from tagline.errors import IndexFailure, StorageUnavailable
from tagline.sync.following import TOO_LONG, Following, FullLook
from tagline.sync.mounts import remote_file_system
from tagline.sync.notifier import NotifierDied
from tagline.sync.options import Mode, WatchOptions
from tagline.sync.reconciler import Reconciler

_logger = logging.getLogger(__name__)

UNEXPECTED = "Noticing changes failed unexpectedly, and begins again; the log says how. Report it."
RESTART_SECONDS = 0.1
"""Time from the end of events to the new beginning; twice as long at each further one."""
TOLD_SECONDS = 1.0
"""After how long a change that the file system tells of shows at the latest."""


WatchMode = Literal["notify", "poll", "off"]
WatchState = Literal["starting", "watching", "unavailable", "failing", "off", "stopped"]


class WatcherStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How changes are noticed just now.

    ``unavailable`` says that the photo directory is not there, ``failing`` that the index cannot be
    written. ``degraded`` says why it is worse than wished for. ``delay_seconds`` is
    after how long a change shows at the latest, None when only a rescan finds it.
    ``last_full_reconcile`` is in Unix seconds.
    """

    mode: WatchMode
    state: WatchState
    degraded: str | None
    delay_seconds: float | None
    last_full_reconcile: float | None


class Watcher:
    """Keeps the reconciler at work. Use it on the event loop.

    Args:
        reconciler: is asked for partial and full reconciles.
        root: the photo directory on this machine; None where the storage has none, which turns
            watching off.
        options: see there.
        beside: further directories with files of the same keys, to be watched as well.
    """

    def __init__(
        self,
        reconciler: Reconciler,
        root: Path | None,
        options: WatchOptions | None = None,
        *,
        beside: Sequence[Path] = (),
    ) -> None:
        self._reconciler = reconciler
        self._storage = reconciler.storage
        roots = () if root is None else (root, *beside)
        self._roots = tuple(each.absolute() for each in roots)
        self._options = options or WatchOptions()
        self._task: asyncio.Task[None] | None = None
        self._deaths: deque[float] = deque()
        self._mode: Mode = "off" if root is None else self._options.mode
        self._state: WatchState = "stopped"
        self._degraded: str | None = None
        self._problem: str | None = None
        self._delay_seconds: float | None = None

    async def start(self) -> None:
        """Begin to notice changes, then reconcile everything; returns at once."""
        self._state = "starting"
        self._task = asyncio.create_task(self._run(), name="tagline-watcher")

    async def stop(self) -> None:
        """Return when nothing notices changes any more; a full reconcile may still run."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self._state = "stopped"

    def status(self) -> WatcherStatus:
        """How changes are noticed just now."""
        return WatcherStatus(
            mode="notify" if self._mode == "auto" else self._mode,
            state=self._state,
            degraded=self._problem or self._degraded,
            delay_seconds=self._delay_seconds,
            last_full_reconcile=self._reconciler.last_full,
        )

    async def _run(self) -> None:
        while True:
            try:
                await self._watch()
            except StorageUnavailable as error:
                self._state, self._problem = "unavailable", str(error)
                await asyncio.sleep(self._options.check_seconds)
            except IndexFailure as error:
                self._state, self._problem = "failing", str(error)
                await asyncio.sleep(self._options.check_seconds)
            except Exception:  # whatever it is, an index that follows nothing any more is worse
                _logger.exception("noticing changes failed unexpectedly; it begins again")
                self._state, self._problem = "failing", UNEXPECTED
                await asyncio.sleep(self._options.check_seconds)

    async def _watch(self) -> None:
        """Watch in the way that suits, until something gives reason to begin again."""
        options = self._options
        if not self._roots or options.mode == "off":
            await self._stay_off()
        elif options.mode == "poll":
            await self._poll(None, math.inf)
        elif options.mode == "auto" and (kind := await asyncio.to_thread(self._remote)):
            await self._poll(f"{kind} does not tell of changes that others make.", math.inf)
        elif len(self._deaths) < options.restarts:
            await self._follow()
        else:
            await self._poll(self._degraded, options.patience_seconds)
            self._deaths.clear()

    def _remote(self) -> str | None:
        """The type of a file system that does not tell of changes, if there is one; blocks."""
        mountinfo = self._options.mountinfo()
        kinds = (remote_file_system(root.resolve(), mountinfo) for root in self._roots)
        return next(filter(None, kinds), None)

    async def _stay_off(self) -> None:
        self._mode = "off"
        await self._reconciler.reconcile(join=False)
        self._state, self._problem = "off", None
        await asyncio.Event().wait()

    async def _poll(self, reason: str | None, for_seconds: float) -> None:
        """Look at everything again and again, for so long."""
        options = self._options
        self._mode = "poll"
        end = time.monotonic() + for_seconds
        while time.monotonic() < end:
            began = time.monotonic()
            await self._reconciler.reconcile(join=False)
            took_seconds = time.monotonic() - began
            pause_seconds = options.pause_seconds(took_seconds)
            self._state, self._problem, self._degraded = "watching", None, reason
            self._delay_seconds = pause_seconds + took_seconds
            await asyncio.sleep(pause_seconds)

    async def _follow(self) -> None:
        """Follow events until they end."""
        self._mode, self._delay_seconds = "notify", TOLD_SECONDS
        following = Following(self._reconciler, self._roots, self._options, self._note_full)
        try:
            await following.run()
        except NotifierDied as error:
            self._degraded = f"Events were lost: {error}."
            await asyncio.sleep(self._note_death())
        finally:
            await following.stop()

    def _note_full(self, look: FullLook) -> None:
        self._state, self._problem = "watching", None
        self._delay_seconds = TOLD_SECONDS
        if look.unwatched_seconds is not None:
            self._degraded, self._delay_seconds = TOO_LONG, look.unwatched_seconds
        elif look.is_proof or self._degraded == TOO_LONG:
            self._degraded = None

    def _note_death(self) -> float:
        """Note that events ended; return how long to wait before beginning again."""
        now = time.monotonic()
        self._deaths.append(now)
        while self._deaths[0] < now - self._options.patience_seconds:
            self._deaths.popleft()
        return RESTART_SECONDS * 2 ** (len(self._deaths) - 1)
