"""From the names and files of a directory to its photos, each with its sidecars. Pure."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby

from tagline.metadata.pairing import TAKEOUT_NAME_MAX, SidecarNames, pair, photos_of_sidecar
from tagline.metadata.registry import is_photo
from tagline.metadata.strays import SUFFIXES, suffix_of
from tagline.model import IndexedFile
from tagline.storage.provider import StoredObject
from tagline.sync.values import Observed

PART = 1_000
"""So many names of a directory are paired at once."""
FEW = 64
"""So many photos are sooner looked at than told apart."""

_FIRST_PART = re.compile(r"[^.(]*")


def observe_directory(directory: str, objects: Iterable[StoredObject]) -> Iterator[Observed]:
    """The photos among the files of one directory; not all of them are in memory at once.

    Args:
        directory: key of the directory.
        objects: all of its files that no rule ignores, each once.
    """
    cut = len(directory) + 1 if directory else 0
    files = {found.object_key[cut:]: found for found in objects}
    for names in apart(files):
        for name, sidecars in pair(names, is_photo).items():
            yield _observed(files[name], sidecars, files)


def apart(names: Collection[str]) -> Iterator[list[str]]:
    """The names in parts that can be paired one by one; pairing takes far more memory than names.

    What begins alike stays together, see ``related``.
    """
    part: list[str] = []
    for _, akin in groupby(sorted(names, key=start_of), key=start_of):
        part += akin
        if len(part) >= PART:
            yield part
            part = []
    yield part


def may_matter(name: str) -> bool:
    """Whether a file of this name can be a photo or a sidecar."""
    return is_photo(name) or name[-5:].lower().endswith(SUFFIXES)


def names_there(names: SidecarNames) -> Iterator[str]:
    """The names of sidecars that are there, sorted."""
    return iter(sorted({name for name in (names.xmp, names.stem_xmp, names.json) if name}))


def related(name: str, names: Iterable[str]) -> list[str]:
    """The names that can have to do with the pairing of ``name``; it need not be among them.

    A photo, its sidecars and the photos that could claim those all begin alike, up to the first
    dot, counter or the length that Takeout clips to. What begins alike may still be a stranger.
    """
    start = start_of(name)
    return [each for each in names if each.startswith(start)]


def photos_touched(name: str, names: Collection[str]) -> set[str]:
    """The photos whose files a change of ``name`` can alter, by name; some may be unchanged.

    Args:
        name: a file that was created, changed or deleted.
        names: the names in its directory now.
    """
    akin = related(name, names)
    photos = [each for each in akin if is_photo(each)]
    itself = {name} if is_photo(name) else set[str]()
    if len(photos) <= FEW:
        return itself | set(photos)
    stem = name.rpartition(".")[0]
    rivals = (each for each in photos if each.rpartition(".")[0] in {stem, name})
    return itself | set(rivals) | set(photos_of_sidecar(name, akin, is_photo))


def loose_near(changed: Iterable[str], names: Collection[str]) -> tuple[set[str], set[str]]:
    """The sidecars' names that a change of ``changed`` can alter, and those of them without photo.

    Args:
        changed: files that were created, changed or deleted.
        names: the names in their directory now.
    """
    near: set[str] = set()
    loose: set[str] = set()
    for start in {start_of(name) for name in changed}:
        akin = related(start, names)
        paired = {name for found in pair(akin, is_photo).values() for name in names_there(found)}
        sidecars = {name for name in akin if suffix_of(name)}
        near |= sidecars
        loose |= sidecars - paired
    return near | {name for name in changed if suffix_of(name)}, loose


def start_of(name: str) -> str:
    """How every name begins that can have to do with the pairing of this one."""
    match = _FIRST_PART.match(name)
    return match[0][:TAKEOUT_NAME_MAX] if match else ""


def _observed(
    photo: StoredObject, sidecars: SidecarNames, files: Mapping[str, StoredObject]
) -> Observed:
    read = [IndexedFile(photo.object_key, photo.state)]
    for name in names_there(sidecars):
        found = files[name]
        read.append(IndexedFile(found.object_key, found.state))
    return Observed(photo.object_key, tuple(read), photo.links)
