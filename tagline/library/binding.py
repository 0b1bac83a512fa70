"""Photos that were described while they were damaged: once whole, they are named in sidecars."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from tagline.errors import EditRefused, ObjectBusy, PhotoNotFound, TaglineError
from tagline.index import RowChange
from tagline.library.editing import Editor
from tagline.library.rest import NOT_WHOLE, Patience

_logger = logging.getLogger(__name__)

_MARK: Final = f'"not_embedded":"{NOT_WHOLE}'.encode()
"""How a photo's JSON says that it was damaged when it was described."""

_MOST_WAITING = 10_000

LATER_SECONDS = 60.0
"""So long after a photo could not be looked at it is tried again."""


class Binder:
    """Looks at such photos when they change; use it on the event loop.

    A photo that is still damaged then is looked at again when it changes again, one that is not at
    rest or cannot be read after a while.
    """

    def __init__(self, editor: Editor, patience: Callable[[], Patience] = Patience) -> None:
        self._editor = editor
        self._patience = patience
        self._waiting: dict[str, None] = {}
        self._later: dict[str, None] = {}
        self._news = asyncio.Event()

    def photos_changed(self, changes: Sequence[RowChange]) -> None:
        """Take notice of a transaction of the index."""
        for change in changes:
            if change.new is not None and _MARK in change.new:
                self._waiting[change.photo_id] = None
                self._news.set()
        while len(self._waiting) > _MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]

    async def run(self) -> None:
        """Look at photos as they change, one after the other, until it is cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LATER_SECONDS if self._later else None):
                    await self._news.wait()
            self._news.clear()
            self._waiting |= self._later
            self._later.clear()
            while self._waiting:
                photo_id = next(iter(self._waiting))
                del self._waiting[photo_id]
                await self._bind(photo_id)

    async def _bind(self, photo_id: str) -> None:
        patience = self._patience()
        while True:
            try:
                await self._editor.bind(photo_id)
            except ObjectBusy as error:
                if await patience.pause([error]):
                    continue
                self._later[photo_id] = None
            except PhotoNotFound:
                pass  # gone, or another photo by now
            except EditRefused as error:
                _logger.info("what was written of a damaged photo stays as it is: %s", error)
            except TaglineError:
                self._later[photo_id] = None
            return
