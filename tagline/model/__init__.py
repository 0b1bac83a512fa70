"""Frozen values and the pure rules about them; the lowest layer but the errors."""

from tagline.model.change import MetadataChange, Precondition
from tagline.model.identity import FINGERPRINT_VERSION, copy_id, photo_id, with_etag
from tagline.model.photo import (
    DescriptionSource,
    FileState,
    Gps,
    IndexedFile,
    IndexedPhoto,
    Metadata,
    Photo,
)
from tagline.model.query import Page, PhotoQuery
from tagline.model.source import ByteSource, BytesSource

__all__ = [
    "FINGERPRINT_VERSION",
    "ByteSource",
    "BytesSource",
    "DescriptionSource",
    "FileState",
    "Gps",
    "IndexedFile",
    "IndexedPhoto",
    "Metadata",
    "MetadataChange",
    "Page",
    "Photo",
    "PhotoQuery",
    "Precondition",
    "copy_id",
    "photo_id",
    "with_etag",
]
