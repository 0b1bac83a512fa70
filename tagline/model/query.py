"""What is asked of the index, and what it answers."""

from collections.abc import Sequence
from enum import Enum
from typing import TypeVar

import msgspec

Item = TypeVar("Item")


class Sort(Enum):
    """What photos are sorted by; equal ones by object key, then by id."""

    OBJECT_KEY = "object_key"
    TAKEN_AT = "taken_at"
    LAST_MODIFIED = "last_modified"


class PhotoFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which photos are asked for: those that meet every condition that is not None or empty.

    - ``terms``: as ``words.terms_of`` makes them; each is in the photo's words (file name, title,
      description, keywords).
    - ``folder``: the directory that the photo lies below, or, without ``subfolders``, directly in;
      ``""`` is the photo directory itself.
    - ``described``: whether there is a description.
    - ``taken_from``, ``taken_before``: numbers of moments (``moments``); within are photos taken at
      or after the first, and before the second. A photo without a date is never within.
    - ``rating_min``: a photo without a rating has less than any.
    - ``keyword``: folded as by ``words.fold_keyword``; one of the photo's keywords is that, folded.
    - ``media_type``: in lower case; ``image/*`` stands for every type that begins so.
    """

    terms: tuple[str, ...] = ()
    folder: str | None = None
    subfolders: bool = True
    described: bool | None = None
    taken_from: int | None = None
    taken_before: int | None = None
    rating_min: int | None = None
    keyword: str | None = None
    media_type: str | None = None


EVERYTHING = PhotoFilter()


class PhotoQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a page of photos.

    ``after`` is the sort key behind which the page begins (``Page.next_key`` of the page before
    it), in place of ``offset``. ``descending`` turns every comparison around, but photos without a
    ``taken_at`` come last in either direction.
    """

    limit: int = 100
    offset: int = 0
    after: bytes | None = None
    filter: PhotoFilter = EVERYTHING
    sort: Sort = Sort.OBJECT_KEY
    descending: bool = False


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of photos: ``items`` is each photo's JSON, as stored.

    ``offset`` counts the photos before the page, ``total`` all that meet the filter. ``next_key``
    is the sort key of the last item when others follow. ``generation`` is that of the index, or an
    older one when it changed while the page was made.
    """

    total: int
    limit: int
    offset: int
    ids: tuple[str, ...]
    items: tuple[bytes, ...]
    next_key: bytes | None
    generation: int


class Part(msgspec.Struct, frozen=True):
    """Which part of a list is asked for."""

    limit: int
    offset: int = 0

    def of(self, items: Sequence[Item]) -> Sequence[Item]:
        """That part."""
        return items[self.offset : self.offset + self.limit]


class Counted(msgspec.Struct, frozen=True):
    """A keyword and how many photos have it."""

    keyword: str
    photos: int


class Keywords(msgspec.Struct, frozen=True, kw_only=True):
    """Some keywords of the photos that meet a filter; ``total`` counts all of them."""

    total: int
    items: tuple[Counted, ...]
    generation: int


class Folder(msgspec.Struct, frozen=True):
    """A directory: its key, and the photos directly in it and anywhere below."""

    folder: str
    photos: int
    photos_below: int


class Folders(msgspec.Struct, frozen=True, kw_only=True):
    """Some directories of the photos that meet a filter; ``total`` counts all of them."""

    total: int
    items: tuple[Folder, ...]
    generation: int


class Month(msgspec.Struct, frozen=True):
    """A month of ``taken_at`` (UTC), as ``2019-07``, and its photos."""

    month: str
    photos: int


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """Some months of the photos that meet a filter; ``total`` counts all of the months."""

    total: int
    undated: int
    items: tuple[Month, ...]
    generation: int
