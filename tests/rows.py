"""Rows of an index, made up."""

from tagline.model import FileState, IndexedFile, IndexedPhoto, Metadata, Photo, photo_id


def make_row(number: int, object_key: str | None = None, **changes: object) -> IndexedPhoto:
    """A row that follows from its number, its key and the given changes to the photo."""
    fingerprint = f"1:{number:032x}"
    key = object_key if object_key is not None else f"{number % 7}/IMG_{number:04d}.jpg"
    fields: dict[str, object] = {
        "id": photo_id(fingerprint),
        "object_key": key,
        "metadata": Metadata(),
        "last_modified": "2024-01-01T00:00:00.000000Z",
        "media_type": "image/jpeg",
        "size": number,
        "stored_in": (),
        "description_sources": (),
        "writable": True,
        "etag": f"{number:024x}",
    }
    unset = ("width", "height", "orientation", "taken_at", "taken_at_offset")
    unset += ("camera", "make", "model", "lens", "gps", "problem")
    fields = dict.fromkeys(unset) | fields | changes
    state = FileState(inode=number, size=number, mtime_ns=number, ctime_ns=number)
    return IndexedPhoto(
        photo=Photo(**fields),  # type: ignore[arg-type]
        fingerprint=fingerprint,
        files=(IndexedFile(object_key=key, state=state),),
    )
