"""What a caller asks to be changed, and on which condition."""

import msgspec
from msgspec import UNSET, UnsetType


class MetadataChange(msgspec.Struct, frozen=True, kw_only=True):
    """Changes to what a person may edit: absent means untouched, ``None`` means removed.

    The members are those of ``Metadata``; an empty list of keywords removes them as well.
    """

    description: str | UnsetType | None = UNSET
    title: str | UnsetType | None = UNSET
    keywords: tuple[str, ...] | UnsetType | None = UNSET
    rating: int | UnsetType | None = UNSET
    taken_at: str | UnsetType | None = UNSET


class Precondition(msgspec.Struct, frozen=True, kw_only=True):
    """What must hold of the photo on disk for a change to be made.

    ``last_modified`` is the value of the photo's member of that name. ``if_match`` is a tuple of
    unquoted entity tags, ``("*",)`` for any.
    """

    last_modified: str | None = None
    if_match: tuple[str, ...] | None = None
