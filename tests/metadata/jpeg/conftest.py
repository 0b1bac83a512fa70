"""Builders of JPEG files, so that each test states the bytes it is about."""

import io
from collections.abc import Callable
from struct import pack

import pytest
from PIL import Image

MakeJpeg = Callable[..., bytes]


def segment(marker: int, payload: bytes) -> bytes:
    """A marker segment."""
    return bytes((0xFF, marker)) + pack(">H", len(payload) + 2) + payload


def make_jpeg(*segments: tuple[int, bytes], trailer: bytes = b"", color: int = 90) -> bytes:
    """A small real JPEG with these segments behind its JFIF segment, and this trailer."""
    buffer = io.BytesIO()
    Image.new("L", (24, 16), color).save(buffer, "JPEG")
    plain = buffer.getvalue()
    jfif_end = 2 + 2 + int.from_bytes(plain[4:6], "big")
    extra = b"".join(segment(marker, payload) for marker, payload in segments)
    return plain[:jfif_end] + extra + plain[jfif_end:] + trailer


def make_exif(*, note: bytes = b"", description: bytes = b"", pad: int = 0) -> bytes:
    """An Exif payload with Make, an Exif IFD with a maker note, and perhaps a description."""
    texts = {0x010F: b"Maker Inc\0"} | ({0x010E: description} if description else {})
    at = 8 + 2 + 12 * (len(texts) + 1) + 4
    entries, values = [], b""
    for tag in sorted(texts):
        entries.append(pack(">HHII", tag, 2, len(texts[tag]), at + len(values)))
        values += texts[tag] + b"\0" * (len(texts[tag]) % 2)
    exif_at = at + len(values)
    entries.append(pack(">HHII", 0x8769, 4, 1, exif_at))
    maker = pack(">HHHII", 1, 0x927C, 7, len(note), exif_at + 18) + bytes(4) + note
    head = b"MM\0*" + pack(">IH", 8, len(entries)) + b"".join(entries) + bytes(4)
    return b"Exif\0\0" + head + values + maker + bytes(pad)


@pytest.fixture(scope="session")
def jpeg() -> MakeJpeg:
    """Builds a JPEG from segments and a trailer."""
    return make_jpeg


@pytest.fixture(scope="session")
def exif_payload() -> Callable[..., bytes]:
    """Builds the payload of an Exif segment."""
    return make_exif
