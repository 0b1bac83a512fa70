"""What an event's path says: look here. What happened, and even whether, is found by looking."""

import os
from collections import defaultdict
from collections.abc import Iterable

from tagline.errors import StorageError, UnsafeKey
from tagline.model.keys import directory_of, key_from_path, name_of
from tagline.storage.provider import PhotoStorageProvider
from tagline.sync.observe import FEW
from tagline.sync.values import Scope


def keys_of(paths: Iterable[str], root: str) -> set[str]:
    """The keys of absolute paths below the photo directory; that of the directory itself is "".

    Paths elsewhere are left out.
    """
    prefix = root.rstrip("/") + "/"
    keys = {
        key_from_path(os.fsencode(path[len(prefix) :])) for path in paths if path.startswith(prefix)
    }
    return keys | {""} if root in paths else keys


def scopes_of(
    keys: Iterable[str], storage: PhotoStorageProvider
) -> tuple[list[Scope], list[Scope]]:
    """What to reconcile after something happened at these keys; blocks.

    The first list is everything; the second one are the directories of it that were told of
    themselves: their content may have come before it could be reported, so they are to be walked
    once more a little later.
    """
    names: defaultdict[str, set[str]] = defaultdict(set)
    told: list[str] = []
    for key in keys:
        if _is_hidden(key, storage):
            continue
        if key:
            names[directory_of(key)].add(name_of(key))
        if _is_directory(key, storage):
            told.append(key)
    trees = [Scope(directory, recursive=True) for directory in _outermost(told)]
    near = [
        Scope(directory, names=frozenset(some) if len(some) <= FEW else None)
        for directory, some in sorted(names.items())
        if not any(_is_below(directory, tree.directory) for tree in trees)
    ]
    return [*near, *trees], trees


def _outermost(directories: Iterable[str]) -> list[str]:
    """The directories that are in no other of them."""
    found: list[str] = []
    for directory in sorted(directories, key=lambda key: f"{key}/" if key else ""):
        if not (found and _is_below(directory, found[-1])):
            found.append(directory)
    return found


def _is_below(directory: str, tree: str) -> bool:
    return not tree or directory == tree or directory.startswith(f"{tree}/")


def _is_hidden(key: str, storage: PhotoStorageProvider) -> bool:
    try:
        return storage.is_ignored(key)
    except UnsafeKey:
        return True


def _is_directory(key: str, storage: PhotoStorageProvider) -> bool:
    try:
        return storage.is_directory(key)
    except StorageError:
        return False
