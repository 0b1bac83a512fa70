"""A sorted list of ids that stores no keys: eight bytes a member.

The ids lie in chunks of up to 512. A member is found by bisection over the first keys of the
chunks, then over the members of one chunk, whose keys are computed then. Adding and removing cost
about 10 keys and a copy of the chunk; a slice by offset costs a bisection and its own length, after
a change also the counting of the chunks (4,000 for a million members).

A chunk is never changed but replaced: so a list of the chunks is the order of one moment, and what
is derived from a chunk's rows is right as long as the chunk is in its place.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, chain, islice
from operator import lt

from tagline.index.columns import Columns

CHUNK = 256
BULK = 64

_NONE: frozenset[str] = frozenset()


class Chunk:
    """Neighbours in an order.

    ``columns`` is what the catalogue derived from their rows, None before it did. ``ancestor`` is
    then that of the chunk which this one replaced, and right for every member that is in it and not
    among ``changed``. ``replaced`` chunks have rows that may have changed or gone.
    """

    __slots__ = ("ancestor", "changed", "columns", "members", "replaced")

    def __init__(
        self, members: list[str], ancestor: Columns | None = None, changed: frozenset[str] = _NONE
    ) -> None:
        self.members = members
        self.columns: Columns | None = None
        self.ancestor = ancestor
        self.changed = changed
        self.replaced = False

    def derived(self, columns: Columns) -> None:
        """Keep what was derived from the members' rows."""
        self.columns = columns
        self.ancestor, self.changed = None, _NONE

    def successors(self, parts: Iterable[list[str]], changed: Iterable[str]) -> list["Chunk"]:
        """The chunks that take this one's place, after a change of these members' rows."""
        self.replaced = True
        ancestor = self.columns or self.ancestor
        since = _NONE if ancestor is None else self.changed.union(changed)
        return [Chunk(part, ancestor, since) for part in parts]


class Order:
    """Members sorted by ``key``, which must be different for each and the same at every call.

    Before a member's key changes, discard it; add it afterwards. Not thread-safe.
    """

    def __init__(
        self, key: Callable[[str], bytes], members: Iterable[str] = (), keys: Iterable[bytes] = ()
    ) -> None:
        """Take members and their keys; quickest when they come nearly in order."""
        self._key = key
        self._fill(_split(_sorted(list(members), list(keys))))

    @classmethod
    def of(cls, key: Callable[[str], bytes], parts: Iterable[list[str]]) -> "Order":
        """An order of members that come sorted, in parts."""
        made = cls(key)
        made._fill(piece for part in parts for piece in _split(part, 2 * CHUNK))
        return made

    def _fill(self, parts: Iterable[list[str]]) -> None:
        self._chunks = [Chunk(part) for part in parts]
        self._firsts = [self._key(chunk.members[0]) for chunk in self._chunks]
        self._starts: list[int] | None = None
        self._length = sum(len(chunk.members) for chunk in self._chunks)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(chunk.members for chunk in self._chunks)

    def chunks(self) -> list[Chunk]:
        """The chunks in their order, as they are now."""
        return self._chunks.copy()

    def add(self, members: Iterable[str]) -> None:
        """Add members that are not in it; many at once cost less than one at a time."""
        new = sorted(members, key=self._key)
        if len(new) * 8 > self._length:
            self._fill(_split(sorted(chain(self, new), key=self._key)))
        elif len(new) >= BULK and self._key(new[0]) > self._key(self._chunks[-1].members[-1]):
            self._extend(new)
        else:
            keys = [self._key(member) for member in new]
            place = 0
            while place < len(new):
                place += self._insert(new, keys, place)

    def _extend(self, new: list[str]) -> None:
        last = self._chunks[-1]
        self._put(len(self._chunks) - 1, last, _split(last.members + new), new)
        self._length += len(new)

    def _insert(self, new: list[str], keys: list[bytes], start: int) -> int:
        """Add those of sorted members from ``start`` on that come into one place; their number."""
        number = self._chunk_of(keys[start])
        chunk = self._chunks[number]
        place = bisect_left(chunk.members, keys[start], key=self._key)
        behind = self._first_behind(number, place)
        end = len(keys) if behind is None else bisect_left(keys, behind, start)
        run = new[start:end]
        members = [*chunk.members[:place], *run, *chunk.members[place:]]
        self._put(number, chunk, _split(members, 2 * CHUNK), run)
        self._length += len(run)
        return len(run)

    def _first_behind(self, number: int, place: int) -> bytes | None:
        """The key of the member at a place of a chunk, or of the next chunk's first one."""
        members = self._chunks[number].members
        if place < len(members):
            return self._key(members[place])
        return self._firsts[number + 1] if number + 1 < len(self._firsts) else None

    def discard(self, members: Iterable[str]) -> None:
        """Remove members that are in it."""
        for member in members:
            self._remove(member)

    def _remove(self, member: str) -> None:
        key = self._key(member)
        number = self._chunk_of(key)
        chunk = self._chunks[number]
        place = bisect_left(chunk.members, key, key=self._key)
        if place == len(chunk.members) or chunk.members[place] != member:
            raise KeyError(member)
        members = [*chunk.members[:place], *chunk.members[place + 1 :]]
        self._put(number, chunk, [members] if members else [], (member,))
        self._length -= 1

    def renew(self, members: Iterable[str]) -> None:
        """Replace the chunks of members whose rows change while their keys stay."""
        for member in members:
            number = self._chunk_of(self._key(member))
            chunk = self._chunks[number]
            self._chunks[number : number + 1] = chunk.successors([chunk.members], (member,))

    def _put(
        self, number: int, old: Chunk, parts: Iterable[list[str]], changed: Iterable[str]
    ) -> None:
        new = old.successors(parts, changed)
        self._chunks[number : number + 1] = new
        self._firsts[number : number + 1] = [self._key(chunk.members[0]) for chunk in new]
        self._starts = None

    def _chunk_of(self, key: bytes) -> int:
        """The number of the chunk that has the key, or would get it."""
        return max(bisect_right(self._firsts, key) - 1, 0)

    def _counted(self) -> list[int]:
        """How many members lie before each chunk."""
        if self._starts is None:
            lengths = (len(chunk.members) for chunk in self._chunks)
            self._starts = list(accumulate(lengths, initial=0))
        return self._starts

    def rank(self, key: bytes) -> int:
        """How many members sort before the key."""
        if not self._chunks:
            return 0
        number = self._chunk_of(key)
        place = bisect_left(self._chunks[number].members, key, key=self._key)
        return self._counted()[number] + place

    def slice(self, offset: int, limit: int) -> list[str]:
        """Up to ``limit`` members from the one at ``offset``."""
        if offset >= self._length:
            return []
        starts = self._counted()
        number = bisect_right(starts, offset) - 1
        return self._take(number, offset - starts[number], limit)

    def at_or_behind(self, key: bytes, limit: int) -> list[str]:
        """Up to ``limit`` members from the first one whose key is ``key`` or sorts behind it."""
        if not self._chunks:
            return []
        number = self._chunk_of(key)
        place = bisect_left(self._chunks[number].members, key, key=self._key)
        return self._take(number, place, limit)

    def _take(self, number: int, place: int, limit: int) -> list[str]:
        taken = self._chunks[number].members[place : place + limit]
        while len(taken) < limit and (number := number + 1) < len(self._chunks):
            taken += self._chunks[number].members[: limit - len(taken)]
        return taken


def _split(ordered: list[str], at_most: int = CHUNK) -> list[list[str]]:
    """Chunks' members: all of them while they are not too many, else ``CHUNK`` each."""
    if 0 < len(ordered) <= at_most:
        return [ordered]
    return [ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK)]


def _sorted(members: list[str], keys: list[bytes]) -> list[str]:
    """The members by their keys, which are looked up here rather than computed again."""
    if all(map(lt, keys, islice(keys, 1, None))):
        return members
    return [members[number] for number in sorted(range(len(members)), key=keys.__getitem__)]
