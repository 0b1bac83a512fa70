"""The tree of sidecars beside a tree of photos: a directory whose loss must not go unnoticed.

A disk that is not mounted leaves an empty directory, and a directory without sidecars is a fine
one to begin with. So the first write leaves a mark in it, and a note where the index is. Once it is
known to have been used, it is only taken for what it was while it has the mark, or any file.
"""

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tagline.errors import (
    ObjectNotFound,
    StorageFull,
    StorageReadOnly,
    StorageUnavailable,
    UnsafeKey,
)
from tagline.model.keys import directory_of, join
from tagline.storage.local import LocalStorage
from tagline.storage.paths import IgnoreRules
from tagline.storage.placing import sync_directory
from tagline.storage.root import LISTING, Root

MARK = ".tagline-sidecars"
"""Name of the file that tells an emptied mirror from one whose disk is not mounted."""

NAME = "sidecar directory (TAGLINE_SIDECAR_PATH)"

_MARK_TEXT = b"Sidecars of photos, kept by Tagline. Back this directory up with the photos.\n"
_NOTE_TEXT = b"TAGLINE_SIDECAR_PATH was in use with this index.\n"
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_PRIVATE = 0o600
_BY_UMASK = 0o666
_ANY_SIDECAR = "any.json"


class Mirror:
    """A directory of sidecars, ``files``, which each method looks at first. Blocks; thread-safe.

    Args:
        path: the directory; need not be there yet.
        ignore: globs of names and keys to hide.
        note: a file that says, when it is there, that the directory was used before; None where
            nothing is remembered from one run to the next.
        probe_writers: see ``LocalStorage``.
    """

    def __init__(
        self,
        path: Path,
        *,
        ignore: Sequence[str] = (),
        note: Path | None = None,
        probe_writers: bool = True,
    ) -> None:
        self.root = Root(path, NAME)
        self.files = LocalStorage(
            self.root, ignore=ignore, probe_writers=probe_writers, is_sidecar=lambda _name: True
        )
        self._rules = IgnoreRules()
        self._note = note
        self._used = self._noted = note is not None and os.path.lexists(note)
        self._marked: int | None = None

    def demand(self) -> None:
        """Return when the directory is there, and is not one that lost what was in it.

        Raises:
            StorageUnavailable: it is not, with what to do.
        """
        used = self._used  # asked first: another thread may leave the mark after we looked for it
        directory = self.root.open(thoroughly=True)
        try:
            traces = _is_marked(directory) or self._has_files(directory)
        except OSError as error:
            raise self.root.unavailable(error) from error
        finally:
            os.close(directory)
        if traces:
            self._remember()
        elif used:
            raise StorageUnavailable(
                f"The {NAME} is empty, but sidecars were kept in it: its disk may not be mounted. "
                "Nothing is forgotten until they are there again; if they are meant to be gone, "
                f"make an empty file {MARK} in it."
            )

    def check(self) -> None:
        """Return when it can be listed as well; raises like ``demand``."""
        self.root.check()
        self.demand()

    def mark(self, object_key: str) -> None:
        """Leave the mark before something is written in it, durably.

        Raises:
            StorageUnavailable: the directory is gone.
            StorageReadOnly: not allowed to write.
            StorageFull: no space.
        """
        self.demand()
        if self._marked == self.root.incarnation:
            return
        directory = self.root.open()
        try:
            with self.root.faults(object_key, writing=True):
                if not _is_marked(directory):
                    _make_file(MARK, _MARK_TEXT, _BY_UMASK, directory)
                    sync_directory(directory)
        finally:
            os.close(directory)
        self._marked = self.root.incarnation
        self._remember()

    def takes(self, directory: str) -> bool:
        """Whether a sidecar could be made for a directory, which need not be here yet.

        Raises:
            ObjectUnreadable: the disk does not say.
        """
        with suppress(ObjectNotFound, UnsafeKey):
            while directory and not self.files.is_directory(directory):
                directory = directory_of(directory)
            return self.files.writable(join(directory, _ANY_SIDECAR))
        return False

    @contextmanager
    def faults(self) -> Generator[None]:
        """Let errors about writing in the block name this directory."""
        try:
            yield
        except StorageReadOnly as error:
            raise StorageReadOnly(error.object_key, NAME) from error
        except StorageFull as error:
            raise StorageFull(error.object_key, NAME) from error

    def _has_files(self, directory: int) -> bool:
        listed = os.open(".", LISTING, dir_fd=directory)
        try:
            with os.scandir(listed) as entries:
                return any(not self._rules.hide(entry.name, entry.name) for entry in entries)
        finally:
            os.close(listed)

    def _remember(self) -> None:
        """Know from now on that it was used, in later runs too."""
        self.root.settle()
        self._used = True
        if self._noted or self._note is None:
            return
        # Without a directory for the index yet, or without space, the next look tries again.
        with suppress(OSError):
            _make_file(os.fspath(self._note), _NOTE_TEXT, _PRIVATE)
            self._noted = True


def _is_marked(directory: int) -> bool:
    try:
        os.stat(MARK, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _make_file(name: str, data: bytes, mode: int, directory: int | None = None) -> None:
    with suppress(FileExistsError):
        file = os.open(name, _MAKE, mode, dir_fd=directory)
        try:
            os.write(file, data)
            os.fsync(file)
        finally:
            os.close(file)
