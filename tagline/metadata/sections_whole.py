"""Whether a RAF or an X3F is all there: what their headers and directories name."""

from struct import unpack

from tagline.metadata import raw_x3f
from tagline.metadata.holes import any_ends_in_zeros
from tagline.metadata.unfinished import (
    DIRECTORY_MISSING,
    END_MISSING,
    HEADER_MISSING,
    HOLE,
)
from tagline.metadata.window import Malformed, Window
from tagline.model import ByteSource


def raf_fault(source: ByteSource) -> str | None:
    """Why a RAF is unfinished: its JPEG, its list of tags and the sensor's data."""
    window = Window(source)
    try:
        numbers = unpack(">6I", window.at(84, 24))
    except Malformed:
        return HEADER_MISSING
    places = list(zip(numbers[::2], numbers[1::2], strict=True))
    if not places[2][1] or not places[0][1]:
        return HEADER_MISSING
    if any(offset + length > window.size for offset, length in places):
        return END_MISSING
    return HOLE if any_ends_in_zeros(window, (places[0], places[2])) else None


def x3f_fault(source: ByteSource) -> str | None:
    """Why an X3F is unfinished: its directory, which the file's last bytes name, and sections."""
    window = Window(source)
    try:
        sections = raw_x3f.image_sections(window)
    except Malformed:
        return DIRECTORY_MISSING
    if any(offset + length > window.size for offset, length in sections):
        return END_MISSING
    return HOLE if any_ends_in_zeros(window, sections) else None
