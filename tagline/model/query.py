"""What is asked of the index, and what it answers."""

import msgspec


class PhotoQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a page of photos in the order of their object keys."""

    limit: int = 100
    offset: int = 0


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of photos: ``items`` is each photo's JSON, as stored."""

    total: int
    limit: int
    offset: int
    items: tuple[bytes, ...]
