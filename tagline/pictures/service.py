"""Pictures by name: kept ones at once, others made, each once however many ask for it."""

import asyncio
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import msgspec

from tagline.errors import PictureRefused, PicturesBusy, TaglineError
from tagline.pictures.caches import DiskCache, MemoryCache
from tagline.pictures.jobs import Job
from tagline.pictures.pool import WorkerPool
from tagline.pictures.recipe import PictureType, Recipe, Subject, Wanted, name_of

_logger = logging.getLogger(__name__)

REFUSAL_SECONDS = 600.0
"""So long a refusal is remembered: a file that costs much is not decoded again at every request."""

_MOST_REFUSALS = 1024

_STOP_SECONDS = 2.0


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

    ``outcomes`` counts where pictures came from (``memory``, ``disk``, ``made``; ``joined`` where
    another request was waiting for the same one), and why there was none (``refused``, ``busy``,
    ``failed``).

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
        self.outcomes: Counter[str] = Counter()

    async def picture(self, wanted: Wanted, bring: Bring) -> Picture:
        """The picture of a photo. When the file has changed meanwhile, it is of the new content.

        Raises:
            PictureRefused: there cannot be one.
            PicturesBusy: too much is asked for at once.
            TaglineError: the file could not be brought.
        """
        name = wanted.name
        if (data := self._recent.get(name)) is not None:
            self.outcomes["memory"] += 1
            return Picture(name, wanted.recipe.media_type, data)
        self._check_refusals(wanted)
        task = self._making.get(name)
        if task is not None:
            self.outcomes["joined"] += 1
        else:
            task = self._making[name] = asyncio.create_task(self._make(wanted, bring))
            task.add_done_callback(lambda done: self._made(name, done))
        # Who goes away leaves the work to the others, or to the cache.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """End all work and every worker process; who waits gets ``PicturesBusy``.

        May be called twice.
        """
        await self._pool.close()
        if not (tasks := tuple(self._making.values())):
            return
        # With the pool closed each ends by itself, with an answer; to cancel gives none, and is
        # for those that a disk keeps waiting.
        _, late = await asyncio.wait(tasks, timeout=_STOP_SECONDS)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def _make(self, wanted: Wanted, bring: Bring) -> Picture:
        name, recipe = wanted.name, wanted.recipe
        data = await self._find(name)
        found = data is not None
        if data is None:
            async with self._pool.slot() as slot, bring() as brought:
                name = name_of(brought.subject, recipe)
                try:
                    data = await slot.render(self._job(brought, recipe), brought.file)
                except PictureRefused as error:
                    self._note_refusal(brought.subject, recipe, error)
                    raise
            await self._keep(name, data)
        self.outcomes["disk" if found else "made"] += 1
        self._recent.put(name, data)
        return Picture(name, recipe.media_type, data)

    def _made(self, name: str, task: asyncio.Task[Picture]) -> None:
        """Forget a task that is over; its error is looked at even where nobody waits any more."""
        del self._making[name]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.outcomes[_failure(error)] += 1
        if error is not None and not isinstance(error, TaglineError):
            _logger.error("a picture could not be made", exc_info=error)

    def _check_refusals(self, wanted: Wanted) -> None:
        try:
            self._refusals.check(wanted.subject, wanted.recipe.edge)
        except PictureRefused:
            self.outcomes["refused"] += 1
            raise

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

    def _note_refusal(self, subject: Subject, recipe: Recipe, error: PictureRefused) -> None:
        self._refusals.add(subject, recipe.edge, error)
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


def _failure(error: BaseException) -> str:
    if isinstance(error, PictureRefused):
        return "refused"
    return "busy" if isinstance(error, PicturesBusy) else "failed"


class _Refused(msgspec.Struct, frozen=True):
    """A refusal: until when it is remembered, and for pictures of more than which edge."""

    until: float
    edge: float
    error: PictureRefused


class _Refusals:
    """The refusals of the last minutes by the file that was refused; bounded.

    What is wrong with a file is wrong whatever picture is asked for. One that costs too much may do
    for a much smaller picture, as a JPEG is decoded at a fraction of its size: that is tried at
    half the edge, and not for each of a thousand sizes.
    """

    def __init__(self) -> None:
        self._noted: OrderedDict[Subject, _Refused] = OrderedDict()

    def add(self, subject: Subject, edge: int, error: PictureRefused) -> None:
        """Remember one."""
        least = edge / 2 if error.reason == "too_costly" else 0
        self._noted[subject] = _Refused(time.monotonic() + REFUSAL_SECONDS, least, error)
        self._noted.move_to_end(subject)
        while len(self._noted) > _MOST_REFUSALS:
            self._noted.popitem(last=False)

    def check(self, subject: Subject, edge: int) -> None:
        """Raise the refusal of a picture with this edge if one is remembered."""
        refused = self._noted.get(subject)
        if refused is None:
            return
        if time.monotonic() >= refused.until:
            del self._noted[subject]
        elif edge > refused.edge:
            raise PictureRefused(refused.error.reason, refused.error.sentence)
