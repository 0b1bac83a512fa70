"""Directories with damaged entries: other readers are stricter about the first one than we are."""

import io
import struct

import pytest
from PIL import Image

from tagline.errors import EditRefused
from tagline.metadata import jpeg_edit, jpeg_read
from tagline.model import BytesSource


def jpeg_with(*entries: tuple[int, int, int, bytes]) -> bytes:
    """A JPEG whose EXIF block is one directory of these entries (tag, type, count, value)."""
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries))
    block += b"".join(struct.pack("<HHI4s", *entry) for entry in entries) + bytes(4)
    exif = b"Exif\0\0" + block
    plain = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(plain, "JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    return b"\xff\xd8" + segment + plain.getvalue()[2:]


def kinds_in_ifd0(data: bytes) -> list[int]:
    """The types of IFD0's entries, in their order."""
    block = jpeg_read.read(BytesSource(data)).exif
    assert isinstance(block, bytes)
    at = int.from_bytes(block[4:8], "little")
    count = int.from_bytes(block[at : at + 2], "little")
    return [struct.unpack_from("<H", block, at + 2 + 12 * k + 2)[0] for k in range(count)]


DAMAGED = [0, 14, 0x0800]


@pytest.mark.parametrize("kind", DAMAGED)
def test_removing_never_puts_a_damaged_entry_first(kind):
    """Exiftool drops a whole directory whose first entry has no valid type."""
    before = jpeg_with(
        (0x010E, 2, 3, b"ab\0\0"), (0x010F, kind, 1, bytes(4)), (0x0112, 3, 1, b"\x01\0\0\0")
    )
    after = jpeg_edit.embed(before, None, "ab")
    assert kinds_in_ifd0(after)[0] == 2


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_directory_that_begins_damaged_is_left_alone(kind):
    """Other readers would not see a text in it."""
    before = jpeg_with((0x0000, kind, 1, bytes(4)), (0x0112, 3, 1, b"\x01\0\0\0"))
    with pytest.raises(EditRefused, match="damaged entry"):
        jpeg_edit.embed(before, "a text", None)
