"""What became of a change that was begun, judged by what the disk says. Blocks."""

from typing import Literal

import msgspec

from tagline.errors import ObjectChanged
from tagline.library.beside import WriteMode
from tagline.library.reading import decoded_of, kinds_of, metadata_of, read_with_strays
from tagline.library.writing import asked_of
from tagline.metadata import PhotoReading
from tagline.model import IndexedPhoto, MetadataChange, PendingChange, with_etag
from tagline.model.keys import directory_of
from tagline.storage import PhotoStorageProvider
from tagline.sync import Look, Strays

Verdict = Literal["made", "not made", "half", "other"]
"""``half``: some places say the new values, or lack them, and no shown one is a third.
``other``: another program has written since."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict, and the entity tag of the photo as it was read for that."""

    verdict: Verdict
    etag: str


class Judge:
    """Reads photos of one storage to judge changes; thread-safe."""

    def __init__(self, storage: PhotoStorageProvider, strays: Strays, mode: WriteMode) -> None:
        self._storage = storage
        self._strays = strays
        self._mode: WriteMode = mode

    def judge(self, row: IndexedPhoto, pending: PendingChange) -> Finding:
        """Read the photo of a row, and tell what became of a change of it.

        Raises:
            ObjectChanged: another photo is there.
            StorageError: it cannot be read.
        """
        key = row.photo.object_key
        for _ in self._storage.walk(directory_of(key), recursive=False):
            pass  # what a killed writer left under hidden names is put right on the way
        with self._storage.open(key) as opened:
            seen = read_with_strays(opened, key, self._strays, Look(self._storage, [key]))
            decoded = decoded_of(opened, seen, self._mode)
        if decoded.fingerprint != row.fingerprint:
            raise ObjectChanged(key)
        photo = msgspec.structs.replace(decoded.photo, id=row.photo.id)
        beside = kinds_of(seen.sidecars, seen.reading.stale_sidecars)
        return Finding(
            verdict=verdict_of(seen.reading, beside, pending),
            etag=with_etag(photo, decoded.fingerprint).etag,
        )


def verdict_of(reading: PhotoReading, beside: tuple[str, ...], pending: PendingChange) -> Verdict:
    """What became of a change of a photo that reads so, with these kinds of sidecars; pure."""
    before, after = pending.change.before, pending.change.after
    made, lost = set(pending.beside_after), set(pending.beside_before)
    changed = made ^ lost
    now = changed & set(beside)
    agrees = all(reading.found[name].agrees for name in asked_of(after))
    if agrees and _shows(reading, after) and now == changed & made:
        return "made"
    if agrees and _shows(reading, before) and now == changed & lost:
        return "not made"
    return "half" if _shows(reading, before, after) else "other"


def _shows(reading: PhotoReading, *changes: MetadataChange) -> bool:
    """Whether each field shows what one of the changes puts there."""
    shown: dict[str, object] = msgspec.structs.asdict(metadata_of(reading))
    asked = [asked_of(change) for change in changes]
    return all(shown[name] in [each.get(name) for each in asked] for name in asked[0])
