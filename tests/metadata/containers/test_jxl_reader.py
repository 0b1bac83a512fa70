"""What the JPEG XL reader promises beyond the contract."""

import subprocess
from pathlib import Path
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.metadata import jxl
from tagline.metadata.jxl import CODESTREAM_MARK, CONTAINER_MARK
from tagline.model import BytesSource
from tests.metadata.containers.samples import box, jxl_codestream
from tests.metadata.containers.samples_common import HEIGHT, WIDTH, exif_block, xmp_packet

RATIOS = [(1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1)]


class Bits:
    """Writes numbers from the lowest bit on."""

    def __init__(self) -> None:
        self.value = 0
        self.count = 0

    def put(self, number: int, width: int) -> None:
        """Append a number of ``width`` bits."""
        self.value |= number << self.count
        self.count += width

    def dimension(self, size: int, selector: int) -> None:
        """Append a size, less one, by one of the four widths."""
        self.put(selector, 2)
        self.put(size - 1, (9, 13, 18, 30)[selector])

    def stream(self) -> bytes:
        """A codestream that begins with these bits."""
        return CODESTREAM_MARK + self.value.to_bytes(16, "little") + bytes(40)


def header(width: int, height: int, selector: int, ratio: int, orientation: int = 0) -> bytes:
    """A codestream of that size."""
    bits = Bits()
    bits.put(0, 1)
    bits.dimension(height, selector)
    bits.put(ratio, 3)
    if not ratio:
        bits.dimension(width, selector)
    bits.put(0 if orientation else 1, 1)
    bits.put(1 if orientation else 0, 1)
    bits.put(max(orientation - 1, 0), 3)
    return bits.stream()


@settings(max_examples=200, deadline=None)
@given(width=st.integers(1, 2**30), height=st.integers(1, 2**30), orientation=st.integers(0, 8))
def test_any_size_and_orientation(width: int, height: int, orientation: int) -> None:
    """Any size is read back, and any orientation but the normal one."""
    largest = max(width, height)
    selector = next(i for i, bits in enumerate((9, 13, 18, 30)) if largest <= 1 << bits)
    container = jxl.read(BytesSource(header(width, height, selector, 0, orientation)))
    assert (container.width, container.height) == (width, height)
    assert container.orientation == (orientation if orientation > 1 else None)


@pytest.mark.parametrize("ratio", range(1, 8))
def test_widths_by_ratio(ratio: int) -> None:
    """A width may be given as a ratio of the height."""
    numerator, denominator = RATIOS[ratio - 1]
    container = jxl.read(BytesSource(header(0, 720, 1, ratio)))
    assert (container.width, container.height) == (720 * numerator // denominator, 720)


def test_small_sizes() -> None:
    """Multiples of eight up to 256 have a short form."""
    bits = Bits()
    for number, width in ((1, 1), (5, 5), (0, 3), (31, 5), (1, 1)):
        bits.put(number, width)
    container = jxl.read(BytesSource(bits.stream()))
    assert (container.width, container.height) == (256, 48)


def test_a_bare_codestream_is_all_image_data() -> None:
    """Without boxes the whole file is the image."""
    data = jxl_codestream(1)
    container = jxl.read(BytesSource(data))
    assert container.image_data == ((0, len(data)),)
    assert container.problem is None


def test_compressed_boxes_are_passed_over() -> None:
    """Metadata in Brotli boxes is not read, and is no problem."""
    data = CONTAINER_MARK + box(b"brob", b"Exif\1\2\3") + box(b"jxlc", jxl_codestream(1))
    container = jxl.read(BytesSource(data))
    assert container.exif is None
    assert container.problem is None
    assert container.width == WIDTH


@pytest.mark.parametrize(
    "data",
    [
        b"",
        CODESTREAM_MARK,
        CONTAINER_MARK,
        CONTAINER_MARK + box(b"jxlc", b"nothing"),
        CONTAINER_MARK + box(b"jxlp", b"\0\0\0\0"),
        CONTAINER_MARK + pack(">I", 3) + b"jxlc",
    ],
)
def test_a_file_without_image_is_a_problem(data: bytes) -> None:
    """No image, or one without a header: a sentence."""
    assert jxl.read(BytesSource(data)).problem is not None


@pytest.mark.needs("exiftool")
def test_exiftool_agrees(tmp_path: Path) -> None:
    """The files built here have the same size and words to exiftool."""
    blocks = box(b"Exif", pack(">I", 0) + exif_block()) + box(b"xml ", xmp_packet("described"))
    whole = CONTAINER_MARK + box(b"ftyp", b"jxl \0\0\0\0jxl ") + blocks
    (tmp_path / "a.jxl").write_bytes(jxl_codestream(1))
    (tmp_path / "b.jxl").write_bytes(whole + box(b"jxlc", jxl_codestream(1)))
    command = ["exiftool", "-s3", "-ImageSize", "-ImageDescription", "-XMP-dc:Description"]
    out = subprocess.run(
        [*command, str(tmp_path / "a.jxl"), str(tmp_path / "b.jxl")],
        capture_output=True,
        check=True,
        timeout=20,
        text=True,
    ).stdout
    assert out.count(f"{WIDTH}x{HEIGHT}") == 2
    assert out.count("described") == 2
