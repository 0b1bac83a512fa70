"""Walks over a directory tree, at little more cost than a bare listing and stat of each file."""

import os
import stat
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress

from tagline.errors import ObjectError, ObjectNotFound, ObjectUnreadable
from tagline.model.keys import join, key_from_path, name_of, path_from_key
from tagline.model.photo import FileState
from tagline.storage.asides import is_there, put_right
from tagline.storage.faults import is_gone
from tagline.storage.paths import SUSPECT_FIRST, IgnoreRules, is_temporary, read_aside_name
from tagline.storage.provider import StoredObject
from tagline.storage.temporary import sweep, tick, used_since, was_aside
from tagline.storage.tree import (
    MAX_DIRECTORY_LINKS,
    Identity,
    Tree,
    identified,
    identity_of,
    open_inside,
)

_OPEN_LEVELS = 32
"""Directories of one path that a walk holds open; those above are found again by ``..``."""


class _Level:
    """A directory on the way down: where it is, and which of its subdirectories are left."""

    __slots__ = ("asides", "children", "directory", "identity", "key", "links")

    def __init__(self, key: str, directory: int, identity: Identity, links: int) -> None:
        self.key = key
        self.directory = directory
        self.identity = identity
        self.links = links
        self.children: list[tuple[bytes, str, bool]] = []  # name, key, whether it is a link
        self.asides: list[bytes] = []

    def close(self) -> None:
        """Close the descriptor; -1 stands for it from then on."""
        if self.directory >= 0:
            os.close(self.directory)
            self.directory = -1


class Walk:
    """One walk, depth first, with a bounded number of open directories.

    ``unreadable`` has, after the walk, the keys of the directories that could not be read wholly:
    what was not seen below them may still be there.
    """

    def __init__(self, tree: Tree, rules: IgnoreRules) -> None:
        self._tree = tree
        self._rules = rules
        self._levels: list[_Level] = []
        self._above: list[Identity] = []
        self.unreadable: set[str] = set()

    def run(self, directory: str, *, recursive: bool) -> Iterator[StoredObject]:
        """Every file that no rule hides; see ``PhotoStorageProvider.walk``.

        Raises:
            StorageUnavailable: the tree is gone, at the start or by the end.
            UnsafeKey: ``directory`` is no key, or leads out of the tree.
        """
        self._tree.root.demand()
        level = self._start(directory)
        try:
            while level:
                yield from self._files(level)
                level = self._next() if recursive else None
        finally:
            for level in self._levels:
                level.close()
        # Else a disk that went away meanwhile would look like one with fewer files.
        self._tree.root.demand()

    def _start(self, directory: str) -> _Level | None:
        try:
            entered = self._tree.enter(directory)
        except ObjectNotFound:
            return None
        except ObjectUnreadable:
            self._pass_over(directory)
            return None
        self._above = entered.trail[:-1]
        return self._push(_Level(directory, entered.directory, entered.trail[-1], entered.links))

    def _push(self, level: _Level) -> _Level:
        self._levels.append(level)
        if len(self._levels) > _OPEN_LEVELS:
            self._levels[-_OPEN_LEVELS - 1].close()
        return level

    def _next(self) -> _Level | None:
        """Go down into the next directory, up as far as needed; None at the end of the walk."""
        while self._levels:
            level = self._levels[-1]
            if not level.children:
                self._go_up()
                continue
            name, key, linked = level.children.pop()
            below = self._enter_link(level, key) if linked else self._enter(level, name, key)
            if below:
                return self._push(below)
        return None

    def _enter(self, level: _Level, name: bytes, key: str) -> _Level | None:
        try:
            directory = open_inside(level.directory, name)
            return _Level(key, directory, identified(directory), level.links)
        except OSError as error:
            self._miss(key, error)
            return None

    def _enter_link(self, level: _Level, key: str) -> _Level | None:
        if level.links >= MAX_DIRECTORY_LINKS:
            return None
        try:
            directory = self._tree.enter_link(key)
            identity = identified(directory)
        except (ObjectUnreadable, OSError):
            self._pass_over(key)
            return None
        except ObjectError:
            return None
        if identity in self._above or any(identity == above.identity for above in self._levels):
            os.close(directory)
            return None
        return _Level(key, directory, identity, level.links + 1)

    def _go_up(self) -> None:
        done = self._levels.pop()
        if self._levels and self._levels[-1].directory < 0:
            self._find_again(self._levels[-1], done.directory)
        done.close()

    def _find_again(self, level: _Level, below: int) -> None:
        """Open again a directory that was closed to save descriptors."""
        with suppress(OSError):
            level.directory = open_inside(below, "..")
            if identity_of(level.directory) == level.identity:
                return
        level.close()
        try:  # moved meanwhile, or entered by a link
            level.directory = self._tree.enter(level.key).directory
        except ObjectError:
            level.children.clear()
            self._pass_over(level.key)

    def _pass_over(self, directory: str) -> None:
        """Note a directory that cannot be read; where that is the disk's fault, raise."""
        self._tree.root.check()
        self.unreadable.add(directory)

    def _files(self, level: _Level) -> Iterator[StoredObject]:
        """The files directly in a directory; its subdirectories are noted in the level."""
        prefix = f"{level.key}/" if level.key else ""
        judge_all = self._rules.has_globs
        moment, seen = tick(), list[str]()
        try:
            with os.scandir(level.directory) as entries:
                for entry in entries:
                    name = entry.name
                    if not name.isascii() or "\\" in name:
                        name = key_from_path(os.fsencode(name))
                    key = prefix + name
                    if (judge_all or name[0] in SUSPECT_FIRST) and self._hides(level, name, key):
                        continue
                    if not entry.is_file(follow_symlinks=False):
                        if linked := self._look_closer(level, entry, key):
                            seen.append(key)
                            yield linked
                        continue
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except OSError as error:
                        self._miss(level.key, error)
                        continue
                    # Not by ``stored``: two calls for each file would cost a tenth of the walk.
                    state = FileState(
                        status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
                    )
                    if stat.S_ISREG(status.st_mode):
                        seen.append(key)
                        yield StoredObject(key, state, status.st_nlink)
            asides = {*level.asides, *used_since(moment)}
            if asides:
                yield from self._aside(level, asides, {*seen})
        except OSError:
            self._pass_over(level.key)

    def _aside(
        self, level: _Level, asides: AbstractSet[bytes], seen: AbstractSet[str]
    ) -> Iterator[StoredObject]:
        """The files that were aside, and so not seen: killed writers' have their names again.

        Where a writer that lives has one there still, the directory was not seen wholly.
        """
        for aside in asides:
            told = read_aside_name(aside)
            if told is None:
                continue
            put_right(level.directory, aside)
            key = join(level.key, key_from_path(told.name))
            if key in seen:
                continue
            is_aside, moment = is_there(level.directory, aside), tick()
            try:
                if not self._rules.hide(name_of(key), key):
                    yield self._tree.stat(key)
            except ObjectError:
                if is_aside or was_aside(told.name, moment):
                    self.unreadable.add(level.key)

    def _hides(self, level: _Level, name: str, key: str) -> bool:
        """Whether a rule hides an entry; what a killed writer left is removed, or noted."""
        if not self._rules.hide(name, key):
            return False
        if is_temporary(name):
            sweep(level.directory, name)
        elif read_aside_name(aside := path_from_key(name)):
            level.asides.append(aside)
        return True

    def _miss(self, directory: str, error: OSError) -> None:
        if not is_gone(error):
            self._pass_over(directory)

    def _look_closer(self, level: _Level, entry: os.DirEntry[str], key: str) -> StoredObject | None:
        """The file that a link shows; a directory is noted in the level; else None."""
        linked = entry.is_symlink()
        try:
            if entry.is_dir():
                level.children.append((os.fsencode(entry.name), key, linked))
            elif linked:
                return self._tree.stat(key)
        except (OSError, ObjectError):  # links that dangle, go in circles or lead out
            return None
        return None
