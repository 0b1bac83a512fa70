"""The orders in which photos are listed: their keys, and pages of them in either direction."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from tagline.index.building import Builder
from tagline.index.lines import Rows
from tagline.index.order import Order
from tagline.index.rows import sort_key
from tagline.index.steps import Steps
from tagline.model import PhotoQuery, Sort

_TAKEN_AT = b'"taken_at":'
_LAST_MODIFIED = b'"last_modified":'
_DATED, _UNDATED = b"0", b"1"
_QUOTE = ord('"')


def taken_key(photo: bytes) -> bytes:
    """What a photo's JSON is sorted by in the order of ``taken_at``: undated photos come last.

    No text inside JSON holds the quote that ends a member's name, so the last such name is that of
    the photo's own member (another, in ``metadata``, stands before it).
    """
    start = photo.rindex(_TAKEN_AT) + len(_TAKEN_AT)
    if photo[start] != _QUOTE:
        return _UNDATED + sort_key(photo)
    return b"%b%b\0%b" % (_DATED, photo[start + 1 : photo.index(b'"', start + 1)], sort_key(photo))


def modified_key(photo: bytes) -> bytes:
    """What a photo's JSON is sorted by in the order of ``last_modified``."""
    start = photo.index(_LAST_MODIFIED) + len(_LAST_MODIFIED) + 1
    return b"%b\0%b" % (photo[start : photo.index(b'"', start)], sort_key(photo))


KEYS: Mapping[Sort, Callable[[bytes], bytes]] = {
    Sort.OBJECT_KEY: sort_key,
    Sort.TAKEN_AT: taken_key,
    Sort.LAST_MODIFIED: modified_key,
}


class Ranked(Protocol):
    """Ids in the order of their keys."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def rank(self, key: bytes) -> int:
        """How many sort before the key."""
        ...

    def slice(self, offset: int, limit: int) -> list[str]:
        """Up to ``limit`` ids from the one at ``offset``."""
        ...


class Listed:
    """Ids in a list, in the order that their keys had: some may have no key any more."""

    def __init__(self, ids: list[str], key: Callable[[str], bytes | None]) -> None:
        self._ids = ids
        self._key = key

    def __len__(self) -> int:
        return len(self._ids)

    def rank(self, key: bytes) -> int:
        """How many sort before the key."""
        first, end = 0, len(self._ids)
        while first < end:
            middle = (first + end) // 2
            known, mine = self._known_from(middle, end)
            if mine is None or mine >= key:
                end = middle
            else:
                first = known + 1
        return first

    def _known_from(self, place: int, end: int) -> tuple[int, bytes | None]:
        """The first place from here on whose id has a key, and the key."""
        for known in range(place, end):
            if (key := self._key(self._ids[known])) is not None:
                return known, key
        return end, None

    def slice(self, offset: int, limit: int) -> list[str]:
        """Up to ``limit`` ids from the one at ``offset``."""
        return self._ids[offset : offset + limit]


def place_of(ranked: Ranked, query: PhotoQuery) -> int:
    """How many photos come before the page that is asked for."""
    after = query.after
    if after is None:
        return query.offset
    if not query.descending:
        return ranked.rank(after + b"\0")
    dated = _dated(ranked, query.sort)
    undated = query.sort is Sort.TAKEN_AT and after.startswith(_UNDATED)
    return (dated + len(ranked) if undated else dated) - ranked.rank(after)


def take(ranked: Ranked, query: PhotoQuery, offset: int) -> list[str]:
    """The ids of the page that begins at ``offset``."""
    limit = query.limit
    if not query.descending:
        return ranked.slice(offset, limit)
    dated = _dated(ranked, query.sort)
    first = _backwards(ranked, 0, dated, (offset, limit))
    rest = limit - len(first)
    return first + _backwards(ranked, dated, len(ranked), (max(0, offset - dated), rest))


def _dated(ranked: Ranked, sort: Sort) -> int:
    """How many come before those that are last in either direction."""
    return ranked.rank(_UNDATED) if sort is Sort.TAKEN_AT else len(ranked)


def _backwards(ranked: Ranked, start: int, end: int, part: tuple[int, int]) -> list[str]:
    """A part (offset, limit) of what lies from ``start`` to ``end``, counted from the end."""
    offset, limit = part
    last = end - offset
    first = max(start, last - limit)
    return ranked.slice(first, last - first)[::-1] if first < last else []


class Orders:
    """The orders that are kept: by object key always, the others from when they are built."""

    def __init__(self, rows: Mapping[str, bytes], by_key: Order) -> None:
        self.by_key = by_key
        self._rows = rows
        self._orders = {Sort.OBJECT_KEY: by_key}
        self._builders: dict[Sort, Builder] = {}
        self._arriving: list[tuple[Order, list[str]]] = []

    def get(self, sort: Sort) -> Order | None:
        """The order, if it is built."""
        return self._orders.get(sort)

    def key_of(self, sort: Sort) -> Callable[[str], bytes]:
        """What ids are sorted by."""
        key, rows = KEYS[sort], self._rows
        return lambda photo_id: key(rows[photo_id])

    def build(self, sort: Sort) -> Steps[None]:
        """Build the order, unless it is there; several may do so at once."""
        if sort not in self._orders and sort not in self._builders:
            self._builders[sort] = Builder(self._rows, KEYS[sort], self.by_key.chunks())
        while (builder := self._builders.get(sort)) is not None:
            if not builder.step():
                if builder.order is not None:
                    self._orders[sort] = builder.order
                del self._builders[sort]
            yield

    def leave(self, photos: Rows) -> None:
        """Before rows change: take those that move, or go, out of their places."""
        self._arriving = []
        for sort, order in self._orders.items():
            moves = _moves(KEYS[sort], self._rows, photos)
            self._leave(order, moves)
            if sort is Sort.OBJECT_KEY:
                order.renew(moves.staying)
        for sort, builder in self._builders.items():
            if builder.order is None:
                builder.note(photos)
                continue
            moves = _moves(KEYS[sort], self._rows, photos)
            leaving = [i for i in moves.leaving if i not in builder.missing]
            builder.missing.difference_update(moves.leaving)
            self._leave(builder.order, _Moves(leaving, moves.arriving, []))

    def _leave(self, order: Order, moves: "_Moves") -> None:
        order.discard(moves.leaving)
        self._arriving.append((order, moves.arriving))

    def arrive(self) -> None:
        """When rows have changed: give those that moved, or came, their places."""
        for order, arriving in self._arriving:
            order.add(arriving)
        self._arriving = []


class _Moves(NamedTuple):
    """The ids that leave their places, those that get some, and those that change in theirs."""

    leaving: list[str]
    arriving: list[str]
    staying: list[str]


def _moves(key: Callable[[bytes], bytes], rows: Mapping[str, bytes], photos: Rows) -> _Moves:
    moves = _Moves([], [], [])
    for i, new in photos.items():
        old = rows.get(i)
        if old is not None and new is not None and key(old) == key(new):
            if old != new:
                moves.staying.append(i)
            continue
        if old is not None:
            moves.leaving.append(i)
        if new is not None:
            moves.arriving.append(i)
    return moves
