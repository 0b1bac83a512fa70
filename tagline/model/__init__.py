"""Frozen values and the pure rules about them; the lowest layer but the errors."""

from tagline.model.change import MetadataChange, Precondition
from tagline.model.history import (
    Actor,
    Cause,
    HistoryPage,
    Intended,
    PastChange,
    PendingChange,
)
from tagline.model.identity import FINGERPRINT_VERSION, copy_id, photo_id, with_etag
from tagline.model.photo import (
    DescriptionSource,
    FileState,
    Gps,
    IndexedFile,
    IndexedPhoto,
    Metadata,
    Photo,
    Stamp,
    stamp_of,
)
from tagline.model.query import Page, PhotoFilter, PhotoQuery, Sort
from tagline.model.source import ByteSource, BytesSource, Data, bytes_of, same_data, source_of

__all__ = [
    "FINGERPRINT_VERSION",
    "Actor",
    "ByteSource",
    "BytesSource",
    "Cause",
    "Data",
    "DescriptionSource",
    "FileState",
    "Gps",
    "HistoryPage",
    "IndexedFile",
    "IndexedPhoto",
    "Intended",
    "Metadata",
    "MetadataChange",
    "Page",
    "PastChange",
    "PendingChange",
    "Photo",
    "PhotoFilter",
    "PhotoQuery",
    "Precondition",
    "Sort",
    "Stamp",
    "bytes_of",
    "copy_id",
    "photo_id",
    "same_data",
    "source_of",
    "stamp_of",
    "with_etag",
]
