"""What the codecs hand to one another: plain frozen values."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec import UnsetType

from tagline.model import ByteSource, DescriptionSource, Gps


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """The metadata blocks of one file, cut out of its container format but not yet understood.

    ``width`` and ``height`` are stored pixels. ``exif`` starts at the TIFF header (``II`` or
    ``MM``); of a TIFF or a RAW file built on it, it is the file itself. ``xmp`` is the main packet,
    ``iptc`` the IIM data sets (IPTC IIM 4.2), ``iptc_digest`` the 16 bytes of the Photoshop
    resource 0x0425. ``image_data`` lists the extents (offset, length in bytes) that hold the image
    and no metadata, in an order that no metadata edit changes; empty where the format is not
    understood. ``orientation`` is set only where the container itself turns the image (HEIF irot
    and imir), as an EXIF orientation value. ``problem`` is a sentence for people, or None.
    """

    width: int | None = None
    height: int | None = None
    orientation: int | None = None
    exif: bytes | ByteSource | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    iptc_digest: bytes | None = None
    image_data: tuple[tuple[int, int], ...] = ()
    problem: str | None = None


class TakenAt(msgspec.Struct, frozen=True, kw_only=True):
    """A moment by a camera's clock: naive local time, and its UTC offset in minutes if known."""

    local: datetime
    offset_minutes: int | None = None


FieldValue = str | int | tuple[str, ...] | TakenAt | None
"""The value of a field that a person may edit; None, or no keywords, where there is none."""


BLANK = (None, "", ())
"""The values that say nothing: none at all, or an empty text or list."""


def is_blank(value: FieldValue) -> bool:
    """Whether a value says nothing."""
    return value in BLANK


class ExifValues(msgspec.Struct, frozen=True, kw_only=True):
    """What an EXIF block says (EXIF 3.0). Texts are decoded, NUL and outer padding cut off.

    ``taken_at`` is DateTimeOriginal, ``digitized_at`` DateTimeDigitized, each with SubSecTime and
    OffsetTime. ``width`` and ``height`` are PixelXDimension and PixelYDimension. ``rating`` is
    Microsoft's tag 0x4746.
    """

    description: str | None = None
    user_comment: str | None = None
    xp_comment: str | None = None
    xp_title: str | None = None
    xp_keywords: tuple[str, ...] = ()
    rating: int | None = None
    make: str | None = None
    model: str | None = None
    lens: str | None = None
    orientation: int | None = None
    taken_at: TakenAt | None = None
    digitized_at: TakenAt | None = None
    gps: Gps | None = None
    width: int | None = None
    height: int | None = None


class XmpValues(msgspec.Struct, frozen=True, kw_only=True):
    """What an XMP packet says (ISO 16684-1).

    ``description`` and ``title`` are dc:description's and dc:title's ``x-default``, else the first
    item; ``tiff_description`` is tiff:ImageDescription, ``keywords`` dc:subject, ``rating``
    xmp:Rating from 0 to 5. ``taken_at`` is exif:DateTimeOriginal, else photoshop:DateCreated.
    ``fingerprint`` is Tagline's own property in a sidecar.
    """

    description: str | None = None
    tiff_description: str | None = None
    user_comment: str | None = None
    title: str | None = None
    keywords: tuple[str, ...] = ()
    rating: int | None = None
    taken_at: TakenAt | None = None
    orientation: int | None = None
    make: str | None = None
    model: str | None = None
    lens: str | None = None
    gps: Gps | None = None
    fingerprint: str | None = None


class IptcValues(msgspec.Struct, frozen=True, kw_only=True):
    """What IPTC data sets say (IIM 4.2).

    2:120 Caption-Abstract, 2:05 ObjectName, every 2:25 Keywords, and 2:55 with 2:60 as
    ``taken_at``.
    """

    description: str | None = None
    title: str | None = None
    keywords: tuple[str, ...] = ()
    taken_at: TakenAt | None = None


class JsonSidecarValues(msgspec.Struct, frozen=True, kw_only=True):
    """What a JSON sidecar in Google Takeout's form says.

    ``title`` is the photo's file name, ``taken_timestamp`` in Unix seconds. Tagline's own members:
    ``fingerprint`` is that of the photo; ``said`` has the values of fields other than the
    description by name; ``removed`` names fields that a person removed while the file itself, which
    could not be edited, or a sidecar that is hidden still holds them; ``not_embedded`` says why
    not. ``damaged`` says that the photo was not whole: then there is no fingerprint, and the
    sidecar belongs to the photo of its name. ``hides`` is there in sidecars that are kept apart
    from their photo, and notes what those hide (``hiding``). ``description`` is UNSET in values to
    be written that leave it as it is.
    """

    title: str | None = None
    description: str | UnsetType | None = None
    taken_timestamp: int | None = None
    fingerprint: str | None = None
    damaged: bool = False
    removed: tuple[str, ...] = ()
    not_embedded: str | None = None
    hides: Mapping[str, tuple[str, ...]] | None = None
    said: dict[str, FieldValue] = {}


class Embedded(msgspec.Struct, frozen=True, kw_only=True):
    """What one file's own blocks say."""

    container: Container
    exif: ExifValues
    xmp: XmpValues
    iptc: IptcValues


class Sidecar(msgspec.Struct, frozen=True, kw_only=True):
    """What the sidecars that belong to the image data say; stale ones are left out."""

    xmp: XmpValues | None = None
    stem_xmp: XmpValues | None = None
    json: JsonSidecarValues | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A field as a photo shows it.

    ``agrees`` is whether every place that holds the field says ``value``; ``embedded`` whether some
    place inside the file itself holds one.
    """

    value: FieldValue
    agrees: bool
    embedded: bool


class SidecarFile(msgspec.Struct, frozen=True, kw_only=True):
    """A sidecar's file name (no directory) and content."""

    name: str
    data: bytes


class SidecarFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The sidecars of one photo, as far as they exist.

    ``xmp`` is ``IMG.ext.xmp``, ``stem_xmp`` is ``IMG.xmp`` where no other photo shares that stem,
    ``json`` is ``IMG.ext.json`` or another of Google Takeout's names for it. ``adopted_xmp`` and
    ``adopted_json`` lie anywhere and are the photo's by their fingerprint only; each is called by a
    name that no other one has.
    """

    xmp: SidecarFile | None = None
    stem_xmp: SidecarFile | None = None
    json: SidecarFile | None = None
    adopted_xmp: SidecarFile | None = None
    adopted_json: SidecarFile | None = None


class PhotoReading(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a photo and its sidecars say, resolved.

    ``sources`` lists every place that holds a description, the one that won first.
    ``stale_sidecars`` names sidecars that were written for other image data; they say nothing.
    ``adopted`` names those that are used although they are not the photo's own by name.
    ``found`` has every field that a person may edit by name; ``not_embedded`` says why the last
    edit did not go into the file. ``damaged`` says that the file was not whole then.
    """

    description: str | None
    sources: tuple[DescriptionSource, ...]
    fingerprint: str
    width: int | None
    height: int | None
    orientation: int | None
    taken: TakenAt | None
    make: str | None
    model: str | None
    lens: str | None
    gps: Gps | None
    problem: str | None
    stale_sidecars: tuple[str, ...]
    found: dict[str, Found]
    not_embedded: str | None
    damaged: bool = False
    adopted: tuple[str, ...] = ()
