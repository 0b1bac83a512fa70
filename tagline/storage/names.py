"""The names in one directory, at little more cost than the kernel's own listing."""

import os

from tagline.errors import ObjectError
from tagline.model.keys import join, key_from_path
from tagline.storage.paths import SUSPECT_FIRST, IgnoreRules, read_aside_name
from tagline.storage.tree import Tree


class Names:
    """The names of the files directly in a directory that no rule hides and that begin alike.

    ``asides`` are, after reading, the hidden names there of files that are aside (``placing``).
    """

    def __init__(self, tree: Tree, rules: IgnoreRules, directory: str, start: str) -> None:
        self._tree = tree
        self._rules = rules
        self._directory = directory
        self._start = start
        self.asides: list[bytes] = []

    def read(self, opened: int) -> list[str]:
        """List the directory, which is open; raises ``OSError``."""
        start, judge_all = self._start, self._rules.has_globs
        # A name is spelt otherwise in a key only where it is not ASCII or has a backslash.
        plain = start if start.isascii() and "\\" not in start else ""
        found: list[str] = []
        with os.scandir(opened) as entries:
            for entry in entries:
                name = entry.name
                if name[0] == "." and read_aside_name(aside := os.fsencode(name)):
                    self.asides.append(aside)
                if not name.startswith(plain):
                    continue
                if not name.isascii() or "\\" in name:
                    name = key_from_path(os.fsencode(name))
                if (judge_all or name[0] in SUSPECT_FIRST) and self._hides(name):
                    continue
                if entry.is_file(follow_symlinks=False) or self._is_linked(entry, name):
                    found.append(name)
        return found if plain == start else [name for name in found if name.startswith(start)]

    def _hides(self, name: str) -> bool:
        return self._rules.hide(name, join(self._directory, name))

    def _is_linked(self, entry: os.DirEntry[str], name: str) -> bool:
        """Whether the name is a symbolic link that shows a file of the tree."""
        if not entry.is_symlink():
            return False
        try:
            self._tree.stat(join(self._directory, name))
        except ObjectError:
            return False
        return True
