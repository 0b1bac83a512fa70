"""A sorted list of ids that stores no keys: eight bytes a member.

The ids lie in chunks of up to 1,024. A member is found by bisection over the first keys of the
chunks, then over the members of one chunk, whose keys are computed then. Adding and removing cost
about 10 keys and moving some of a chunk; a slice by offset costs a bisection and its own length,
after a change also the counting of the chunks (1,000 for a million members).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, chain, islice
from operator import lt

CHUNK = 512
BULK = 64


class Order:
    """Members sorted by ``key``, which must be different for each and the same at every call.

    Before a member's key changes, discard it; add it afterwards. Not thread-safe.
    """

    def __init__(
        self, key: Callable[[str], bytes], members: Iterable[str] = (), keys: Iterable[bytes] = ()
    ) -> None:
        """Take members and their keys; quickest when they come nearly in order."""
        self._key = key
        self._fill(_sorted(list(members), list(keys)))

    def _fill(self, ordered: list[str]) -> None:
        self._chunks = list(_split(ordered))
        self._firsts = [self._key(chunk[0]) for chunk in self._chunks]
        self._starts: list[int] | None = None
        self._length = len(ordered)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self._chunks)

    def add(self, members: Iterable[str]) -> None:
        """Add members that are not in it; many at once cost less than one at a time."""
        new = sorted(members, key=self._key)
        if len(new) * 8 > self._length:
            self._fill(sorted(chain(self, new), key=self._key))
        elif len(new) >= BULK and self._key(new[0]) > self._key(self._chunks[-1][-1]):
            self._extend(new)
        else:
            for member in new:
                self._insert(member)

    def _extend(self, new: list[str]) -> None:
        last = self._chunks.pop()
        self._firsts.pop()
        for chunk in _split(last + new):
            self._chunks.append(chunk)
            self._firsts.append(self._key(chunk[0]))
        self._length += len(new)
        self._starts = None

    def _insert(self, member: str) -> None:
        key = self._key(member)
        number = self._chunk_of(key)
        chunk = self._chunks[number]
        place = bisect_left(chunk, key, key=self._key)
        chunk.insert(place, member)
        if place == 0:
            self._firsts[number] = key
        if len(chunk) > 2 * CHUNK:
            self._chunks[number : number + 1] = chunk[:CHUNK], chunk[CHUNK:]
            self._firsts.insert(number + 1, self._key(chunk[CHUNK]))
        self._length += 1
        self._starts = None

    def discard(self, members: Iterable[str]) -> None:
        """Remove members that are in it."""
        for member in members:
            self._remove(member)

    def _remove(self, member: str) -> None:
        key = self._key(member)
        number = self._chunk_of(key)
        chunk = self._chunks[number]
        place = bisect_left(chunk, key, key=self._key)
        if place == len(chunk) or chunk[place] != member:
            raise KeyError(member)
        del chunk[place]
        if not chunk:
            del self._chunks[number], self._firsts[number]
        elif place == 0:
            self._firsts[number] = self._key(chunk[0])
        self._length -= 1
        self._starts = None

    def _chunk_of(self, key: bytes) -> int:
        """The number of the chunk that has the key, or would get it."""
        return max(bisect_right(self._firsts, key) - 1, 0)

    def slice(self, offset: int, limit: int) -> list[str]:
        """Up to ``limit`` members from the one at ``offset``."""
        if self._starts is None:
            self._starts = list(accumulate(map(len, self._chunks), initial=0))
        if offset >= self._length:
            return []
        number = bisect_right(self._starts, offset) - 1
        return self._take(number, offset - self._starts[number], limit)

    def at_or_behind(self, key: bytes, limit: int) -> list[str]:
        """Up to ``limit`` members from the first one whose key is ``key`` or sorts behind it."""
        if not self._chunks:
            return []
        number = self._chunk_of(key)
        return self._take(number, bisect_left(self._chunks[number], key, key=self._key), limit)

    def _take(self, number: int, place: int, limit: int) -> list[str]:
        taken = self._chunks[number][place : place + limit]
        while len(taken) < limit and (number := number + 1) < len(self._chunks):
            taken += self._chunks[number][: limit - len(taken)]
        return taken


def _split(ordered: list[str]) -> Iterator[list[str]]:
    return (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))


def _sorted(members: list[str], keys: list[bytes]) -> list[str]:
    """The members by their keys, which are looked up here rather than computed again."""
    if all(map(lt, keys, islice(keys, 1, None))):
        return members
    return [members[number] for number in sorted(range(len(members)), key=keys.__getitem__)]
