"""Real PNG, WebP and TIFF files of many kinds, made by Pillow, and independent views of them."""

import hashlib
import io
import random
import warnings
import zlib
from collections.abc import Mapping
from struct import calcsize, pack

from PIL import Image, ImageCms

from tagline.metadata import exif, png, png_edit, tiff, tiff_edit, webp, webp_edit, xmp
from tagline.model import BytesSource

SIZE = (61, 43)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
EDITORS = {"png": png_edit.embed, "webp": webp_edit.embed, "tif": tiff_edit.embed}
READERS = {"png": png.read, "webp": webp.read, "tif": tiff.read}
COMPRESSIONS = ("tiff_lzw", "tiff_deflate", "packbits", "jpeg")


def noise(mode: str, size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture of noise, the same every time."""
    raw = random.Random(1).randbytes(size[0] * size[1] * 4)
    if mode == "I;16":
        return Image.frombytes(mode, size, raw[: size[0] * size[1] * 2])
    if mode == "LAB":
        return Image.merge("LAB", noise("RGB", size).split())
    picture = Image.frombytes("RGBA", size, raw)
    return picture.convert("L").convert("F") if mode == "F" else picture.convert(mode)


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    """The file that Pillow makes of a picture."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def camera_exif() -> Image.Exif:
    """EXIF as of a camera: no description, an Exif IFD, a maker note."""
    block = Image.Exif()
    block[0x010F] = "Maker Inc"
    block[0x0112] = 1
    block.get_ifd(0x8769)[0x927C] = b"note" * 20
    return block


def tiled_tiff() -> bytes:
    """A grey TIFF with four tiles, by hand, since Pillow makes none."""
    tiles = random.Random(3).randbytes(4 * 256)
    entries = [
        *((0x100, 3, 1, 32), (0x101, 3, 1, 32), (0x102, 3, 1, 8), (0x103, 3, 1, 1)),
        *((0x106, 3, 1, 1), (0x142, 3, 1, 16), (0x143, 3, 1, 16)),
        *((0x144, 4, 4, 8 + len(tiles)), (0x145, 4, 4, 8 + len(tiles) + 16)),
    ]
    lists = pack("<4I", *(8 + 256 * k for k in range(4))) + pack("<4I", *[256] * 4)
    directory = pack("<H", len(entries)) + b"".join(pack("<HHII", *e) for e in entries)
    first = 8 + len(tiles) + len(lists)
    return b"II*\0" + pack("<I", first) + tiles + lists + directory + bytes(4)


def big_endian_tiff() -> bytes:
    """A grey TIFF in the other byte order, its directory ahead of its only strip."""
    pairs = ((0x100, 7), (0x101, 5), (0x102, 8), (0x103, 1), (0x106, 1))
    more = ((0x111, 8 + 2 + 12 * 8 + 4), (0x116, 5), (0x117, 35))
    raw = b"".join(pack(">HHII", tag, 4, 1, value) for tag, value in (*pairs, *more))
    return b"MM\0*" + pack(">IH", 8, 8) + raw + bytes(4) + bytes(range(35))


Entries = dict[int, tuple[int, bytes | tuple[int, ...]]]
CODES = {1: "B", 2: "B", 3: "H", 4: "I", 7: "B", 13: "I"}
PICTURE = bytes(range(240))


def make_tiff(more: Entries | None = None, pages: int = 1, tail: bytes = b"") -> bytes:
    """A grey TIFF of 20 x 12 pixels with these further entries on its first page, and this tail.

    Each page is its strip, its values and its directory, in this order.
    """
    data = bytearray(b"II*\0\0\0\0\0")
    link = 4
    for page in range(pages):
        strip = len(data)
        data += PICTURE
        entries: Entries = {
            0x100: (3, (20,)),
            0x101: (3, (12,)),
            0x102: (3, (8,)),
            0x103: (3, (1,)),
            0x106: (3, (1,)),
            0x111: (4, (strip,)),
            0x116: (3, (12,)),
            0x117: (4, (240,)),
            **((more or {}) if page == 0 else {}),
        }
        table = pack("<H", len(entries))
        for tag, (kind, value) in sorted(entries.items()):
            code = CODES[kind]
            raw = value if isinstance(value, bytes) else pack(f"<{len(value)}{code}", *value)
            field = raw.ljust(4, b"\0")
            if len(raw) > 4:
                field = pack("<I", len(data))
                data += raw + bytes(len(raw) % 2)
            table += pack("<HHI", tag, kind, len(raw) // calcsize(code)) + field
        data[link : link + 4] = pack("<I", len(data))
        link = len(data) + len(table)
        data += table + bytes(4)
    return bytes(data) + tail


def interlaced_png() -> bytes:
    """An interlaced PNG of one grey pixel (Adam7 has a single pass with data)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + crc

    header = bytes((0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 1))
    image = chunk(b"IDAT", zlib.compress(b"\0\x5a"))
    return png.SIGNATURE + chunk(b"IHDR", header) + image + chunk(b"IEND", b"")


def make_samples() -> Mapping[str, bytes]:
    """Every kind of file by a name that begins with its format."""
    found: dict[str, bytes] = {}
    for mode in ("RGB", "RGBA", "L", "LA", "P", "1", "I;16"):
        found[f"png {mode}"] = saved(noise(mode), "PNG")
    frames = [noise("L").convert("RGB"), noise("RGB").rotate(90)]
    moving = {"save_all": True, "append_images": frames}
    found["png interlaced"] = interlaced_png()
    found["png animated"] = saved(noise("RGB"), "PNG", **moving)
    found["png animated behind a still"] = saved(noise("RGB"), "PNG", default_image=True, **moving)
    found["png exif"] = saved(noise("RGB"), "PNG", exif=camera_exif(), icc_profile=PROFILE)
    found["png trailer"] = saved(noise("L"), "PNG") + b"trailing bytes"
    for mode in ("RGB", "RGBA"):
        found[f"webp lossy {mode}"] = saved(noise(mode), "WEBP")
        found[f"webp lossless {mode}"] = saved(noise(mode), "WEBP", lossless=True)
    found["webp animated"] = saved(noise("RGB"), "WEBP", **moving)
    found["webp exif"] = saved(noise("RGB"), "WEBP", exif=camera_exif(), icc_profile=PROFILE)
    found["webp trailer"] = saved(noise("L"), "WEBP") + b"trailing bytes"
    for mode in ("RGB", "RGBA", "L", "P", "1", "CMYK", "I;16", "F", "LAB"):
        found[f"tif {mode}"] = saved(noise(mode), "TIFF")
    for name in COMPRESSIONS:
        found[f"tif {name}"] = saved(noise("RGB", (120, 200)), "TIFF", compression=name)
    found["tif strips"] = saved(noise("RGB"), "TIFF", strip_size=600, compression="packbits")
    found["tif pages"] = saved(noise("RGB"), "TIFF", save_all=True, append_images=[noise("L")] * 3)
    found["tif exif"] = saved(noise("RGB"), "TIFF", exif=camera_exif())
    found["tif described"] = saved(noise("RGB"), "TIFF", description="was here before")
    found["tif tiles"] = tiled_tiff()
    found["tif big-endian"] = big_endian_tiff()
    found["tif odd length"] = saved(noise("L"), "TIFF") + b"\1"
    found["tif even length"] = saved(noise("L"), "TIFF") + b"\0\2"
    return found


SAMPLES = make_samples()


def kind_of(name: str) -> str:
    """The format of a sample."""
    return name.partition(" ")[0]


def pixels(data: bytes) -> list[tuple[str, tuple[int, int], str]]:
    """Mode, size and a hash of the pixels of every frame or page, by Pillow."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(data)) as picture:
            for index in range(getattr(picture, "n_frames", 1)):
                picture.seek(index)
                picture.load()
                digest = hashlib.sha1(picture.tobytes()).hexdigest()
                found.append((picture.mode, picture.size, digest))
    return found


def shown(kind: str, data: bytes) -> dict[str, str | None]:
    """The description in EXIF and in XMP, by Tagline's readers."""
    container = READERS[kind](BytesSource(data))
    return {
        "exif": exif.read(container.exif).description if container.exif else None,
        "xmp": xmp.read(container.xmp).description if container.xmp else None,
    }
