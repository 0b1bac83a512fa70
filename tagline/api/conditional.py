"""Conditional requests (RFC 9110, 13): pure rules over header values.

Entity tags stand unquoted inside the program and are quoted here, at the edge. Tagline's own are
all strong but those of lists. The compressed form of an answer has a tag of its own (RFC 9110,
8.8.3.3), which ends in ``-gzip``: in conditions both name the same state of the same thing.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto

import msgspec

_TAG = r'(?:W/)?"[!#-~]*"'
ENTITY_TAGS_PATTERN = rf"^(?:\*|{_TAG}(?:[ \t]*,[ \t]*{_TAG})*)?$"
"""What ``If-Match`` may hold: ``*``, or entity tags in quotes; an empty list matches nothing."""

_ENTITY_TAGS = re.compile(ENTITY_TAGS_PATTERN)
_ONE_TAG = re.compile(_TAG)
_GZIP = "-gzip"
_STRONG_AFTER_SECONDS = 1
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Verdict(Enum):
    """What the conditions of a request come to."""

    PROCEED = auto()
    NOT_MODIFIED = auto()
    FAILED = auto()


class Validators(msgspec.Struct, frozen=True):
    """What a representation's conditions are judged by: its entity tag, and when it was modified.

    ``last_modified`` is in whole seconds, UTC; None where it is unknown or HTTP cannot say it.
    """

    etag: str
    last_modified: datetime | None

    def headers(self) -> dict[str, str]:
        """The ``ETag`` and ``Last-Modified`` headers."""
        made = {"ETag": quoted(self.etag)}
        if self.last_modified is not None:
            made["Last-Modified"] = http_date(self.last_modified)
        return made


def http_date(moment: datetime) -> str:
    """A moment in UTC as HTTP writes it (RFC 9110, 5.6.7)."""
    iso = moment.isoformat()
    day, month, year, time = iso[8:10], _MONTHS[moment.month - 1], iso[:4], iso[11:19]
    return f"{_DAYS[moment.weekday()]}, {day} {month} {year} {time} GMT"


def quoted(etag: str) -> str:
    """The entity tag as HTTP writes it."""
    return f'"{etag}"'


def gzip_tag(tag: str) -> str:
    """The quoted entity tag of the compressed form, by that of the plain one; a weak one is both's.

    A weak tag names all forms that mean the same (RFC 9110, 8.8.1).
    """
    return tag if tag.startswith("W/") else f'{tag[:-1]}{_GZIP}"'


def names_gzip_tag(value: str, tag: str) -> bool:
    """Whether an ``If-None-Match`` value names the compressed form by its quoted plain tag."""
    return gzip_tag(tag) in (each.removeprefix("W/") for each in _ONE_TAG.findall(value))


def parse_if_match(value: str) -> tuple[str, ...] | None:
    """The unquoted strong entity tags of an ``If-Match`` header, ``("*",)`` for any.

    Weak tags are left out, since ``If-Match`` compares strongly (RFC 9110, 13.1.1) and they would
    match nothing. None where the value is no list of entity tags.
    """
    if _ENTITY_TAGS.fullmatch(value) is None:
        return None
    if value == "*":
        return ("*",)
    strong = (tag[1:-1] for tag in _ONE_TAG.findall(value) if tag.startswith('"'))
    return tuple(tag.removesuffix(_GZIP) for tag in strong)


def weakly_matches(value: str, etag: str) -> bool:
    """Whether an ``If-None-Match`` value names the tag; weak tags count (RFC 9110, 13.1.2)."""
    if value.strip() == "*":
        return True
    tags = {quoted(etag), gzip_tag(quoted(etag))}
    return any(tag.removeprefix("W/") in tags for tag in _ONE_TAG.findall(value))


def parse_date(value: str | None) -> datetime | None:
    """A date of an HTTP header in UTC, or None where it is none and so to be ignored."""
    if value is None:
        return None
    try:
        date = parsedate_to_datetime(value)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def whole_second(seconds: float) -> datetime | None:
    """A file's time (Unix seconds) as HTTP can say it: whole seconds; None outside its years."""
    try:
        moment = datetime.fromtimestamp(int(seconds // 1), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment


def evaluate(headers: Mapping[str, str], validators: Validators) -> Verdict:
    """Judge a read's conditions in the order of RFC 9110, 13.2.2."""
    modified = validators.last_modified
    if (match := headers.get("If-Match")) is not None:
        tags = parse_if_match(match) or ()
        if "*" not in tags and validators.etag not in tags:
            return Verdict.FAILED
    elif _is_after(modified, parse_date(headers.get("If-Unmodified-Since"))):
        return Verdict.FAILED
    if (none_match := headers.get("If-None-Match")) is not None:
        matches = weakly_matches(none_match, validators.etag)
        return Verdict.NOT_MODIFIED if matches else Verdict.PROCEED
    since = parse_date(headers.get("If-Modified-Since"))
    if since is not None and modified is not None and modified <= since:
        return Verdict.NOT_MODIFIED
    return Verdict.PROCEED


def _is_after(modified: datetime | None, limit: datetime | None) -> bool:
    """Whether the representation is known to be newer than a limit that is there."""
    return modified is not None and limit is not None and modified > limit


def range_applies(if_range: str | None, validators: Validators, now: datetime) -> bool:
    """Whether a ``Range`` may be honoured (RFC 9110, 13.1.5).

    A date counts only where it is exactly the representation's and is a strong validator, that
    is, at least a second old (8.8.2.2).
    """
    if if_range is None:
        return True
    if if_range.strip().startswith(('"', "W/")):
        return if_range.strip() == quoted(validators.etag)
    modified = validators.last_modified
    if modified is None or parse_date(if_range) != modified:
        return False
    return (now - modified).total_seconds() >= _STRONG_AFTER_SECONDS
