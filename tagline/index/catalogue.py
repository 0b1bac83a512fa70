"""Finding photos: columns beside the rows, and what was found in them lately.

Columns belong to chunks of the order by object key. They are derived when they are first needed,
and again when a row of the chunk has changed; so whatever a search reads is what it would be if
all of it were built from nothing. A search takes the columns of one moment and judges them in
steps, which no change disturbs; what it found is kept for the next page, by chunk.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from itertools import compress
from typing import Any, NamedTuple, TypeVar

from tagline.index.columns import Columns, Facts, facts_of, taken_over
from tagline.index.matching import Mask, Matcher
from tagline.index.order import Chunk
from tagline.index.sorting import KEYS, Listed, Orders, Ranked, place_of, take
from tagline.index.steps import Steps
from tagline.model import Page, PhotoFilter, PhotoQuery, Sort
from tagline.model.query import EVERYTHING

KEPT_BYTES = 4 << 20
"""What may be kept of earlier searches, but for the newest."""
RETRIES = 2
"""So often a search begins again when the index changed under it; then what it found is given."""
STEP_BYTES = 64 << 10
ROW_BYTES = 256
"""A step reads so many bytes of rows, each of which counts as that many more than it has."""
SORTED_ALONE = 2_000
"""So many ids are sorted by themselves; more of them are picked out of the whole order."""

KEPT_FILTERS = 256
"""So many filters are known at most, however little each of them takes."""

_MASK_BYTES = 120
_FOUND_BYTES = 2048
Made = TypeVar("Made")


class Moment(NamedTuple):
    """The photos that meet a filter, at one generation of the index.

    ``masks`` say which photos of each of the ``parts`` meet it, in the order of object keys;
    ``chunks`` are those of the order that was asked for.
    """

    generation: int
    parts: list[Columns]
    masks: list[Mask | None]
    chunks: list[Chunk]


class Found:
    """What is known of a filter's photos: masks by the columns' number, and what was made of them.

    What was made is right for one generation of the index. Nothing here keeps columns alive.
    """

    def __init__(self, wanted: PhotoFilter) -> None:
        self.matcher = Matcher(wanted)
        self.masks: dict[int, Mask | None] = {}
        self._masks_bytes = 0
        self._generation = -1
        self._made: dict[object, Any] = {}
        self._made_bytes = 0

    def judge(self, masks: dict[int, Mask | None]) -> None:
        """Keep the masks of all columns."""
        self.masks = masks
        judged = sum(len(mask) for mask in masks.values() if mask is not None)
        self._masks_bytes = judged + len(masks) * _MASK_BYTES

    def keep(self, generation: int, name: object, made: object, size_bytes: int) -> None:
        """Keep what was made for a generation."""
        if generation != self._generation:
            self._generation, self._made, self._made_bytes = generation, {}, 0
        self._made[name] = made
        self._made_bytes += size_bytes

    def made(self, generation: int, name: object) -> Any:  # noqa: ANN401 - whatever was kept under the name
        """What was made for this generation; None where nothing was."""
        return self._made.get(name) if generation == self._generation else None

    @property
    def size_bytes(self) -> int:
        """About what it takes."""
        return _FOUND_BYTES + self._masks_bytes + self._made_bytes


class Catalogue:
    """Searches over the rows of a photo index, on the thread that changes it."""

    def __init__(
        self, rows: Mapping[str, bytes], orders: Orders, generation: Callable[[], int]
    ) -> None:
        self._rows = rows
        self._orders = orders
        self._generation = generation
        self._found: OrderedDict[PhotoFilter, Found] = OrderedDict()

    def warm(self) -> Steps[None]:
        """Derive and build everything that a search may need."""
        yield from self._columns()
        for sort in Sort:
            yield from self._orders.build(sort)

    def page_at_once(self, query: PhotoQuery) -> Page | None:
        """A page, where it costs next to nothing; else None."""
        generation = self._generation()
        if query.filter == EVERYTHING:
            order = self._orders.get(query.sort)
            return None if order is None else self._page(query, order, generation)
        found = self._found.get(query.filter)
        ids = found.made(generation, query.sort) if found is not None else None
        if ids is None:
            return None
        self._found.move_to_end(query.filter)
        return self._page(query, self._ranked(query, ids), generation)

    def page(self, query: PhotoQuery) -> Steps[Page]:
        """A page of the photos that meet a filter."""
        yield from self._orders.build(query.sort)
        if (page := self.page_at_once(query)) is not None:
            return page
        generation, ids = yield from self._listed(query)
        for _ in range(RETRIES):
            if generation == self._generation():
                break
            generation, ids = yield from self._listed(query)
        return self._page(query, self._ranked(query, ids), generation)

    def _ranked(self, query: PhotoQuery, ids: list[str]) -> Listed:
        key, rows = KEYS[query.sort], self._rows
        return Listed(ids, lambda i: None if (row := rows.get(i)) is None else key(row))

    def _page(self, query: PhotoQuery, ranked: Ranked, generation: int) -> Page:
        rows = self._rows
        offset = place_of(ranked, query)
        ids = take(ranked, query, offset)
        end = offset + len(ids)
        try:
            items = tuple([rows[i] for i in ids])
        except KeyError:  # some have gone since the order was made
            ids = [i for i in ids if i in rows]
            items = tuple([rows[i] for i in ids])
        more = items and end < len(ranked)
        return Page(
            total=len(ranked),
            limit=query.limit,
            offset=offset,
            ids=tuple(ids),
            items=items,
            next_key=KEYS[query.sort](items[-1]) if more else None,
            generation=generation,
        )

    def made_of(
        self, wanted: PhotoFilter, name: object, make: Callable[[Moment], Steps[tuple[Made, int]]]
    ) -> Steps[tuple[int, Made]]:
        """What is made of a filter's photos, and the generation that it is right for.

        ``name`` stands for what is made, which is kept under it; ``make`` gives it and about how
        many bytes it takes.
        """
        found, generation = self._known(wanted), self._generation()
        if (known := found.made(generation, name)) is not None:
            return generation, known
        moment = yield from self.judged(wanted)
        made, size_bytes = yield from make(moment)
        found.keep(moment.generation, name, made, size_bytes)
        self._bound()
        return moment.generation, made

    def judged(self, wanted: PhotoFilter, sort: Sort = Sort.OBJECT_KEY) -> Steps[Moment]:
        """Which photos meet a filter."""
        found = self._known(wanted)
        parts = yield from self._columns()
        order = self._orders.get(sort)
        chunks = [] if order is None else order.chunks()
        generation, known = self._generation(), found.masks
        masks: dict[int, Mask | None] = {}
        for part in parts:
            number = part.number
            masks[number] = known[number] if number in known else found.matcher.mask(part)
            yield
        found.judge(masks)
        self._bound()
        return Moment(generation, parts, list(masks.values()), chunks)

    def _columns(self) -> Steps[list[Columns]]:
        """The columns of every chunk, as they are at the end of the last step."""
        order, rows = self._orders.by_key, self._rows
        while True:
            chunks = order.chunks()
            columns = [chunk.columns for chunk in chunks if chunk.columns is not None]
            if len(columns) == len(chunks):
                return columns
            for chunk in chunks:
                yield from _derive(chunk, rows)

    def _known(self, wanted: PhotoFilter) -> Found:
        found = self._found.get(wanted)
        if found is None:
            found = self._found[wanted] = Found(wanted)
        self._found.move_to_end(wanted)
        return found

    def _bound(self) -> None:
        """Forget what was asked for longest ago."""
        while len(self._found) > KEPT_FILTERS:
            self._found.popitem(last=False)
        size_bytes = sum(found.size_bytes for found in self._found.values())
        while size_bytes > KEPT_BYTES and len(self._found) > 1:
            _, oldest = self._found.popitem(last=False)
            size_bytes -= oldest.size_bytes

    def _listed(self, query: PhotoQuery) -> Steps[tuple[int, list[str]]]:
        """The ids that meet the filter in their order, and the generation that they are of."""
        moment = yield from self.judged(query.filter, query.sort)
        ids: list[str] = []
        for part, mask in zip(moment.parts, moment.masks, strict=True):
            if mask is not None:
                ids += compress(part.members, mask)
                yield
        if query.sort is not Sort.OBJECT_KEY:
            ids = yield from self._sorted(ids, query.sort, moment)
        self._known(query.filter).keep(moment.generation, query.sort, ids, 8 * len(ids))
        self._bound()
        return moment.generation, ids

    def _sorted(self, ids: list[str], sort: Sort, moment: Moment) -> Steps[list[str]]:
        if len(ids) <= SORTED_ALONE and moment.generation == self._generation():
            return sorted(ids, key=self._orders.key_of(sort))
        wanted: set[str] = set()
        for start in range(0, len(ids), SORTED_ALONE):
            wanted.update(ids[start : start + SORTED_ALONE])
            yield
        made: list[str] = []
        for chunk in moment.chunks:
            made += filter(wanted.__contains__, chunk.members)
            yield
        return made


def _derive(chunk: Chunk, rows: Mapping[str, bytes]) -> Steps[None]:
    """Give the chunk its columns, unless it has some, or is replaced before they are complete."""
    if chunk.columns is not None or chunk.replaced:
        return
    known = taken_over(chunk.ancestor, chunk.changed)
    facts: list[Facts] = []
    read_bytes = 0
    for i in chunk.members:
        if (fact := known.get(i)) is None:
            fact = facts_of(rows[i])
            read_bytes += len(rows[i]) + ROW_BYTES
        facts.append(fact)
        if read_bytes > STEP_BYTES:
            read_bytes = 0
            yield
            if chunk.replaced or chunk.columns is not None:
                return
    chunk.derived(Columns(chunk.members, facts))
    yield
