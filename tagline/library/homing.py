"""Bringing sidecars that lie elsewhere beside the photo that they are of, before it is edited.

Nothing is ever written over, and nothing is deleted: files are renamed, or copied where another
program or another photo still needs them where they are. What was kept apart goes where it hides
again what it hid.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from tagline.errors import ObjectChanged, StorageError
from tagline.library.reading import Seen
from tagline.metadata import SidecarFile, SidecarFiles
from tagline.metadata.strays import (
    fingerprint_in,
    is_own,
    name_aside,
    proper_name,
    suffix_of,
    was_apart,
)
from tagline.model import IndexedFile
from tagline.model.keys import directory_of, join, name_of
from tagline.storage import PhotoStorageProvider
from tagline.sync import observe_photo

_NAMES_ASIDE = 100


class Homecoming(msgspec.Struct, frozen=True, kw_only=True):
    """A stray and the photo's own name for it; ``keep`` it where it is, too.

    ``over`` is the photo's own sidecar of that name, which it hides again.
    """

    stray: IndexedFile
    goal: str
    data: bytes
    keep: bool
    over: IndexedFile | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What comes home, and the photo's sidecars as they are then.

    ``files`` are the photo and its sidecars that stay as they are; ``stale`` those of other photos.
    """

    homecomings: tuple[Homecoming, ...]
    sidecars: SidecarFiles
    files: tuple[IndexedFile, ...]
    stale: Mapping[str, IndexedFile]
    fingerprints: Mapping[str, str]


def plan(object_key: str, seen: Seen, shared: Collection[str], apart: Collection[str] = ()) -> Plan:
    """Where the strays that a photo shows belong; pure.

    Args:
        object_key: the photo's.
        seen: the photo as read.
        shared: strays that other photos show too.
        apart: names of the photo's sidecars that are written apart from it, and hide others.
    """
    states = {file.object_key: file for file in seen.files}
    before, stale_names = seen.sidecars, seen.reading.stale_sidecars
    stale = {f.name: f for f in _own(before) if f.name in stale_names}
    directory = directory_of(object_key)
    json = before.adopted_json
    is_ours = json is not None and was_apart(json.name, json.data)
    homecomings: list[Homecoming] = []
    for file, own in ((before.adopted_xmp, before.xmp), (before.adopted_json, before.json)):
        if file is None or file.name not in seen.reading.adopted:
            continue
        name = proper_name(name_of(object_key), suffix_of(file.name) or "")
        over = None
        if own is not None and own.name not in stale:
            if own.name not in apart:
                continue
            name, over = own.name, states[join(directory, own.name)]
        keep = file.name in shared or not (is_ours or is_own(file.name, file.data))
        stray, goal = states[file.name], join(directory, name)
        coming = Homecoming(stray=stray, goal=goal, data=file.data, keep=keep, over=over)
        homecomings.append(coming)
    left_out = {join(directory, name) for name in stale}
    left_out |= {key for h in homecomings for key in (h.stray.object_key, h.goal)}
    return Plan(
        homecomings=tuple(homecomings),
        sidecars=_sidecars(before, stale, homecomings),
        files=tuple(file for file in seen.files if file.object_key not in left_out),
        stale={name: states[join(directory, name)] for name in stale},
        fingerprints={name: fingerprint_in(name, f.data) or "" for name, f in stale.items()},
    )


def _own(files: SidecarFiles) -> list[SidecarFile]:
    return [file for file in (files.xmp, files.stem_xmp, files.json) if file]


def _sidecars(
    before: SidecarFiles, stale: Mapping[str, SidecarFile], coming: Sequence[Homecoming]
) -> SidecarFiles:
    """The sidecars with those that come home, and without those of other photos."""

    def valid(file: SidecarFile | None) -> SidecarFile | None:
        return None if file is None or file.name in stale else file

    home = {suffix_of(h.goal): SidecarFile(name=name_of(h.goal), data=h.data) for h in coming}
    kept = {suffix_of(h.goal) for h in coming if h.keep}
    return SidecarFiles(
        xmp=home.get(".xmp") or valid(before.xmp),
        stem_xmp=valid(before.stem_xmp),
        json=home.get(".json") or valid(before.json),
        adopted_xmp=before.adopted_xmp if ".xmp" in kept else None,
        adopted_json=before.adopted_json if ".json" in kept else None,
    )


class Mover:
    """Carries a plan out; every method blocks. ``touched`` are the keys where something changed."""

    def __init__(
        self, storage: PhotoStorageProvider, object_key: str, homes: Mapping[str, Sequence[str]]
    ) -> None:
        self.touched: list[str] = []
        self._storage = storage
        self._object_key = object_key
        self._homes = homes

    def make_way(self, planned: Plan, names: Iterable[str]) -> None:
        """Move stale sidecars away from names that will be written.

        Raises:
            StorageError: one could not be moved.
        """
        wanted = {name.casefold() for name in names}
        for name, file in planned.stale.items():
            if name.casefold() in wanted:
                self._move_away(file, planned.fingerprints[name])

    def bring_home(self, planned: Plan) -> tuple[IndexedFile, ...]:
        """Give strays the names that the photo gives them; return them as they are then.

        Raises:
            StorageError: one could not be moved or copied.
        """
        return tuple(self._bring(each) for each in planned.homecomings)

    def _bring(self, each: Homecoming) -> IndexedFile:
        key, state = each.stray.object_key, each.stray.state
        if each.keep or each.over:
            old = each.over.state if each.over else None
            done = self._storage.replace(each.goal, each.data, old, like=self._object_key)
            if not each.keep:
                self._storage.remove(key, state)
                self.touched.append(key)
        else:
            done = self._storage.move(key, each.goal, state)
            self.touched.append(key)
        self.touched.append(each.goal)
        return IndexedFile(each.goal, done.state)

    def _move_away(self, file: IndexedFile, fingerprint: str) -> None:
        """Move a stale sidecar beside its own photo, or else aside."""
        suffix = suffix_of(file.object_key) or ""
        goals = [proper_name(home, suffix) for home in self._homes.get(fingerprint, ())]
        free = [goal for goal in goals if is_free(self._storage, goal)]
        for goal in (*free, *names_aside(self._object_key, fingerprint, suffix)):
            try:
                self._storage.move(file.object_key, goal, file.state)
            except ObjectChanged:
                if not _exists(self._storage, goal):
                    raise
                continue
            self.touched += [file.object_key, goal]
            return
        raise ObjectChanged(file.object_key)


def names_aside(photo_key: str, fingerprint: str, suffix: str) -> list[str]:
    """Keys for a sidecar that stands in the way of a photo's own, best first."""
    directory, name = directory_of(photo_key), name_of(photo_key)
    return [
        join(directory, name_aside(name, fingerprint, suffix, number))
        for number in range(1, _NAMES_ASIDE)
    ]


def is_free(storage: PhotoStorageProvider, sidecar_key: str) -> bool:
    """Whether the photo that a sidecar is named for is there and has none of its kind; blocks."""
    suffix = suffix_of(sidecar_key)
    photo_key = sidecar_key[: -len(suffix or "")]
    try:
        files = observe_photo(storage, photo_key).files
    except StorageError:
        return False
    return all(suffix_of(file.object_key) != suffix for file in files[1:])


def _exists(storage: PhotoStorageProvider, object_key: str) -> bool:
    name = name_of(object_key).casefold()
    return any(name == each.casefold() for each in storage.names(directory_of(object_key)))
