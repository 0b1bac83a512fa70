"""Cursors: where a page ended, as text that belongs to one sort and one filter. Pure functions."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b

import msgspec

from tagline.model import PhotoQuery

CURSOR_PATTERN = "^[A-Za-z0-9_-]{16,}$"
_CURSOR = re.compile(CURSOR_PATTERN, re.ASCII)
_CHECK_BYTES = 8


def encode_cursor(query: PhotoQuery, key: bytes) -> str:
    """The cursor behind a photo with this sort key, for the same sort and filter."""
    return urlsafe_b64encode(_check(query, key) + key).decode("ascii").rstrip("=")


def decode_cursor(query: PhotoQuery, cursor: str) -> bytes | None:
    """The sort key in a cursor; None where the cursor is of other parameters, or none at all."""
    if not _CURSOR.fullmatch(cursor):
        return None
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        return None
    check, key = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
    return key if check == _check(query, key) else None


def _check(query: PhotoQuery, key: bytes) -> bytes:
    bound = msgspec.json.encode((query.filter, query.sort, query.descending))
    return blake2b(bound + b"\0" + key, digest_size=_CHECK_BYTES).digest()
