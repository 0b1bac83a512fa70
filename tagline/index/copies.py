"""Photos whose ids do not follow from their content alone: copies, above all, by content."""

from bisect import bisect_left, insort
from collections.abc import Callable, Container, Iterable, Iterator


class Copies:
    """Ids by fingerprint, those of each sorted. ``sort_key`` tells a photo's, which ends in its id.

    Of one content there may be as many as there are photos: what is done costs a bisection.
    """

    def __init__(self, sort_key: Callable[[str], bytes]) -> None:
        self._sort_key = sort_key
        self._keys: dict[str, list[bytes]] = {}

    def of(self, fingerprint: str, besides: Container[str]) -> Iterator[str]:
        """The ids of one content, in order, but for photos of these object keys."""
        for each in self._keys.get(fingerprint, ()):
            key, _, photo_id = each.decode("utf-8", "surrogatepass").rpartition("\0")
            if key not in besides:
                yield photo_id

    def add(self, found: Iterable[tuple[str, str]]) -> None:
        """Note ids, each with its fingerprint; none twice."""
        for fingerprint, photo_id in found:
            keys, key = self._keys.setdefault(fingerprint, []), self._sort_key(photo_id)
            if keys and keys[-1] > key:
                insort(keys, key)
            else:
                keys.append(key)

    def discard(self, fingerprint: str, photo_id: str) -> None:
        """Forget an id; call it before the photo's sort key changes."""
        keys, key = self._keys[fingerprint], self._sort_key(photo_id)
        del keys[bisect_left(keys, key)]
        if not keys:
            del self._keys[fingerprint]
