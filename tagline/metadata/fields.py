"""The one table of fields that a person may edit: limits, places, precedence.

What a row calls is in ``resolve`` (reading) and ``field_values`` (writing). What else a new field
needs is listed in ``docs/architecture.md``.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tagline.metadata import exif_text, field_values, iptc, resolve
from tagline.metadata import xmp_names as names
from tagline.metadata.field_types import ExifPlace, Field, FieldEdit, IptcPlace, When, XmpPlace

_ASCII, _BYTE, _SHORT, _UNDEFINED = 2, 1, 3, 7

DESCRIPTION: Final = Field(
    name="description",
    accept=field_values.accept_description,
    show=field_values.as_it_is,
    places=resolve.description_places,
    agrees=resolve.description_agrees,
    exif=(
        ExifPlace(
            directory="IFD0",
            tag=0x010E,
            kind=_ASCII,
            when=When.ALWAYS,
            encode=field_values.exif_text,
        ),
        ExifPlace(
            directory="Exif",
            tag=0x9286,
            kind=_UNDEFINED,
            when=When.HELD,
            encode=field_values.exif_user_comment,
            read=exif_text.user_comment,
            kept_bytes=8,
        ),
        ExifPlace(
            directory="IFD0",
            tag=0x9C9C,
            kind=_BYTE,
            when=When.HELD,
            encode=field_values.exif_xp,
            read=field_values.xp_text,
        ),
    ),
    xmp=(
        XmpPlace(
            name=names.DC_DESCRIPTION,
            in_file=When.ALWAYS,
            in_sidecar=When.ALWAYS,
            encode=field_values.xmp_text,
        ),
        XmpPlace(
            name=names.TIFF_DESCRIPTION,
            in_file=When.HELD,
            in_sidecar=When.ALWAYS,
            encode=field_values.xmp_text,
        ),
        XmpPlace(
            name=names.EXIF_USER_COMMENT,
            in_file=When.HELD,
            in_sidecar=When.NEVER,
            encode=field_values.xmp_text,
        ),
    ),
    iptc=(
        IptcPlace(
            key=iptc.CAPTION,
            what="caption",
            limit=iptc.CAPTION_MAX_BYTES,
            encode=field_values.iptc_texts,
        ),
    ),
)

TITLE: Final = Field(
    name="title",
    accept=field_values.accept_title,
    show=field_values.as_it_is,
    places=resolve.title_places,
    agrees=resolve.title_agrees,
    to_json=field_values.as_it_is,
    from_json=field_values.accept_title,
    exif=(
        ExifPlace(
            directory="IFD0",
            tag=0x9C9B,
            kind=_BYTE,
            when=When.THERE,
            encode=field_values.exif_xp,
        ),
    ),
    xmp=(
        XmpPlace(
            name=names.DC_TITLE,
            in_file=When.ALWAYS,
            in_sidecar=When.ALWAYS,
            encode=field_values.xmp_text,
        ),
    ),
    iptc=(
        IptcPlace(
            key=iptc.OBJECT_NAME,
            what="title",
            limit=iptc.TITLE_MAX_BYTES,
            encode=field_values.iptc_texts,
        ),
    ),
)

KEYWORDS: Final = Field(
    name="keywords",
    accept=field_values.accept_keywords,
    show=field_values.as_it_is,
    places=resolve.keywords_places,
    agrees=resolve.keywords_agree,
    to_json=field_values.as_list,
    from_json=field_values.accept_keywords,
    exif=(
        ExifPlace(
            directory="IFD0",
            tag=0x9C9E,
            kind=_BYTE,
            when=When.THERE,
            encode=field_values.exif_xp_list,
        ),
    ),
    xmp=(
        XmpPlace(
            name=names.DC_SUBJECT,
            in_file=When.ALWAYS,
            in_sidecar=When.ALWAYS,
            encode=field_values.xmp_keywords,
        ),
        XmpPlace(
            name=names.HIERARCHICAL_SUBJECT,
            in_file=When.THERE,
            in_sidecar=When.THERE,
            encode=field_values.xmp_hierarchy,
        ),
    ),
    iptc=(
        IptcPlace(
            key=iptc.KEYWORDS,
            what="keywords",
            limit=iptc.TITLE_MAX_BYTES,
            encode=field_values.iptc_texts,
            repeats=True,
        ),
    ),
)

RATING: Final = Field(
    name="rating",
    accept=field_values.accept_rating,
    show=field_values.as_it_is,
    places=resolve.rating_places,
    agrees=resolve.equal,
    to_json=field_values.as_it_is,
    from_json=field_values.accept_rating,
    exif=(
        ExifPlace(
            directory="IFD0",
            tag=0x4746,
            kind=_SHORT,
            when=When.THERE,
            encode=field_values.exif_rating,
        ),
        ExifPlace(
            directory="IFD0",
            tag=0x4749,
            kind=_SHORT,
            when=When.THERE,
            encode=field_values.exif_percent,
        ),
    ),
    xmp=(
        XmpPlace(
            name=names.XMP_RATING,
            in_file=When.ALWAYS,
            in_sidecar=When.ALWAYS,
            encode=field_values.xmp_rating,
        ),
        XmpPlace(
            name=names.MICROSOFT_RATING,
            in_file=When.THERE,
            in_sidecar=When.THERE,
            encode=field_values.xmp_percent,
        ),
        XmpPlace(
            name=names.MICROSOFT_RATING_TOO,
            in_file=When.THERE,
            in_sidecar=When.THERE,
            encode=field_values.xmp_percent,
        ),
    ),
)

TAKEN_AT: Final = Field(
    name="taken_at",
    accept=field_values.accept_taken_at,
    show=field_values.taken_text,
    places=resolve.taken_places,
    agrees=resolve.taken_agrees,
    to_json=field_values.taken_text,
    from_json=field_values.accept_taken_at,
    exif=(
        ExifPlace(
            directory="Exif",
            tag=0x9003,
            kind=_ASCII,
            when=When.ALWAYS,
            encode=field_values.exif_date,
        ),
        ExifPlace(
            directory="Exif",
            tag=0x9011,
            kind=_ASCII,
            when=When.ALWAYS,
            encode=field_values.exif_offset,
        ),
        ExifPlace(
            directory="Exif",
            tag=0x9291,
            kind=_ASCII,
            when=When.ALWAYS,
            encode=field_values.exif_subsec,
        ),
    ),
    xmp=(
        XmpPlace(
            name=names.PHOTOSHOP_CREATED,
            in_file=When.ALWAYS,
            in_sidecar=When.ALWAYS,
            encode=field_values.xmp_date,
        ),
        XmpPlace(
            name=names.EXIF_TAKEN_AT,
            in_file=When.THERE,
            in_sidecar=When.ALWAYS,
            encode=field_values.xmp_date,
        ),
        XmpPlace(
            name=names.EXIF_EX_OFFSET,
            in_file=When.THERE,
            in_sidecar=When.THERE,
            encode=field_values.xmp_offset,
        ),
    ),
    iptc=(
        IptcPlace(key=iptc.DATE_CREATED, what="date", limit=8, encode=field_values.iptc_date),
        IptcPlace(key=iptc.TIME_CREATED, what="time", limit=11, encode=field_values.iptc_time),
    ),
)

FIELDS: Final = (DESCRIPTION, TITLE, KEYWORDS, RATING, TAKEN_AT)

BY_NAME: Final[Mapping[str, Field]] = MappingProxyType({field.name: field for field in FIELDS})


def describing(text: str | None, old_text: str | None) -> FieldEdit:
    """The edit of a description alone; a text of None or nothing removes it."""
    return FieldEdit(field=DESCRIPTION, old=old_text, new=text or None)
