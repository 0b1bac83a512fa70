"""Frozen values and the pure rules about them; the lowest layer but the errors."""

from tagline.model.change import MetadataChange, Precondition
from tagline.model.history import Actor, Cause, HistoryPage, PastChange
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
from tagline.model.source import ByteSource, BytesSource

__all__ = [
    "FINGERPRINT_VERSION",
    "Actor",
    "ByteSource",
    "BytesSource",
    "Cause",
    "DescriptionSource",
    "FileState",
    "Gps",
    "HistoryPage",
    "IndexedFile",
    "IndexedPhoto",
    "Metadata",
    "MetadataChange",
    "Page",
    "PastChange",
    "Photo",
    "PhotoFilter",
    "PhotoQuery",
    "Precondition",
    "Sort",
    "Stamp",
    "copy_id",
    "photo_id",
    "stamp_of",
    "with_etag",
]
