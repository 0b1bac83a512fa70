"""Which keys are safe, which names are hidden, and how temporary files are named. No disk here."""

import fnmatch
import hashlib
import re
import secrets
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from tagline.errors import UnsafeKey
from tagline.model.keys import directory_of, key_from_path, name_of, path_from_key

NAME_MAX_BYTES = 255
"""Longest name of Linux's file systems (``NAME_MAX`` in limits.h)."""

_TEMPORARY_PREFIX = ".tagline-"
_TEMPORARY_SUFFIX = ".tmp"

_KEPT_SUFFIX = b".kept"

_HIDDEN_FIRST = (".", "@")
_HIDDEN_NAMES = frozenset({"#recycle", "lost+found", "$recycle.bin", "system volume information"})

SUSPECT_FIRST = frozenset("".join(_HIDDEN_FIRST)) | {
    letter for name in _HIDDEN_NAMES for letter in (name[0], name[0].upper())
}
"""First characters that a hidden name can have: spares walks the full test of most names."""


@lru_cache(4096)
def parts_of(object_key: str) -> tuple[bytes, ...]:
    """The names along a key, as the file system spells them.

    Raises:
        UnsafeKey: the key is empty or absolute, holds NUL, a lone surrogate, an empty, ``.`` or
            ``..`` part or an over-long name, or is not the one spelling of its path.
    """
    if not object_key:
        raise UnsafeKey(object_key, "it is empty")
    try:
        path = path_from_key(object_key)
    except UnicodeEncodeError as error:
        raise UnsafeKey(object_key, "it holds a lone surrogate") from error
    parts = path.split(b"/")
    if fault := _fault_of(path, parts):
        raise UnsafeKey(object_key, fault)
    if b"\\x" in path or "\\x" in object_key:
        _demand_one_spelling(object_key, path)
    return tuple(parts)


def directory_parts(directory: str) -> tuple[bytes, ...]:
    """``parts_of`` for a directory: the empty key is the photo directory itself."""
    return parts_of(directory) if directory else ()


def _fault_of(path: bytes, parts: list[bytes]) -> str | None:
    if b"\0" in path:
        return "it holds NUL"
    if path.startswith(b"/"):
        return "it is absolute"
    for part in parts:
        if part in {b"", b".", b".."}:
            return "it has an empty, '.' or '..' part"
        if len(part) > NAME_MAX_BYTES:
            return "a name in it is too long"
    return None


def _demand_one_spelling(object_key: str, path: bytes) -> None:
    """Refuse an escape of what needs none: one file must not be reached by two keys."""
    if key_from_path(path) != object_key:
        raise UnsafeKey(object_key, "it has an escape that its path does not need")


_TEMPORARY = re.compile(
    re.escape(_TEMPORARY_PREFIX) + "[0-9a-f]{16}" + re.escape(_TEMPORARY_SUFFIX), re.ASCII
)


def temporary_name() -> bytes:
    """A fresh name for a temporary file: short whatever the photo is called, and hidden."""
    return f"{_TEMPORARY_PREFIX}{secrets.token_hex(8)}{_TEMPORARY_SUFFIX}".encode()


def is_temporary(name: str) -> bool:
    """Whether a name is one that ``temporary_name`` could have made."""
    return _TEMPORARY.fullmatch(name) is not None


Written = tuple[int, int]
"""Size in bytes and modification time in nanoseconds: what renaming leaves as it is everywhere."""

NO_FILE: Written = (-1, 0)
_ASIDE = re.compile(
    re.escape(_TEMPORARY_PREFIX.encode()) + b"([0-9a-f]{6})([0-9a-f]{5})([0-9a-f]{5})-(.+)",
    re.DOTALL,
)


class AsideName(NamedTuple):
    """What the name of a file that was put aside tells: whose it is, and marks of two files.

    The marks are of the new file and of the old one; a file has one by its size and time.
    """

    name: bytes
    salt: str
    new: str
    old: str

    def is_new(self, written: Written) -> bool:
        """Whether a file is the new one."""
        return _mark(self.salt, written) == self.new

    def is_old(self, written: Written) -> bool:
        """Whether a file is the old one."""
        return _mark(self.salt, written) == self.old


def aside_name(name: bytes, old: Written, new: Written = NO_FILE) -> bytes:
    """A fresh hidden name for a file while it is replaced, removed or moved.

    It tells the name that the file has to get back, and whether that was needed no more. Ask
    ``has_aside_name`` first.
    """
    salt, marks = "", ("", "")
    while marks[0] == marks[1]:
        salt = secrets.token_hex(3)
        marks = _mark(salt, new), _mark(salt, old)
    return f"{_TEMPORARY_PREFIX}{salt}{''.join(marks)}-".encode() + name


def has_aside_name(name: bytes, most_bytes: int = NAME_MAX_BYTES) -> bool:
    """Whether a file's hidden name is no longer than so many bytes, to be kept under as well."""
    longest = len(aside_name(name, NO_FILE, (0, 0))) + len(_KEPT_SUFFIX)
    return longest <= most_bytes and not name.endswith(_KEPT_SUFFIX)


def read_aside_name(name: bytes) -> AsideName | None:
    """What a name of ``aside_name`` tells; None for any other."""
    found = _ASIDE.fullmatch(name)
    if found is None or name.endswith(_KEPT_SUFFIX):
        return None
    salt, new, old, original = found.groups()
    return AsideName(original, salt.decode(), new.decode(), old.decode())


def kept_name(name: bytes) -> bytes:
    """The name that a file with a temporary or an aside name is kept under."""
    return name.removesuffix(_TEMPORARY_SUFFIX.encode()) + _KEPT_SUFFIX


def _mark(salt: str, written: Written) -> str:
    size, mtime_ns = written
    text = f"{salt}:{size}:{mtime_ns}".encode()
    return hashlib.blake2b(text, digest_size=3).hexdigest()[:5]


class IgnoreRules:
    """The names and keys that no walk shows. Immutable.

    Always hidden, whatever the case: names that begin with ``.`` or ``@``, and the recycle bins and
    system directories of NAS boxes and other systems. Besides, whatever matches a glob.

    Args:
        globs: ``fnmatch`` patterns, case-sensitive, matched against each name and each whole key
            along the path; ``*`` matches ``/`` too, and slashes around a pattern are dropped.
    """

    __slots__ = ("_globs",)

    def __init__(self, globs: Iterable[str] = ()) -> None:
        patterns = [pattern for glob in globs if (pattern := glob.strip("/"))]
        union = "|".join(fnmatch.translate(pattern) for pattern in patterns)
        self._globs = re.compile(union) if patterns else None

    @property
    def has_globs(self) -> bool:
        """Whether names need more than the test of the fixed list."""
        return self._globs is not None

    def hide(self, name: str, object_key: str) -> bool:
        """Whether a rule hides this entry of a directory that is itself not hidden."""
        if name[0] in SUSPECT_FIRST and _is_hidden_name(name):
            return True
        globs = self._globs
        return globs is not None and bool(globs.match(name) or globs.match(object_key))

    def hide_path(self, object_key: str) -> bool:
        """Whether a rule hides this key or one of its parents."""
        while object_key:
            if self.hide(name_of(object_key), object_key):
                return True
            object_key = directory_of(object_key)
        return False


def _is_hidden_name(name: str) -> bool:
    return name.startswith(_HIDDEN_FIRST) or name.lower() in _HIDDEN_NAMES
