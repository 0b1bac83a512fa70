"""Whether a file is at rest, so that an edit may replace it: nobody is writing it any more.

Three things together tell that: nobody is known to have it open for writing; its size and
modification time have stayed as they are for a while; and all of it is there.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import timedelta

from tagline.errors import ObjectBusy, ObjectChanged
from tagline.library.reading import Seen
from tagline.metadata import why_incomplete, why_incomplete_sidecar
from tagline.model import ByteSource, FileState, IndexedFile
from tagline.model.keys import name_of
from tagline.storage import OpenObject, PhotoStorageProvider, open_elsewhere
from tagline.sync import Stillness

WAIT_SECONDS = 10.0
"""For so long an edit waits until its files are at rest."""
DAMAGED_SECONDS = 3600.0
"""A file that is not whole, and has not been changed for so long, is damaged."""
NOT_WHOLE = "the file is not whole"
"""How the reason begins for which a damaged photo is not edited itself."""

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0


class Rest:
    """Judges whether files are at rest. Thread-safe.

    Args:
        stillness: knows since when files are as they are. Where it waits for nothing, nobody but
            Tagline writes files, and what is not whole is damaged.
        clock: Unix seconds, to be compared with change times.
    """

    def __init__(
        self, stillness: Stillness | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.stillness = Stillness(0) if stillness is None else stillness
        self._clock = clock

    @property
    def _waits(self) -> bool:
        return self.stillness.settle_seconds > 0

    def demand(
        self,
        storage: PhotoStorageProvider,
        opened: OpenObject,
        seen: Seen,
        indexed: Sequence[IndexedFile],
    ) -> None:
        """Return when nobody is known to be writing a photo or a sidecar of it; blocks.

        Args:
            storage: where they are.
            opened: the photo, as it was opened.
            seen: the photo as it was read.
            indexed: what the index says of its files.

        Raises:
            ObjectBusy: somebody is, or one of them was changed a moment ago or is not whole.
            ObjectChanged: a sidecar is not the one that was read.
        """
        if not self._waits:
            return
        photo, *sidecars = seen.files
        known = _states(indexed)
        self._demand_still(opened, photo, known.get(photo.object_key))
        for file in sidecars:
            with storage.open(file.object_key) as sidecar:
                if not file.state.is_touched(sidecar.state):
                    raise ObjectChanged(file.object_key)
                self._demand_still(sidecar, file, known.get(file.object_key))
        files = {name_of(file.object_key): file for file in sidecars}
        own = seen.sidecars
        for said in filter(None, (own.xmp, own.stem_xmp, own.json)):
            if missing := why_incomplete_sidecar(said.name, said.data):
                file = files[said.name]
                self._demand_lasting(missing, file, known.get(file.object_key))

    def why_damaged(
        self, source: ByteSource, photo: IndexedFile, indexed: Sequence[IndexedFile]
    ) -> str | None:
        """What a damaged photo lacks, None where it is whole; blocks.

        Args:
            source: its bytes.
            photo: its file.
            indexed: what the index says of its files.

        Raises:
            ObjectBusy: it is not whole, and may still become so.
        """
        missing = why_incomplete(source, name_of(photo.object_key))
        if missing is not None and self._waits:
            known = _states(indexed)
            self._demand_lasting(missing, photo, known.get(photo.object_key))
        return missing

    def note_own(self, before: Sequence[IndexedFile], after: Mapping[str, FileState]) -> None:
        """Know which files Tagline has written itself: the states of a photo's files by key."""
        was = _states(before)
        for key, state in after.items():
            if was.get(key) != state:
                self.stillness.note_own(key, state)

    def _demand_still(
        self, opened: OpenObject, file: IndexedFile, indexed: FileState | None
    ) -> None:
        if opened.is_being_written():
            raise open_elsewhere(file.object_key)
        wait_seconds = self.stillness.wait_seconds(file.object_key, file.state, indexed)
        if wait_seconds:
            raise in_motion(file.object_key, wait_seconds)

    def _demand_lasting(self, missing: str, file: IndexedFile, indexed: FileState | None) -> None:
        """Return when a file that is not whole will not become so: it is damaged."""
        changed_ns = max(file.state.ctime_ns, file.state.mtime_ns)
        unchanged_seconds = self._clock() - changed_ns / 1e9
        if unchanged_seconds < 0:  # the file has a time to come, which says nothing
            unchanged_seconds = self.stillness.still_seconds(file.object_key, file.state, indexed)
        if unchanged_seconds < DAMAGED_SECONDS:
            raise _unfinished(file.object_key, missing)


def _states(files: Sequence[IndexedFile]) -> dict[str, FileState]:
    return {file.object_key: file.state for file in files}


def in_motion(object_key: str, wait_seconds: float = 0.0) -> ObjectBusy:
    """The error that says that a file was changed a moment ago.

    ``wait_seconds`` is after how long it may be at rest, 0 where that is not known.
    """
    return ObjectBusy(
        object_key,
        "stillness",
        f"{name_of(object_key)} was changed a moment ago, and may still be being written; nothing "
        "was written. Repeat the request in some seconds.",
        timedelta(seconds=wait_seconds),
    )


def _unfinished(object_key: str, missing: str) -> ObjectBusy:
    """The error that says that a file is not whole yet, and what to do if it never will be."""
    return ObjectBusy(
        object_key,
        "completeness",
        f"{name_of(object_key)} is not whole: {missing}; nothing was written. If it is being "
        "copied, repeat the request when that is done. If it is damaged, put a whole copy in its "
        "place; or repeat the request an hour after its last change, and what you write goes to a "
        "sidecar beside it.",
        timedelta(seconds=_FIRST_PAUSE_SECONDS),
    )


class Patience:
    """How long one request, or one command, waits for all its files together.

    Args:
        clock: gives seconds that never go back.
        sleep: waits for some seconds by that clock.
        most_seconds: so long.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        most_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._most_seconds = most_seconds
        self._clock = clock
        self._sleep = sleep
        self._until: float | None = None
        self._tries = 0

    def pause_seconds(self, errors: Collection[ObjectBusy]) -> float | None:
        """For how long to wait before files that were not at rest are tried again.

        None where it is time to give up. Files that are waited for in vain are tried ever less
        often.
        """
        now = self._clock()
        if self._until is None:
            self._until = now + self._most_seconds
        if now >= self._until:
            return None
        at_least = min(_FIRST_PAUSE_SECONDS * 2**self._tries, _LONGEST_PAUSE_SECONDS)
        self._tries += 1
        hints = (e.retry_after.total_seconds() for e in errors if e.awaited == "stillness")
        wanted = min((hint for hint in hints if hint > 0), default=at_least)
        return min(wanted, self._until - now)

    async def pause(self, errors: Collection[ObjectBusy]) -> bool:
        """Wait for as long as ``pause_seconds`` says; False where it is time to give up."""
        pause_seconds = self.pause_seconds(errors)
        if pause_seconds is not None:
            await self._sleep(pause_seconds)
        return pause_seconds is not None


def given_up(error: ObjectBusy) -> ObjectBusy:
    """The error as a client is told it: nobody waits any more, ask again after a while."""
    again = timedelta(seconds=WAIT_SECONDS)
    return ObjectBusy(error.object_key, error.awaited, str(error), again)
