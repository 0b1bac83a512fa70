"""Reading an EXIF block: every field that the index holds, from any bytes, in bounded time."""

from typing import Final

from tagline.metadata.exif_ifd import DIALECTS, Value, Walk
from tagline.metadata.exif_text import text, trimmed, user_comment, utf16, xp_list
from tagline.metadata.exif_time import moment
from tagline.metadata.values import ExifValues, TakenAt
from tagline.model import ByteSource, BytesSource, Gps

_DESCRIPTION, _MAKE, _MODEL, _ORIENTATION = 0x010E, 0x010F, 0x0110, 0x0112
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_ORIGINAL, _DIGITIZED = 0x9003, 0x9004
_OFFSET_ORIGINAL, _OFFSET_DIGITIZED = 0x9011, 0x9012
_USER_COMMENT = 0x9286
_SUBSEC_ORIGINAL, _SUBSEC_DIGITIZED = 0x9291, 0x9292
_XP_TITLE, _XP_COMMENT, _XP_KEYWORDS = 0x9C9B, 0x9C9C, 0x9C9E
_RATING = 0x4746
_WIDTH, _HEIGHT = 0xA002, 0xA003
_LENS = 0xA434

_IN_EXIF: Final = frozenset(
    {
        *(_ORIGINAL, _DIGITIZED, _OFFSET_ORIGINAL, _OFFSET_DIGITIZED, _USER_COMMENT),
        *(_SUBSEC_ORIGINAL, _SUBSEC_DIGITIZED, _WIDTH, _HEIGHT, _LENS),
    }
)
# TIFF/EP files (ISO 12234-2) hold these in IFD0 itself.
_IN_IFD0: Final = frozenset(
    {
        *(_DESCRIPTION, _MAKE, _MODEL, _ORIENTATION, _EXIF_IFD, _GPS_IFD, _XP_COMMENT),
        *(_ORIGINAL, _DIGITIZED, _SUBSEC_ORIGINAL, _USER_COMMENT, _LENS),
        *(_XP_TITLE, _XP_KEYWORDS, _RATING),
    }
)
_IN_GPS: Final = frozenset(range(1, 7))
_PARTS: Final = (1, 60, 3600)  # degrees, minutes and seconds in a degree
_NOTHING: Final = ExifValues()


def read(block: bytes | ByteSource) -> ExifValues:
    """What the block says; never raises, whatever the bytes.

    ``block`` starts at the TIFF header. Of a ``ByteSource`` only directories and wanted values are
    fetched, each at most 64 KiB. Values whose type, count or offset is wrong are as if absent.
    """
    data = block if isinstance(block, bytes) else None
    source = BytesSource(block) if isinstance(block, bytes) else block
    dialect = DIALECTS.get(source.read_at(0, 4))
    if dialect is None:
        return _NOTHING
    return _values(Walk(source.read_at, source.size, dialect, data))


def _values(walk: Walk) -> ExifValues:
    found = walk.directory(walk.first_directory(), _IN_IFD0)
    integer = walk.integer
    position = None
    if (exif_at := integer(found.get(_EXIF_IFD))) is not None and exif_at > 0:
        found |= walk.directory(exif_at, _IN_EXIF)
    if (gps_at := integer(found.get(_GPS_IFD))) is not None and gps_at > 0:
        position = _position(walk, walk.directory(gps_at, _IN_GPS))
    get = found.get
    orientation = integer(get(_ORIENTATION))
    comment = get(_USER_COMMENT)
    rating = integer(get(_RATING))
    return ExifValues(
        description=text(v[1]) if (v := get(_DESCRIPTION)) else None,
        user_comment=user_comment(comment[1], walk.dialect.order) if comment else None,
        xp_comment=utf16(v[1], "utf-16-le") if (v := get(_XP_COMMENT)) else None,
        xp_title=utf16(v[1], "utf-16-le") if (v := get(_XP_TITLE)) else None,
        xp_keywords=xp_list(v[1]) if (v := get(_XP_KEYWORDS)) else (),
        rating=rating if rating is not None and 0 <= rating <= 5 else None,
        make=trimmed(v[1]) if (v := get(_MAKE)) else None,
        model=trimmed(v[1]) if (v := get(_MODEL)) else None,
        lens=trimmed(v[1]) if (v := get(_LENS)) else None,
        orientation=orientation if orientation and 1 <= orientation <= 8 else None,
        taken_at=_moment(found, _ORIGINAL, _SUBSEC_ORIGINAL, _OFFSET_ORIGINAL),
        digitized_at=_moment(found, _DIGITIZED, _SUBSEC_DIGITIZED, _OFFSET_DIGITIZED),
        gps=position,
        width=_pixels(walk, get(_WIDTH)),
        height=_pixels(walk, get(_HEIGHT)),
    )


def _moment(found: dict[int, Value], date: int, subsec: int, offset: int) -> TakenAt | None:
    value = found.get(date)
    if value is None:
        return None
    fraction, zone = found.get(subsec), found.get(offset)
    return moment(value[1], fraction and fraction[1], zone and zone[1])


def _pixels(walk: Walk, value: Value | None) -> int | None:
    count = walk.integer(value)
    return count if count is not None and count > 0 else None


def _position(walk: Walk, tags: dict[int, Value]) -> Gps | None:
    latitude = _degrees(walk, tags, 1, 90.0)
    longitude = _degrees(walk, tags, 3, 180.0)
    if latitude is None or longitude is None:
        return None
    return Gps(latitude=latitude, longitude=longitude, altitude=_altitude(walk, tags))


def _degrees(walk: Walk, tags: dict[int, Value], ref_tag: int, most: float) -> float | None:
    """Degrees, minutes and seconds with the hemisphere, the tag before them (EXIF 3.0, 4.6.7)."""
    ref, parts = tags.get(ref_tag), walk.numbers(tags.get(ref_tag + 1))
    if ref is None or not parts:
        return None
    hemisphere = ref[1][:1].upper()
    if hemisphere not in (b"N", b"S", b"E", b"W"):
        return None
    degrees = sum([part / whole for part, whole in zip(parts, _PARTS, strict=False)])
    if not 0.0 <= degrees <= most:
        return None
    return -degrees if hemisphere in (b"S", b"W") else degrees


def _altitude(walk: Walk, tags: dict[int, Value]) -> float | None:
    parts = walk.numbers(tags.get(6))
    if not parts:
        return None
    # 1 and, since EXIF 3.0, 3 mean below the reference surface.
    below = walk.integer(tags.get(5)) in (1, 3)
    return -parts[0] if below else parts[0]
