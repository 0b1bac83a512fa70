"""The contract that every format of the registry keeps; a new format adds one sample.

The samples are in ``samples.py``; the table here is the registry itself, so that a row without a
sample fails.
"""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.metadata import exif, fingerprint, registry
from tagline.metadata.registry import FORMATS, Format
from tagline.metadata.values import Container
from tagline.metadata.window import BYTE_LIMIT, READ_LIMIT
from tagline.model import BytesSource
from tests.metadata.containers.samples import SAMPLES
from tests.metadata.containers.samples_common import HEIGHT, WIDTH
from tests.metadata.containers.sources import CountingSource, within

READS = 24
READ_BYTES = 400 * 1024
SECONDS = 1.0

# What hides in other boxes: Pillow writes no XMP into PNG, GIF has no Exif, the Exif directory of
# an RW2 lacks a description tag that anything but Tagline shows.
WITHOUT_XMP = {"PNG"}
WITHOUT_EXIF = {"GIF"}

each_format = pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)


def name_of(row: Format) -> str:
    """A photo's name of that format."""
    return f"photo.{row.extensions[0]}"


def read(row: Format, data: bytes) -> Container:
    """The container of such a file, found through the registry."""
    return registry.read_container(BytesSource(data), name_of(row))


@each_format
def test_it_reads_size_words_and_image(row: Format) -> None:
    """A whole file gives its pixel size, its metadata blocks and its image data, and no problem."""
    container = read(row, SAMPLES[row.name](1))
    assert (container.width, container.height) == (WIDTH, HEIGHT)
    assert container.problem is None
    assert container.image_data
    if row.name not in WITHOUT_XMP:
        assert container.xmp is not None
        assert b"described" in container.xmp
    if row.name not in WITHOUT_EXIF:
        assert container.exif is not None
        assert exif.read(container.exif).description == "described"


@each_format
def test_every_extension_leads_to_the_reader(row: Format) -> None:
    """Each extension of the row, in any case, reads the sample alike."""
    data = SAMPLES[row.name](1)
    expected = read(row, data)
    for extension in row.extensions:
        container = registry.read_container(BytesSource(data), f"A B.{extension.upper()}")
        assert container.image_data == expected.image_data
        assert container.width == WIDTH


@each_format
def test_the_fingerprint_tells_photos_apart(row: Format) -> None:
    """Two photos of one size and format have different fingerprints, one photo always the same."""
    marks = []
    for seed in (1, 2, 1):
        source = BytesSource(SAMPLES[row.name](seed))
        container = registry.read_container(source, name_of(row))
        marks.append(fingerprint.fingerprint(source, container.image_data))
    assert marks[0] == marks[2] != marks[1]


@each_format
def test_a_few_small_reads_are_enough(row: Format) -> None:
    """Container and fingerprint cost a few small reads, even of a file of 2 GB."""
    data = SAMPLES[row.name](1)
    for size in (len(data), 2 * 1024**3):
        if size > len(data) and row.name == "Sigma X3F":
            continue  # its directory is at the end
        source = CountingSource(data, size)
        container = registry.read_container(source, name_of(row))
        fingerprint.fingerprint(source, container.image_data)
        assert source.reads <= READS
        assert source.read_bytes <= READ_BYTES


@each_format
def test_an_empty_file_is_a_problem(row: Format) -> None:
    """A file of no bytes, or of its first eight, has a sentence that says what is wrong."""
    for length in (0, 1, 2, 8):
        container = read(row, SAMPLES[row.name](1)[:length])
        assert container.problem is not None
        assert container.problem.endswith(".")
        assert container.width is None


def check_bounds(row: Format, data: bytes) -> None:
    """Assert what holds of any bytes whatsoever."""
    source = CountingSource(data)
    with within(SECONDS):
        container = row.read(source)
        mark = fingerprint.fingerprint(source, container.image_data)
    assert len(mark) == 34
    assert source.reads <= READ_LIMIT + 8 * fingerprint.PARTS_LIMIT
    assert source.read_bytes <= BYTE_LIMIT + 8 * fingerprint.PARTS_LIMIT * fingerprint.WHOLE_LIMIT
    for offset, length in container.image_data:
        assert 0 <= offset < offset + length <= len(data)
    assert (container.width is None) == (container.height is None)


@each_format
def test_a_cut_file_gives_a_result(row: Format) -> None:
    """A file cut at any place gives a result within bounds."""
    data = SAMPLES[row.name](1)
    step = max(len(data) // 60, 1)
    for end in (*range(0, min(len(data), 400), 7), *range(400, len(data), step)):
        check_bounds(row, data[:end])


@st.composite
def mutations(draw: st.DrawFn) -> list[tuple[float, bytes, int]]:
    """Where, as a part of the length, to put which bytes in place of how many."""
    junk = st.one_of(
        st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\xff" * 8, b"\0\0\0\1", b"\x7f\xff\xff\xff"]),
        st.binary(min_size=0, max_size=6),
    )
    where = st.one_of(st.floats(0, 0.2), st.floats(0, 1))
    return draw(st.lists(st.tuples(where, junk, st.integers(0, 8)), min_size=1, max_size=6))


@each_format
@settings(max_examples=60, deadline=None)
@given(changes=mutations())
def test_a_damaged_file_gives_a_result(
    row: Format, changes: list[tuple[float, bytes, int]]
) -> None:
    """A file with bytes changed, put in or taken out gives a result within bounds."""
    data = SAMPLES[row.name](1)
    for where, junk, gone in changes:
        at = int(where * len(data))
        data = data[:at] + junk + data[at + gone :]
    check_bounds(row, data)


@each_format
@settings(max_examples=25, deadline=None)
@given(tail=st.binary(max_size=300), keep=st.integers(0, 64))
def test_any_bytes_give_a_result(row: Format, tail: bytes, keep: int) -> None:
    """Any bytes behind any part of a true beginning give a result within bounds."""
    check_bounds(row, SAMPLES[row.name](1)[:keep] + tail)


@pytest.mark.shared
@each_format
def test_the_corpus_gives_results_from_every_reader(row: Format, corpus: list[Path]) -> None:
    """Every real file, its own format or not, gives a result within bounds from every reader."""
    for path in corpus:
        check_bounds(row, path.read_bytes())
