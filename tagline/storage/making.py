"""Making directories, each durable before the next one is made in it. Raises ``OSError`` too."""

import os

from tagline.errors import ObjectNotFound, ObjectUnreadable
from tagline.model.keys import directory_of
from tagline.storage.paths import parts_of
from tagline.storage.placing import sync_directory
from tagline.storage.tree import Tree

_BY_UMASK = 0o777


def make_directories(tree: Tree, directory: str) -> None:
    """Make a directory and its parents where they are not there.

    Raises:
        UnsafeKey: no key, or it leads out of the tree.
        ObjectUnreadable: what has the name of one of them is no directory.
    """
    missing: list[str] = []
    while directory and not _is_there(tree, directory):
        missing.append(directory)
        directory = directory_of(directory)
    for key in reversed(missing):
        _make(tree, key)


def _is_there(tree: Tree, directory: str) -> bool:
    try:
        os.close(tree.enter(directory).directory)
    except ObjectNotFound:
        return False
    return True


def _make(tree: Tree, directory: str) -> None:
    parent = tree.enter(directory_of(directory)).directory
    try:
        os.mkdir(parts_of(directory)[-1], _BY_UMASK, dir_fd=parent)
        sync_directory(parent)
    except FileExistsError as error:  # made by another thread just now, unless it is a file
        if not _is_there(tree, directory):
            raise ObjectUnreadable(
                directory, "a file has the name of its directory; rename the file"
            ) from error
    finally:
        os.close(parent)
