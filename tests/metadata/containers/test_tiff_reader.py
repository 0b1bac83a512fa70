"""What the readers of TIFF and of RAW built on it promise beyond the contract."""

from struct import pack
from typing import Any

import pytest

from tagline.metadata import exif, raw, tiff
from tagline.metadata.draft import BLOCK_LIMIT
from tagline.metadata.tiff_page import EXTENT_LIMIT
from tagline.model import BytesSource
from tests.metadata.containers import samples_tiff as tiffs
from tests.metadata.containers.samples import SAMPLES, saved
from tests.metadata.containers.samples_common import HEIGHT, WIDTH, image, noise, xmp_packet
from tests.metadata.containers.sources import CountingSource, within

IIM = b"\x1c\x02\x78\0\5hello"


@pytest.mark.parametrize("mark", [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"])
def test_every_byte_order_and_width(mark: bytes) -> None:
    """Classic and BigTIFF in both byte orders: size, strips, XMP, and the file as Exif block."""
    source = BytesSource(tiffs.plain_tiff(1, mark))
    container = tiff.read(source)
    assert (container.width, container.height) == (WIDTH, HEIGHT)
    assert container.exif is source
    assert exif.read(source).description == "described"
    assert container.xmp == xmp_packet("described")
    pieces = [source.read_at(*extent) for extent in container.image_data]
    assert pieces == tiffs.rows(1)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "jpeg"])
def test_pillow_tiffs(compression: str | None) -> None:
    """TIFFs by another program give their size and their strips."""
    container = tiff.read(BytesSource(saved(1, "TIFF", compression=compression)))
    assert (container.width, container.height) == (WIDTH, HEIGHT)
    assert container.image_data
    assert container.problem is None


def test_all_pages_are_image_data() -> None:
    """Every page's strips count, in the order of the pages."""
    pages: Any = {"save_all": True, "append_images": [image(2), image(3)]}
    one = tiff.read(BytesSource(saved(1, "TIFF")))
    three = tiff.read(BytesSource(saved(1, "TIFF", **pages)))
    assert len(three.image_data) == 3 * len(one.image_data)


def with_entries(more: tiffs.Entries, mark: bytes = b"II*\0") -> bytes:
    """A TIFF of one strip with more entries."""
    builder = tiffs.Builder(mark)
    strips = tiffs.strips(builder, tiffs.rows(1, count=1), WIDTH, HEIGHT)
    return builder.finish(builder.directory(strips | more))


def test_iptc_and_photoshop_resources() -> None:
    """IPTC comes from its own tag, the digest from Photoshop's resources, which also hold IPTC."""
    resources = b"8BIM\4\4\0\0" + pack(">I", len(IIM)) + IIM
    resources += b"8BIM\4\x25\0\0" + pack(">I", 16) + b"d" * 16
    both = {0x83BB: (tiffs.UNDEFINED, IIM + b"!"), 0x8649: (tiffs.BYTE, resources)}
    container = tiff.read(BytesSource(with_entries(both)))
    assert (container.iptc, container.iptc_digest) == (IIM + b"!", b"d" * 16)
    only = tiff.read(BytesSource(with_entries({0x8649: (tiffs.BYTE, resources)})))
    assert (only.iptc, only.iptc_digest) == (IIM, b"d" * 16)


def test_iptc_as_swapped_longs() -> None:
    """IPTC of type LONG is put right where a writer swapped each four bytes, and only there."""
    padded = IIM + bytes(-len(IIM) % 4)
    swapped = b"".join(padded[i : i + 4][::-1] for i in range(0, len(padded), 4))
    for data in (padded, swapped):
        container = tiff.read(BytesSource(with_entries({0x83BB: (tiffs.LONG, data)})))
        assert container.iptc == padded


def test_a_million_tiles_cost_few_reads() -> None:
    """Of very many tiles the first, middle and last third of a bounded number count."""
    count = 300_000
    builder = tiffs.Builder()
    entries: tiffs.Entries = {
        0x100: tiffs.number(100_000),
        0x101: tiffs.number(100_000),
        0x144: (tiffs.LONG, tuple(range(10_000_000, 10_000_000 + count))),
        0x145: (tiffs.SHORT, b"\1\0" * count),
    }
    data = builder.finish(builder.directory(entries))
    source = CountingSource(data, 20_000_000)
    container = tiff.read(source)
    assert len(container.image_data) == EXTENT_LIMIT
    assert source.reads < 20
    assert source.read_bytes < 200_000


def test_a_chain_that_loops_ends() -> None:
    """Directories that point at each other are each read once."""
    builder = tiffs.Builder()
    first = tiffs.strips(builder, tiffs.rows(1, count=1), WIDTH, HEIGHT)
    at = len(builder.data) + (len(builder.data) & 1)
    offset = builder.directory(first, at)
    assert offset == at
    container = tiff.read(BytesSource(builder.finish(offset)))
    assert len(container.image_data) == 1
    assert container.problem is None


@pytest.mark.parametrize(
    "more",
    [
        {0x2BC: (tiffs.BYTE, (1,) * 8)},
        {0x8649: (tiffs.BYTE, b"8BIM" * 20_000)},
        {0x14A: (tiffs.LONG, (8,) * 500)},
        {0x111: (tiffs.LONG, (0xFFFFFFFF,) * 70_000), 0x117: (tiffs.LONG, (1,) * 70_000)},
    ],
)
@pytest.mark.parametrize("reader", [tiff.read, raw.read])
def test_hostile_values_end(reader: Any, more: tiffs.Entries) -> None:
    """Values that lead nowhere or are many: a result soon."""
    with within(0.5):
        container = reader(BytesSource(with_entries(more)))
    assert container.width == WIDTH


def test_a_block_outside_the_file_is_told() -> None:
    """XMP that lies outside, or is too large, is a problem; the image data is still known."""
    data = bytearray(with_entries({0x2BC: (tiffs.BYTE, xmp_packet("described"))}))
    at = data.index(pack("<HH", 0x2BC, tiffs.BYTE))
    for count in (len(data), BLOCK_LIMIT + 1):
        data[at + 4 : at + 8] = pack("<I", count)
        container = tiff.read(BytesSource(bytes(data)))
        assert container.xmp is None
        assert container.problem is not None
        assert container.image_data


@pytest.mark.parametrize("data", [b"", b"II*\0", b"II*\0\x08\0\0\0", b"II*\0\x08\0\0\0\0\0", b"PK"])
def test_no_directory_is_a_problem(data: bytes) -> None:
    """A header that leads to nothing: a sentence."""
    for reader in (tiff.read, raw.read):
        assert reader(BytesSource(data)).problem is not None


def test_raw_takes_the_sensor_data() -> None:
    """Of thumbnail, preview and sensor data the last is the photo, its size the photo's."""
    for name in ("DNG", "Nikon NEF", "Canon CR2", "Sony ARW"):
        source = BytesSource(SAMPLES[name](4))
        container = raw.read(source)
        data = b"".join(source.read_at(*extent) for extent in container.image_data)
        assert data == noise(4, WIDTH * HEIGHT)
        assert (container.width, container.height) == (WIDTH, HEIGHT)
        taken = exif.read(container.exif or b"").taken_at
        assert taken is not None
        assert taken.local.year == 2024


def test_raw_without_a_reduced_mark_takes_the_largest() -> None:
    """Where no directory says that it is a smaller copy, the largest is the photo."""
    container = raw.read(BytesSource(saved(1, "TIFF")))
    assert (container.width, container.height) == (WIDTH, HEIGHT)


def test_rw2_with_its_exif_in_the_preview() -> None:
    """A Panasonic file whose own directory has no Exif directory lends its preview's."""
    builder = tiffs.Builder(b"IIU\0", head=tiffs.RW2_GUID)
    preview = SAMPLES["JPEG"](1)
    entries: tiffs.Entries = {
        0x2E: (tiffs.UNDEFINED, preview),
        0x111: tiffs.number(24),
        0x04: (tiffs.SHORT, (0,)),
        0x05: (tiffs.SHORT, (0,)),
        0x06: (tiffs.SHORT, (10,)),
        0x07: (tiffs.SHORT, (20,)),
    }
    container = raw.read(BytesSource(builder.finish(builder.directory(entries))))
    assert exif.read(container.exif or b"").description == "described"
    assert (container.width, container.height) == (20, 10)
