"""What cannot be done with a photo, its metadata or its pictures."""

from datetime import timedelta

from tagline.errors.root import TaglineError, in_seconds

PHOTO_NOT_FOUND = "Photo not found: the id is wrong, or the photo is gone; list the photos again."


class MetadataError(TaglineError):
    """Metadata could not be read or written."""


class EditRefused(MetadataError):
    """The file cannot be edited provably safely; ``reason`` is a short phrase that says why.

    Where no other place can take the value either, the phrase says what to do about it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"Nothing was written: {reason}.")
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
        super().__init__(
            f"Too many pictures are being made now; try again {in_seconds(retry_after)}."
        )
        self.retry_after = retry_after


class PhotoNotFound(TaglineError):
    """No photo has this id."""

    def __init__(self, photo_id: str) -> None:
        super().__init__(PHOTO_NOT_FOUND)
        self.photo_id = photo_id


class ChangeNotFound(TaglineError):
    """The photo's history has no change of this number: it never had, or it was too old."""

    def __init__(self, photo_id: str, n: int) -> None:
        super().__init__(
            "The photo's history has no such change, or no longer; look at the history again."
        )
        self.photo_id = photo_id
        self.n = n


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
        super().__init__(
            "Nothing was written: the photo has changed since, or the entity tag sent is a weak "
            "one (W/), as some proxies make it. Look at the photo again, and send the change with "
            "the `etag` that it has now, in quotes."
        )
        self.actual = actual


class InvalidValue(TaglineError):
    """A field's value cannot be stored; ``field`` names it, ``fault`` says why."""

    def __init__(self, field: str, fault: str) -> None:
        super().__init__(f"{field}: {fault}")
        self.field = field
        self.fault = fault
