"""Searches of the library: in turns, right while the index changes, one at a time."""

import asyncio
import time

import msgspec
import pytest

from tagline.index import TinyPhotoIndex, open_index
from tagline.index.steps import PIECE, made_in_steps
from tagline.library.finding import Finder
from tagline.model import (
    IndexedPhoto,
    Metadata,
    PhotoFilter,
    PhotoQuery,
    Sort,
)
from tagline.model.query import Part
from tagline.model.words import terms_of
from tests.rows import make_row

COUNT = 3000


def described(number: int, text: str) -> IndexedPhoto:
    """A photo with a description."""
    return make_row(
        number,
        f"{number % 50:02d}/IMG_{number:05d}.jpg",
        metadata=Metadata(description=text, keywords=("Oslo",)),
        taken_at=f"20{number % 30:02d}-01-01T00:00:00.{number:06d}Z",
    )


@pytest.fixture
def index() -> TinyPhotoIndex:
    """An index of many photos; nothing is derived yet."""
    made = open_index(None)
    for start in range(0, COUNT, 100):
        made.apply(described(n, "Grandma in Oslo") for n in range(start, start + 100))
    return made


async def test_others_have_their_turns_while_a_search_works(index: TinyPhotoIndex) -> None:
    """A search over columns that have to be derived first lets others run again and again."""
    search = asyncio.ensure_future(
        Finder(index).page(PhotoQuery(filter=PhotoFilter(terms=terms_of("oslo"))))
    )
    turns = 0
    while not search.done():
        turns += 1
        await asyncio.sleep(0)
    assert (await search).total == COUNT
    assert turns > 3


@pytest.mark.parametrize("sort", Sort)
async def test_a_search_is_right_though_the_index_changes_in_between(
    index: TinyPhotoIndex, sort: Sort
) -> None:
    """A change between two turns of a search is in what it finds."""
    query = PhotoQuery(filter=PhotoFilter(terms=terms_of("changed")), sort=sort)
    search = asyncio.ensure_future(Finder(index).page(query))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not search.done()
    index.apply([described(0, "changed"), described(COUNT - 1, "changed")])
    index.apply([], [described(COUNT - 1, "").photo.id])
    page = await search
    assert page.ids == (described(0, "").photo.id,)
    assert page.generation == index.generation


async def test_an_index_that_never_rests_has_its_answer_too(index: TinyPhotoIndex) -> None:
    """While every turn meets a change, the answer is that of a moment ago, of photos there are."""
    finder = Finder(index)
    query = PhotoQuery(filter=PhotoFilter(terms=terms_of("oslo")), sort=Sort.TAKEN_AT, limit=500)
    search = asyncio.ensure_future(finder.page(query))
    gone: set[str] = set()
    number = 0
    while not search.done():
        number += 1
        gone.add(described(number, "").photo.id)
        index.apply([], [described(number, "").photo.id])
        await asyncio.sleep(0)
    page = await search
    assert page.ids
    assert not gone & set(page.ids)
    assert finder.version(page) <= finder.version()


async def test_what_is_kept_of_searches_is_bounded_and_the_used_ones_stay(
    index: TinyPhotoIndex,
) -> None:
    """A thousand other searches make one forgotten unless it is asked again in between."""
    finder = Finder(index)
    used, once = (PhotoQuery(filter=PhotoFilter(folder=name)) for name in ("01", "02"))
    await finder.page(used)
    await finder.page(once)
    for number in range(1000):
        await finder.page(PhotoQuery(filter=PhotoFilter(terms=terms_of(f"nothing{number}"))))
        await finder.page(used)
    assert index.catalogue.page_at_once(used) is not None
    assert index.catalogue.page_at_once(once) is None


def test_no_step_makes_more_than_a_piece() -> None:
    """However many items, each step makes a bounded number of them, and all come in order."""
    made: list[int] = []
    steps = made_in_steps(made.append, range(10 * PIECE + 1))
    most = before = 0
    for _ in steps:
        most, before = max(most, len(made) - before), len(made)
    assert most == PIECE
    assert made == list(range(10 * PIECE + 1))


async def test_searches_wait_for_one_another_and_all_are_answered(index: TinyPhotoIndex) -> None:
    """Many at once, of every kind, each with its own answer."""
    finder = Finder(index)
    everything = PhotoFilter()
    queries = [PhotoQuery(filter=PhotoFilter(folder=f"{n:02d}")) for n in range(20)]
    pages, folders, keywords, timeline = await asyncio.gather(
        asyncio.gather(*map(finder.page, queries)),
        finder.folders(everything, None, Part(100)),
        finder.keywords(everything, "os", Part(10)),
        finder.timeline(everything, Part(100)),
    )
    assert [page.total for page in pages] == [COUNT // 50] * 20
    assert folders.total == 51
    assert [(each.keyword, each.photos) for each in keywords.items] == [("Oslo", COUNT)]
    assert timeline.total == 30


async def test_preparing_derives_what_searches_need(index: TinyPhotoIndex) -> None:
    """After it, a page by date is there at once; it ends when it is cancelled."""
    finder = Finder(index)
    query = PhotoQuery(sort=Sort.TAKEN_AT)
    preparing = asyncio.ensure_future(finder.keep_ready())
    end = time.monotonic() + 20
    while index.catalogue.page_at_once(query) is None:
        assert time.monotonic() < end
        await asyncio.sleep(0)
    assert (await finder.page(query)).total == COUNT
    preparing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await preparing


def test_a_query_without_conditions_is_that_for_everything() -> None:
    """So that its pages are given from the order alone."""
    assert PhotoQuery().filter == PhotoFilter(terms=terms_of(" !? "))
    assert msgspec.structs.replace(PhotoQuery(), limit=3).filter == PhotoFilter()
