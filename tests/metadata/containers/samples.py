"""One generated sample for each format of the registry, each a different photo for another seed."""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from struct import pack
from typing import Any

from tagline.metadata.raw_cr3 import CANON, XMP
from tests.metadata.containers import samples_tiff as tiffs
from tests.metadata.containers.samples_common import (
    HEIGHT,
    WIDTH,
    exif_block,
    image,
    noise,
    xmp_packet,
)


def saved(seed: int, kind: str, mode: str = "RGB", **options: Any) -> bytes:
    """A picture as Pillow writes it."""
    target = BytesIO()
    image(seed, mode).save(target, kind, **options)
    return target.getvalue()


def with_blocks(seed: int, kind: str, **options: Any) -> bytes:
    """A picture with the words in Exif and XMP, as Pillow writes it."""
    exif = (b"Exif\0\0" if kind == "JPEG" else b"") + exif_block()
    return saved(seed, kind, exif=exif, xmp=xmp_packet("described"), **options)


def box(kind: bytes, content: bytes) -> bytes:
    """A box of the ISO base media file format."""
    return pack(">I", 8 + len(content)) + kind + content


def full_box(kind: bytes, version: int, content: bytes, flags: int = 0) -> bytes:
    """A box that begins with a version and flags."""
    return box(kind, bytes([version]) + flags.to_bytes(3, "big") + content)


def gif(seed: int, xmp: bytes = xmp_packet("described")) -> bytes:
    """A GIF whose XMP stands in front of the image."""
    data = saved(seed, "GIF", "P")
    flags = data[10]
    start = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    ramp = b"\1" + bytes(range(255, -1, -1)) + b"\0"
    return data[:start] + b"\x21\xff\x0bXMP DataXMP" + xmp + ramp + data[start:]


def jxl_codestream(seed: int, head: bytes | None = None) -> bytes:
    """The first bytes of a codestream of 96 x 64 pixels, and noise."""
    # not small, height in 9 bits, ratio 3:2, all defaults: read from the lowest bit on
    bits = 0 | (0 << 1) | (HEIGHT - 1) << 3 | 4 << 12 | 1 << 15
    return b"\xff\x0a" + (head or bits.to_bytes(4, "little")) + noise(seed, 4000)


def jxl(seed: int) -> bytes:
    """A JPEG XL in boxes, its image in two parts."""
    stream = jxl_codestream(seed)
    return (
        b"\0\0\0\x0cJXL \r\n\x87\n"
        + box(b"ftyp", b"jxl \0\0\0\0jxl ")
        + box(b"jxlp", pack(">I", 0) + stream[:1000])
        + box(b"Exif", pack(">I", 0) + exif_block())
        + box(b"xml ", xmp_packet("described"))
        + box(b"jxlp", pack(">I", 0x80000001) + stream[1000:])
    )


def heic(seed: int) -> bytes:
    """The boxes of an AVIF, under HEIC's brand."""
    return with_blocks(seed, "AVIF").replace(b"ftypavif", b"ftypheic", 1)


def heif(seed: int) -> bytes:
    """The boxes of an AVIF, under HEIF's brand."""
    return with_blocks(seed, "AVIF").replace(b"ftypavif", b"ftypmif1", 1)


def raf(seed: int) -> bytes:
    """A Fujifilm RAF: JPEG, list of sensor tags, sensor data."""
    jpeg = with_blocks(3, "JPEG")
    tags = pack(">IHHHHHHHH", 2, 0x100, 4, HEIGHT + 9, WIDTH + 9, 0x111, 4, HEIGHT, WIDTH)
    data = noise(seed, WIDTH * HEIGHT)
    at = 148
    jpeg_end = at + len(jpeg) + 4 - len(jpeg) % 4
    places = pack(">6I", at, len(jpeg), jpeg_end, len(tags), jpeg_end + len(tags), len(data))
    head = b"FUJIFILMCCD-RAW " + b"0201" + b"FF389501" + b"FinePix S100FS".ljust(32, b"\0")
    front = (head + b"0100" + bytes(20) + places).ljust(at, b"\0")
    return (front + jpeg).ljust(jpeg_end, b"\0") + tags + data


def x3f(seed: int) -> bytes:
    """A Sigma X3F: header, JPEG preview, sensor data, directory."""
    jpeg, data = with_blocks(3, "JPEG"), noise(seed, WIDTH * HEIGHT * 2)
    head = pack("<4sI16s4I", b"FOVb", 0x00020001, b"\1" * 16, 0, WIDTH, HEIGHT, 0).ljust(104, b"\0")
    sections = [
        (b"IMA2", pack("<4sIIIIII", b"SECi", 0x20000, 2, 18, WIDTH, HEIGHT, 0) + jpeg),
        (b"IMAG", pack("<4sIIIIII", b"SECi", 0x20000, 3, 30, WIDTH, HEIGHT, 0) + data),
    ]
    body, table = head, b""
    for kind, section in sections:
        table += pack("<II4s", len(body), len(section), kind)
        body += section
    return body + pack("<4sII", b"SECd", 0x20000, len(sections)) + table + pack("<I", len(body))


def cr3(seed: int) -> bytes:
    """A Canon CR3: Exif in four boxes, the photo as a track."""
    main = tiffs.Builder()
    words = tiffs.head_entries("Canon", "Canon EOS R")
    del words[0x2BC]
    cmt1 = main.finish(main.directory(words))
    exif = tiffs.Builder()
    cmt2 = exif.finish(tiffs.exif_directory(exif))
    gps = tiffs.Builder()
    cmt4 = gps.finish(gps.directory({0: (tiffs.BYTE, (2, 3, 0, 0)), 1: tiffs.text("N")}))
    blocks = box(b"CNCV", b"CanonCR3_001/00.09.00/00.00.00")
    blocks += box(b"CMT1", cmt1) + box(b"CMT2", cmt2) + box(b"CMT4", cmt4)
    entry = bytes(6) + pack(">H", 1) + bytes(16) + pack(">HH", WIDTH, HEIGHT) + bytes(50)
    table = full_box(b"stsd", 0, pack(">I", 1) + box(b"CRAW", entry))
    track = box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", table))))
    moov = box(b"moov", box(b"uuid", CANON + blocks) + track)
    head = box(b"ftyp", b"crx \0\0\0\1crx isom")
    xmp = box(b"uuid", XMP + xmp_packet("described"))
    return head + moov + xmp + box(b"mdat", noise(seed, WIDTH * HEIGHT))


_MAKERS: dict[str, Callable[[int], bytes]] = {
    "JPEG": lambda seed: with_blocks(seed, "JPEG"),
    "TIFF": tiffs.plain_tiff,
    "PNG": lambda seed: saved(seed, "PNG", exif=exif_block()),
    "WebP": lambda seed: with_blocks(seed, "WEBP"),
    "GIF": gif,
    "HEIC": heic,
    "HEIF": heif,
    "AVIF": lambda seed: with_blocks(seed, "AVIF"),
    "JPEG XL": jxl,
    "DNG": lambda seed: tiffs.with_subdirectory(
        seed, "Make", "Model", {0xC612: (tiffs.BYTE, (1, 4, 0, 0))}
    ),
    "Canon CR2": tiffs.cr2,
    "Canon CR3": cr3,
    "Nikon NEF": lambda seed: tiffs.with_subdirectory(seed, "NIKON CORPORATION", "NIKON D90"),
    "Nikon NRW": lambda seed: tiffs.with_subdirectory(seed, "NIKON", "COOLPIX P6000"),
    "Sony ARW": lambda seed: tiffs.with_subdirectory(seed, "SONY", "ILCE-7"),
    "Olympus ORF": lambda seed: tiffs.with_one_directory(
        seed, "OLYMPUS CORPORATION", "E-M1", b"IIRO"
    ),
    "Panasonic RW2": tiffs.rw2,
    "Fujifilm RAF": raf,
    "Pentax PEF": lambda seed: tiffs.with_one_directory(seed, "PENTAX", "PENTAX K-5", b"MM\0*"),
    "Samsung SRW": lambda seed: tiffs.with_subdirectory(seed, "SAMSUNG", "NX300"),
    "Sigma X3F": x3f,
}

SAMPLES: dict[str, Callable[[int], bytes]] = {name: cache(make) for name, make in _MAKERS.items()}
