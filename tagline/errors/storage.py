"""What the photo directory did not do."""

from datetime import timedelta
from typing import Literal

from tagline.errors.root import TaglineError

Awaited = Literal["writer", "stillness", "completeness"]
"""What an edit waits for: that nobody has the file open for writing any more, that its size and
modification time stay as they are, or that all of it is there."""


class StorageError(TaglineError):
    """The photo directory did not do what was asked."""


class StorageUnavailable(StorageError):
    """The photo directory is gone, unmounted or unreadable."""

    def __init__(
        self, reason: str = "The photo directory is not available; try again later."
    ) -> None:
        super().__init__(reason)


class ObjectError(StorageError):
    """An error about one object; ``object_key`` names it."""

    def __init__(self, object_key: str, message: str) -> None:
        super().__init__(message)
        self.object_key = object_key


class ObjectNotFound(ObjectError):
    """There is no file with this key."""

    def __init__(self, object_key: str) -> None:
        super().__init__(
            object_key,
            "There is no such file in the photo directory; look where it was moved to.",
        )


class ObjectUnreadable(ObjectError):
    """The file is there and cannot be read (permission, input/output error)."""

    def __init__(self, object_key: str, reason: str) -> None:
        super().__init__(object_key, f"The file cannot be read: {reason}.")
        self.reason = reason


class UnsafeKey(ObjectError):
    """The key leaves the photo directory, or is no key at all."""

    def __init__(self, object_key: str, reason: str) -> None:
        super().__init__(object_key, f"Not a key in the photo directory: {reason}.")
        self.reason = reason


class ObjectChanged(ObjectError):
    """The file is not the one that the caller saw; nothing was written."""

    def __init__(self, object_key: str) -> None:
        super().__init__(
            object_key,
            "Another program changed the file meanwhile; nothing was written. Look at the photo "
            "again, and repeat the request.",
        )


class ObjectBusy(ObjectError):
    """Another program may still be writing the file; nothing was written.

    Args:
        object_key: the file, a photo or a sidecar.
        awaited: what was waited for in vain.
        sentence: says that, and what to do, to a person.
        retry_after: when to try again.
    """

    def __init__(
        self,
        object_key: str,
        awaited: Awaited,
        sentence: str,
        retry_after: timedelta = timedelta(seconds=10),
    ) -> None:
        super().__init__(object_key, sentence)
        self.awaited: Awaited = awaited
        self.retry_after = retry_after


class StorageReadOnly(ObjectError):
    """Writing is not allowed here (read-only mount, permissions); ``where`` names the directory.

    ``beside`` says that a sidecar of the file could be written all the same.
    """

    def __init__(
        self, object_key: str, where: str = "photo directory", *, beside: bool = False
    ) -> None:
        super().__init__(
            object_key,
            f"The {where} cannot be written: check its permissions and mount options.",
        )
        self.beside = beside


class StorageFull(ObjectError):
    """No space left, or over quota; nothing was written. ``where`` names the directory."""

    def __init__(self, object_key: str, where: str = "photo directory") -> None:
        super().__init__(
            object_key,
            f"No space left in the {where}; nothing was written. Make room there, and try again.",
        )
