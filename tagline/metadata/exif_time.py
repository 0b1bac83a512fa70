"""EXIF's dates: local time, fraction and UTC offset in three tags (EXIF 3.0, 4.6.6.6)."""

import re
from datetime import datetime
from functools import lru_cache
from typing import Final

from tagline.metadata.values import TakenAt

_OFFSET: Final = re.compile(rb"\s*([+-])(\d\d):?(\d\d)|\s*Z")
_DIGITS: Final = frozenset(b"0123456789")


def moment(raw: bytes, fraction: bytes | None, offset: bytes | None) -> TakenAt | None:
    """The moment that a ``YYYY:MM:DD HH:MM:SS`` and its companions name; None if it is no date.

    Other separators at the same places are taken, since programs write them; zeros and blanks,
    by which cameras say that the clock was not set, are no date.
    """
    if len(raw) < 19 or raw[4] in _DIGITS or raw[7] in _DIGITS or raw[13] in _DIGITS:
        return None
    try:
        local = _local(raw[:19], _microseconds(fraction) if fraction is not None else 0)
    except ValueError:
        return None
    return TakenAt(local=local, offset_minutes=None if offset is None else _minutes(offset))


@lru_cache(maxsize=16)  # nearly every photo was digitized when it was taken
def _local(raw: bytes, microseconds: int) -> datetime:
    return datetime(  # noqa: DTZ001 -- EXIF's time is local; its offset is kept beside it
        int(raw[0:4]),
        int(raw[5:7]),
        int(raw[8:10]),
        int(raw[11:13]),
        int(raw[14:16]),
        int(raw[17:19]),
        microseconds,
    )


def _microseconds(raw: bytes) -> int:
    digits = raw.partition(b"\0")[0].strip()
    return int(digits[:6].ljust(6, b"0")) if digits.isdigit() else 0


def _minutes(raw: bytes) -> int | None:
    match = _OFFSET.match(raw)
    if match is None:
        return None
    if match[1] is None:
        return 0
    minutes = int(match[2]) * 60 + int(match[3])
    if minutes >= 1440 or int(match[3]) > 59:
        return None
    return -minutes if match[1] == b"-" else minutes
