"""Builds TIFF files, and RAW files built on TIFF, entry by entry."""

from struct import pack

from tests.metadata.containers.samples_common import HEIGHT, WIDTH, noise, xmp_packet

BYTE, ASCII, SHORT, LONG, UNDEFINED = 1, 2, 3, 4, 7
_CODES = {BYTE: "B", ASCII: "B", SHORT: "H", LONG: "I", UNDEFINED: "B", 13: "I", 16: "Q"}
_BYTES = {BYTE: 1, ASCII: 1, SHORT: 2, LONG: 4, UNDEFINED: 1, 13: 4, 16: 8}

RW2_GUID = bytes.fromhex("88e774d8f8251d4d947a6e77822b5d6a")

Entries = dict[int, tuple[int, bytes | tuple[int, ...]]]


class Builder:
    """Collects values and directories; everything written so far has a known offset."""

    def __init__(self, mark: bytes = b"II*\0", head: bytes = b"") -> None:
        self.order = "<" if mark.startswith(b"II") else ">"
        self.big = mark[2:] in (b"+\0", b"\0+")
        self.width = 8 if self.big else 4
        start = pack(self.order + "HH", 8, 0) if self.big else b""
        self.data = bytearray(mark + start + bytes(self.width) + head)

    def blob(self, data: bytes) -> int:
        """Append bytes at an even offset; return it."""
        self.data += bytes(len(self.data) & 1)
        self.data += data
        return len(self.data) - len(data)

    def directory(self, entries: Entries, following: int = 0, at: int | None = None) -> int:
        """Append a directory's values, and it behind them (or put it ``at``); return its offset."""
        number = "Q" if self.big else "I"
        table = pack(self.order + ("Q" if self.big else "H"), len(entries))
        for tag, (kind, value) in sorted(entries.items()):
            raw = (
                value
                if isinstance(value, bytes)
                else pack(f"{self.order}{len(value)}{_CODES[kind]}", *value)
            )
            inline = raw.ljust(self.width, b"\0")
            if len(raw) > self.width:
                inline = pack(self.order + number, self.blob(raw))
            table += pack(self.order + "HH" + number, tag, kind, len(raw) // _BYTES[kind]) + inline
        table += pack(self.order + number, following)
        if at is None:
            return self.blob(table)
        self.data[at : at + len(table)] = table
        return at

    def finish(self, first: int) -> bytes:
        """The file, whose header points at this directory."""
        number = "Q" if self.big else "I"
        at = 8 if self.big else 4
        self.data[at : at + self.width] = pack(self.order + number, first)
        return bytes(self.data)


def text(value: str) -> tuple[int, bytes]:
    """An ASCII value."""
    return ASCII, value.encode() + b"\0"


def number(value: int) -> tuple[int, tuple[int]]:
    """A LONG value."""
    return LONG, (value,)


def strips(builder: Builder, pieces: list[bytes], width: int, height: int) -> Entries:
    """The entries of an uncompressed grey image of eight bits, its strips already appended."""
    offsets = tuple(builder.blob(piece) for piece in pieces)
    return {
        0x100: number(width),
        0x101: number(height),
        0x102: (SHORT, (8,)),
        0x103: (SHORT, (1,)),
        0x106: (SHORT, (1,)),
        0x111: (LONG, offsets),
        0x115: (SHORT, (1,)),
        0x116: number(-(-height // len(pieces))),
        0x117: (LONG, tuple(len(piece) for piece in pieces)),
    }


def rows(seed: int, width: int = WIDTH, height: int = HEIGHT, count: int = 4) -> list[bytes]:
    """Image data in ``count`` strips."""
    data = noise(seed, width * height)
    size = len(data) // count
    return [data[i * size : (i + 1) * size] for i in range(count)]


def head_entries(make: str, model: str) -> Entries:
    """What every main directory of these files says."""
    return {
        0x10E: text("described"),
        0x10F: text(make),
        0x110: text(model),
        0x112: (SHORT, (6,)),
        0x2BC: (BYTE, xmp_packet("described")),
    }


def exif_directory(builder: Builder) -> int:
    """An Exif directory with a date and a pixel size."""
    return builder.directory(
        {
            0x9003: text("2024:05:06 07:08:09"),
            0xA002: number(WIDTH),
            0xA003: number(HEIGHT),
        }
    )


def plain_tiff(seed: int, mark: bytes = b"II*\0") -> bytes:
    """A TIFF of four strips."""
    builder = Builder(mark)
    image = strips(builder, rows(seed), WIDTH, HEIGHT)
    return builder.finish(builder.directory(image | head_entries("Make", "Model")))


def with_subdirectory(seed: int, make: str, model: str, more: Entries | None = None) -> bytes:
    """DNG, NEF, NRW, ARW, SRW: a thumbnail first, the photo in a subdirectory."""
    builder = Builder()
    raw = strips(builder, rows(seed), WIDTH, HEIGHT) | {0xFE: number(0)}
    preview = builder.blob(b"\xff\xd8\xff\xd9")
    jpeg = {0xFE: number(1), 0x201: number(preview), 0x202: number(4)}
    subs = (LONG, (builder.directory(jpeg), builder.directory(raw)))
    thumbnail = strips(builder, rows(7, 16, 8, 1), 16, 8) | {0xFE: number(1), 0x14A: subs}
    exif = {0x8769: number(exif_directory(builder))}
    main = thumbnail | head_entries(make, model) | exif | (more or {})
    return builder.finish(builder.directory(main))


def with_one_directory(seed: int, make: str, model: str, mark: bytes = b"II*\0") -> bytes:
    """PEF, ORF: the photo in the main directory."""
    builder = Builder(mark)
    image = strips(builder, rows(seed, count=1), WIDTH, HEIGHT)
    exif = {0x8769: number(exif_directory(builder))}
    return builder.finish(builder.directory(image | head_entries(make, model) | exif))


def cr2(seed: int) -> bytes:
    """Canon CR2: four directories in a chain, the photo in the last, its size in the Exif one."""
    builder = Builder(head=b"CR\2\0\0\0\0\0")
    raw = strips(builder, rows(seed, count=1), WIDTH, HEIGHT)
    fourth = builder.directory({tag: raw[tag] for tag in (0x103, 0x111, 0x117)})
    builder.data[12:16] = pack("<I", fourth)
    third = builder.directory(strips(builder, rows(8, 16, 8, 1), 16, 8), fourth)
    preview = builder.blob(b"\xff\xd8\xff\xd9")
    second = builder.directory({0x201: number(preview), 0x202: number(4)}, third)
    image = strips(builder, rows(9, 32, 16, 1), 32, 16)
    exif = {0x8769: number(exif_directory(builder))}
    main = image | head_entries("Canon", "Canon EOS 5D") | exif
    return builder.finish(builder.directory(main, second))


def rw2(seed: int) -> bytes:
    """Panasonic RW2: sensor borders, and the sensor's data up to the end of the file."""
    builder = Builder(
        b"IIU\0", head=bytes.fromhex("88e774d8f825 1d4d947a6e77822b5d6a") + bytes(256)
    )
    exif = exif_directory(builder)
    entries = head_entries("Panasonic", "DMC-GF1") | {
        0x01: (UNDEFINED, b"0310"),
        0x02: (SHORT, (WIDTH + 8,)),
        0x03: (SHORT, (HEIGHT + 8,)),
        0x04: (SHORT, (4,)),
        0x05: (SHORT, (4,)),
        0x06: (SHORT, (HEIGHT + 4,)),
        0x07: (SHORT, (WIDTH + 4,)),
        0x111: number(0xFFFFFFFF),
        0x117: number(0),
        0x118: number(0x10000),
        0x8769: number(exif),
    }
    first = builder.directory(entries, at=24)
    data = builder.finish(first)
    return data.ljust(0x10000, b"\0") + noise(seed, WIDTH * HEIGHT)
