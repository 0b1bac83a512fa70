"""What the photo directory did not do."""

from tagline.errors.root import TaglineError


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
