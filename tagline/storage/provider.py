"""The protocol that every photo storage keeps."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol, Self

from tagline.model.photo import FileState
from tagline.model.source import Data

IsSidecar = Callable[[str], bool]
"""Whether a file of this name is a photo's sidecar, rather than an original."""


class StoredObject:
    """One file that a walk met: its object key, its state, and how many hard links it has."""

    __slots__ = ("links", "object_key", "state")

    def __init__(self, object_key: str, state: FileState, links: int = 1) -> None:
        self.object_key = object_key
        self.state = state
        self.links = links


class OpenObject(Protocol):
    """A file held open: what is read is one file, even when another takes its name meanwhile.

    Also a ``ByteSource``. Close it, or use it in a ``with`` statement. Reading is thread-safe.
    """

    @property
    def state(self) -> FileState:
        """State of the open file when it was opened."""
        ...

    @property
    def size(self) -> int:
        """Length in bytes when it was opened."""
        ...

    @property
    def links(self) -> int:
        """Number of hard links when it was opened."""
        ...

    @property
    def writable(self) -> bool:
        """What ``PhotoStorageProvider.writable`` says of it, as it was when it was opened."""
        ...

    @property
    def editable(self) -> bool:
        """What ``PhotoStorageProvider.editable`` says of it, as it was when it was opened."""
        ...

    @property
    def takes_sidecars(self) -> bool:
        """What ``PhotoStorageProvider.takes_sidecars`` says of it, as it was when it was opened."""
        ...

    def is_being_written(self) -> bool:
        """Whether another program is known to have the file open for writing now.

        False proves nothing: not every writer can be seen.
        """
        ...

    @property
    def file(self) -> BinaryIO:
        """The file object, for sending by ``sendfile`` (only a real file has a descriptor)."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``; fewer only at the end of the file.

        Raises:
            ObjectUnreadable: an input/output error.
        """
        ...

    def close(self) -> None:
        """Close the file; further calls do nothing."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


class PhotoStorageProvider(Protocol):
    """A tree of files, addressed by object keys. Every method blocks and is thread-safe.

    Every method that takes a key raises ``UnsafeKey`` for one that is absolute, empty where a file
    is meant, holds NUL, ``.`` or ``..`` parts, a lone surrogate or an over-long name, or leads out
    of the tree through a symbolic link; and ``StorageUnavailable`` when the tree itself is gone.
    """

    @property
    def unreadable(self) -> frozenset[str]:
        """Keys of the directories that the last finished walk over each could not read wholly.

        What a walk did not see in or below them may still be there: nothing is to be forgotten.
        """
        ...

    @property
    def incarnation(self) -> int:
        """Another number when another tree stands for this one, as a disk mounted over it does."""
        ...

    def check(self) -> None:
        """Return when the tree is there and can be listed.

        Raises:
            StorageUnavailable: it is not.
        """
        ...

    def walk(self, directory: str = "", *, recursive: bool = True) -> Iterator[StoredObject]:
        """Every regular file below (or directly in) a directory that no rule ignores.

        Symbolic links are followed while they stay inside the tree and are no loop. Directories
        that cannot be read are passed over, and then reported by ``unreadable``. A walk that loses
        the tree raises ``StorageUnavailable`` rather than ending early. Order is unspecified; a
        file that vanishes meanwhile is left out. Temporary files of writers that died are removed
        on the way. A directory that is not there has no files.
        """
        ...

    def hidden_news(self) -> Iterator[str]:
        """Keys of files that another one stands for, and that were changed later than that one."""
        ...

    def beneath(self, object_key: str) -> bytes | None:
        """What the file of a key hides, or would once it is written, where that is kept elsewhere.

        Empty where it hides nothing, or nothing that can be read. None where a file of this key is
        written in the place that the key says.
        """
        ...

    def is_directory(self, object_key: str) -> bool:
        """Whether the key names a directory that a walk would enter."""
        ...

    def is_ignored(self, object_key: str) -> bool:
        """Whether a rule hides this key or one of its parents from walks."""
        ...

    def names(self, directory: str, start: str = "") -> list[str]:
        """Names of the files directly in a directory, unsorted and without those ignored.

        Cheap: files are not looked at one by one. A directory that is not there has no files.

        Args:
            directory: its key.
            start: only names that begin so, which is cheaper still where that are few of many.

        Raises:
            ObjectUnreadable: the directory is there and cannot be listed.
        """
        ...

    def stat(self, object_key: str) -> StoredObject:
        """State of one file.

        Raises:
            ObjectNotFound: no regular file has this key, or a rule ignores it.
        """
        ...

    def open(self, object_key: str) -> OpenObject:
        """Open one file for reading.

        Raises:
            ObjectNotFound: no regular file has this key, or a rule ignores it.
            ObjectUnreadable: it is there and cannot be read.
        """
        ...

    def replace(
        self, object_key: str, data: Data, expected: FileState | None, *, like: str | None = None
    ) -> StoredObject:
        """Make ``data`` the whole content of a file, atomically and durably; return its new state.

        The new file is written beside the old one, read back and compared, fsynced, given the mode,
        owner and extended attributes of the old one (of ``like`` for a new file), and takes its
        place without overwriting what another program puts there; the directory is fsynced. On any
        error the old file stands and no temporary file stays.

        An original that cannot be replaced so is not replaced. A sidecar is, as well as can be.

        Args:
            object_key: the file; a symbolic link is resolved first, never replaced.
            data: the new content; one that is read in pieces is never held whole.
            expected: the state that the file must still have at the rename; None when there must
                be no file yet.
            like: key of the file whose mode and owner a new file takes.

        Raises:
            ObjectChanged: the file's state is not the expected one.
            ObjectBusy: another program has the file open for writing.
            ObjectNotFound: a state is expected and the file is gone; or the directory is not there,
                a rule ignores the key, or ``like`` is not there.
            StorageReadOnly: not allowed to write; or an original cannot be replaced here without
                danger for other programs' files, then ``beside`` says that a sidecar can be made.
            StorageFull: no space.
            ObjectUnreadable: any other input/output error.
        """
        ...

    def remove(self, object_key: str, expected: FileState) -> None:
        """Delete a file durably (of a symbolic link, what it shows); the errors of ``replace``."""
        ...

    def move(self, object_key: str, new_key: str, expected: FileState) -> StoredObject:
        """Rename a file durably; ``new_key`` must not exist; the errors of ``replace``."""
        ...

    def writable(self, object_key: str) -> bool:
        """Whether a file could be replaced: it, its directory and its mount can be written.

        False for an original once a write has found that its mount cannot replace it safely.

        Raises:
            ObjectUnreadable: an input/output error: nobody can tell.
        """
        ...

    def editable(self, object_key: str) -> bool:
        """Whether an edit of a photo could be kept: in the file, or in sidecars.

        Raises:
            ObjectUnreadable: an input/output error: nobody can tell.
        """
        ...

    def takes_sidecars(self, object_key: str) -> bool:
        """Whether new sidecars of a photo could be made, wherever they are kept.

        Raises:
            ObjectUnreadable: an input/output error: nobody can tell.
        """
        ...
