"""A table of files in memory that changes as a file system does."""

from collections.abc import Callable, Sequence
from itertools import count

from tagline.errors import ObjectNotFound
from tagline.model.keys import directory_of
from tagline.model.photo import FileState


class MemoryFile:
    """Content and state of one file; immutable by convention, so that readers may keep it."""

    __slots__ = ("data", "state")

    def __init__(self, data: bytes, state: FileState) -> None:
        self.data = data
        self.state = state


class MemoryFiles:
    """Files and directories by key; not thread-safe.

    Args:
        clock: gives the time in nanoseconds.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._inodes = count(1)
        self.files: dict[str, MemoryFile] = {}
        self.directories = {""}

    def put(self, object_key: str, data: bytes) -> MemoryFile:
        """Write a file, in place where there is one; its directories are made."""
        old = self.files.get(object_key)
        self.make_directories(directory_of(object_key))
        return self._store(object_key, data, old.state.inode if old else next(self._inodes))

    def replace(self, object_key: str, data: bytes) -> MemoryFile:
        """Let a new file take the key."""
        return self._store(object_key, data, next(self._inodes))

    def rename(self, object_key: str, new_key: str) -> MemoryFile | None:
        """Rename a file, which is returned, or a directory; what had the new key is gone.

        Raises:
            ObjectNotFound: there is neither.
        """
        moved = self.below(object_key)
        if not moved:
            raise ObjectNotFound(object_key)
        taken = {key: self.files.pop(key) for key in moved if key in self.files}
        self.drop([*moved, *self.below(new_key)])
        self.make_directories(directory_of(new_key))
        for key in moved:
            target = new_key + key[len(object_key) :]
            if key in taken:
                self.files[target] = taken[key]
            else:
                self.directories.add(target)
        return self._note_renaming(new_key) if new_key in self.files else None

    def below(self, object_key: str) -> list[str]:
        """The key itself and all keys below it, of files and directories."""
        return [
            key
            for key in (*self.files, *self.directories)
            if key == object_key or key.startswith(f"{object_key}/")
        ]

    def drop(self, keys: Sequence[str]) -> None:
        """Forget files and directories."""
        for key in keys:
            self.files.pop(key, None)
            self.directories.discard(key)

    def make_directories(self, directory: str) -> None:
        """Make a directory and those above it."""
        while directory:
            self.directories.add(directory)
            directory = directory_of(directory)

    def _store(self, object_key: str, data: bytes, inode: int) -> MemoryFile:
        now = self._clock()
        file = MemoryFile(bytes(data), FileState(inode, len(data), now, now))
        self.files[object_key] = file
        return file

    def _note_renaming(self, object_key: str) -> MemoryFile:
        """Renaming changes a file's change time, as it does on most file systems."""
        old = self.files[object_key]
        state = FileState(old.state.inode, old.state.size, old.state.mtime_ns, self._clock())
        self.files[object_key] = MemoryFile(old.data, state)
        return self.files[object_key]
