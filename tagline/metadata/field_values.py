"""What the rows of the table of fields call: values accepted, and encoded for each place."""

from collections.abc import Sequence
from struct import pack
from typing import Final, cast

from tagline.errors import InvalidValue
from tagline.metadata import exif_text as texts
from tagline.metadata.field_types import FieldEdit, Words
from tagline.metadata.values import FieldValue, TakenAt
from tagline.model.text import (
    check_description,
    check_keywords,
    check_rating,
    check_title,
    offset_text,
    parse_taken_at,
    taken_at_text,
)

_PERCENT: Final = (0, 1, 25, 50, 75, 99)
"""Windows' percentages for 0 to 5 stars (System.Rating: 1-12, 13-37, 38-62, 63-87, 88-99)."""
_LEVELS: Final = "|"
"""What stands between the levels of lr:hierarchicalSubject."""


def accept_description(value: object) -> FieldValue:
    """A description; one that is all white space is none."""
    text = check_description(_text("description", value))
    return text if text.strip() else None


def accept_title(value: object) -> FieldValue:
    """A title; one that is all white space is none."""
    text = check_title(_text("title", value))
    return text if text.strip() else None


def accept_keywords(value: object) -> FieldValue:
    """Keywords without outer white space."""
    if not isinstance(value, list | tuple):
        raise InvalidValue("keywords", "must be a list of texts")
    items = cast("Sequence[object]", value)
    return check_keywords(tuple(_text("keywords", item) for item in items))


def accept_rating(value: object) -> FieldValue:
    """A rating from 0 to 5."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidValue("rating", "must be a whole number")
    return check_rating(value)


def accept_taken_at(value: object) -> FieldValue:
    """The moment that a text names, to the microsecond."""
    local, offset = parse_taken_at(_text("taken_at", value))
    return TakenAt(local=local, offset_minutes=offset)


def _text(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidValue(field, "must be a text")
    return value


def as_it_is(value: FieldValue) -> object:
    """The value itself."""
    return value


def as_list(value: FieldValue) -> object:
    """Keywords as JSON has them."""
    return list(value) if isinstance(value, tuple) else []


def taken_text(value: FieldValue) -> object:
    """The moment as clients read and write it."""
    return taken_at_text(value.local, value.offset_minutes) if isinstance(value, TakenAt) else None


def exif_text(value: FieldValue, order: str) -> bytes | None:  # noqa: ARG001 - of one form
    """A text in UTF-8 with its closing NUL."""
    return f"{value}\0".encode() if value else None


def exif_user_comment(value: FieldValue, order: str) -> bytes | None:
    """A UserComment."""
    return texts.encode_user_comment(str(value), order) if value else None


def exif_xp(value: FieldValue, order: str) -> bytes | None:  # noqa: ARG001 - of one form
    """A text in Windows' own tags."""
    return texts.encode_xp(str(value)) if value else None


def xp_text(raw: bytes, order: str) -> str | None:  # noqa: ARG001 - of one form
    """The text in one of Windows' own tags."""
    return texts.utf16(raw, "utf-16-le")


def exif_xp_list(value: FieldValue, order: str) -> bytes | None:
    """XPKeywords: semicolons stand between its items, so that an item's own become commas."""
    words = value if isinstance(value, tuple) else ()
    return exif_xp(";".join(word.replace(";", ",") for word in words), order)


def exif_rating(value: FieldValue, order: str) -> bytes | None:
    """Stars as a SHORT."""
    return pack(order + "H", value) if isinstance(value, int) else None


def exif_percent(value: FieldValue, order: str) -> bytes | None:
    """Windows' percentage as a SHORT."""
    return pack(order + "H", _PERCENT[value]) if isinstance(value, int) else None


def exif_date(value: FieldValue, order: str) -> bytes | None:  # noqa: ARG001 - of one form
    """DateTimeOriginal (EXIF 3.0, 4.6.6.6)."""
    if not isinstance(value, TakenAt):
        return None
    text = value.local.isoformat(" ", "seconds")
    return text.replace("-", ":").encode() + b"\0"


def exif_subsec(value: FieldValue, order: str) -> bytes | None:  # noqa: ARG001 - of one form
    """SubSecTimeOriginal: the digits behind the point; none where the second is whole."""
    if not isinstance(value, TakenAt) or not value.local.microsecond:
        return None
    return f"{value.local.microsecond:06d}".rstrip("0").encode() + b"\0"


def exif_offset(value: FieldValue, order: str) -> bytes | None:  # noqa: ARG001 - of one form
    """OffsetTimeOriginal: ``+02:00``; none where the zone is unknown."""
    minutes = value.offset_minutes if isinstance(value, TakenAt) else None
    return None if minutes is None else offset_text(minutes).encode() + b"\0"


def xmp_text(edit: FieldEdit, now: Sequence[str]) -> Words | None:  # noqa: ARG001 - says but the one
    """The text itself."""
    return str(edit.new) if edit.new else None


def xmp_keywords(edit: FieldEdit, now: Sequence[str]) -> Words | None:
    """The keywords; a list that says just them in other words' order or spacing is theirs too."""
    new = _words(edit.new)
    return tuple(now) if _distinct(now) == new else new or None


def xmp_hierarchy(edit: FieldEdit, now: Sequence[str]) -> Words | None:
    """The hierarchical subjects less those whose last level is a keyword that was taken away.

    No path is made up for a keyword that is new, since nobody knows where it belongs.
    """
    gone = set(_words(edit.old)) - set(_words(edit.new))
    return tuple(path for path in now if path.rpartition(_LEVELS)[2].strip() not in gone) or None


def xmp_rating(edit: FieldEdit, now: Sequence[str]) -> Words | None:  # noqa: ARG001 - says but the one
    """Stars as a text."""
    return None if edit.new is None else str(edit.new)


def xmp_percent(edit: FieldEdit, now: Sequence[str]) -> Words | None:  # noqa: ARG001 - says but the one
    """Windows' percentage as a text."""
    return str(_PERCENT[edit.new]) if isinstance(edit.new, int) else None


def xmp_date(edit: FieldEdit, now: Sequence[str]) -> Words | None:  # noqa: ARG001 - says but the one
    """An ISO 8601 date, without an offset where the zone is unknown."""
    if not isinstance(edit.new, TakenAt):
        return None
    return taken_at_text(edit.new.local, edit.new.offset_minutes)


def xmp_offset(edit: FieldEdit, now: Sequence[str]) -> Words | None:  # noqa: ARG001 - says but the one
    """The offset; gone where the zone is unknown."""
    minutes = edit.new.offset_minutes if isinstance(edit.new, TakenAt) else None
    return offset_text(minutes) or None


def iptc_texts(value: FieldValue) -> Sequence[str]:
    """A text, or each of several."""
    if isinstance(value, tuple):
        return value
    return (value,) if isinstance(value, str) and value else ()


def iptc_date(value: FieldValue) -> Sequence[str]:
    """CCYYMMDD."""
    return (value.local.date().isoformat().replace("-", ""),) if isinstance(value, TakenAt) else ()


def iptc_time(value: FieldValue) -> Sequence[str]:
    """HHMMSS±HHMM; without the offset where the zone is unknown, since +0000 would name one."""
    if not isinstance(value, TakenAt):
        return ()
    clock = value.local.time().isoformat("seconds") + offset_text(value.offset_minutes)
    return (clock.replace(":", ""),)


def _words(value: FieldValue) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _distinct(texts_now: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.strip() for text in texts_now if text.strip()))
