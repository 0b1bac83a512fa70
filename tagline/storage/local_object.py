"""A file of a directory of this machine, held open."""

import os
from contextlib import suppress
from typing import BinaryIO, Self

from tagline.storage import atomic
from tagline.storage.faults import close_read, is_stale
from tagline.storage.leases import is_open_for_writing
from tagline.storage.tree import Tree, state_of


class LocalObject:
    """A file of a ``LocalStorage`` held open; see ``OpenObject``."""

    def __init__(self, tree: Tree, object_key: str, opened: atomic.Opened) -> None:
        self._tree = tree
        self._object_key = object_key
        self._descriptor = opened.file
        self._file: BinaryIO | None = None
        self.state = state_of(opened.status)
        self.size = opened.status.st_size
        self.links = opened.status.st_nlink
        self.writable = opened.replaceable
        self.editable = opened.permitted
        self.takes_sidecars = opened.takes_files

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def is_being_written(self) -> bool:
        """Whether another program is known to have the file open for writing now."""
        return is_open_for_writing(self._descriptor)

    @property
    def file(self) -> BinaryIO:
        """The file object, with a descriptor that ``sendfile`` can use."""
        if self._file is None:  # most objects are only read from by position
            self._file = os.fdopen(self._descriptor, "rb")
        return self._file

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``, of the bytes that were there when it was opened.

        Any numbers are allowed: what lies outside the file is not there. Thread-safe.

        Raises:
            ObjectUnreadable: an input/output error.
        """
        length = min(length, self.size - offset)
        if offset < 0 or length <= 0:
            return b""
        try:
            data = os.pread(self._descriptor, length, offset)
        except OSError as error:
            data = self._read_again(error, offset, length)
        if 0 < len(data) < length:  # the system reads at most 2 GiB at once
            data += self.read_at(offset + len(data), length - len(data))
        return data

    def _read_again(self, error: OSError, offset: int, length: int) -> bytes:
        """Read by another descriptor, once, where the system holds this one to be out of date."""
        with self._tree.root.faults(self._object_key):
            if not is_stale(error):
                raise error
            with self._tree.spot(self._object_key) as spot, atomic.opened(spot) as file:
                if state_of(os.fstat(file)) != self.state:
                    raise error
                os.dup2(file, self._descriptor, inheritable=False)
            return os.pread(self._descriptor, length, offset)

    def close(self) -> None:
        """Close the file; further calls do nothing."""
        if self._file is not None:
            with suppress(OSError):  # as for ``close_read``
                self._file.close()
        elif self._descriptor >= 0:
            close_read(self._descriptor)
        self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
