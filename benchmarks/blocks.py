"""The metadata blocks of generated photos: Exif, XMP and IPTC as cameras write them."""

import random
import struct

XMP_ID = b"http://ns.adobe.com/xap/1.0/\0"
WIDTH = 512
PER_MONTH = 500
"""Photos of one month, and so in one directory."""

CAMERAS = (
    (b"Canon", b"Canon EOS 5D Mark IV", b"EF24-105mm f/4L IS II USM"),
    (b"NIKON CORPORATION", b"NIKON D750", b"24.0-120.0 mm f/4.0"),
    (b"Apple", b"iPhone 12 Pro", b"iPhone 12 Pro back triple camera 4.2mm f/1.6"),
    (b"SONY", b"ILCE-7M3", b"FE 24-70mm F2.8 GM"),
)

Entry = tuple[int, int, bytes]
"""Tag, TIFF type and value."""


def segment(marker: int, payload: bytes) -> bytes:
    """A JPEG segment (T.81, B.1.1.4)."""
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def _ifd(entries: list[Entry], at: int, following: int = 0) -> bytes:
    """A little-endian directory to stand at ``at``, its values behind it."""
    sizes = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}
    table = struct.pack("<H", len(entries))
    values = b""
    behind = at + 6 + 12 * len(entries)
    for tag, kind, value in sorted(entries):
        inline = value.ljust(4, b"\0")
        if len(value) > 4:
            inline = struct.pack("<I", behind + len(values))
            values += value + b"\0" * (len(value) & 1)
        table += struct.pack("<HHI", tag, kind, len(value) // sizes[kind]) + inline
    return table + struct.pack("<I", following) + values


def _date(number: int) -> bytes:
    month, day = number // PER_MONTH, number % 28 + 1
    clock = f"{number % 24:02d}:{number % 60:02d}:{number % 59:02d}"
    return f"{1990 + month // 12}:{month % 12 + 1:02d}:{day:02d} {clock}\0".encode()


def _rational(*values: int) -> bytes:
    return b"".join(struct.pack("<II", value, 100) for value in values)


def _short(value: int) -> bytes:
    return struct.pack("<H", value)


def _long(value: int) -> bytes:
    return struct.pack("<I", value)


def bare_exif(number: int) -> bytes:
    """A block that says no more than camera, orientation and date."""
    make, model, _ = CAMERAS[number % 4]
    entries: list[Entry] = [(0x010F, 2, make + b"\0"), (0x0110, 2, model + b"\0")]
    entries += [(0x0112, 3, _short(1)), (0x0132, 2, _date(number))]
    return b"II*\0\x08\0\0\0" + _ifd(entries, 8)


def full_exif(number: int, draw: random.Random, content: tuple[str | None, bytes, bytes]) -> bytes:
    """A block of 40 tags; ``content`` is description, maker note (may be empty) and thumbnail."""
    text, maker_note, thumbnail = content
    make, model, lens = CAMERAS[number % 4]
    first: list[Entry] = [
        (0x010F, 2, make + b"\0"),
        (0x0110, 2, model + b"\0"),
        (0x0112, 3, _short(draw.choice((1, 1, 1, 6, 8)))),
        (0x011A, 5, _rational(7200)),
        (0x011B, 5, _rational(7200)),
        (0x0128, 3, _short(2)),
        (0x0131, 2, b"Ver.1.00 \0"),
        (0x0132, 2, _date(number)),
        (0x013B, 2, b"A. Photographer\0"),
        (0x0213, 3, _short(2)),
        (0x8298, 2, b"(c) the family\0"),
        (0x8769, 4, _long(0)),
    ]
    if text is not None:
        first.append((0x010E, 2, text.encode() + b"\0"))
    gps = _gps(draw) if number % 2 else []
    if gps:
        first.append((0x8825, 4, _long(0)))
    exif_at = 8 + len(_ifd(first, 8))
    exif = _ifd(_exif_entries(number, lens, maker_note), exif_at)
    gps_at = exif_at + len(exif)
    gps_ifd = _ifd(gps, gps_at) if gps else b""
    second_at = gps_at + len(gps_ifd)
    second: list[Entry] = [(0x0103, 3, _short(6)), (0x0201, 4, _long(0))]
    second.append((0x0202, 4, _long(len(thumbnail))))
    second[1] = (0x0201, 4, _long(second_at + len(_ifd(second, 0))))
    places = {0x8769: exif_at, 0x8825: gps_at}
    first = [(tag, kind, _long(places[tag]) if tag in places else v) for tag, kind, v in first]
    block = b"II*\0\x08\0\0\0" + _ifd(first, 8, second_at) + exif + gps_ifd
    return block + _ifd(second, second_at) + thumbnail


def _exif_entries(number: int, lens: bytes, maker_note: bytes) -> list[Entry]:
    entries: list[Entry] = [
        (0x829A, 5, struct.pack("<II", 1, 30 + number % 1000)),
        (0x829D, 5, _rational(280 + number % 900)),
        (0x8822, 3, _short(2)),
        (0x8827, 3, _short(100 << number % 6)),
        (0x9000, 7, b"0231"),
        (0x9003, 2, _date(number)),
        (0x9004, 2, _date(number)),
        (0x9010, 2, b"+02:00\0"),
        (0x9011, 2, b"+02:00\0"),
        (0x9101, 7, b"\1\2\3\0"),
        (0x9204, 5, _rational(0)),
        (0x9207, 3, _short(5)),
        (0x9209, 3, _short(16)),
        (0x920A, 5, _rational(2400 + number % 8000)),
        (0x9286, 7, b"ASCII\0\0\0" + bytes(56)),
        (0x9291, 2, b"%02d\0" % (number % 100)),
        (0xA000, 7, b"0100"),
        (0xA001, 3, _short(1)),
        (0xA002, 4, _long(WIDTH)),
        (0xA402, 3, _short(0)),
        (0xA403, 3, _short(0)),
        (0xA406, 3, _short(0)),
        (0xA434, 2, lens + b"\0"),
    ]
    return [*entries, (0x927C, 7, maker_note)] if maker_note else entries


def _gps(draw: random.Random) -> list[Entry]:
    parts = [draw.randrange(0, 6000) for _ in range(5)]
    return [
        (0, 1, b"\2\3\0\0"),
        (1, 2, b"N\0"),
        (2, 5, _rational(4700, *parts[:2])),
        (3, 2, b"E\0"),
        (4, 5, _rational(1100, *parts[2:4])),
        (5, 1, b"\0"),
        (6, 5, _rational(parts[4])),
    ]


def xmp(number: int, text: str | None) -> bytes:
    """A packet with rating and keyword, two thousand bytes of padding, and a description if any."""
    said = ""
    if text is not None:
        item = f'<rdf:li xml:lang="x-default">{text}</rdf:li>'
        said = f"<dc:description><rdf:Alt>{item}</rdf:Alt></dc:description>"
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 5.6.0">\n'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        f'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="{number % 6}" '
        f'xmp:CreatorTool="Generator">{said}'
        f"<dc:subject><rdf:Bag><rdf:li>film{number % 97}</rdf:li></rdf:Bag></dc:subject>\n"
        "</rdf:Description></rdf:RDF></x:xmpmeta>\n" + (" " * 99 + "\n") * 20
    ).encode() + b'<?xpacket end="w"?>'


def photoshop(text: str) -> bytes:
    """The payload of an APP13 with IPTC and a caption, without a digest."""
    sets = b"\x1c\x01\x5a\0\x03\x1b%G" + b"\x1c\x02\0\0\x02\0\4"
    words = text.encode()
    sets += b"\x1c\x02\x78" + len(words).to_bytes(2, "big") + words
    sets += b"\0" * (len(sets) & 1)
    return b"Photoshop 3.0\x008BIM\x04\x04\0\0" + len(sets).to_bytes(4, "big") + sets
