"""Which sidecar belongs to which photo, by the names in one directory.

XMP: ``IMG.ext.xmp`` is the photo's own; ``IMG.xmp`` is its own only where no other photo shares the
stem ``IMG``, so that a RAW file and its JPEG never take one description for both.

JSON: ``IMG.ext.json`` first. Then the names that Google Takeout gives: ``supplemental-metadata``
behind the name, whole or clipped anywhere; a counter that Takeout moves from the photo's name to
the end (``IMG(1).jpg`` has ``IMG.jpg(1).json`` or ``IMG.jpg.supplemental-metadata(1).json``); names
clipped to 46 characters. A clipped name that more than one photo may have had belongs to none of
them. Takeout's ``IMG-edited.jpg`` is a photo of its own, and is given nothing of ``IMG.jpg``'s.

Only the suffixes ``.xmp`` and ``.json`` are taken in any case. Everything is linear in the number
of names, and no answer depends on their order.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

IsPhoto = Callable[[str], bool]

TAKEOUT_NAME_MAX: Final = 46
"""Takeout clips a sidecar's name to so many characters before ``.json`` and a counter."""

_SUPPLEMENT = "supplemental-metadata"
_COUNTED = re.compile(r"(.*)(\([0-9]{1,6}\))", re.DOTALL | re.ASCII)


class SidecarNames(msgspec.Struct, frozen=True):
    """The sidecars of one photo, each by its name in the photo's directory.

    ``xmp`` is ``IMG.ext.xmp``, ``stem_xmp`` is ``IMG.xmp`` where it is this photo's alone, ``json``
    is ``IMG.ext.json`` or one of Takeout's names for it.
    """

    xmp: str | None = None
    stem_xmp: str | None = None
    json: str | None = None


def pair(names: Iterable[str], is_photo: IsPhoto) -> dict[str, SidecarNames]:
    """The sidecars of every photo among the names of one directory."""
    directory = _Directory(names, is_photo)
    json_of = directory.json_of_photos()
    return {
        photo: SidecarNames(
            xmp=directory.xmp_by_base.get(photo),
            stem_xmp=directory.stem_xmp_of(photo),
            json=json_of.get(photo),
        )
        for photo in directory.photos
    }


def sidecars_of(photo_name: str, names: Iterable[str], is_photo: IsPhoto) -> SidecarNames:
    """The sidecars of one photo among the names of its directory."""
    return pair([*names, photo_name], is_photo).get(photo_name, SidecarNames())


def photos_of_sidecar(name: str, names: Iterable[str], is_photo: IsPhoto) -> list[str]:
    """The photos among the names whose sidecar ``name`` is, or would be; sorted.

    It need not be among the names, so that a sidecar that is gone still tells its photo.
    """
    paired = pair([*names, name], is_photo)
    return sorted(
        photo
        for photo, sidecars in paired.items()
        if name in {sidecars.xmp, sidecars.stem_xmp, sidecars.json}
    )


class _Directory:
    """The names of a directory, sorted out once."""

    def __init__(self, names: Iterable[str], is_photo: IsPhoto) -> None:
        ordered = sorted(set(names))
        self.photos = [name for name in ordered if is_photo(name)]
        self._photo_set = frozenset(self.photos)
        self.xmp_by_base = _by_base(ordered, ".xmp")
        self._json_names = [name for name in ordered if name[-5:].lower() == ".json"]
        self._by_stem = _grouped(self.photos, _stem)
        self._by_clipped = _grouped(self.photos, _clipped_key)

    def stem_xmp_of(self, photo: str) -> str | None:
        """``IMG.xmp`` where this is the only photo of that stem, and no photo is called ``IMG``."""
        stem = _stem(photo)
        if stem in self._photo_set or len(self._by_stem[stem]) > 1:
            return None
        return self.xmp_by_base.get(stem)

    def json_of_photos(self) -> dict[str, str]:
        """Each photo's JSON sidecar: of several, the one whose name says most clearly whose.

        Of equally clear ones it is the longest, which is the least clipped.
        """
        best: dict[str, tuple[int, int, str, str]] = {}
        for name in self._json_names:
            claim = self._claim(name)
            if claim is None:
                continue
            rank, photo = claim
            candidate = (rank, -len(name), _suffix_order(name), name)
            if photo not in best or candidate < best[photo]:
                best[photo] = candidate
        return {photo: candidate[-1] for photo, candidate in best.items()}

    def _claim(self, json_name: str) -> tuple[int, str] | None:
        """The one photo that a JSON file is named for, and how indirectly."""
        base = json_name[:-5]
        for rank, photo in enumerate(_names_meant(base)):
            if photo in self._photo_set:
                return rank, photo
        body, counter = _split_counter(base)
        if len(body) != TAKEOUT_NAME_MAX:
            return None
        photos = self._by_clipped.get(f"{body}/{counter}", ())
        return (9, photos[0]) if len(photos) == 1 else None


def _names_meant(base: str) -> Iterable[str]:
    """The photo names that a JSON file's name may stand for, the most direct first."""
    yield base
    yield _without_supplement(base)
    body, counter = _split_counter(base)
    if counter:
        yield _with_counter(_without_supplement(body), counter)
        yield _with_counter(body, counter)


def _without_supplement(body: str) -> str:
    head, dot, tail = body.rpartition(".")
    return head if dot and _SUPPLEMENT.startswith(tail) else body


def _split_counter(name: str) -> tuple[str, str]:
    found = _COUNTED.fullmatch(name)
    return (found[1], found[2]) if found else (name, "")


def _with_counter(name: str, counter: str) -> str:
    stem, dot, extension = name.rpartition(".")
    return f"{stem}{counter}{dot}{extension}" if dot else f"{name}{counter}"


def _clipped_key(photo: str) -> str | None:
    """What a clipped JSON name of the photo comes down to: 46 characters, and the counter."""
    stem, dot, extension = photo.rpartition(".")
    body, counter = _split_counter(stem)
    whole = f"{body}{dot}{extension}"
    return f"{whole[:TAKEOUT_NAME_MAX]}/{counter}" if len(whole) > TAKEOUT_NAME_MAX else None


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def _by_base(names: Iterable[str], suffix: str) -> dict[str, str]:
    """Names with the suffix in any case, by what stands before it; lower case goes first."""
    found: dict[str, str] = {}
    for name in names:
        if name[-len(suffix) :].lower() != suffix:
            continue
        base = name[: -len(suffix)]
        if base not in found or name.endswith(suffix):
            found[base] = name
    return found


def _suffix_order(name: str) -> str:
    """Sorts ``.json`` before its spellings with capitals."""
    return name[-5:].swapcase()


def _grouped(names: Iterable[str], key: Callable[[str], str | None]) -> Mapping[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        group = key(name)
        if group is not None:
            groups.setdefault(group, []).append(name)
    return groups
