"""What only some formats have: check values, planes, black rows, parts by name."""

import zlib
from io import BytesIO

import pytest
from PIL import Image

from tagline.metadata import tiff, why_incomplete
from tagline.model import BytesSource
from tests.metadata.containers import samples_tiff as tiffs
from tests.metadata.containers.samples import SAMPLES, box
from tests.metadata.containers.samples_common import noise
from tests.metadata.embed.samples_embed import SAMPLES as PICTURES


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    """A picture as Pillow writes it."""
    target = BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


def noisy(width: int, height: int) -> Image.Image:
    """A picture of noise."""
    return Image.frombytes("RGB", (width, height), noise(2, width * height * 3))


def fault(data: bytes, name: str = "a.tif") -> str | None:
    """What is missing of a file."""
    return why_incomplete(BytesSource(data), name)


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_of_every_kind_are_whole(name: str) -> None:
    """Nothing is missing of any PNG, WebP or TIFF that Pillow makes, nor with bytes behind it."""
    assert fault(PICTURES[name]) is None
    assert fault(PICTURES[name] + b"trailing bytes") is None


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("WEBP", {}), ("WEBP", {"lossless": True}), ("GIF", {}), ("TIFF", {})],
)
def test_plain_and_black_pictures_are_whole(kind: str, options: dict[str, bool]) -> None:
    """A picture of one colour, and one with black bars or a black frame, is whole."""
    barred = Image.new("RGB", (600, 500))
    barred.paste(noisy(600, 300), (0, 100))
    framed = Image.new("RGB", (600, 500))
    framed.paste(noisy(400, 300), (100, 90))
    turned = Image.new("RGB", (500, 400), (9, 200, 90)).rotate(7, expand=True)
    for picture in (Image.new("RGB", (600, 500)), barred, framed, turned):
        assert fault(saved(picture, kind, **options)) is None


def chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG's chunk."""
    crc = zlib.crc32(kind + data).to_bytes(4, "big")
    return len(data).to_bytes(4, "big") + kind + data + crc


def test_zeros_in_a_png_that_its_check_value_confirms_are_its_own() -> None:
    """A chunk may hold zeros of any number, a chunk whose check value denies them may not."""
    data = SAMPLES["PNG"](1)
    end = len(data) - 12
    whole = data[:end] + chunk(b"prVt", bytes(70_000)) + data[end:]
    assert fault(whole) is None
    filled = data[:end] + chunk(b"prVt", noise(1, 70_000)) + data[end:]
    at = end + 9000
    assert fault(filled[:at] + bytes(8192) + filled[at + 8192 :]) is not None


def test_a_damaged_png_that_has_its_end_is_not_incomplete() -> None:
    """A chunk's length that is wrong is no sign that somebody still writes the file."""
    data = bytearray(SAMPLES["PNG"](1))
    data[8] = 0x40
    assert fault(bytes(data)) is None


def test_a_hole_in_a_gif_is_found() -> None:
    """Zeros that run over many blocks are no blocks."""
    data = saved(noisy(300, 300).convert("P"), "GIF")
    for start in range(4096, len(data) - 8192, 4096):
        assert fault(data[:start] + bytes(4096) + data[start + 4096 :], "a.gif") is not None


@pytest.mark.parametrize("lossless", [False, True])
def test_a_hole_in_a_webp_is_found(lossless: bool) -> None:
    """Zeros from block to block are no image."""
    data = saved(noisy(300, 300), "WEBP", lossless=lossless)
    for start in range(4096, len(data) - 8192, 4096):
        assert fault(data[:start] + bytes(4096) + data[start + 4096 :]) is not None


def test_an_uncompressed_tiff_that_is_filled_from_the_front_is_incomplete() -> None:
    """Zeros that begin within a row, below rows that are not black, are no black bar."""
    rows = tiffs.rows(1, 900, 400, 4)
    data = tiffs.Builder()
    whole = data.finish(data.directory(tiffs.strips(data, rows, 900, 400)))
    first = whole.index(rows[0])
    middle = first + 900 * 200 + 300
    end = first + 900 * 400
    assert fault(whole) is None
    assert fault(whole[:middle] + bytes(end - middle) + whole[end:]) is not None
    row = first + 900 * 200
    assert fault(whole[:row] + bytes(end - row) + whole[end:]) is None


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "jpeg"])
def test_a_compressed_tiff_that_is_filled_from_the_front_is_incomplete(compression: str) -> None:
    """Zeros at the end of compressed data are a part that is not there yet."""
    whole = saved(noisy(300, 300), "TIFF", compression=compression, strip_size=1 << 30)
    assert fault(whole) is None
    end = sum(tiff.read(BytesSource(whole)).image_data[0])
    start = end - 9000
    assert fault(whole[:start] + bytes(9000) + whole[end:]) is not None


def test_a_strip_that_claims_too_much_is_whole() -> None:
    """A length that is larger than the picture's rows need is passed over, as decoders do."""
    data = tiffs.Builder()
    entries = tiffs.strips(data, tiffs.rows(1, count=1), 96, 64)
    entries[0x117] = tiffs.number(10_000_000)
    assert fault(data.finish(data.directory(entries))) is None


@pytest.mark.parametrize("lead", [0x8769, 0x14A])
def test_a_directory_that_is_named_and_missing_is_told(lead: int) -> None:
    """Exif and subdirectories behind the end of the file are missing, and so are values."""
    data = tiffs.Builder()
    image = tiffs.strips(data, tiffs.rows(1), 96, 64)
    assert fault(data.finish(data.directory(image | {lead: tiffs.number(9_000_000)}))) is not None
    data = tiffs.Builder()
    image = tiffs.strips(data, tiffs.rows(1), 96, 64)
    whole = data.finish(data.directory(image | tiffs.head_entries("Make", "Model")))
    at = whole.index(b"\x0e\x01\x02\0") + 8
    assert fault(whole[:at] + b"\xff\xff\xff\0" + whole[at + 4 :]) is not None


def test_a_heif_without_its_index_is_incomplete() -> None:
    """Boxes that describe no image are not all there; those of a sequence or of `mini` are."""
    kind = box(b"ftyp", b"heic\0\0\0\0mif1heic")
    assert fault(kind + box(b"mdat", noise(1, 900)), "a.heic") is not None
    assert fault(kind + box(b"moov", noise(1, 90)), "a.heic") is None
    assert fault(kind + box(b"mini", noise(1, 90)), "a.heic") is None


def test_a_bare_jpeg_xl_tells_zeros_alone() -> None:
    """A codestream without boxes has no length; zeros at its end show that it is not filled."""
    stream = b"\xff\x0a" + noise(1, 20_000)
    assert fault(stream, "a.jxl") is None
    assert fault(stream[:9000] + bytes(9000), "a.jxl") is not None


def test_a_jpeg_xl_without_its_last_part_is_incomplete() -> None:
    """Of a codestream in several parts, the last one says that it is the last."""
    data = SAMPLES["JPEG XL"](1)
    assert fault(data, "a.jxl") is None
    last = data.rindex(b"jxlp") + 4
    assert fault(data[:last] + b"\0" + data[last + 1 :], "a.jxl") is not None
