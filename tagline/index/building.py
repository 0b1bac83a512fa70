"""Building an order of all ids in steps, while the rows change.

The ids are dealt out to buckets, between keys that a sample of them shows, and each bucket is
sorted. What changes meanwhile is taken out of its bucket, by the key that it had, and added when
the order stands.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping

from tagline.index.lines import Rows
from tagline.index.order import Chunk, Order
from tagline.index.steps import Steps

_SAMPLED = 128
"""One of so many ids is in the sample."""

Key = Callable[[bytes], bytes]


class Builder:
    """An order in the making; its steps may be taken by several who need it.

    ``order`` is None until it stands; from then on it holds every id but ``missing``.
    """

    def __init__(self, rows: Mapping[str, bytes], key: Key, chunks: list[Chunk]) -> None:
        self.order: Order | None = None
        self.missing: set[str] = set()
        self._rows = rows
        self._key = key
        self._olds: dict[str, bytes | None] = {}
        self._splitters: list[bytes] = []
        self._buckets: list[list[str]] = []
        self._work = self._build(chunks)

    def step(self) -> bool:
        """Take one step; False when there was none left to take."""
        for _ in self._work:
            return True
        return False

    def note(self, photos: Rows) -> None:
        """Before rows change while there is no order yet: remember what they were."""
        for i in photos:
            self._olds.setdefault(i, self._rows.get(i))

    def _build(self, chunks: list[Chunk]) -> Steps[None]:
        yield from self._sample(chunks)
        for chunk in chunks:
            for i in chunk.members:
                if i not in self._olds:
                    self._bucket(self._key(self._rows[i])).append(i)
            yield
        for bucket in self._buckets:
            bucket[:] = (i for i in bucket if i not in self._olds)
            bucket.sort(key=self._key_of)
            yield
        self.order = self._stand()
        while self.missing:
            some = [self.missing.pop() for _ in range(min(64, len(self.missing)))]
            self.order.add(some)
            yield

    def _sample(self, chunks: list[Chunk]) -> Steps[None]:
        for chunk in chunks:
            some = (i for i in chunk.members[::_SAMPLED] if i not in self._olds)
            self._splitters += map(self._key_of, some)
            yield
        self._splitters.sort()
        self._buckets = [[] for _ in range(len(self._splitters) + 1)]

    def _stand(self) -> Order:
        for i, old in self._olds.items():
            if old is not None and i in (bucket := self._bucket(self._key(old))):
                bucket.remove(i)
            if i in self._rows:
                self.missing.add(i)
        return Order.of(self._key_of, self._buckets)

    def _key_of(self, photo_id: str) -> bytes:
        return self._key(self._rows[photo_id])

    def _bucket(self, key: bytes) -> list[str]:
        return self._buckets[bisect_right(self._splitters, key)]
