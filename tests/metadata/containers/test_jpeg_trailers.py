"""Metadata trailers behind a JPEG's image are no part of its image data."""

from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.metadata import fingerprint, jpeg
from tagline.model import BytesSource
from tests.metadata.containers.samples import SAMPLES
from tests.metadata.containers.samples_common import noise

PHOTO = SAMPLES["JPEG"](1)
CONTENT = noise(5, 300)


def afcp(start: int, order: bytes = b"!") -> bytes:
    """An AFCP trailer that says that it begins at ``start``."""
    head = b"AXS" + order + b"0100" + bytes(4)
    offset = pack(">I" if order == b"!" else "<I", start)
    return head + CONTENT + b"AXS" + order + offset + bytes(4)


def foto_station() -> bytes:
    """A FotoStation trailer."""
    return CONTENT + pack(">HI", 1, len(CONTENT) + 10) + b"\xa1\xb2\xc3\xd4"


def photo_mechanic() -> bytes:
    """A Photo Mechanic trailer."""
    return CONTENT + pack(">I", len(CONTENT)) + b"cbipcbbl"


def canon_vrd() -> bytes:
    """A trailer with Canon's development recipe."""
    mark = b"CANON OPTIONAL DATA\0" + pack(">I", len(CONTENT))
    return mark.ljust(28, b"\0") + CONTENT + mark.ljust(64, b"\0")


def mie(order: bytes = b"\x10") -> bytes:
    """A MIE trailer."""
    body = b"~\x10\x04\xfe0MIE" + CONTENT
    length = len(body) + 18
    number = pack(">I" if order == b"\x10" else "<I", length)
    return body + b"~\0\4\0zmie~\0\0\6" + number + order + b"\4"


TRAILERS = {
    "AFCP": afcp(len(PHOTO)),
    "AFCP, little-endian": afcp(len(PHOTO), b"*"),
    "AFCP that was moved": afcp(17),
    "FotoStation": foto_station(),
    "Photo Mechanic": photo_mechanic(),
    "Canon VRD": canon_vrd(),
    "NUL bytes": bytes(100),
    "MIE": mie(),
    "MIE, little-endian": mie(b"\x18"),
}


def mark_of(data: bytes) -> str:
    """The fingerprint of a JPEG."""
    source = BytesSource(data)
    return fingerprint.fingerprint(source, jpeg.read(source).image_data)


@pytest.mark.parametrize("trailer", TRAILERS.values(), ids=TRAILERS.keys())
def test_a_metadata_trailer_is_no_image_data(trailer: bytes) -> None:
    """The fingerprint is that of the photo without the trailer."""
    assert mark_of(PHOTO + trailer) == mark_of(PHOTO)


def test_trailers_behind_each_other() -> None:
    """Several trailers are taken off one after the other."""
    everything = photo_mechanic() + canon_vrd() + foto_station() + foto_station() + mie() + bytes(3)
    assert mark_of(PHOTO + everything) == mark_of(PHOTO)


def test_a_picture_behind_the_image_counts() -> None:
    """What is no known metadata trailer (a motion photo's film) is part of the photo."""
    assert mark_of(PHOTO + CONTENT) != mark_of(PHOTO)


@settings(max_examples=150, deadline=None)
@given(
    trailer=st.sampled_from(sorted(TRAILERS.values())),
    place=st.integers(1, 70),
    byte=st.integers(0, 255),
)
def test_a_damaged_trailer_gives_a_result(trailer: bytes, place: int, byte: int) -> None:
    """Whatever a trailer claims, image data is left, and inside the file."""
    data = bytearray(PHOTO + trailer)
    data[-place] = byte
    ((start, length),) = jpeg.read(BytesSource(bytes(data))).image_data
    assert 0 < start < start + length <= len(data)
