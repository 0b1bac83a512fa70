"""What every format of the registry keeps: a whole file is whole, and a part of one is not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.metadata import why_incomplete
from tagline.metadata.registry import FORMATS, Format
from tagline.model import BytesSource
from tests.metadata.containers.samples import SAMPLES
from tests.metadata.containers.sources import CountingSource, PatchworkSource, within

# Where the sensor's data of an RW2 ends nothing says; a JPEG XL may end with any of its boxes.
CUT_ANYWHERE = [row for row in FORMATS if row.name not in {"Panasonic RW2", "JPEG XL"}]
PIECES = [row for row in FORMATS if row.kind in {"tiff", "heif", "avif", "cr3", "raf", "x3f"}]
WHOLE = [row for row in FORMATS if row.kind in {"jpeg", "png", "webp", "gif"}]

each_format = pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)


def fault(data: bytes, row: Format) -> str | None:
    """What is missing of a file of that format."""
    return why_incomplete(BytesSource(data), f"photo.{row.extensions[0]}")


@each_format
def test_a_whole_file_is_whole(row: Format) -> None:
    """Nothing is missing of a sample, also under the names of other formats."""
    data = SAMPLES[row.name](1)
    assert fault(data, row) is None
    for other in ("a.jpg", "a.heic", "a.dng", "a.txt"):
        if row.kind != "tiff":
            assert why_incomplete(BytesSource(data), other) is None


@pytest.mark.parametrize("row", CUT_ANYWHERE, ids=lambda row: row.name)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_part_of_a_file_is_incomplete(row: Format, data: st.DataObject) -> None:
    """A file that ends anywhere ahead of its end is incomplete, by one byte or by all but one."""
    whole = SAMPLES[row.name](1)
    cut = data.draw(st.integers(0, len(whole) - 1) | st.integers(len(whole) - 64, len(whole) - 1))
    said = fault(whole[:cut], row)
    assert said is not None
    assert said[0].islower()
    assert not said.endswith(".")


@each_format
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_file_that_is_filled_from_the_front_is_incomplete(
    row: Format, data: st.DataObject
) -> None:
    """A file of full size is incomplete whose last 4,096 bytes or more are zeros."""
    whole = SAMPLES[row.name](1)
    cut = data.draw(st.integers(0, len(whole) - 4096))
    assert fault(whole[:cut] + bytes(len(whole) - cut), row) is not None


@each_format
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_any_bytes_are_judged(row: Format, data: st.DataObject) -> None:
    """Whatever was changed in a file, the judge answers with a phrase or with none."""
    changed = bytearray(SAMPLES[row.name](1))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(changed)))
        piece = data.draw(st.binary(min_size=1, max_size=8) | st.just(b"\xff" * 4))
        changed[at : at + len(piece)] = piece
    said = fault(bytes(changed), row)
    assert said is None or said


@pytest.mark.parametrize("row", PIECES, ids=lambda row: row.name)
def test_only_small_pieces_are_read(row: Format) -> None:
    """Of RAW, TIFF and HEIF files directories and ends are read: the same of a huge file."""
    data = SAMPLES[row.name](1)
    source = CountingSource(data)
    assert why_incomplete(source, f"photo.{row.extensions[0]}") is None
    assert source.reads < 100
    huge = PatchworkSource(20_000_000_000, {0: data})
    with within(1.0):
        why_incomplete(huge, f"photo.{row.extensions[0]}")
    assert huge.read_bytes < 1024 * 1024


@pytest.mark.parametrize("row", WHOLE, ids=lambda row: row.name)
def test_a_huge_file_is_judged_within_bounds(row: Format) -> None:
    """A terabyte that begins like a photo costs neither long time nor much memory."""
    data = SAMPLES[row.name](1)
    source = CountingSource(data[: len(data) // 2], 1_000_000_000_000)
    with within(10.0):
        why_incomplete(source, f"photo.{row.extensions[0]}")
    assert source.read_bytes < 1 << 30


@pytest.mark.parametrize(
    "data",
    [
        *(b"", bytes(5), bytes(9000), b"\xff", b"\xff\xd8", b"\x89PN", b"RI", b"RIFF\1\2\3\4WE"),
        *(b"\0\0\0\x18", b"\0\0\0\x18ft", b"II", b"II*\0", b"GIF8", b"FUJIFILMCCD-RA", b"FOVb"),
    ],
)
def test_what_is_too_short_to_be_known_is_incomplete(data: bytes) -> None:
    """An empty file, one of zeros, and the first bytes of any format are incomplete."""
    assert why_incomplete(BytesSource(data), "a.jpg") is not None


@pytest.mark.parametrize("data", [b"x", b"abcd", b"A text.\n" * 900, b"%PDF-1.7 " * 50, b"<html>"])
def test_what_is_no_photo_is_not_incomplete(data: bytes) -> None:
    """A file of another kind under a photo's name is not one that is still being written."""
    assert why_incomplete(BytesSource(data), "a.jpg") is None
