"""What the PNG reader promises beyond the contract."""

import zlib
from pathlib import Path
from struct import pack

import pytest

from tagline.metadata import exif, png
from tagline.metadata.draft import BLOCK_LIMIT
from tagline.model import BytesSource
from tests.metadata.containers.samples import saved
from tests.metadata.containers.samples_common import exif_block, noise, xmp_packet
from tests.metadata.containers.sources import CountingSource, PatchworkSource, within

XMP = xmp_packet("described")


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk with its checksum."""
    return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))


HEAD = png.SIGNATURE + chunk(b"IHDR", pack(">IIBBBBB", 300, 200, 8, 2, 0, 0, 0))
IMAGE = chunk(b"IDAT", b"0123456789")
END = chunk(b"IEND", b"")


def itxt(text: bytes, *, compressed: bool = False) -> bytes:
    """An XMP chunk."""
    flag = b"\1\0" if compressed else b"\0\0"
    packed = zlib.compress(text) if compressed else text
    return chunk(b"iTXt", b"XML:com.adobe.xmp\0" + flag + b"\0\0" + packed)


def profile(name: bytes, data: bytes, kind: bytes = b"zTXt") -> bytes:
    """A raw profile as ImageMagick writes it."""
    digits = data.hex().encode()
    lines = b"\n".join(digits[i : i + 72] for i in range(0, len(digits), 72))
    text = b"\n" + name + b"\n" + str(len(data)).rjust(8).encode() + b"\n" + lines + b"\n"
    packed = b"\0" + zlib.compress(text) if kind == b"zTXt" else text
    return chunk(kind, b"Raw profile type " + name + b"\0" + packed)


def read(*chunks: bytes):
    """The container of a PNG of these chunks."""
    return png.read(BytesSource(b"".join(chunks)))


@pytest.mark.parametrize("compressed", [False, True])
def test_xmp_before_or_behind_the_image(compressed: bool) -> None:
    """An XMP chunk is found on either side of the image, compressed or not."""
    text = itxt(XMP, compressed=compressed)
    assert read(HEAD, text, IMAGE, END).xmp == XMP
    assert read(HEAD, IMAGE, text, END).xmp == XMP
    assert read(HEAD, IMAGE, text, END).problem is None


def test_exif_before_or_behind_the_image() -> None:
    """An eXIf chunk is found on either side, with or without a JPEG's prefix."""
    block = exif_block()
    assert read(HEAD, chunk(b"eXIf", block), IMAGE, END).exif == block
    assert read(HEAD, IMAGE, chunk(b"eXIf", b"Exif\0\0" + block), END).exif == block
    assert read(HEAD, IMAGE, chunk(b"eXIf", b"junk"), END).exif is None


@pytest.mark.parametrize("kind", [b"zTXt", b"tEXt"])
def test_legacy_raw_profiles(kind: bytes) -> None:
    """Exif, XMP and IPTC in the raw profiles of old programs are read."""
    iptc = b"\x1c\x02\x78\0\4text"
    resource = b"8BIM\4\4\0\0" + pack(">I", len(iptc)) + iptc + b"\0"
    digest = b"8BIM\4\x25\0\0" + pack(">I", 16) + b"d" * 16
    container = read(
        HEAD,
        profile(b"exif", b"Exif\0\0" + exif_block(), kind),
        profile(b"xmp", XMP, kind),
        profile(b"iptc", resource + digest, kind),
        IMAGE,
        END,
    )
    assert container.exif == exif_block()
    assert container.xmp == XMP
    assert container.iptc == iptc
    assert container.iptc_digest == b"d" * 16


def test_an_app1_profile_holds_exif_or_xmp() -> None:
    """Profiles named APP1 are told apart by what they begin with."""
    spaced = b"http://ns.adobe.com/xap/1.0/\0" + XMP
    both = (profile(b"APP1", b"Exif\0\0" + exif_block()), profile(b"APP1", spaced))
    container = read(HEAD, *both, IMAGE, END)
    assert (container.exif, container.xmp) == (exif_block(), XMP)


def test_the_first_block_of_a_kind_counts() -> None:
    """A second XMP chunk does not replace the first one."""
    assert read(HEAD, itxt(XMP), itxt(b"<other/>"), IMAGE, END).xmp == XMP


def test_animation_frames_are_image_data() -> None:
    """The data of later frames counts, without the number that each part begins with."""
    frame = chunk(b"fdAT", b"\0\0\0\1frame")
    container = read(HEAD, IMAGE, frame, END)
    assert [length for _, length in container.image_data] == [10, 5]


def test_thousands_of_chunks_cost_few_reads() -> None:
    """A 2 GB image in chunks of 8 KiB is walked in some dozen reads, the blocks behind it read."""
    data = chunk(b"IDAT", bytes(8192))
    count = 2**31 // len(data)
    patches = {0: HEAD}
    tail = chunk(b"IDAT", b"the last") + itxt(XMP) + END
    patches[len(HEAD) + count * len(data)] = tail

    class Repeating(PatchworkSource):
        def read_at(self, offset: int, length: int) -> bytes:
            """Zeros and patches, with the header of every equal chunk."""
            piece = bytearray(super().read_at(offset, length))
            for i in range(-8, len(piece)):
                at = offset + i - len(HEAD)
                if 0 <= at < count * len(data) and at % len(data) == 0:
                    piece[max(i, 0) : max(i + 8, 0)] = data[max(-i, 0) : 8]
            return bytes(piece[:length])

    source = Repeating(len(HEAD) + count * len(data) + len(tail), patches)
    container = png.read(source)
    assert container.xmp == XMP
    assert container.problem is None
    assert source.reads < 100
    assert len(container.image_data) == png.EXTENT_LIMIT


def test_uneven_chunks_are_all_found() -> None:
    """Chunks of many lengths are listed one by one, in their order, none twice."""
    parts = [noise(i, 1 + i * 7 % 50) for i in range(300)]
    data = HEAD + b"".join(chunk(b"IDAT", part) for part in parts) + END
    container = png.read(BytesSource(data))
    assert [data[at : at + length] for at, length in container.image_data] == parts


@pytest.mark.parametrize("count", [*range(1, 20), 64, 100, 1000])
def test_equal_chunks_are_all_found(count: int) -> None:
    """Any number of equal chunks, another one behind them: all found."""
    data = HEAD + IMAGE * count + chunk(b"IDAT", b"end") + END
    container = png.read(BytesSource(data))
    assert [length for _, length in container.image_data] == [10] * count + [3]


def test_a_bomb_is_not_expanded() -> None:
    """Compressed blocks that expand beyond all bounds are a problem and cost little."""
    bomb = zlib.compress(bytes(50_000_000), 9)
    names = (b"exif", b"app1", b"xmp", b"iptc", b"8bim")
    bombs = [chunk(b"zTXt", b"Raw profile type " + name + b"\0\0" + bomb) for name in names]
    with within(1):
        container = read(HEAD, *bombs, *bombs, *bombs, IMAGE, END)
    assert container.problem == "A metadata block is too large to be read."
    assert container.image_data


def test_a_block_that_is_too_large_is_passed_over() -> None:
    """A metadata chunk beyond the limit is a problem; what follows is still read."""
    source = CountingSource(HEAD + pack(">I", BLOCK_LIMIT + 1) + b"eXIf", BLOCK_LIMIT + 10_000)
    assert "too large" in (png.read(source).problem or "")
    assert source.read_bytes < 100_000


@pytest.mark.parametrize(
    ("chunks", "problem"),
    [
        (profile(b"exif", b"").replace(b"zTXt", b"zTXt"), None),
        (chunk(b"zTXt", b"Raw profile type exif\0\0junk"), "compressed metadata block is damaged"),
        (chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 4\nnope"), "hexadecimal"),
        (pack(">I", 0xFFFFFFFF) + b"IDAT", "ends early"),
        (IMAGE, "ends early"),
        (chunk(b"tEXt", b"") * 20_000, "too many chunks"),
    ],
)
def test_damage_is_told(chunks: bytes, problem: str | None) -> None:
    """Each kind of damage is a sentence, and the size is known all the same."""
    end = END if problem is None or "early" not in problem else b""
    container = read(HEAD, chunks, end)
    assert (container.width, container.height) == (300, 200)
    assert (problem or "") in (container.problem or "")
    assert (problem is None) == (container.problem is None)


def test_pillow_reads_what_is_built_here() -> None:
    """The chunks are whole PNG: a real image with them gives both blocks."""
    data = saved(1, "PNG")
    at = data.index(b"IDAT") - 4
    whole = data[:at] + itxt(XMP, compressed=True) + chunk(b"eXIf", exif_block()) + data[at:]
    container = png.read(BytesSource(whole))
    assert container.xmp == XMP
    assert exif.read(container.exif or b"").description == "described"


@pytest.mark.shared
def test_the_real_legacy_file(shared: Path) -> None:
    """A real PNG with raw profiles gives Exif, XMP and IPTC."""
    path = shared / "corpus/exiv2/test/data/ReaganSmallPng.png"
    container = png.read(BytesSource(path.read_bytes()))
    assert container.exif
    assert container.iptc
    assert (container.xmp or b"").lstrip().startswith(b"<?xpacket")
