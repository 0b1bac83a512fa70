"""What is known of stray sidecars, in memory; nothing here looks at a file."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from threading import RLock

import msgspec

from tagline.model import FileState
from tagline.model.keys import directory_of


class Stray(msgspec.Struct, frozen=True):
    """A stray sidecar, the state in which it was read, and the fingerprint in it.

    ``was_apart`` is whether it says what it hid when it was written apart from its photo.
    """

    object_key: str
    state: FileState
    fingerprint: str
    was_apart: bool = False


class _Place:
    """What is known of one directory.

    ``found`` are keys of strays, ``others`` hashes of the files (key and state) that are none.
    """

    def __init__(self) -> None:
        self.found: set[str] = set()
        self.others: set[int] = set()


class StrayTable:
    """Strays by key, fingerprint and directory; thread-safe.

    ``version`` changes whenever a stray comes, goes or changes; the fingerprints for which that
    happened are ``touched`` until they are taken. ``pending`` files of a directory may be strays
    and are still to be read.
    """

    def __init__(self) -> None:
        self.version = 0
        self._lock = RLock()
        self._strays: dict[str, Stray] = {}
        self._stale: set[str] = set()
        self._by_fingerprint: dict[str, set[str]] = {}
        self._places: dict[str, _Place] = {}
        self._pending: dict[str, dict[str, FileState]] = {}
        self._touched: set[str] = set()

    def get(self, key: str) -> Stray | None:
        """The stray of this key."""
        return self._strays.get(key)

    def all(self) -> list[Stray]:
        """Every stray, sorted by key."""
        with self._lock:
            return [self._strays[key] for key in sorted(self._strays)]

    def have(self, fingerprint: str) -> bool:
        """Whether a photo with this fingerprint has strays."""
        return fingerprint in self._by_fingerprint

    def having(self, fingerprint: str) -> list[str]:
        """Keys of the strays that carry a fingerprint, sorted."""
        with self._lock:
            return sorted(self._by_fingerprint.get(fingerprint, ()))

    def fingerprints(self, object_keys: Iterable[str]) -> set[str]:
        """The fingerprints that these strays carry."""
        with self._lock:
            return {stray.fingerprint for key in object_keys if (stray := self._strays.get(key))}

    def is_below(self, directory: str) -> bool:
        """Whether anything is known of a directory or one below it."""
        with self._lock:
            return any(_is_in(each, directory, recursive=True) for each in self._places)

    def touch(self, fingerprints: Iterable[str]) -> None:
        """Have the photos with these fingerprints looked at."""
        with self._lock:
            self._touched.update(fingerprints)

    def take_touched(self) -> set[str]:
        """The fingerprints for which something changed since the last call."""
        with self._lock:
            touched, self._touched = self._touched, set()
            return touched

    # -- what names and states say -------------------------------------------------------------

    def settle(
        self, directory: str, loose: Mapping[str, FileState], present: Collection[str]
    ) -> None:
        """Note which files of a directory have a sidecar's name and no photo; all of them.

        ``present`` are the keys of all its files.
        """
        with self._lock:
            self._pending.pop(directory, None)
            place = self._places.get(directory)
            if place is None:
                if not loose:
                    return
                place = self._places[directory] = _Place()
            self._drop_settled(place.found - loose.keys(), present)
            others, place.others = place.others, set()
            for key, state in loose.items():
                if self._is_unread(key, state, others):
                    self._pending.setdefault(directory, {})[key] = state
                elif key not in place.found:
                    place.others.add(hash((key, state)))
            self._forget_if_empty(directory)

    def notice(
        self, near: Collection[str], loose: Mapping[str, FileState], present: Collection[str]
    ) -> None:
        """Note the same of some files of a directory: ``near`` are the keys that were looked at."""
        with self._lock:
            self._drop_settled([key for key in near if key not in loose], present)
            for key, state in loose.items():
                directory = directory_of(key)
                place = self._places.get(directory)
                if self._is_unread(key, state, place.others if place else ()):
                    self._pending.setdefault(directory, {})[key] = state

    def unseen(self, directory: str, seen: Collection[str], *, recursive: bool) -> list[str]:
        """The strays in directories that a listing did not meet; the rest there is forgotten."""
        with self._lock:
            gone = [
                each
                for each in self._places
                if each not in seen and _is_in(each, directory, recursive=recursive)
            ]
            found = [key for each in gone for key in self._places[each].found]
            for each in gone:
                self._places[each].others.clear()
                self._forget_if_empty(each)
            return found

    def waiting(self, directories: Collection[str] | None) -> Iterator[str]:
        """Files that are still to be read, of some directories or all."""
        for directory in self._pending if directories is None else directories:
            yield from self._pending.get(directory, ())

    def lock(self) -> RLock:
        """Held for steps that belong together."""
        return self._lock

    # -- what reading says ---------------------------------------------------------------------

    def mark_stale(self, key: str) -> None:
        """Note that a sidecar is not that of the photo which has it by name."""
        with self._lock:
            self._stale.add(key)

    def put(self, stray: Stray) -> None:
        """Note a stray that was read."""
        key, fingerprint = stray.object_key, stray.fingerprint
        with self._lock:
            self._read(key)
            if self._strays.get(key) == stray:
                return
            is_stale = key in self._stale
            self.drop(key)
            if is_stale:
                self._stale.add(key)
            self._strays[key] = stray
            self._by_fingerprint.setdefault(fingerprint, set()).add(key)
            self._places.setdefault(directory_of(key), _Place()).found.add(key)
            self._note_change(fingerprint)

    def put_other(self, key: str, state: FileState | None) -> None:
        """Note that a file is no stray in this state, or that it cannot be read."""
        with self._lock:
            self._read(key)
            self.drop(key)
            if state is not None:
                place = self._places.setdefault(directory_of(key), _Place())
                place.others.add(hash((key, state)))

    def drop(self, key: str) -> None:
        """Forget a stray."""
        with self._lock:
            self._stale.discard(key)
            stray = self._strays.pop(key, None)
            if stray is None:
                return
            keys = self._by_fingerprint[stray.fingerprint]
            keys.discard(key)
            if not keys:
                del self._by_fingerprint[stray.fingerprint]
            self._places[directory_of(key)].found.discard(key)
            self._forget_if_empty(directory_of(key))
            self._note_change(stray.fingerprint)

    # -- beneath -------------------------------------------------------------------------------

    def _drop_settled(self, keys: Iterable[str], present: Collection[str]) -> None:
        """Forget what is no stray by its name, unless a photo was read that says otherwise."""
        for key in keys:
            if key not in self._stale or key not in present:
                self.drop(key)

    def _is_unread(self, key: str, state: FileState, others: Collection[int]) -> bool:
        """Whether a loose file has to be read to know whether it is a stray."""
        self._stale.discard(key)
        known = self._strays.get(key)
        if known is not None:
            return known.state != state
        return hash((key, state)) not in others

    def _read(self, key: str) -> None:
        pending = self._pending.get(directory_of(key), {})
        pending.pop(key, None)
        if not pending:
            self._pending.pop(directory_of(key), None)

    def _note_change(self, fingerprint: str) -> None:
        self.version += 1
        self._touched.add(fingerprint)

    def _forget_if_empty(self, directory: str) -> None:
        place = self._places.get(directory)
        if place and not (place.found or place.others):
            del self._places[directory]


def _is_in(directory: str, tree: str, *, recursive: bool) -> bool:
    if directory == tree:
        return True
    return recursive and (not tree or directory.startswith(f"{tree}/"))
