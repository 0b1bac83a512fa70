"""What a field may hold: the limits of every value that a person can give a photo."""

import re
from datetime import datetime

from tagline.errors import InvalidValue

DESCRIPTION_MAX_CHARACTERS = 10_000
TITLE_MAX_CHARACTERS = 1_000
KEYWORD_MAX_CHARACTERS = 250
KEYWORDS_MAX = 1_000
"""Keywords that one photo may have."""
RATING_MAX = 5

WHITE_SPACE = r"\t-\r\u001c- \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""What ``str.strip`` cuts off, for a regular expression's class; ``\\s`` differs by program."""

_YEAR = "([0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
_LEAP = "(0[48]|[2468][048]|[13579][26])"
_LEAP_YEAR = f"([0-9]{{2}}{_LEAP}|{_LEAP}00)"
_DAY = (
    "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
    "|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
)
_HOUR = "([01][0-9]|2[0-3])"
_SIXTY = "[0-5][0-9]"
_TO_THE_SECOND = f"{_HOUR}:{_SIXTY}:{_SIXTY}"
_TIME = rf"{_TO_THE_SECOND}(\.[0-9]{{1,6}})?"
_OFFSET = f"([Zz]|[+-]{_HOUR}:{_SIXTY})"
DATE = f"({_YEAR}-{_DAY}|{_LEAP_YEAR}-02-29)"
"""A full date of the years 1 to 9999 (RFC 3339, 5.6 and 5.7)."""
MOMENT = f"{DATE}[Tt]{_TIME}{_OFFSET}"
"""A moment as RFC 3339 writes it (5.6), to the microsecond."""
LOCAL_MOMENT = f"{MOMENT}?"
"""The same, or without the offset where the zone is unknown."""
FINE_MOMENT = rf"{DATE}[Tt]{_TO_THE_SECOND}(\.[0-9]+)?{_OFFSET}"
"""A moment as RFC 3339 writes it, however fine. No leap second, which no file has for its time."""

_LOCAL_MOMENT = re.compile(LOCAL_MOMENT, re.ASCII)
_MOMENT_FAULT = (
    "must be a moment such as 2019-07-05T10:00:00+02:00, or 2019-07-05T10:00:00 where the zone "
    "is unknown"
)


def check_description(text: str) -> str:
    """Return the description as it is, or say why it cannot be stored.

    Raises:
        InvalidValue: over 10,000 characters, or a NUL or lone surrogate in it.
    """
    return _checked("description", text, DESCRIPTION_MAX_CHARACTERS)


def check_title(text: str) -> str:
    """Return the title as it is, or say why it cannot be stored.

    Raises:
        InvalidValue: over 1,000 characters, or a NUL or lone surrogate in it.
    """
    return _checked("title", text, TITLE_MAX_CHARACTERS)


def check_keywords(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the keywords in their order without outer white space, or say what is wrong.

    Those that differ in outer white space alone are one.

    Raises:
        InvalidValue: over 1,000 keywords; one over 250 characters, blank, there twice, or with a
            NUL or lone surrogate in it.
    """
    if len(texts) > KEYWORDS_MAX:
        raise InvalidValue("keywords", f"at most {KEYWORDS_MAX} keywords")
    if len(set(texts)) < len(texts):
        raise InvalidValue("keywords", "must differ from one another")
    words = [_checked("keywords", text, KEYWORD_MAX_CHARACTERS).strip() for text in texts]
    if "" in words:
        raise InvalidValue("keywords", "must not be blank")
    return tuple(dict.fromkeys(words))


def check_rating(rating: int) -> int:
    """Return the rating, or say that it is none.

    Raises:
        InvalidValue: it is not from 0 to 5.
    """
    if not 0 <= rating <= RATING_MAX:
        raise InvalidValue("rating", f"must be from 0 to {RATING_MAX}")
    return rating


def parse_taken_at(text: str) -> tuple[datetime, int | None]:
    """Local time, and its UTC offset in minutes where the text names one.

    Raises:
        InvalidValue: it is no moment, or finer than a microsecond.
    """
    if not _LOCAL_MOMENT.fullmatch(text):
        raise InvalidValue("taken_at", _MOMENT_FAULT)
    moment = datetime.fromisoformat(text.upper())
    offset = moment.utcoffset()
    minutes = None if offset is None else round(offset.total_seconds() / 60)
    return moment.replace(tzinfo=None), minutes


def check_taken_at(text: str) -> str:
    """Return the moment as it is, or say why it is none.

    Raises:
        InvalidValue: as for ``parse_taken_at``.
    """
    parse_taken_at(text)
    return text


def taken_at_text(local: datetime, offset_minutes: int | None) -> str:
    """The moment as text: RFC 3339, or without an offset where that is unknown."""
    text = local.isoformat(timespec="microseconds").rstrip("0").rstrip(".")
    return text + offset_text(offset_minutes, utc="Z")


def offset_text(minutes: int | None, *, utc: str = "+00:00") -> str:
    """An offset as ``+02:00``; empty where it is unknown."""
    if minutes is None:
        return ""
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}" if minutes else utc


def _checked(field: str, text: str, limit: int) -> str:
    if len(text) > limit:
        raise InvalidValue(field, f"at most {limit} characters")
    if "\0" in text:
        raise InvalidValue(field, "must not hold NUL characters")
    try:
        text.encode()  # in C: a body of many changes holds millions of characters
    except UnicodeEncodeError as error:
        raise InvalidValue(field, "must not hold lone surrogates") from error
    return text
