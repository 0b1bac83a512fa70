"""An index row as two TinyDB documents under the photo's id: pure functions.

The table ``photos`` holds the photo exactly as clients get it, so that a page is served by looking
up bytes. The table ``files`` holds what a reconcile compares; it is small and quickly read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from tagline.index.encoded import encode_document
from tagline.index.protocol import IndexedState
from tagline.model import FINGERPRINT_VERSION, IndexedFile, IndexedPhoto, Photo, photo_id

CONTENT = f"photos 2, fingerprints {FINGERPRINT_VERSION}"
"""The schema of the documents. Change it, and indexes of the old one are built anew."""

_ID_AT = len('{"id":"')
_ID_END = _ID_AT + 36
_KEY_AT = _ID_END + len('","object_key":"')
_BETWEEN = b'","object_key":"'
_QUOTE = ord('"')  # bytes are searched for a number in half the time
_BACKSLASH = ord("\\")


class FilesRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The document in ``files``.

    ``other_id`` is true, and only then written, when the photo's id is not that of its
    fingerprint: it is a copy, or its image data was edited since the id was given.
    """

    fingerprint: str
    files: tuple[IndexedFile, ...]
    adopted: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    other_id: bool = False


class _Name(msgspec.Struct):
    id: str
    object_key: str


decode_photo = msgspec.json.Decoder(Photo).decode
decode_files = msgspec.json.Decoder(FilesRow).decode
_decode_name: Callable[[bytes], _Name] = msgspec.json.Decoder(_Name).decode


def encode_row(row: IndexedPhoto) -> tuple[bytes, bytes]:
    """The documents in ``photos`` and ``files``.

    Raises:
        ValueError: the first of the row's files is not the photo.
    """
    if not row.files or row.files[0].object_key != row.photo.object_key:
        raise ValueError("the first file of an index row is the photo itself")
    other_id = row.photo.id != photo_id(row.fingerprint)
    files = FilesRow(
        fingerprint=row.fingerprint,
        files=row.files,
        adopted=row.adopted,
        stale=row.stale,
        other_id=other_id,
    )
    return encode_document(row.photo), encode_document(files)


def has_other_id(files: bytes) -> bool:
    """The member ``other_id`` of a document in ``files``, without decoding it."""
    return files.endswith(b"true}")


def ids_with_other_id(files: Mapping[str, bytes]) -> list[str]:
    """The ids of all documents in ``files`` with ``has_other_id``."""
    return [i for i, raw in files.items() if raw.endswith(b"true}")]


def state_of(photo_id: str, files: bytes) -> IndexedState:
    """The part of a row that a reconcile compares."""
    row = decode_files(files)
    return IndexedState(
        id=photo_id,
        object_key=row.files[0].object_key,
        fingerprint=row.fingerprint,
        files=row.files,
        adopted=row.adopted,
        stale=row.stale,
    )


def sort_key(photo: bytes) -> bytes:
    """What a document in ``photos`` is sorted by: object key, NUL, id, in UTF-8.

    UTF-8 sorts by code point, and NUL, which no object key holds, before everything else. The
    members lie where ``Photo`` puts them unless an id is no UUID or the key has an escape in it.
    """
    if photo[_ID_END:_KEY_AT] == _BETWEEN:
        key = photo[_KEY_AT : photo.find(_QUOTE, _KEY_AT)]
        if _BACKSLASH not in key:
            return key + b"\0" + photo[_ID_AT:_ID_END]
    name = _decode_name(photo)
    return f"{name.object_key}\0{name.id}".encode()


def ascend(photos: Iterable[bytes]) -> bool:
    """Whether documents come in the order of ``sort_key``; false also where that is not plain.

    Object keys that ascend tell that by themselves, and are forgotten as they are read.
    """
    last = b""
    for photo in photos:
        key = photo[_KEY_AT : photo.find(_QUOTE, _KEY_AT)]
        if key <= last or _BACKSLASH in key or photo[_ID_END:_KEY_AT] != _BETWEEN:
            return False
        last = key
    return True


def sort_keys(photos: Iterable[bytes]) -> Iterator[bytes]:
    """``sort_key`` of many documents, in half the time: there may be a million at the start."""
    for photo in photos:
        end = photo.find(_QUOTE, _KEY_AT)
        key = photo[_KEY_AT:end]
        if _BACKSLASH not in key and photo[_ID_END:_KEY_AT] == _BETWEEN:
            yield key + b"\0" + photo[_ID_AT:_ID_END]
        else:
            yield sort_key(photo)
