"""XMP's spellings of dates, positions and numbers (ISO 16684-1, 8.2.1; Exif for XMP)."""

import re
from datetime import datetime

from tagline.metadata.values import TakenAt
from tagline.model import Gps

_DATE = re.compile(
    r"\s*(\d{4})[-:](\d\d)[-:](\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?)?\s*(Z|[+-]\d\d:?\d\d)?\s*",
    re.ASCII,
)
_OFFSET = re.compile(r"\s*(Z|[+-]\d\d:?\d\d)\s*", re.ASCII)
_NUMBER = r"(\d{1,9}(?:\.\d{1,20})?)"
_COORDINATE = re.compile(rf"\s*{_NUMBER}(?:,{_NUMBER})?(?:,{_NUMBER})?\s*([NSEWnsew])\s*", re.ASCII)
_DECIMAL = re.compile(rf"\s*([+-]?){_NUMBER}\s*", re.ASCII)
_RATIONAL = re.compile(r"\s*([+-]?\d{1,12})/(\d{1,12})\s*", re.ASCII)


def taken_at_from(text: str | None, offset: str | None) -> TakenAt | None:
    """The moment that an XMP date names; a date without a time is midnight.

    ``offset`` is exifEX:OffsetTimeOriginal, for dates that have no zone of their own. A year or
    a month alone is no moment.
    """
    parts = _DATE.fullmatch(text) if text else None
    if parts is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in parts.groups()[:6])
    fraction = int((parts[7] or "").ljust(6, "0")[:6])
    try:
        local = datetime(year, month, day, hour, minute, second, fraction)  # noqa: DTZ001 - local
    except ValueError:
        return None
    zone = parts[8] if parts[8] or offset is None else _zone(offset)
    return TakenAt(local=local, offset_minutes=_minutes(zone))


def orientation_from(text: str | None) -> int | None:
    """An orientation from 1 to 8 (EXIF 3.0, 4.6.5.1)."""
    value = (text or "").strip()
    return int(value) if value in {"1", "2", "3", "4", "5", "6", "7", "8"} else None


def rating_from(text: str | None) -> int | None:
    """A rating from 0 to 5, fractions cut off; -1, which means rejected, is none."""
    value = _decimal(text) if text else None
    return int(value) if value is not None and 0 <= value < 6 else None


def gps_from(
    latitude: str | None, longitude: str | None, altitude: str | None, below: str | None
) -> Gps | None:
    """A position of GPSLatitude and GPSLongitude, ``DDD,MM.mmk`` or ``DDD,MM,SSk``."""
    north = _degrees(latitude, "NS", 90)
    east = _degrees(longitude, "EW", 180)
    if north is None or east is None:
        return None
    return Gps(latitude=north, longitude=east, altitude=_altitude(altitude, below))


def _zone(offset: str) -> str | None:
    parts = _OFFSET.fullmatch(offset)
    return parts[1] if parts else None


def _minutes(zone: str | None) -> int | None:
    if zone is None:
        return None
    if zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return -minutes if zone[0] == "-" else minutes


def _degrees(text: str | None, letters: str, limit: int) -> float | None:
    if not text:
        return None
    parts = _COORDINATE.fullmatch(text)
    if parts is None:
        value = _decimal(text)
    elif parts[4].upper() not in letters:
        return None
    else:
        value = float(parts[1]) + float(parts[2] or 0) / 60 + float(parts[3] or 0) / 3600
        value = -value if parts[4].upper() == letters[1] else value
    return value if value is not None and abs(value) <= limit else None


def _decimal(text: str) -> float | None:
    parts = _DECIMAL.fullmatch(text)
    if parts is None:
        return None
    return -float(parts[2]) if parts[1] == "-" else float(parts[2])


def _altitude(text: str | None, below: str | None) -> float | None:
    if not text:
        return None
    rational = _RATIONAL.fullmatch(text)
    if rational is None:
        metres = _decimal(text)
    elif int(rational[2]) == 0:
        return None
    else:
        metres = int(rational[1]) / int(rational[2])
    if metres is None:
        return None
    return -metres if (below or "").strip() == "1" else metres
