"""What a row of the table of fields is made of: the places of a field, and how each is written."""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Literal

import msgspec

from tagline.metadata.values import Embedded, FieldValue, Sidecar, is_blank

Words = str | tuple[str, ...]
"""What an XMP property holds: a text, or the items of a list."""

DirectoryName = Literal["IFD0", "Exif"]
"""The two EXIF directories that hold fields."""


class When(Enum):
    """On which condition a place is written when its field is set."""

    ALWAYS = "always"
    """It is made where it is missing."""
    THERE = "there"
    """Where it is there already."""
    HELD = "held"
    """Where it held the field's old value; places that can just as well say something else."""
    NEVER = "never"


class FieldEdit(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a photo, as it is and as it is to be; ``new`` is blank to remove it."""

    field: "Field"
    old: FieldValue
    new: FieldValue

    @property
    def removes(self) -> bool:
        """Whether the field is to be gone."""
        return is_blank(self.new)


Edits = Sequence[FieldEdit]


class ExifPlace(msgspec.Struct, frozen=True, kw_only=True):
    """An EXIF tag; ``kind`` is the TIFF type that it is written in.

    ``encode(value, order)`` gives its bytes, or None where this tag has nothing to say of the
    value and goes; ``order`` is ``<`` or ``>``. Of a place that is written where it held the old
    value, ``read`` tells what it holds, and ``kept_bytes`` of its value stay when it is emptied.
    """

    directory: DirectoryName
    tag: int
    kind: int
    when: When
    encode: Callable[[FieldValue, str], bytes | None]
    read: Callable[[bytes, str], str | None] | None = None
    kept_bytes: int = 0


class XmpPlace(msgspec.Struct, frozen=True, kw_only=True):
    """An XMP property, in the packet of a file and in a sidecar.

    ``encode(edit, now)`` gives what it is to say, None to remove it; ``now`` is what it says.
    """

    name: str
    in_file: When
    in_sidecar: When
    encode: Callable[[FieldEdit, Sequence[str]], Words | None]


class IptcPlace(msgspec.Struct, frozen=True, kw_only=True):
    """An IPTC data set, written where there is IPTC; each value is cut to ``limit`` bytes.

    ``what`` names it in sentences; ``repeats`` says that it may be there more than once.
    """

    key: tuple[int, int]
    what: str
    limit: int
    encode: Callable[[FieldValue], Sequence[str]]
    repeats: bool = False


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field that a person may edit.

    ``accept`` makes a value of what a change asks for and raises ``InvalidValue`` where it cannot
    be stored; blank means removed. ``show`` gives the value as ``Metadata`` has it.
    ``places(embedded, sidecar)`` lists each place that holds the field with what it says, in order
    of precedence. ``agrees(place, value, shown)`` tells whether a place says what is shown, as far
    as it can. ``to_json`` and ``from_json`` are the field's form under ``tagline`` in a JSON
    sidecar; None for the description, which has a member of Takeout's own.
    """

    name: str
    accept: Callable[[object], FieldValue]
    show: Callable[[FieldValue], object]
    places: Callable[[Embedded, Sidecar], list[tuple[str, FieldValue]]]
    agrees: Callable[[str, FieldValue, FieldValue], bool]
    to_json: Callable[[FieldValue], object] | None = None
    from_json: Callable[[object], FieldValue] | None = None
    exif: tuple[ExifPlace, ...] = ()
    xmp: tuple[XmpPlace, ...] = ()
    iptc: tuple[IptcPlace, ...] = ()
