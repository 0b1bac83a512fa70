"""The file system's events, fetched by watchfiles in a thread of its own."""

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ParamSpec

import msgspec
from watchfiles import watch

P = ParamSpec("P")

LIMIT_REACHED = "the limit of watched directories (fs.inotify.max_user_watches) is reached"

STEP_MS = 10
"""Events are handed over as soon as none came for so long, which is also how often a thread wakes:
20 ms from a write to the callback, 0.7 % of a core when idle."""
DEBOUNCE_MS = 50
"""Where events keep coming, they are handed over after so long."""
MOST_PATHS = 8_192
"""Of more paths waiting to be dealt with, only that there were so many is remembered. It is half of
what Linux queues by default before it drops events (``max_queued_events``, inotify(7))."""


class NotifierDied(Exception):
    """The file system's events come no longer; ``str()`` is a phrase that says why."""


class Changes(msgspec.Struct, frozen=True):
    """Absolute paths at which something may have happened; ``lost`` when there were more."""

    paths: frozenset[str]
    lost: bool = False


class Notifier:
    """Tells of changes below directories, from when ``start`` returns until it dies or is stopped.

    Events may be lost without a word (the kernel's queue overflows, a directory is filled before it
    is watched, a limit is reached), so they are hints. Make it on the event loop, use it there.

    Args:
        roots: absolute.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = [str(root) for root in roots]
        self._loop = asyncio.get_running_loop()
        self._flag = _StopFlag(self._tell_started)
        self._started = asyncio.Event()
        self._arrived = asyncio.Event()
        self._ended = asyncio.Event()
        self._paths: set[str] = set()
        self._lost = False
        self._death: str | None = None
        self._thread = threading.Thread(target=self._watch, name="tagline-watch", daemon=True)

    async def start(self) -> None:
        """Return when changes are noticed.

        Raises:
            NotifierDied: they cannot be.
        """
        self._thread.start()
        await self._started.wait()
        if self._death is not None:
            raise NotifierDied(self._death)

    async def changes(self) -> Changes:
        """Wait for changes or ``wake``; those that came since the last call come together.

        Raises:
            NotifierDied: there will be no more, and those that came last are lost.
        """
        await self._arrived.wait()
        if self._death is not None:
            raise NotifierDied(self._death)
        self._arrived.clear()
        found = Changes(frozenset(self._paths), self._lost)
        self._paths, self._lost = set(), False
        return found

    def wake(self) -> None:
        """Let ``changes`` return, with or without changes."""
        self._arrived.set()

    async def stop(self) -> None:
        """End the thread, and return when it has ended."""
        self._flag.stopped = True
        if self._thread.ident is not None:
            await self._ended.wait()
            self._thread.join()

    def _watch(self) -> None:
        """Fetch events; in a thread."""
        death = "the watcher ended"
        try:
            # The kind of an event says nothing that a look at the file does not say better.
            for changes in watch(
                *self._roots,
                watch_filter=None,
                debounce=DEBOUNCE_MS,
                step=STEP_MS,
                stop_event=self._flag,
                raise_interrupt=False,
                force_polling=False,
                ignore_permission_denied=True,
            ):
                self._tell(self._note, {path for _, path in changes})
        except OSError as error:
            death = _phrase(error)
        except RuntimeError as error:  # WatchfilesRustInternalError: a name that is not UTF-8, say
            death = "a file name is not UTF-8" if "decode" in str(error) else "an internal error"
        finally:
            self._tell(self._end, death)

    def _tell(self, what: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Have something called on the event loop; from the thread."""
        with suppress(RuntimeError):  # the loop is closed, nobody listens any more
            self._loop.call_soon_threadsafe(lambda: what(*args, **kwargs))

    def _tell_started(self) -> None:
        self._tell(self._started.set)

    def _note(self, paths: set[str]) -> None:
        if len(self._paths) + len(paths) <= MOST_PATHS:
            self._paths |= paths
        else:
            self._paths, self._lost = set(), True
        self._arrived.set()

    def _end(self, death: str) -> None:
        self._death = death
        for event in (self._started, self._arrived, self._ended):
            event.set()


class _StopFlag:
    """What watchfiles asks between two steps whether to stop: so it is watching by then."""

    def __init__(self, at_first: Callable[[], None]) -> None:
        self.stopped = False
        self._at_first: Callable[[], None] | None = at_first

    def is_set(self) -> bool:
        """Whether to stop."""
        if self._at_first is not None:
            self._at_first()
            self._at_first = None
        return self.stopped


def _phrase(error: OSError) -> str:
    """Why watching failed, without a path."""
    if error.errno is not None:
        return os.strerror(error.errno).lower()
    # notify's own errors come without a number, and name no path in their first words.
    limit = "limit" in str(error).lower()
    return LIMIT_REACHED if limit else "events are not available"
