"""Pictures to make pictures of: gradients, profiles, bombs."""

import zlib
from io import BytesIO
from struct import pack

from PIL import Image

SIZE = (96, 64)


def scene(size=SIZE) -> Image.Image:
    """Four different corners, so that every turn shows."""
    width, height = size
    image = Image.new("RGB", size, (200, 60, 40))
    image.paste((40, 180, 60), (width // 2, 0, width, height // 2))
    image.paste((50, 70, 210), (0, height // 2, width // 2, height))
    image.paste((230, 220, 60), (width // 4, height // 4, width // 2, height // 2))
    return image


def saved(image: Image.Image, kind: str, **options) -> bytes:
    """The image's file."""
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def largest_difference(one: Image.Image, other: Image.Image) -> int:
    """The greatest difference of any channel in the middle of any of 8 by 8 patches."""
    assert one.size == other.size
    one, other = one.convert("RGB"), other.convert("RGB")
    worst = 0
    for column in range(8):
        for row in range(8):
            at = (
                one.width * (2 * column + 1) // 16,
                one.height * (2 * row + 1) // 16,
            )
            pair = zip(one.getpixel(at), other.getpixel(at), strict=True)
            worst = max(worst, *(abs(a - b) for a, b in pair))
    return worst


def matrix_profile(primaries, gamma: float) -> bytes:
    """An ICC profile (version 2) of three primaries, XYZ adapted to D50, and one gamma."""

    def xyz(values):
        return b"XYZ \0\0\0\0" + pack(">3i", *(round(v * 65536) for v in values))

    curve = b"curv\0\0\0\0" + pack(">IH2x", 1, round(gamma * 256))
    white = (0.9642, 1.0, 0.8249)
    tags = dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(xyz, primaries), strict=True))
    tags |= {b"wtpt": xyz(white), b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    start = 132 + 12 * len(tags)
    table, values = pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += pack(">4sII", name, start + len(values), len(value))
        values += value
    head = pack(">IIIIII", start + len(values), 0, 0x02100000, 0x6D6E7472, 0x52474220, 0x58595A20)
    head += bytes(12) + b"acsp" + bytes(28) + xyz(white)[8:]
    return head.ljust(128, b"\0") + table + values


DISPLAY_P3 = matrix_profile(
    ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)), 2.2
)
ADOBE_RGB = matrix_profile(
    ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)),
    563 / 256,
)


def png_bomb(width: int, height: int, megabytes: int = 1) -> bytes:
    """A small PNG of many pixels; its data ends after so many megabytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    head = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    packer = zlib.compressobj(9, wbits=-15)
    again = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    data = head + again * (megabytes - 1)
    header = pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def slow_jpeg(side: int = 8000, scans: int = 2000) -> bytes:
    """A small progressive JPEG with so many scans that decoding it takes minutes."""
    data = saved(Image.new("L", (side, side), 128), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + b"\xff\xd9"
