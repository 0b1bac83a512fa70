"""The second question of a reconcile: which id has each photo? Pure.

A photo's id is a function of the content fingerprints and object keys that the disk holds: of the
photos with one fingerprint, the first by object key has ``photo_id(fingerprint)``, each other one
``copy_id(fingerprint, object_key)``. Two things bend that, both only while the index lives:

- A photo whose pixels are edited in place *keeps* its id, and takes it along when it is renamed.
- An id is never given to two photos, so an id that is kept elsewhere is not free: a photo that
  would have it gets its copy id instead.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Container, Iterator, Mapping
from itertools import chain
from typing import Protocol

import msgspec

from tagline.index.protocol import IndexedState
from tagline.model import FileState, copy_id, photo_id
from tagline.sync.lost import LostRow


class Rows(Protocol):
    """The index rows, as far as identity is concerned."""

    def by_key(self, object_key: str) -> IndexedState | None:
        """The row of this object key."""
        ...

    def by_id(self, photo_id: str) -> IndexedState | None:
        """The row that has this id."""
        ...

    def alike(self, fingerprint: str, besides: Container[str] = ()) -> Iterator[IndexedState]:
        """The rows with this content, by object key; there may be many, so take few.

        ``besides`` has the object keys of rows that are passed over.
        """
        ...

    def lately_lost(self, fingerprint: str, *, kept: bool = False) -> Iterator[LostRow]:
        """Rows with this content whose ids were lost of late, as they were, the last one first.

        Their photos may only have moved, and be met just now under another key. ``kept`` asks for
        those alone whose id did not follow from content and key.
        """
        ...


class Content(msgspec.Struct, frozen=True):
    """What reading a photo said about its identity."""

    fingerprint: str
    state: FileState


class Replacements:
    """Photos known to have new content, and its fingerprint, while their rows tell the old one."""

    def __init__(self) -> None:
        self._content: dict[str, tuple[str, str]] = {}
        self._photos: Counter[str] = Counter()
        self._before: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._content)

    def __contains__(self, object_key: str) -> bool:
        return object_key in self._content

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def add(self, object_key: str, fingerprint: str, before: str) -> None:
        """Note the new content of a photo, and the one that its row tells."""
        self.discard(object_key)
        self._content[object_key] = fingerprint, before
        self._photos[fingerprint] += 1
        self._before[before] += 1

    def discard(self, object_key: str) -> None:
        """Forget a photo."""
        found = self._content.pop(object_key, None)
        if found is not None:
            for counter, fingerprint in zip((self._photos, self._before), found, strict=True):
                counter[fingerprint] -= 1
                if not counter[fingerprint]:
                    del counter[fingerprint]

    def have(self, fingerprint: str) -> bool:
        """Whether one of the photos has this content now."""
        return fingerprint in self._photos

    def had(self, fingerprint: str) -> bool:
        """Whether one of the photos had this content."""
        return fingerprint in self._before


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the disk when ids are given.

    Attributes:
        fresh: content of the photos just read, by object key.
        gone: keys of rows whose photo is no longer there.
        replaced: other photos with new content, which will be dealt with later.
        provisional: keys in ``fresh`` whose row was made of a file that was not whole yet, so that
            its id is worth nothing.
    """

    fresh: Mapping[str, Content]
    gone: Collection[str] = frozenset()
    replaced: Replacements = msgspec.field(default_factory=Replacements)
    provisional: Collection[str] = frozenset()


class Assignment(msgspec.Struct, frozen=True):
    """The ids of fresh photos, the rows that get another id (old to new), and the ids to remove.

    ``remove`` holds no id that is given again. The row of a ``replaced`` photo may lose its id to
    the photo that has its content now: it is then without a row until it is dealt with.
    """

    ids: Mapping[str, str]
    renamed: Mapping[str, str]
    remove: frozenset[str]


def assign(sighting: Sighting, rows: Rows) -> Assignment:
    """Give ids to fresh photos, and to the photos whose id depends on what is fresh or gone."""
    return _Assigner(sighting, rows).assign()


def is_canonical(row: IndexedState | LostRow) -> bool:
    """Whether the id is one that follows from content and key, rather than one that was kept."""
    return row.id in {photo_id(row.fingerprint), copy_id(row.fingerprint, row.object_key)}


class _Assigner:
    """One assignment in the making.

    Of photos with one content there may be thousands. So only those are looked at whose id can
    change: what is fresh or has left, the first by key, and the one that has the plain id. Each
    other one has an id of its own already, which nobody else can want.
    """

    def __init__(self, sighting: Sighting, rows: Rows) -> None:
        self._sighting = sighting
        self._rows = rows
        self._old = {
            key: row for key in (*sighting.fresh, *sighting.gone) if (row := rows.by_key(key))
        }
        self._left = {key: row for key, row in self._old.items() if self._has_left(row)}
        self._arriving = self._fresh_by_content()
        self._groups = {fp: self._members(fp) for fp in self._affected()}
        self._kept: dict[str, str] = {}

    def assign(self) -> Assignment:
        self._keep_ids()
        ids = {key: row.id for key, row in self._old.items() if key not in self._left}
        taken = set(self._kept.values())
        renamed: dict[str, str] = {}
        for fingerprint, members in self._groups.items():
            for place, (key, row) in enumerate(sorted(members.items())):
                new = self._kept.get(key)
                if new is None:
                    choices = _choices(fingerprint, key, first=place == 0)
                    new = next(c for c in choices if c not in taken and self._is_to_be_had(c))
                    taken.add(new)
                if key in self._sighting.fresh:
                    ids[key] = new
                elif row is not None and row.id != new:
                    renamed[row.id] = new
        return Assignment(ids, renamed, self._unwanted(ids, renamed))

    def _has_left(self, row: IndexedState) -> bool:
        """Whether the content of a row is no longer under its key."""
        now = self._sighting.fresh.get(row.object_key)
        return now is None or now.fingerprint != row.fingerprint

    def _fresh_by_content(self) -> dict[str, list[str]]:
        arriving: defaultdict[str, list[str]] = defaultdict(list)
        for key, content in self._sighting.fresh.items():
            arriving[content.fingerprint].append(key)
        return dict(arriving)

    def _affected(self) -> set[str]:
        """The fingerprints of which a photo comes or goes."""
        arriving = (
            c.fingerprint
            for key, c in self._sighting.fresh.items()
            if key in self._left or key not in self._old
        )
        return {*arriving, *(row.fingerprint for row in self._left.values())}

    def _members(self, fingerprint: str) -> dict[str, IndexedState | None]:
        """Photos that have this content now, each with the row that says so already.

        The first of them by key is among them, and all whose id can change.
        """
        alike = self._rows.alike(fingerprint, self._sighting.replaced)
        first = next(filter(self._is_member, alike), None)
        plain = self._rows.by_id(photo_id(fingerprint))
        known = [first, plain if plain and plain.fingerprint == fingerprint else None]
        arriving = self._arriving.get(fingerprint, ())
        known += [self._old.get(key) for key in arriving if key not in self._left]
        members: dict[str, IndexedState | None] = {
            row.object_key: row for row in known if row and self._is_member(row)
        }
        for key in arriving:
            members.setdefault(key, None)
        return members

    def _is_member(self, row: IndexedState) -> bool:
        """Whether the photo of a row has the content still that the row tells of."""
        return row.object_key not in self._left and row.object_key not in self._sighting.replaced

    def _is_free(self, wanted: str) -> bool:
        """Whether no row has an id, or one whose id is given anew unless it is kept."""
        row = self._rows.by_id(wanted)
        return row is None or row.fingerprint in self._groups or row.object_key in self._left

    def _is_to_be_had(self, wanted: str) -> bool:
        """Whether an id is free, and not one that its photo keeps."""
        row = self._rows.by_id(wanted)
        stays = row is not None and self._is_member(row) and not is_canonical(row)
        return not stays and self._is_free(wanted)

    def _keep_ids(self) -> None:
        """Note the ids that do not follow from content and key."""
        for key, row in self._left.items():
            if key in self._sighting.fresh and self._was_edited(row):
                self._kept[key] = row.id
        for members in self._groups.values():
            for key, row in members.items():
                if row is not None and not is_canonical(row):
                    self._kept[key] = row.id
        for fingerprint in self._groups:
            self._pass_on(fingerprint, self._without_photos(fingerprint))
        for fingerprint in self._arriving:
            if fingerprint in self._groups:
                self._pass_on(fingerprint, self._lost(fingerprint))

    def _without_photos(self, fingerprint: str) -> Iterator[IndexedState]:
        """The rows with this content whose photo is not under their key any more, by key."""
        found = {k: row for k, row in self._left.items() if row.fingerprint == fingerprint}
        replaced = self._sighting.replaced
        if replaced.had(fingerprint):
            alike = self._rows.alike(fingerprint)
            found |= {row.object_key: row for row in alike if row.object_key in replaced}
        for key, row in sorted(found.items()):
            if self._kept.get(key) != row.id and self._is_worth_passing_on(row):
                yield row

    def _lost(self, fingerprint: str) -> Iterator[LostRow]:
        """The rows with this content that were lost of late, with ids worth passing on."""
        only_kept = self._is_free(photo_id(fingerprint))
        for row in self._rows.lately_lost(fingerprint, kept=only_kept):
            if self._is_worth_passing_on(row) and self._rows.by_id(row.id) is None:
                yield row

    def _was_edited(self, row: IndexedState) -> bool:
        """Whether the photo under this key is still the same one, with other pixels.

        It is not when its new content is known from another photo (which was moved or copied over
        it), nor when its old content is still somewhere (it was moved away, or has a copy).
        """
        key = row.object_key
        if key in self._sighting.provisional and is_canonical(row):
            return False
        new = self._sighting.fresh[key].fingerprint
        known = chain(self._rows.alike(new), self._rows.lately_lost(new))
        if any(other.object_key != key for other in known):
            return False
        old = row.fingerprint
        return not self._groups[old] and not self._sighting.replaced.have(old)

    def _is_worth_passing_on(self, row: IndexedState | LostRow) -> bool:
        """Whether the id would be lost unless the photo takes it along to its new key."""
        if not is_canonical(row):
            return True
        plain = photo_id(row.fingerprint)
        return row.id != plain and not self._is_free(plain)

    def _pass_on(self, fingerprint: str, rows: Iterator[IndexedState | LostRow]) -> None:
        """Give the ids to the photos that have the content now, those that were just read."""
        candidates = [
            key
            for key, old in self._groups[fingerprint].items()
            if old is None and key not in self._kept
        ]
        while candidates and (row := next(rows, None)):
            key = min(self._unlikeness(row, key) for key in candidates)[1]
            candidates.remove(key)
            self._kept[key] = row.id

    def _unlikeness(self, row: IndexedState | LostRow, key: str) -> tuple[bool, str]:
        """A moved file keeps its inode number, a copy has another."""
        return self._sighting.fresh[key].state.inode != row.inode, key

    def _unwanted(self, ids: Mapping[str, str], renamed: Mapping[str, str]) -> frozenset[str]:
        given = {*ids.values(), *renamed.values()}
        return frozenset({*(row.id for row in self._old.values()), *renamed}) - given


def _choices(fingerprint: str, object_key: str, *, first: bool) -> Iterator[str]:
    """Ids that a photo could have, best first. NUL is in no key, so no two photos share one."""
    if first:
        yield photo_id(fingerprint)
    yield copy_id(fingerprint, object_key)
    number = 1
    while True:
        yield copy_id(fingerprint, f"{object_key}\0{number}")
        number += 1
