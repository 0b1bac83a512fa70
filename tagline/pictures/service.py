"""Pictures by name: kept ones at once, others made, each once however many ask for it."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import msgspec

from tagline.errors import PictureRefused, TaglineError
from tagline.pictures.caches import DiskCache, MemoryCache
from tagline.pictures.jobs import Job
from tagline.pictures.pool import WorkerPool
from tagline.pictures.recipe import PictureType, Recipe, Subject, Wanted, name_of

_logger = logging.getLogger(__name__)

REFUSAL_SECONDS = 600.0
"""So long a refusal is remembered: a file that costs much is not decoded again at every request."""

_MOST_REFUSALS = 1024


class Picture(msgspec.Struct, frozen=True):
    """A made picture: its name, which is its entity tag too, its media type, and its bytes."""

    name: str
    media_type: PictureType
    data: bytes


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """A photo's file, open: what it is now, and where in it the bytes to decode are.

    ``kind`` names their format as ``tagline.metadata`` does; None where nothing can be shown.
    ``turned`` says that its decoder turns the image upright by itself.
    """

    subject: Subject
    kind: str | None
    turned: bool
    file: int
    offset: int
    length: int


Bring = Callable[[], AbstractAsyncContextManager[Brought]]
"""Opens the photo's file; raises ``TaglineError`` where that cannot be."""


class Pictures:
    """Makes and keeps pictures; use it on one event loop.

    Args:
        pool: makes them.
        recent: keeps those that were asked for a moment ago.
        kept: keeps many; None where nothing is kept on disk.
    """

    def __init__(self, pool: WorkerPool, recent: MemoryCache, kept: DiskCache | None) -> None:
        self._pool = pool
        self._recent = recent
        self._kept = kept
        self._refusals = _Refusals()
        self._making: dict[str, asyncio.Task[Picture]] = {}
        self._can_keep = True

    async def picture(self, wanted: Wanted, bring: Bring) -> Picture:
        """The picture of a photo. When the file has changed meanwhile, it is of the new content.

        Raises:
            PictureRefused: there cannot be one.
            PicturesBusy: too much is asked for at once.
            TaglineError: the file could not be brought.
        """
        name = wanted.name
        if (data := self._recent.get(name)) is not None:
            return Picture(name, wanted.recipe.media_type, data)
        self._refusals.check(name)
        task = self._making.get(name)
        if task is None:
            task = self._making[name] = asyncio.create_task(self._make(wanted, bring))
            task.add_done_callback(lambda done: self._made(name, done))
        # Who goes away leaves the work to the others, or to the cache.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """End all work and every worker process; may be called twice."""
        await self._pool.close()
        tasks = tuple(self._making.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _make(self, wanted: Wanted, bring: Bring) -> Picture:
        name, recipe = wanted.name, wanted.recipe
        data = await self._find(name)
        if data is None:
            async with self._pool.slot() as slot, bring() as brought:
                name = name_of(brought.subject, recipe)
                try:
                    data = await slot.render(self._job(brought, recipe), brought.file)
                except PictureRefused as error:
                    self._note_refusal(name, brought.subject, error)
                    raise
            await self._keep(name, data)
        self._recent.put(name, data)
        return Picture(name, recipe.media_type, data)

    def _made(self, name: str, task: asyncio.Task[Picture]) -> None:
        """Forget a task that is over; its error is looked at even where nobody waits any more."""
        del self._making[name]
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, TaglineError):
            _logger.error("a picture could not be made", exc_info=error)

    def _job(self, brought: Brought, recipe: Recipe) -> Job:
        """The job of making a picture of an open file."""
        return Job(
            kind=brought.kind or "",
            offset=brought.offset,
            length=brought.length,
            orientation=1 if brought.turned else brought.subject.orientation,
            stored=brought.subject.stored,
            edge=recipe.edge,
            media_type=recipe.media_type,
            max_pixels=self._pool.limits.max_pixels,
            seconds=self._pool.limits.seconds,
        )

    def _note_refusal(self, name: str, subject: Subject, error: PictureRefused) -> None:
        self._refusals.add(name, error)
        if error.reason == "too_costly":
            _logger.warning("photo %s: %s", subject.photo_id, error)

    async def _find(self, name: str) -> bytes | None:
        return None if self._kept is None else await asyncio.to_thread(self._kept.get, name)

    async def _keep(self, name: str, data: bytes) -> None:
        """Keep a picture on disk; where that is not possible, say so once and go on."""
        if self._kept is None:
            return
        try:
            await asyncio.to_thread(self._kept.put, name, data)
        except OSError as error:
            if self._can_keep:
                _logger.warning("pictures cannot be kept on disk: %s", error.strerror)
            self._can_keep = False
        else:
            self._can_keep = True


class _Refusals:
    """The refusals of the last minutes by the picture's name; bounded."""

    def __init__(self) -> None:
        self._noted: OrderedDict[str, tuple[float, PictureRefused]] = OrderedDict()

    def add(self, name: str, error: PictureRefused) -> None:
        """Remember one."""
        self._noted[name] = time.monotonic() + REFUSAL_SECONDS, error
        self._noted.move_to_end(name)
        while len(self._noted) > _MOST_REFUSALS:
            self._noted.popitem(last=False)

    def check(self, name: str) -> None:
        """Raise the refusal of this picture if one is remembered."""
        until, error = self._noted.get(name, (0.0, None))
        if error is None:
            return
        if time.monotonic() < until:
            raise PictureRefused(error.reason, error.sentence)
        del self._noted[name]
