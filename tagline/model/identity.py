"""Photo ids and entity tags: pure functions of what is on disk."""

import uuid
from functools import lru_cache
from hashlib import blake2b

import msgspec

from tagline.model.photo import Photo

FINGERPRINT_VERSION = 1
"""Version of the fingerprint recipe; part of every fingerprint."""

NAMESPACE = uuid.UUID("fe3f1642-001d-5f0e-982f-35d6170c4645")
"""Namespace of every photo id (RFC 9562, 5.5): the UUIDv5 of the DNS name ``tagline``."""


@lru_cache(maxsize=1024)  # a scan asks several times for each
def photo_id(fingerprint: str) -> str:
    """Id of a photo: a UUIDv5 of its content fingerprint."""
    return str(uuid.uuid5(NAMESPACE, fingerprint))


def copy_id(fingerprint: str, object_key: str) -> str:
    """Id of a byte-identical copy that is not the first of its kind by object key."""
    return str(uuid.uuid5(NAMESPACE, f"{fingerprint}\0{object_key}"))


def with_etag(photo: Photo, fingerprint: str) -> Photo:
    """The photo with the entity tag of what its JSON says, and of its image data.

    ``last_modified`` and ``writable`` take no part, so that a backup's touch or a chmod fails
    nobody's ``If-Match``; the fingerprint takes part, so that an edit of the pixels does.
    """
    said = msgspec.structs.replace(photo, etag="", last_modified="", writable=True)
    digest = blake2b(msgspec.json.encode((fingerprint, said)), digest_size=12)
    return msgspec.structs.replace(photo, etag=digest.hexdigest())
