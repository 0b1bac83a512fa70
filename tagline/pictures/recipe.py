"""What a picture is of and how it is to look: pure rules, and the names of made pictures."""

from hashlib import blake2b
from typing import Literal

import msgspec

from tagline.model import FileState

RECIPE_VERSION = 1
"""Raise it when the same file is to give other bytes than before: every name changes then."""

PREVIEW_EDGE = 2048
"""Pixels of a preview's longer side, at most."""

THUMBNAIL_EDGE = 256
"""Pixels of a thumbnail's longer side, at most, where nothing else is asked for."""

THUMBNAIL_EDGES = (16, 1024)
"""The least and the most that may be asked for as a thumbnail's longer side."""

PictureType = Literal["image/jpeg", "image/webp"]

Size = tuple[int, int]
"""Width and height in pixels."""

_NAME_BYTES = 16
_TURNED = (5, 6, 7, 8)


class Recipe(msgspec.Struct, frozen=True):
    """How a picture is to look: its longer side is ``edge`` pixels, or fewer if the photo's is."""

    edge: int
    media_type: PictureType


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What a picture is of: a photo, the state of its file, and how its pixels are to be turned.

    ``orientation`` is EXIF's (3.0, 4.6.5.1), 1 where nothing is said. ``stored`` is the size of
    the stored pixels where it is known.
    """

    photo_id: str
    state: FileState
    orientation: int
    stored: Size | None


class Wanted(msgspec.Struct, frozen=True):
    """A picture that is asked for: of what, how it is to look, and its name."""

    subject: Subject
    recipe: Recipe
    name: str


def name_of(subject: Subject, recipe: Recipe) -> str:
    """The name of a picture, 32 hexadecimal digits: another one whenever it may look different."""
    said = msgspec.json.encode((RECIPE_VERSION, subject, recipe))
    return blake2b(said, digest_size=_NAME_BYTES).hexdigest()


def fit(size: Size, edge: int) -> Size:
    """The largest size of the same shape whose longer side is at most ``edge``; never a larger."""
    longer = max(size)
    if longer <= edge:
        return size
    width, height = (max(1, round(side * edge / longer)) for side in size)
    return width, height


def turn_needed(orientation: int, stored: Size | None, decoded: Size) -> int:
    """The orientation still to be applied to decoded pixels.

    A camera that turned the preview inside a RAW file, but not the sensor's data, has swapped its
    sides: then nothing is left to be done.
    """
    if orientation not in _TURNED or stored is None:
        return orientation
    return orientation if _is_wide(stored) is _is_wide(decoded) else 1


def _is_wide(size: Size) -> bool | None:
    width, height = size
    return None if width == height else width > height
