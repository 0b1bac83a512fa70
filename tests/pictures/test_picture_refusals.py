"""Files that cost much to refuse, and clients that ask for them again and again."""

import os
from contextlib import asynccontextmanager

import pytest
from tests_pictures_samples import slow_jpeg

from tagline.errors import PictureRefused
from tagline.model import FileState
from tagline.pictures.caches import MemoryCache
from tagline.pictures.jobs import Limits
from tagline.pictures.pool import WorkerPool
from tagline.pictures.recipe import Recipe, Subject, Wanted, name_of
from tagline.pictures.service import Brought, Pictures

SLOW = slow_jpeg()


class Counted(WorkerPool):
    """A pool that notes what it is asked to make."""

    def __init__(self) -> None:
        super().__init__(1, Limits(seconds=1))
        self.edges = []

    async def render(self, job, file):
        self.edges.append(job.edge)
        return await super().render(job, file)


@pytest.fixture
async def pool():
    """One worker."""
    made = Counted()
    yield made
    await made.close()


async def test_a_costly_file_is_not_tried_for_each_size(pool):
    """A thousand sizes of one file cost a worker a few tries, each at half the size of the last."""
    pictures = Pictures(pool, MemoryCache(1_000_000), None)
    subject = Subject(photo_id="a", state=FileState(1, len(SLOW), 1, 1), orientation=1, stored=None)

    @asynccontextmanager
    async def bring():
        file = os.memfd_create("slow")
        try:
            os.write(file, SLOW)
            yield Brought(
                subject=subject, kind="jpeg", turned=False, file=file, offset=0, length=len(SLOW)
            )
        finally:
            os.close(file)

    for edge in (*range(1024, 257, -1), 256):
        for media_type in ("image/jpeg", "image/webp"):
            recipe = Recipe(edge, media_type)
            with pytest.raises(PictureRefused) as caught:
                await pictures.picture(Wanted(subject, recipe, name_of(subject, recipe)), bring)
            assert caught.value.reason == "too_costly"
    assert pool.edges == [1024, 512, 256]
    assert pictures.outcomes["refused"] == 2 * 768
    await pictures.close()
