"""Moments as whole numbers that sort like them, and tell their month: pure functions.

The number of a moment is its month (counted from the year 0) times 2 to the 42nd, and the
microseconds since that month began.
"""

import re
from datetime import UTC, date, datetime, timedelta

from tagline.errors import InvalidValue
from tagline.model.text import DATE, MOMENT

MONTH_BITS = 42
"""The bits below those of the month."""
BOUND = f"({DATE}|{MOMENT})"
"""What ``parse_bound`` takes."""
_BOUND = re.compile(BOUND, re.ASCII)
_DATE_LENGTH = len("2019-07-05")
_FAULT = (
    "must be a date such as 2019-07-05, or a moment with its offset such as 2019-07-05T10:00:00Z "
    "(a + is written %2B in a query)"
)
BEYOND = 10_000 * 12 << MONTH_BITS
"""Greater than the number of every moment."""


def moment_number(text: str) -> int:
    """The number of a moment in UTC, as ``Photo.taken_at`` writes it."""
    return _number(datetime.fromisoformat(text))


def month_of(number: int) -> str:
    """The month of a moment's number, as ``2019-07``."""
    year, month = divmod(number >> MONTH_BITS, 12)
    return f"{year:04d}-{month + 1:02d}"


def parse_bound(field: str, text: str, *, upper: bool) -> int:
    """The number of a bound: a moment, or a date (UTC).

    A lower bound is the first moment that is within, an upper one the first that is not; so an
    upper bound that is a date lies at the end of that day.

    Raises:
        InvalidValue: it is neither a date nor a moment with an offset (RFC 3339, 5.6).
    """
    if not _BOUND.fullmatch(text):
        raise InvalidValue(field, _FAULT)
    moment = datetime.fromisoformat(text.upper())
    if len(text) == _DATE_LENGTH:
        return _end_of(moment.date()) if upper else _number(moment)
    try:
        return _number(moment.astimezone(UTC))
    except OverflowError:  # in no year that there is: before all moments, or behind them
        return 0 if moment.year == 1 else BEYOND


def _end_of(day: date) -> int:
    if day == date.max:
        return BEYOND
    return moment_number((day + timedelta(days=1)).isoformat())


def _number(moment: datetime) -> int:
    seconds = ((moment.day * 24 + moment.hour) * 60 + moment.minute) * 60 + moment.second
    month = moment.year * 12 + moment.month - 1
    return (month << MONTH_BITS) + (seconds - 86_400) * 1_000_000 + moment.microsecond
