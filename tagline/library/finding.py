"""Finding photos: searches in short steps, so that nobody else waits for them."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import TypeVar

from tagline.index import TinyPhotoIndex
from tagline.index.counting import (
    FoldedKeyword,
    FolderCount,
    beginning_with,
    count_keywords,
    count_months,
)
from tagline.index.steps import Steps
from tagline.model import Page, PhotoFilter, PhotoQuery
from tagline.model.query import Folders, Keywords, Part, Timeline
from tagline.model.words import fold_keyword

TURN_SECONDS = 0.002
"""For so long a search works before everybody else has a turn; a timer may wait for three."""
PAUSE_SECONDS = 0.010
"""For so long the preparations pause after each turn."""
SETTLE_SECONDS = 1.0
"""For so long after a change nothing is prepared: others may follow."""

Result = TypeVar("Result")
Found = Page | Folders | Keywords | Timeline


class Finder:
    """Answers about many photos, from memory, on the event loop's thread.

    One search works at a time: the others wait in the order in which they came, since between two
    turns of a search only what does not search should have to wait.
    """

    def __init__(self, index: TinyPhotoIndex) -> None:
        self._index = index
        self._run = secrets.token_hex(6)
        self._catalogue = index.catalogue
        self._searching = asyncio.Lock()
        self._changed = asyncio.Event()
        index.listen(lambda _: self._changed.set())

    def version(self, found: Found | None = None) -> str:
        """Names the state of all photos that an answer is made of, or, without one, the current.

        No other state has the same name, in this run of the program or another.
        """
        generation = self._index.generation if found is None else found.generation
        return f"{self._run}.{generation:x}"

    async def keep_ready(self) -> None:
        """Do in the background, for ever, what a search would have to do first."""
        while True:
            self._changed.clear()
            await _work(self._catalogue.warm(), lambda: asyncio.sleep(PAUSE_SECONDS))
            await self._changed.wait()
            await asyncio.sleep(SETTLE_SECONDS)

    async def page(self, query: PhotoQuery) -> Page:
        """A page of photos; one of all photos is given at once."""
        page = self._catalogue.page_at_once(query)
        return page or await self._search(self._catalogue.page(query))

    async def folders(self, wanted: PhotoFilter, depth: int | None, part: Part) -> Folders:
        """The directories with such photos, as a tree; ``depth`` levels below the one asked for."""
        count = FolderCount(wanted.folder or "", depth)
        steps = self._catalogue.made_of(wanted, ("folders", depth), count)
        generation, found = await self._search(steps)
        return Folders(total=len(found), items=tuple(part.of(found)), generation=generation)

    async def keywords(self, wanted: PhotoFilter, prefix: str, part: Part) -> Keywords:
        """The keywords of such photos that begin with a prefix, folded; frequent ones first."""
        generation, found = await self._search(self._keywords(wanted, fold_keyword(prefix)))
        items = tuple(counted for _, counted in part.of(found))
        return Keywords(total=len(found), items=items, generation=generation)

    def _keywords(self, wanted: PhotoFilter, prefix: str) -> Steps[tuple[int, list[FoldedKeyword]]]:
        counted = self._catalogue.made_of(wanted, "keywords", count_keywords)
        generation, found = yield from counted
        if prefix:
            found = yield from beginning_with(prefix, found)
        return generation, found

    async def timeline(self, wanted: PhotoFilter, part: Part) -> Timeline:
        """The months in which such photos were taken, the earliest first."""
        steps = self._catalogue.made_of(wanted, "months", count_months)
        generation, (undated, months) = await self._search(steps)
        items = tuple(part.of(months))
        return Timeline(total=len(months), undated=undated, items=items, generation=generation)

    async def _search(self, steps: Steps[Result]) -> Result:
        async with self._searching:
            return await _work(steps, lambda: asyncio.sleep(0))


async def _work(steps: Steps[Result], pause: Callable[[], Awaitable[None]]) -> Result:
    """Take the steps, and pause after each turn."""
    end = perf_counter() + TURN_SECONDS
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value
        if perf_counter() > end:
            await pause()
            end = perf_counter() + TURN_SECONDS
