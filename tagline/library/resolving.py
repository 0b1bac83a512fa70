"""Edits that a kill or a failing disk cut short: found made, forgotten, or finished."""

import asyncio
import logging
from collections.abc import Mapping

from tagline.errors import (
    EditRefused,
    ObjectBusy,
    ObjectChanged,
    ObjectNotFound,
    PhotoNotFound,
    PreconditionFailed,
    StorageUnavailable,
    TaglineError,
)
from tagline.index import PhotoIndex, TinyHistory
from tagline.library.editing import Editor
from tagline.library.judging import Judge, Verdict
from tagline.model import IndexedPhoto, PendingChange, Precondition

_logger = logging.getLogger(__name__)

ATTEMPTS = 3
"""So often a change is judged anew because its photo was changed meanwhile."""
PATIENCE = 30
"""So often a photo is looked at again that another program may still be writing."""

_TOLD: dict[Verdict, str] = {
    "made": "an edit that was interrupted is complete",
    "not made": "an edit that was interrupted had not begun; nothing was changed",
    "half": "an edit that was interrupted half way has been completed",
    "other": "another program has written since an edit that was interrupted; the photo stays as "
    "it is, and what was there before that edit is kept in the history",
}


class Resolver:
    """Judges the changes that were left by what the disk says; use it on the event loop.

    What was begun and shows in some places only is done again, through the ordinary way of an
    edit, so that all places say the new values: those were asked for, and nobody was told that
    they are not there. Where another program has written since, nothing is written, and the change
    is kept in the history: its old values may be nowhere else. What cannot be judged or finished
    now is left for the next time.
    """

    def __init__(self, editor: Editor, judge: Judge, store: TinyHistory, index: PhotoIndex) -> None:
        self._editor = editor
        self._judge = judge
        self._store = store
        self._index = index
        self._one_at_a_time = asyncio.Lock()
        self._told: set[str] = set()

    async def resolve_all(self) -> None:
        """Judge all that was left; for a while again where another program may be writing still."""
        busy = await self.resolve()
        for _ in range(PATIENCE):
            if not busy:
                return
            wait_seconds = max(error.retry_after.total_seconds() for error in busy.values())
            await asyncio.sleep(wait_seconds)
            busy = await self.resolve()
        for name, error in busy.items():
            self._tell_once(name, error.object_key, error)

    async def resolve(self, photo_id: str | None = None) -> Mapping[str, ObjectBusy]:
        """Judge what was left of one photo, or of all; raises nothing that the disk can cause.

        Returns, by name, what has to wait because somebody may be writing a file of the photo.
        """
        busy: dict[str, ObjectBusy] = {}
        async with self._one_at_a_time:
            for name, pending in self._store.left(photo_id).items():
                row = self._index.get(pending.change.photo_id)
                if row is None:  # it may be met by a scan, or come back
                    continue
                if row.adopted and not self._editor.has_scanned:
                    continue  # only a scan finds sidecars that lie elsewhere
                try:
                    verdict = await self._judged_and_finished(row, pending)
                except StorageUnavailable:
                    break  # this is done again when the disk is back
                except (PhotoNotFound, ObjectNotFound, ObjectChanged):
                    continue  # the photo is moving: a scan finds it, or the next edit
                except ObjectBusy as error:
                    busy[name] = error
                except TaglineError as error:
                    self._tell_once(name, row.photo.object_key, error)
                else:
                    await self._end(name, verdict)
                    self._tell(row.photo.object_key, verdict)
        return busy

    async def _judged_and_finished(self, row: IndexedPhoto, pending: PendingChange) -> Verdict:
        """What became of a change; one that was half done is done then.

        Raises:
            TaglineError: it cannot be told, or not be finished.
        """
        for attempt in range(ATTEMPTS):
            found = await self._editor.disk.run(self._judge.judge, row, pending)
            if found.verdict != "half":
                return found.verdict
            as_judged = Precondition(if_match=(found.etag,))
            try:
                await self._editor.edit(row.photo.id, pending.change.after, as_judged, anew=True)
            except PreconditionFailed:
                if attempt == ATTEMPTS - 1:
                    raise
            except EditRefused:
                return "other"
            else:
                return "half"
        raise AssertionError

    async def _end(self, name: str, verdict: Verdict) -> None:
        end = self._store.cancel if verdict == "not made" else self._store.confirm
        await asyncio.to_thread(end, name)

    def _tell(self, object_key: str, verdict: Verdict) -> None:
        level = logging.WARNING if verdict in {"half", "other"} else logging.INFO
        _logger.log(level, "%s: %s", object_key, _TOLD[verdict])

    def _tell_once(self, name: str, object_key: str, error: TaglineError) -> None:
        if name not in self._told:
            self._told.add(name)
            told = "%s: an edit that was interrupted cannot be completed now: %s"
            _logger.warning(told, object_key, error)
