"""What an edit of each field may change, and what it must say then: the proof's own table.

Written apart from the table of fields that the editor goes by, so that a mistake there is no
mistake here. A field has one row, in ``RULES``.
"""

from collections.abc import Callable, Mapping
from struct import pack
from types import MappingProxyType
from typing import Final, NamedTuple

from tagline.metadata import exif_text
from tagline.metadata.field_types import Edits
from tagline.metadata.values import FieldValue, TakenAt, is_blank

Where = tuple[str, int]
"""A tag's place in the tree of directories, as the proof's walk names it."""

EXIF_POINTER: Final[Where] = ("IFD0", 0x8769)
_PERCENT: Final = {0: 0, 1: 1, 2: 25, 3: 50, 4: 75, 5: 99}


_DC: Final = "http://purl.org/dc/elements/1.1/ "
_EXIF: Final = "http://ns.adobe.com/exif/1.0/ "
SUBJECTS: Final = "http://ns.adobe.com/lightroom/1.0/ hierarchicalSubject"
MICROSOFT: Final = tuple(f"http://ns.microsoft.com/photo/1.0{end} Rating" for end in ("", "/"))
"""With and without a slash at the end: both are written."""
DATE: Final = f"{_EXIF}DateTimeOriginal"
OFFSET: Final = "http://cipa.jp/exif/1.0/ OffsetTimeOriginal"


class ExifRule(NamedTuple):
    """A tag that a field's edit may change.

    ``may_come`` allows it to be made, ``may_stay`` to keep what it says. ``says`` tells, by the
    block's byte order, whether its bytes are right for the field's value; ``may_go`` whether it
    may be absent beside that value.
    """

    where: Where
    says: Callable[[bytes, str, FieldValue], bool]
    may_come: bool = False
    may_stay: bool = False
    may_go: Callable[[FieldValue], bool] = is_blank


class IptcRule(NamedTuple):
    """A data set that a field's edit may change, and the most bytes that it holds (IIM 4.2)."""

    key: tuple[int, int]
    limit: int


class FieldRules(NamedTuple):
    """What the edit of one field may change.

    ``xmp`` is the property that always says the field, ``followers`` are those that follow it in
    files that have them; ``in_languages`` allows translations of it.
    """

    xmp: str
    followers: tuple[str, ...] = ()
    in_languages: bool = False
    exif: tuple[ExifRule, ...] = ()
    iptc: tuple[IptcRule, ...] = ()


def _says_text(raw: bytes, order: str, value: FieldValue) -> bool:  # noqa: ARG001 - of one form
    return raw.rstrip(b"\0") == (value or "").encode() if isinstance(value, str | None) else False


def _says_xp(raw: bytes, order: str, value: FieldValue) -> bool:  # noqa: ARG001 - of one form
    return exif_text.utf16(raw, "utf-16-le") == _shown(value)


def _says_comment(raw: bytes, order: str, value: FieldValue) -> bool:
    return exif_text.user_comment(raw, order) == _shown(value)


def _says_list(raw: bytes, order: str, value: FieldValue) -> bool:  # noqa: ARG001 - of one form
    words = value if isinstance(value, tuple) else ()
    return raw.decode("utf-16-le").rstrip("\0") == ";".join(w.replace(";", ",") for w in words)


def _says_stars(raw: bytes, order: str, value: FieldValue) -> bool:
    return isinstance(value, int) and raw == pack(order + "H", value)


def _says_percent(raw: bytes, order: str, value: FieldValue) -> bool:
    return isinstance(value, int) and raw == pack(order + "H", _PERCENT[value])


def _says_date(raw: bytes, order: str, value: FieldValue) -> bool:  # noqa: ARG001 - of one form
    if not isinstance(value, TakenAt):
        return False
    t = value.local
    day, clock = f"{t.year:04}:{t.month:02}:{t.day:02}", f"{t.hour:02}:{t.minute:02}:{t.second:02}"
    return raw == f"{day} {clock}\0".encode()


def _says_subsec(raw: bytes, order: str, value: FieldValue) -> bool:  # noqa: ARG001 - of one form
    digits = raw.rstrip(b"\0").decode("latin-1")
    if not isinstance(value, TakenAt) or not digits.isdigit():
        return False
    return round(float(f"0.{digits}") * 1_000_000) == value.local.microsecond


def _says_offset(raw: bytes, order: str, value: FieldValue) -> bool:  # noqa: ARG001 - of one form
    text = raw.rstrip(b"\0").decode("latin-1")
    if not isinstance(value, TakenAt) or value.offset_minutes is None or len(text) != 6:
        return False
    minutes = int(text[1:3]) * 60 + int(text[4:])
    return value.offset_minutes == (-minutes if text[0] == "-" else minutes)


def _names_no_zone(value: FieldValue) -> bool:
    return not isinstance(value, TakenAt) or value.offset_minutes is None


def _names_no_fraction(value: FieldValue) -> bool:
    return not isinstance(value, TakenAt) or not value.local.microsecond


def _shown(value: FieldValue) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


DESCRIPTION: Final[Where] = ("IFD0", 0x010E)

RULES: Final[Mapping[str, FieldRules]] = MappingProxyType(
    {
        "description": FieldRules(
            xmp=f"{_DC}description",
            followers=("http://ns.adobe.com/tiff/1.0/ ImageDescription", f"{_EXIF}UserComment"),
            in_languages=True,
            exif=(
                ExifRule(DESCRIPTION, _says_text, may_come=True),
                ExifRule(("IFD0", 0x9C9C), _says_xp, may_stay=True),
                ExifRule(("IFD0/8769", 0x9286), _says_comment, may_stay=True),
            ),
            iptc=(IptcRule((2, 120), 2000),),
        ),
        "title": FieldRules(
            xmp=f"{_DC}title",
            in_languages=True,
            exif=(ExifRule(("IFD0", 0x9C9B), _says_xp),),
            iptc=(IptcRule((2, 5), 64),),
        ),
        "keywords": FieldRules(
            xmp=f"{_DC}subject",
            followers=(SUBJECTS,),
            exif=(ExifRule(("IFD0", 0x9C9E), _says_list),),
            iptc=(IptcRule((2, 25), 64),),
        ),
        "rating": FieldRules(
            xmp="http://ns.adobe.com/xap/1.0/ Rating",
            followers=MICROSOFT,
            exif=(
                ExifRule(("IFD0", 0x4746), _says_stars),
                ExifRule(("IFD0", 0x4749), _says_percent),
            ),
        ),
        "taken_at": FieldRules(
            xmp="http://ns.adobe.com/photoshop/1.0/ DateCreated",
            followers=(DATE, OFFSET),
            exif=(
                ExifRule(("IFD0/8769", 0x9003), _says_date, may_come=True),
                ExifRule(("IFD0/8769", 0x9011), _says_offset, may_come=True, may_go=_names_no_zone),
                ExifRule(
                    ("IFD0/8769", 0x9291), _says_subsec, may_come=True, may_go=_names_no_fraction
                ),
            ),
            iptc=(IptcRule((2, 55), 8), IptcRule((2, 60), 11)),
        ),
    }
)
"""The rules of each field, by its name."""


MADE_TAGS: Final = frozenset(
    {EXIF_POINTER, *(r.where for rules in RULES.values() for r in rules.exif if r.may_come)}
)
"""The tags that Tagline makes where they are missing."""


class ExifRules(NamedTuple):
    """The tags that may change in one edit, each with its rule and the value it is to say."""

    by_place: Mapping[Where, tuple[ExifRule, FieldValue]]

    @property
    def free(self) -> frozenset[Where]:
        """Every place that may be other than it was; what leads to a directory is one with it."""
        places = frozenset(self.by_place)
        return places | {EXIF_POINTER} if any(w[0] != "IFD0" for w in self._made) else places

    @property
    def _made(self) -> list[Where]:
        return [where for where, (rule, _) in self.by_place.items() if rule.may_come]


def exif_rules(edits: Edits) -> ExifRules:
    """What the edits may change in an EXIF block."""
    return ExifRules(
        {rule.where: (rule, edit.new) for edit in edits for rule in RULES[edit.field.name].exif}
    )


def in_exif(edits: Edits) -> bool:
    """Whether the edits must leave a file with an EXIF block."""
    rules = exif_rules(edits).by_place.values()
    return any(rule.may_come and value is not None for rule, value in rules)
