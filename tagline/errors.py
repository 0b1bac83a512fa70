"""Every error that Tagline raises on purpose.

    TaglineError
    ├── ConfigurationError          a variable or option has a wrong value
    ├── StorageError                the photo directory did not do what was asked
    │   ├── StorageUnavailable      the directory itself is gone, unmounted or unreadable
    │   ├── ObjectNotFound          no such file
    │   ├── ObjectUnreadable        the file is there and cannot be read
    │   ├── UnsafeKey               the key leaves the directory, or is no key at all
    │   ├── ObjectChanged           the file is not the one that the caller saw
    │   ├── StorageReadOnly         writing is not allowed here
    │   └── StorageFull             no space, or over quota
    ├── MetadataError
    │   └── EditRefused             the file cannot be edited provably safely
    ├── PictureError                a photo's thumbnail or preview was not made
    │   ├── PictureRefused          and will not be, while the file stays as it is
    │   └── PicturesBusy            carries the seconds to wait
    ├── IndexFailure
    │   ├── IndexLocked             another process holds the index
    │   ├── IndexUnavailable        its file cannot be read or written (no space, permissions)
    │   └── IndexDamaged            the file on disk cannot be trusted
    ├── AuthError
    │   ├── InvalidPassword
    │   ├── InvalidToken            missing, expired, forged, revoked or reused
    │   └── TooManyAttempts         carries the seconds to wait
    ├── PhotoNotFound
    ├── PhotoModified               ``last_modified`` is not the current one
    ├── PreconditionFailed          ``If-Match`` is not the current entity tag
    └── InvalidValue                a field's value cannot be stored

Errors are values: each carries what it knows as attributes, and ``str(error)`` is a sentence
fit for the person who asked. No message holds a secret, a description or a server path.
"""

from datetime import timedelta


class TaglineError(Exception):
    """The root of the tree."""


class ConfigurationError(TaglineError):
    """A variable or option has a wrong value."""

    def __init__(self, variable: str, fault: str) -> None:
        super().__init__(f"{variable}: {fault}")
        self.variable = variable
        self.fault = fault


class StorageError(TaglineError):
    """The photo directory did not do what was asked."""


class StorageUnavailable(StorageError):
    """The photo directory is gone, unmounted or unreadable."""

    def __init__(self, reason: str = "The photo directory is not available.") -> None:
        super().__init__(reason)


class ObjectError(StorageError):
    """An error about one object; ``object_key`` names it."""

    def __init__(self, object_key: str, message: str) -> None:
        super().__init__(message)
        self.object_key = object_key


class ObjectNotFound(ObjectError):
    """There is no file with this key."""

    def __init__(self, object_key: str) -> None:
        super().__init__(object_key, "There is no such file in the photo directory.")


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
        super().__init__(object_key, "The file was changed meanwhile; nothing was written.")


class StorageReadOnly(ObjectError):
    """Writing is not allowed here (read-only mount, permissions)."""

    def __init__(self, object_key: str) -> None:
        super().__init__(
            object_key,
            "The photo directory cannot be written: check its permissions and mount options.",
        )


class StorageFull(ObjectError):
    """No space left, or over quota; nothing was written."""

    def __init__(self, object_key: str) -> None:
        super().__init__(object_key, "No space left in the photo directory; nothing was written.")


class MetadataError(TaglineError):
    """Metadata could not be read or written."""


class EditRefused(MetadataError):
    """The file cannot be edited provably safely; ``reason`` is a short phrase that says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PictureError(TaglineError):
    """A photo's thumbnail or preview was not made."""


class PictureRefused(PictureError):
    """No picture can be made while the file stays as it is.

    ``reason`` is ``unsupported``, ``damaged``, ``too_large`` or ``too_costly``; ``sentence`` says
    it to a person.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


class PicturesBusy(PictureError):
    """Too many pictures are asked for at once; try again after ``retry_after``."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__("Too many pictures are being made now; try again later.")
        self.retry_after = retry_after


class IndexFailure(TaglineError):
    """The index or the token store did not do what was asked."""


class IndexLocked(IndexFailure):
    """Another process holds the file; ``holder`` describes it when that is known."""

    def __init__(self, name: str, holder: str | None) -> None:
        by = holder or "another process"
        super().__init__(f"{name} is in use by {by}; stop it, or choose another DATABASE_URL.")
        self.holder = holder


class IndexUnavailable(IndexFailure):
    """The file cannot be read or written; nothing was changed. ``reason`` says why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} cannot be read or written: {reason}.")
        self.reason = reason


class IndexDamaged(IndexFailure):
    """The file on disk cannot be trusted; ``reason`` says what is wrong with it."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} is damaged: {reason}.")
        self.reason = reason


class AuthError(TaglineError):
    """The caller is not who they need to be."""


class InvalidPassword(AuthError):
    """The password is wrong."""

    def __init__(self) -> None:
        super().__init__("Invalid password")


class InvalidToken(AuthError):
    """A token is missing, expired, forged, revoked or reused."""

    def __init__(self, message: str = "Invalid or expired access token") -> None:
        super().__init__(message)


class TooManyAttempts(AuthError):
    """Too many wrong passwords; try again after ``retry_after``."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__("Too many attempts; try again later.")
        self.retry_after = retry_after


class PhotoNotFound(TaglineError):
    """No photo has this id."""

    def __init__(self, photo_id: str) -> None:
        super().__init__("Photo not found")
        self.photo_id = photo_id


class PhotoModified(TaglineError):
    """The caller's ``last_modified`` is not the file's."""

    def __init__(self, expected: str, actual: str, etag: str) -> None:
        super().__init__("Photo has been modified since last retrieval")
        self.expected = expected
        self.actual = actual
        self.etag = etag


class PreconditionFailed(TaglineError):
    """The caller's ``If-Match`` does not name the current entity tag."""

    def __init__(self, actual: str) -> None:
        super().__init__("The photo has changed: its entity tag matches none in If-Match.")
        self.actual = actual


class InvalidValue(TaglineError):
    """A field's value cannot be stored; ``field`` names it, ``fault`` says why."""

    def __init__(self, field: str, fault: str) -> None:
        super().__init__(f"{field}: {fault}")
        self.field = field
        self.fault = fault
