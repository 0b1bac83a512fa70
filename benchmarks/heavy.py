"""Files that are large, or made to cost much memory: as many and as large parts as a format holds.

Each is written in small pieces, so that making it takes little memory itself.
"""

import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from struct import pack

from PIL import Image

MIB = 1 << 20
PACKET_HEAD = (
    b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:a="urn:a">'
)
PACKET_TAIL = b'</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
SAID = (
    b'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">w</rdf:li></rdf:Alt></dc:description>'
)
XMP_ID = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_XMP_ID = b"http://ns.adobe.com/xmp/extension/\0"

Pieces = Iterator[bytes]


def noise(size_bytes: int) -> Pieces:
    """Bytes that hold no JPEG marker and do not compress, in pieces of a MiB."""
    piece = bytes(1 + (n * n * 31 + n * 7) % 251 for n in range(1 << 16)) * 16
    for start in range(0, size_bytes, MIB):
        yield piece[: min(MIB, size_bytes - start)]


def small_jpeg() -> bytes:
    """A JPEG of 64 by 64 pixels."""
    target = BytesIO()
    Image.new("RGB", (64, 64)).save(target, "JPEG")
    return target.getvalue()


def segment(marker: int, payload: bytes) -> bytes:
    """A JPEG segment."""
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def jpeg(*segments: bytes, image: int = 0, trailer: int = 0) -> Pieces:
    """A JPEG with these segments first, so many more bytes of image data, and behind its end."""
    whole = small_jpeg()
    yield b"\xff\xd8"
    yield from segments
    yield whole[2:-2]
    yield from noise(image)
    yield whole[-2:]
    if trailer:
        yield b"\0\0\0\x10ftypmp42\0\0\0\0" + b"\0\0\0\x08moov"
        yield pack(">I", trailer - 24) + b"mdat"
        yield from noise(trailer - 32)


def chunk(kind: bytes, payload: bytes) -> bytes:
    """A PNG chunk."""
    crc = zlib.crc32(payload, zlib.crc32(kind)).to_bytes(4, "big")
    return len(payload).to_bytes(4, "big") + kind + payload + crc


def png(*chunks: bytes, image: int = 0, piece: int = MIB) -> Pieces:
    """A PNG with these chunks ahead of its image data, which has so many bytes."""
    yield b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0))
    yield from chunks
    for part in noise(max(image, 64)):
        for start in range(0, len(part), piece):
            yield chunk(b"IDAT", part[start : start + piece])
    yield chunk(b"IEND", b"")


def riff(kind: bytes, payload: bytes) -> bytes:
    """A WebP chunk."""
    return kind + len(payload).to_bytes(4, "little") + payload + bytes(len(payload) % 2)


def webp(*chunks: bytes, image: int = 0) -> Pieces:
    """An extended WebP with these chunks behind its image data, which has so many bytes."""
    head = b"\x2f" + (63 | 63 << 14).to_bytes(4, "little")
    length = image - image % 2 + len(head) + 1
    after = sum(map(len, chunks))
    yield b"RIFF" + (4 + 18 + 8 + length + after).to_bytes(4, "little") + b"WEBP"
    flags = 0x08 * any(c[:4] == b"EXIF" for c in chunks) | 0x04 * any(
        c[:4] == b"XMP " for c in chunks
    )
    yield riff(b"VP8X", bytes((flags, 0, 0, 0, 63, 0, 0, 63, 0, 0)))
    yield b"VP8L" + length.to_bytes(4, "little") + head + b"\0"
    yield from noise(image - image % 2)
    yield from chunks


def tiff(image: int = 0, *, strips: int = 0, tags: int = 0, at_end: bool = False) -> Pieces:
    """An uncompressed TIFF with so many bytes of image data, in strips of its rows, and tags."""
    width = 4096
    rows = max(1, image // width)
    strips = strips or rows
    per_strip = -(-rows // strips)
    strips = -(-rows // per_strip)
    entries = [
        (0x100, 4, 1, width),
        (0x101, 4, 1, rows),
        (0x102, 3, 1, 8),
        (0x103, 3, 1, 1),
        (0x106, 3, 1, 1),
        (0x111, 4, strips, 0),
        (0x115, 3, 1, 1),
        (0x116, 4, 1, per_strip),
        (0x117, 4, strips, 0),
    ]
    entries += [(0x9D00 + n, 3, 1, 1) for n in range(min(tags, 0x2000))]
    entries.sort()
    table = 2 + 12 * len(entries) + 4
    body = rows * width
    data_at = 8 if at_end else 8 + table + 8 * strips * (strips > 1)
    ifd_at = 8 + body if at_end else 8
    lists_at = ifd_at + table
    yield b"II*\0" + ifd_at.to_bytes(4, "little")

    def directory() -> bytes:
        raw = b""
        starts = [data_at + n * per_strip * width for n in range(strips)]
        sizes = [min(per_strip, rows - n * per_strip) * width for n in range(strips)]
        for tag, kind, count, value in entries:
            told = value
            if tag in (0x111, 0x117):
                listed = starts if tag == 0x111 else sizes
                at = lists_at + 4 * strips * (tag == 0x117)
                told = listed[0] if strips == 1 else at
            raw += pack("<HHII", tag, kind, count, told)
        lists = b"" if strips == 1 else pack(f"<{2 * strips}I", *starts, *sizes)
        return pack("<H", len(entries)) + raw + bytes(4) + lists

    if not at_end:
        yield directory()
    yield from noise(body)
    if at_end:
        yield directory()


def ifds(size: int, entries: int = 65_535) -> bytes:
    """A TIFF block whose directories, as many as it has room for, lie over each other."""
    leads = min(1000, (size - entries * 12 - 5000) // 12)
    first = (
        pack("<H", 2)
        + pack("<HHII", 0x010F, 2, 4, 0x2020)
        + pack("<HHII", 0x014A, 4, leads, 200)
        + bytes(4)
    )
    head = (b"II*\0\x08\0\0\0" + first).ljust(200, b"\0")
    lists = pack(f"<{leads}I", *(8192 + 12 * n for n in range(leads)))
    body = (head + lists).ljust(8192, b"\0")
    # At every place where one begins, the number of its entries.
    entry = pack("<HHII", entries, 1, 1, 1)
    return (body + entry * ((size - len(body)) // 12)).ljust(size, b"\0")


def packet(inside: bytes, said: bytes = SAID, head: bytes = PACKET_HEAD) -> bytes:
    """An XMP packet."""
    return head + said + inside + PACKET_TAIL


def long_namespace(size: int, elements: int) -> bytes:
    """A packet with one long namespace, and elements of different names in it."""
    head = PACKET_HEAD.replace(b"urn:a", b"u" * size)
    return packet(b"".join(b"<a:b%d/>" % n for n in range(elements)), head=head)


def long_namespace_attributes(size: int, attributes: int) -> bytes:
    """The same with attributes of one element."""
    head = PACKET_HEAD.replace(b"urn:a", b"u" * size)
    inside = b"<a:x" + b"".join(b' a:c%d=""' % n for n in range(attributes)) + b"/>"
    return packet(inside, head=head)


def long_paths(size: int, elements: int) -> bytes:
    """A packet with a property of a long name, which holds many values."""
    name = b"a:" + b"n" * size
    return packet(b"<%s>" % name + b"<a:b/>" * elements + b"</%s>" % name)


def different(elements: int) -> bytes:
    """A packet of so many different elements."""
    return packet(b"".join(b"<a:b%d>t</a:b%d>" % (n, n) for n in range(elements)))


PACKETS: dict[str, Callable[[int], bytes]] = {
    "XMP of elements": lambda size: packet(b"<a:b/>" * (size // 6)),
    "XMP of 9,900 elements": lambda size: different(min(9900, size // 20)),
    "XMP of a long namespace": lambda size: long_namespace(size // 2, min(9000, size // 20)),
    "XMP of a long namespace for attributes": lambda size: long_namespace_attributes(
        size // 2, min(9000, size // 24)
    ),
    "XMP of a long path": lambda size: long_paths(size // 4, min(9000, size // 16)),
    "XMP of a long text": lambda size: packet(b"", SAID.replace(b">w<", b">" + b"w" * size + b"<")),
    "XMP of wide letters": lambda size: packet(
        b"", SAID.replace(b">w<", b">" + b"w" * size + "\U0001f600".encode() + b"<")
    ),
    "XMP of many keywords": lambda size: packet(
        b"<dc:subject><rdf:Bag>"
        + b"".join(b"<rdf:li>k%d</rdf:li>" % n for n in range(min(9000, size // 24)))
        + b"</rdf:Bag></dc:subject>"
    ),
}
"""Packets of about so many bytes, or fewer."""

IIM_SETS = b"\x1c\x02\x19\0\0"


def photoshop_resource(iim: bytes) -> bytes:
    """IPTC data sets as a Photoshop resource."""
    return b"8BIM\x04\x04\0\0" + len(iim).to_bytes(4, "big") + iim + bytes(len(iim) % 2)


def _packets() -> dict[str, Callable[[], Pieces]]:
    cases: dict[str, Callable[[], Pieces]] = {}
    for name, make in PACKETS.items():
        cases[f"{name}.jpg"] = lambda make=make: jpeg(segment(0xE1, XMP_ID + make(64_000)[:65_500]))
        cases[f"{name}.png"] = lambda make=make: png(
            chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + make(4_000_000))
        )
        cases[f"{name}.webp"] = lambda make=make: webp(riff(b"XMP ", make(4_000_000)))
    return cases


FILES: dict[str, Callable[[], Pieces]] = {
    "5 MB.jpg": lambda: jpeg(image=5 * MIB),
    "60 MB.jpg": lambda: jpeg(image=60 * MIB),
    "200 MB.jpg": lambda: jpeg(image=200 * MIB),
    "video of 100 MB.jpg": lambda: jpeg(image=5 * MIB, trailer=100 * MIB),
    "video of 250 MB.jpg": lambda: jpeg(image=5 * MIB, trailer=250 * MIB),
    "video of 500 MB.jpg": lambda: jpeg(image=5 * MIB, trailer=500 * MIB),
    "100 MB.tif": lambda: tiff(100 * MIB),
    "250 MB, tags at the end.tif": lambda: tiff(250 * MIB, at_end=True, strips=500),
    "250 MB in one strip.tif": lambda: tiff(250 * MIB, strips=1),
    "100 MB.png": lambda: png(image=100 * MIB),
    "250 MB in small chunks.png": lambda: png(image=250 * MIB, piece=8192),
    "250 MB.webp": lambda: webp(image=250 * MIB),
    "250 MB of segments.jpg": lambda: jpeg(*[segment(0xE2, bytes(65_533))] * 4000),
    "extended XMP of 250 MB.jpg": lambda: jpeg(
        *[segment(0xE1, EXTENDED_XMP_ID + bytes(65_400))] * 4000
    ),
    "Photoshop of 250 MB.jpg": lambda: jpeg(
        *[segment(0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x03\0\0\0\0\0\0" * 5400)] * 4000
    ),
    "markers.jpg": lambda: jpeg(*[segment(0xFE, b"")] * 4000, image=MIB),
    "scan of ends.jpg": lambda: (p for q in (jpeg(), [b"\xff\xd9x" * MIB] * 60) for p in q),
    "scan of AFCP marks.jpg": lambda: (p for q in (jpeg(), [b"AXS!" * (MIB >> 2)] * 60) for p in q),
    "million chunks.png": lambda: (
        p for q in (png(), [chunk(b"tEXt", b"")] * 1_000_000) for p in q if p != chunk(b"IEND", b"")
    ),
    "60,000 texts.png": lambda: png(*[chunk(b"tEXt", b"Comment\0" + b"c" * 4000)] * 60_000),
    "bombs.png": lambda: png(
        *[chunk(b"zTXt", b"Description\0\0" + zlib.compress(bytes(4 * MIB - 1), 9))] * 8
    ),
    "bomb of XMP.png": lambda: png(
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(400 * MIB), 9))
    ),
    "huge text.png": lambda: png(chunk(b"tEXt", b"Description\0" + b"d" * 200 * MIB)),
    "huge Exif.png": lambda: png(chunk(b"eXIf", b"II*\0\x08\0\0\0" + bytes(200 * MIB))),
    "60,000 chunks.webp": lambda: webp(*[riff(b"junk", b"")] * 60_000),
    "huge XMP.webp": lambda: webp(riff(b"XMP ", b"<" * (200 * MIB))),
    "directories over each other.png": lambda: png(chunk(b"eXIf", ifds(4_000_000))),
    "directories over each other.webp": lambda: webp(riff(b"EXIF", ifds(4_000_000))),
    "directories over each other.jpg": lambda: jpeg(
        segment(0xE1, b"Exif\0\0" + ifds(65_000, 4000))
    ),
    "250,000 strips.tif": lambda: tiff(4096 * 130_000, strips=130_000),
    "60,000 strips.tif": lambda: tiff(4096 * 60_000, strips=60_000),
    "8,000 tags.tif": lambda: tiff(MIB, tags=8000),
    "data sets.jpg": lambda: jpeg(
        segment(0xED, b"Photoshop 3.0\0" + photoshop_resource(IIM_SETS * 13_000))
    ),
    **_packets(),
}
"""Photos by name, each told as its pieces."""


def data_sets_tiff() -> Pieces:
    """A TIFF with 4 MiB of empty IPTC data sets."""
    iim = IIM_SETS * 800_000
    base = 4096
    entries = sorted(
        [
            (0x100, 4, 1, 64),
            (0x101, 4, 1, 64),
            (0x102, 3, 1, 8),
            (0x103, 3, 1, 1),
            (0x106, 3, 1, 1),
            (0x111, 4, 1, base),
            (0x115, 3, 1, 1),
            (0x116, 4, 1, 64),
            (0x117, 4, 1, 4096),
            (0x83BB, 1, len(iim), 2 * base),
        ]
    )
    raw = b"".join(pack("<HHII", *entry) for entry in entries)
    head = b"II*\0\x08\0\0\0" + pack("<H", len(entries)) + raw + bytes(4)
    yield head.ljust(base, b"\0") + b"\x55" * 4096
    yield iim


FILES["data sets.tif"] = data_sets_tiff

SIDECARS: dict[str, tuple[str, Callable[[], bytes]]] = {
    f"{name} in a sidecar": (".xmp", lambda make=make: make(4_000_000))
    for name, make in PACKETS.items()
} | {
    "JSON of brackets": (".json", lambda: b'{"title":"a","photoTakenTime":' + b"[" * 3_900_000),
    "JSON of objects": (
        ".json",
        lambda: (
            b'{"title":"a.jpg","photoTakenTime":{"timestamp":"0"},"x":['
            + b'{"a":1},' * 480_000
            + b"1]}"
        ),
    ),
    "JSON of numbers": (
        ".json",
        lambda: (
            b'{"title":"a.jpg","photoTakenTime":{"timestamp":"0"},"x":['
            + b"[]," * 1_300_000
            + b"1]}"
        ),
    ),
    "JSON of 16 MiB": (
        ".json",
        lambda: (
            b'{"title":"a.jpg","photoTakenTime":{"timestamp":"0"},"x":['
            + b"{}," * 5_300_000
            + b"1]}"
        ),
    ),
    "XMP of 16 MiB": (".xmp", lambda: packet(b"<a:b/>" * 2_700_000)),
}
"""Sidecars by name: their suffix and content."""


def write(path: Path, pieces: Pieces) -> None:
    """Write a file piece by piece."""
    with path.open("wb") as file:
        file.writelines(pieces)
