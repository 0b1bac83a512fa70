"""What was done to a photo: the values of its fields before and after a change."""

from typing import Literal

import msgspec

from tagline.model.change import MetadataChange


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who asked for a change: a session by its id, or an API token by its name."""

    kind: Literal["session", "token"]
    name: str


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Why a photo was changed: ``restores`` is the number of the change that it undid, if any."""

    by: Actor | None = None
    restores: int | None = None


class PastChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change that was made; its JSON is exactly these members in this order.

    ``n`` is greater than that of every change before it. ``at`` is RFC 3339 in UTC with
    microseconds. ``before`` and ``after`` have the fields that were written, as ``Metadata`` has
    them; each is the change that puts those values there. A field is in both with one value where
    places that disagreed were made to agree.
    """

    n: int = 0
    photo_id: str
    at: str
    by: Actor | None = None
    restores: int | None = None
    before: MetadataChange
    after: MetadataChange


class Intended(msgspec.Struct, frozen=True, kw_only=True):
    """What an edit is about to write: the fields, as in ``PastChange``, and which sidecars it has.

    ``beside_before`` and ``beside_after`` are the kinds of sidecars that the photo has before the
    first file is written and after the last one: ``xmp``, ``stem_xmp``, ``json``.
    """

    before: MetadataChange
    after: MetadataChange
    beside_before: tuple[str, ...] = ()
    beside_after: tuple[str, ...] = ()


class PendingChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change that was announced, and of which nobody knows yet whether it was made.

    ``change`` has no number still; the other members are those of ``Intended``.
    """

    change: PastChange
    beside_before: tuple[str, ...] = ()
    beside_after: tuple[str, ...] = ()


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a photo's history, newest first: ``items`` is each change's JSON, as stored.

    ``version`` names the state of the whole history of the photo.
    """

    total: int
    version: str
    items: tuple[bytes, ...]
