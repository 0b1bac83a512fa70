"""The files of one edit: written one after the other, and put back when one cannot be."""

import contextlib
from collections.abc import Mapping

import msgspec

from tagline.errors import (
    EditRefused,
    ObjectChanged,
    ObjectUnreadable,
    StorageError,
    StorageUnavailable,
    UnsafeKey,
)
from tagline.metadata import Edit
from tagline.model import Data, FileState, IndexedFile, same_data
from tagline.model.keys import directory_of, join, name_of
from tagline.storage import PhotoStorageProvider

ATTEMPTS = 200
"""So often a file is written again because somebody gave it another change time meanwhile."""


class _File(msgspec.Struct, frozen=True):
    """A file as it is now, as far as we know."""

    key: str
    data: Data | None
    state: FileState | None


class Replacer:
    """Writes the files of one edit; every method blocks.

    A chmod, a link or an extended attribute gives a file another change time and no other content.
    Where no more than that came between, the content is compared, and the file written again.

    ``states`` are those of the photo's files, as they were or as they were written. ``undone``
    tells after an error whether all files are known to say what they said.

    Args:
        storage: where they are.
        files: the photo and its sidecars as they were read.
        contents: what those of them hold that may be written, by key.
    """

    def __init__(
        self,
        storage: PhotoStorageProvider,
        files: tuple[IndexedFile, ...],
        contents: Mapping[str, Data | None],
    ) -> None:
        self._storage = storage
        self._photo_key = files[0].object_key
        self._contents = contents
        self.states = {file.object_key: file.state for file in files}
        self.undone = True

    def write(self, edit: Edit) -> None:
        """Write the sidecars, then the photo; on an error put back what was written already.

        The photo comes last, so that whatever fails before it leaves it untouched.

        Raises:
            EditRefused: a sidecar can never be written there.
            StorageError: a file could not be written.
        """
        done: list[tuple[_File, Data | None]] = []
        self.undone = False
        try:
            for name, data in edit.sidecars.items():
                self._replace(join(directory_of(self._photo_key), name), data, done)
            if edit.photo is not None:
                self._replace(self._photo_key, edit.photo, done)
        except StorageError as error:
            self.undone = self._put_back(done) and not _may_have_written(error)
            if isinstance(error, UnsafeKey) and error.object_key != self._photo_key:
                # The photo is there: a link in the sidecar's place leads out, or its name is long.
                name = name_of(error.object_key)
                told = f"its sidecar {name} cannot be written: {error.reason}; rename the photo"
                raise EditRefused(told) from error
            raise

    def _replace(self, key: str, data: Data | None, done: list[tuple[_File, Data | None]]) -> None:
        old = self._contents.get(key)
        try:
            now = self._put(_File(key, old, self.states.get(key)), data)
        except StorageError:
            # The disk may fail when the file has its name already.
            if key != self._photo_key and data is not None:
                placed = self._state_with(key, data)
                if placed is not None:
                    done.append((_File(key, data, placed), old))
            raise
        done.append((now, old))
        self.states.pop(key, None)
        if now.state is not None:
            self.states[key] = now.state

    def _put_back(self, done: list[tuple[_File, Data | None]]) -> bool:
        """Write what was there before; whether that could be done.

        What could not shows as a disagreement between places in ``verify``.
        """
        complete = True
        for now, old in reversed(done):
            try:
                self._put(now, old)
            except StorageError:
                complete = False
        return complete

    def _put(self, file: _File, data: Data | None) -> _File:
        """Replace, create or delete one file; return it as it is afterwards."""
        for _ in range(ATTEMPTS):
            try:
                return _File(file.key, data, self._put_once(file, data))
            except ObjectChanged:
                file = _File(file.key, file.data, self._touched(file))
                if file.state is None:
                    raise
        return _File(file.key, data, self._put_once(file, data))

    def _put_once(self, file: _File, data: Data | None) -> FileState | None:
        if data is not None:
            return self._storage.replace(file.key, data, file.state, like=self._photo_key).state
        if file.state is not None:
            self._storage.remove(file.key, file.state)
        return None

    def _touched(self, file: _File) -> FileState | None:
        """The state of a file that got another change time alone."""
        if file.state is None or file.data is None:
            return None
        now = self._state_with(file.key, file.data)
        return now if now is not None and file.state.is_touched(now) else None

    def _state_with(self, key: str, data: Data) -> FileState | None:
        """The state of a file if it holds just that."""
        with contextlib.suppress(StorageError), self._storage.open(key) as opened:
            if same_data(opened, data):
                return opened.state
        return None


def _may_have_written(error: StorageError) -> bool:
    """Whether a disk that failed so may have the new file already."""
    return isinstance(error, ObjectUnreadable | StorageUnavailable)
