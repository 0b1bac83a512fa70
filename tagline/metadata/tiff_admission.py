"""Which TIFF files may be edited at all: those whose description is a text for people."""

import re
from typing import Final

from tagline.errors import EditRefused
from tagline.metadata.tiff_survey import Survey, Tag

_DESCRIPTION: Final = ("IFD0", 0x010E)
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 0x0100, 0x0101, 0x0102, 0x0103, 0x0106
_STRIPS, _SAMPLES, _ROWS, _LENGTHS, _PLANAR = 0x0111, 0x0115, 0x0116, 0x0117, 0x011C
_TILES, _JPEG = 0x0144, 0x0201
_YCBCR: Final = 6
# Photometric interpretations of sensor data: CFA (TIFF/EP, ISO 12234-2) and LinearRaw (DNG).
_SENSOR: Final = frozenset({32803, 34892})
_LOOKED_AT_BYTES: Final = 4096
_CR2_MARK: Final = b"CR"
_TAGS: Final = {
    **dict.fromkeys((0x828D, 0x828E, 0x9216, 0xC612, 0xC640), "the file is a RAW photo"),
    # MetaMorph, Fluoview, LSM, ImageJ, Hamamatsu: they keep records of their own beside the tags.
    **dict.fromkeys((0x835C, 0x835D, 0x835E, 0x8639, 0x866C), "the file is a scientific image"),
    **dict.fromkeys((0xC696, 0xC697, 0xFF8C), "the file is a scientific image"),
    0xCD41: "the file carries Content Credentials, which an edit would break",
}
_MAKER_NOTE_IN_IFD0: Final = ("IFD0", 0x927C)
# Programs keep their own records in ImageDescription: OME-XML and other XML, JSON (tifffile),
# "key=value" lines (ImageJ, ScanImage, MetaMorph) and slide scanners' headers.
_STRUCTURED: Final = re.compile(
    rb"\s*(?:<[?!A-Za-z]|\{\s*[\"'}]|\[\s*[\"'{\[\]]|ImageJ=|SCANIMAGE|state\.|Aperio|"
    rb"(?:[\w.\[\]]+[ \t]*=[^\r\n]*(?:\r\n?|\n|\0*\Z)){2})",
    re.IGNORECASE,
)


def is_structured(description: bytes) -> bool:
    """Whether programs would take a description for data of their own."""
    return _STRUCTURED.match(description[:_LOOKED_AT_BYTES]) is not None


def admit(survey: Survey) -> None:
    """Say so where the file is one that no description may be written into.

    Raises:
        EditRefused: it is a RAW photo, a scientific image, sealed, or its description holds data
            for programs; or its image data is not all where a reader would look for it.
    """
    if survey.data[8:10] == _CR2_MARK or survey.find(_MAKER_NOTE_IN_IFD0):
        raise EditRefused("the file is a RAW photo")
    for tag in survey.tags:
        number = tag.where[1]
        if number in _TAGS:
            raise EditRefused(_TAGS[number])
        if number == _PHOTOMETRIC and tag.items == 1 and set(survey.integers(tag)) & _SENSOR:
            raise EditRefused("the file is a RAW photo")
    description = survey.find(_DESCRIPTION)
    if description and is_structured(survey.value(description) or b""):
        raise EditRefused("the description in the file is data for programs")
    _check_images(survey)


def _check_images(survey: Survey) -> None:
    directories: dict[str, dict[int, Tag]] = {}
    for tag in survey.tags:
        directories.setdefault(tag.where[0], {}).setdefault(tag.where[1], tag)
    for name, tags in directories.items():
        if name.rstrip("+") == "IFD0" and not {_STRIPS, _TILES, _JPEG} & tags.keys():
            raise EditRefused("a page of the TIFF file has no image data")
        if _STRIPS in tags and _WIDTH in tags and _first(survey, tags, _COMPRESSION, 1) == 1:
            _check_strips(survey, tags)


def _check_strips(survey: Survey, tags: dict[int, Tag]) -> None:
    """Refuse uncompressed strips that are shorter than their rows.

    Readers go on behind the end of such a strip, into bytes that an edit might change.
    """
    if _first(survey, tags, _PHOTOMETRIC, 0) == _YCBCR:
        return
    height = _first(survey, tags, _HEIGHT, 0)
    samples = _first(survey, tags, _SAMPLES, 1)
    planes = samples if _first(survey, tags, _PLANAR, 1) == 2 else 1
    bits = _first(survey, tags, _BITS, 1) * samples // max(planes, 1)
    rows = min(_first(survey, tags, _ROWS, height), height)
    if rows <= 0 or planes <= 0 or bits <= 0:
        raise EditRefused("the TIFF file has an image without a size")
    row_bytes = (_first(survey, tags, _WIDTH, 0) * bits + 7) // 8
    in_plane = -(-height // rows)
    lengths = survey.integers(tags[_LENGTHS])
    if len(lengths) < in_plane * planes:
        raise EditRefused("the image data of the TIFF file is incomplete")
    for k in range(in_plane * planes):
        wanted = min(rows, height - k % in_plane * rows) * row_bytes
        if lengths[k] < wanted:
            raise EditRefused("the image data of the TIFF file is incomplete")


def _first(survey: Survey, tags: dict[int, Tag], number: int, default: int) -> int:
    """The first item of a tag's value."""
    items = survey.integers(tags[number]) if number in tags else ()
    return items[0] if items else default
