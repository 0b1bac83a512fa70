"""Every error that Tagline raises on purpose.

    TaglineError
    ├── ConfigurationError          a variable or option has a wrong value
    ├── StorageError                the photo directory did not do what was asked
    │   ├── StorageUnavailable      the directory itself is gone, unmounted or unreadable
    │   ├── ObjectNotFound          no such file
    │   ├── ObjectUnreadable        the file is there and cannot be read
    │   ├── UnsafeKey               the key leaves the directory, or is no key at all
    │   ├── ObjectChanged           the file is not the one that the caller saw
    │   ├── ObjectBusy              another program may still be writing the file
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
    │   │   └── InvalidRefreshToken
    │   ├── ExchangedMeanwhile      another page refreshed the session that they share
    │   └── TooManyAttempts         carries the seconds to wait
    ├── EventsLost                  a reader of events was too slow
    ├── ApiTokenError
    │   ├── ApiTokenNotFound
    │   ├── ApiTokenNameTaken
    │   └── TooManyApiTokens
    ├── PhotoNotFound
    ├── ChangeNotFound              the photo's history has no such change
    ├── PhotoModified               ``last_modified`` is not the current one
    ├── PreconditionFailed          ``If-Match`` is not the current entity tag
    └── InvalidValue                a field's value cannot be stored

Errors are values: each carries what it knows as attributes, and ``str(error)`` is a sentence
fit for the person who asked. No message holds a secret, a description or a server path.
"""

from tagline.errors.auth import (
    ApiTokenError,
    ApiTokenNameTaken,
    ApiTokenNotFound,
    AuthError,
    ExchangedMeanwhile,
    InvalidPassword,
    InvalidRefreshToken,
    InvalidToken,
    TooManyApiTokens,
    TooManyAttempts,
)
from tagline.errors.index import (
    EventsLost,
    IndexDamaged,
    IndexFailure,
    IndexLocked,
    IndexUnavailable,
)
from tagline.errors.photos import (
    PHOTO_NOT_FOUND,
    ChangeNotFound,
    EditRefused,
    InvalidValue,
    MetadataError,
    PhotoModified,
    PhotoNotFound,
    PictureError,
    PictureRefused,
    PicturesBusy,
    PreconditionFailed,
)
from tagline.errors.root import Cause, ConfigurationError, TaglineError
from tagline.errors.storage import (
    Awaited,
    ObjectBusy,
    ObjectChanged,
    ObjectError,
    ObjectNotFound,
    ObjectUnreadable,
    StorageError,
    StorageFull,
    StorageReadOnly,
    StorageUnavailable,
    UnsafeKey,
)

__all__ = [
    "PHOTO_NOT_FOUND",
    "ApiTokenError",
    "ApiTokenNameTaken",
    "ApiTokenNotFound",
    "AuthError",
    "Awaited",
    "Cause",
    "ChangeNotFound",
    "ConfigurationError",
    "EditRefused",
    "EventsLost",
    "ExchangedMeanwhile",
    "IndexDamaged",
    "IndexFailure",
    "IndexLocked",
    "IndexUnavailable",
    "InvalidPassword",
    "InvalidRefreshToken",
    "InvalidToken",
    "InvalidValue",
    "MetadataError",
    "ObjectBusy",
    "ObjectChanged",
    "ObjectError",
    "ObjectNotFound",
    "ObjectUnreadable",
    "PhotoModified",
    "PhotoNotFound",
    "PictureError",
    "PictureRefused",
    "PicturesBusy",
    "PreconditionFailed",
    "StorageError",
    "StorageFull",
    "StorageReadOnly",
    "StorageUnavailable",
    "TaglineError",
    "TooManyApiTokens",
    "TooManyAttempts",
    "UnsafeKey",
]
