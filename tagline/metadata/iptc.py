"""Reading IPTC IIM data sets (IPTC-NAA Information Interchange Model, version 4.2).

A data set is the marker 0x1C, a record number, a data set number, a length of two bytes and the
value; a length whose highest bit is set says in how many further bytes the real one stands (IIM
chapter 3). Texts are in the character set that data set 1:90 declares, and where none is declared
in UTF-8 if they are valid in it, else in Windows-1252, which holds all of Latin-1's text. Nothing
here raises, whatever the bytes.
"""

import re
from datetime import datetime
from typing import NamedTuple

from tagline.metadata.values import IptcValues, TakenAt

CAPTION_MAX_BYTES = 2000
"""The length of 2:120 Caption-Abstract in bytes (IIM, record 2)."""

TITLE_MAX_BYTES = 64
"""The length of 2:05 ObjectName in bytes, and of each 2:25 Keywords."""

CODED_CHARACTER_SET = (1, 90)
OBJECT_NAME = (2, 5)
KEYWORDS = (2, 25)
DATE_CREATED = (2, 55)
TIME_CREATED = (2, 60)
CAPTION = (2, 120)

UTF_8 = b"\x1b%G"
"""What 1:90 holds when the texts of records 2 to 6 are in UTF-8 (ISO 2022)."""

_LATIN_1 = frozenset({b"\x1b.A", b"\x1b-A", b"\x1b,A", b"\x1b/A"})
_MARKER = 0x1C
MAX_DATA_SETS = 20_000
_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_TIME = re.compile(r"(\d{2})(\d{2})(\d{2})(?:([+-])(\d{2})(\d{2}))?")


class DataSet(NamedTuple):
    """One data set: its key (record and number), its value, and the extent of all its bytes."""

    key: tuple[int, int]
    value: bytes
    start: int
    end: int


class DataSets(NamedTuple):
    """Data sets in their order; ``whole`` says that nothing but NUL padding follows the last."""

    items: tuple[DataSet, ...]
    whole: bool

    @property
    def end(self) -> int:
        """Offset just past the last data set."""
        return self.items[-1].end if self.items else 0

    def values_of(self, key: tuple[int, int]) -> tuple[bytes, ...]:
        """The values of every data set with this key."""
        return tuple(item.value for item in self.items if item.key == key)


def data_sets(iim: bytes) -> DataSets:
    """The data sets up to the first byte that belongs to none."""
    items: list[DataSet] = []
    position = 0
    while len(items) < MAX_DATA_SETS and (item := _data_set_at(iim, position)) is not None:
        items.append(item)
        position = item.end
    return DataSets(tuple(items), whole=not iim[position:].strip(b"\0"))


def read(iim: bytes) -> IptcValues:
    """What the data sets say; of a data set that may be there once, the first counts."""
    found: dict[tuple[int, int], bytes] = {}
    sets = data_sets(iim)
    for item in sets.items:
        found.setdefault(item.key, item.value)
    charset = found.get(CODED_CHARACTER_SET)
    caption = decode(found.get(CAPTION, b""), charset).rstrip("\0")
    name = decode(found.get(OBJECT_NAME, b""), charset).rstrip("\0")
    words = (decode(value, charset).strip("\0 \t\r\n") for value in sets.values_of(KEYWORDS))
    return IptcValues(
        description=caption or None,
        title=name if name.strip() else None,
        keywords=tuple(dict.fromkeys(word for word in words if word)),
        taken_at=_taken_at(found.get(DATE_CREATED, b""), found.get(TIME_CREATED, b"")),
    )


def decode(value: bytes, charset: bytes | None) -> str:
    """The text of a value under the character set that 1:90 declares (None: not declared)."""
    if charset in _LATIN_1:
        return value.decode("latin-1")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        return value.decode("cp1252")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def caption_bytes(text: str) -> bytes:
    """The text as it goes into 2:120: UTF-8, cut between characters to the 2,000 bytes of IIM."""
    return cut(text, CAPTION_MAX_BYTES).encode()


def cut(text: str, limit: int) -> str:
    """As much of the text as fits into so many bytes of UTF-8."""
    return text.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")


def agrees(caption: str, text: str, limit: int = CAPTION_MAX_BYTES) -> bool:
    """Whether a caption says what the text says, as far as ``limit`` bytes reach.

    A caption that is a cut beginning of a longer text is the same description, not another one
    (MWG Guidelines 2.0: truncated IIM values are recovered from XMP).
    """
    if caption == text:
        return True
    is_cut = len(caption.encode("utf-8", "replace")) > limit - 4
    return is_cut and text.startswith(caption)


def _data_set_at(iim: bytes, start: int) -> DataSet | None:
    value_start = start + 5
    if value_start > len(iim) or iim[start] != _MARKER:
        return None
    length = int.from_bytes(iim[start + 3 : value_start], "big")
    if length & 0x8000:
        length_start, value_start = value_start, value_start + (length & 0x7FFF)
        if value_start > min(len(iim), length_start + 8):
            return None
        length = int.from_bytes(iim[length_start:value_start], "big")
    end = value_start + length
    if end > len(iim):
        return None
    return DataSet((iim[start + 1], iim[start + 2]), iim[value_start:end], start, end)


def _taken_at(date: bytes, time: bytes) -> TakenAt | None:
    """2:55 CCYYMMDD with 2:60 HHMMSS±HHMM; midnight where there is no valid time."""
    day = _DATE.match(date.decode("latin-1"))
    if day is None:
        return None
    clock = _TIME.match(time.decode("latin-1"))
    year, month, number = (int(part) for part in day.groups())
    try:
        midnight = datetime(year, month, number)  # noqa: DTZ001 - a camera's clock, zone apart
    except ValueError:
        return None
    return _at(midnight, clock) if clock else TakenAt(local=midnight)


def _at(midnight: datetime, clock: re.Match[str]) -> TakenAt:
    hour, minute, second = (int(part) for part in clock.groups()[:3])
    try:
        local = midnight.replace(hour=hour, minute=minute, second=second)
    except ValueError:
        return TakenAt(local=midnight)
    if clock[4] is None:
        return TakenAt(local=local)
    offset = int(clock[5]) * 60 + int(clock[6])
    return TakenAt(local=local, offset_minutes=-offset if clock[4] == "-" else offset)
