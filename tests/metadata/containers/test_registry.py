"""The table of formats."""

import msgspec
import pytest

from tagline.metadata import registry
from tagline.metadata.registry import FORMATS, codec_of, format_of, is_photo, sniff
from tagline.model import BytesSource
from tests.metadata.containers.samples import SAMPLES

PHOTOS = "jpg jpeg jpe jfif tif tiff png webp gif heic heif hif avif jxl"
RAW = "dng cr2 cr3 nef nrw arw orf rw2 raf pef srw x3f"


def test_the_extensions_are_exactly_those_promised() -> None:
    """Each extension that the design lists belongs to exactly one row, and there is no other."""
    listed = [extension for row in FORMATS for extension in row.extensions]
    assert sorted(listed) == sorted(f"{PHOTOS} {RAW}".split())


def test_rows_cannot_be_changed() -> None:
    """The table and its rows are frozen."""
    assert isinstance(FORMATS, tuple)
    with pytest.raises(AttributeError):
        FORMATS[0].name = "other"  # type: ignore[misc]
    assert all(msgspec.structs.replace(row) == row for row in FORMATS)


@pytest.mark.parametrize("name", ["a.jpg", "A.JPG", "x.tar.HeIc", "ä ö.Raf", "..png", " .gif"])
def test_photo_names(name: str) -> None:
    """A name with a photo's extension is a photo's, in any case."""
    assert is_photo(name)


@pytest.mark.parametrize(
    "name", ["", "jpg", ".jpg", "a.jpg.xmp", "a.json", "a.", "a.jpg ", "a.mp4", "a_jpg"]
)
def test_other_names(name: str) -> None:
    """A name without a photo's extension, or of nothing but one, is no photo's."""
    assert not is_photo(name)
    assert format_of(name) is None


def test_media_types_and_browsers() -> None:
    """What browsers show is marked so, and each row has an image type."""
    shown = {row.name for row in FORMATS if row.browser}
    assert shown == {"JPEG", "PNG", "WebP", "GIF", "AVIF"}
    assert all(row.media_type.startswith("image/") for row in FORMATS)
    assert [row.media_type for row in (format_of("a.jpe"), format_of("a.heic")) if row] == [
        "image/jpeg",
        "image/heic",
    ]


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_the_first_bytes_show_the_kind(row: registry.Format) -> None:
    """Each sample's first bytes show its row's kind; of a kind the first row speaks."""
    found = sniff(SAMPLES[row.name](1)[: registry.HEAD_BYTES])
    assert found is not None
    assert found.kind == row.kind
    assert found is next(each for each in FORMATS if each.kind == row.kind)


def test_what_is_written_into() -> None:
    """Four formats are written into, whatever a file's name; the others get sidecars."""
    assert [row.name for row in FORMATS if row.embeds] == ["JPEG", "TIFF", "PNG", "WebP"]
    assert registry.embedder_of(SAMPLES["JPEG"](1), "really.heic") is not None
    assert registry.embedder_of(SAMPLES["Nikon NEF"](1), "a.nef") is None


def test_unknown_bytes_show_nothing() -> None:
    """Bytes of no known kind leave the choice to the name; without one there is no reader."""
    assert sniff(b"") is None
    assert sniff(b"\0\0\0\x18ftypmp42") is None
    assert codec_of("a.png", b"hello") is format_of("a.png")
    assert codec_of("a.txt", b"hello") is None


def test_bytes_decide_against_the_name() -> None:
    """A file that is of another kind than its name says is read as what it is."""
    source = BytesSource(SAMPLES["PNG"](1))
    container = registry.read_container(source, "really.jpg")
    assert container.width == 96
    assert container.problem is None
    assert registry.embedder_of(SAMPLES["GIF"](1), "really.jpg") is None


def test_a_raw_name_keeps_its_reader_over_tiff_bytes() -> None:
    """RAW files built on TIFF look like TIFF, and are read by their name's row."""
    for name in ("Nikon NEF", "Olympus ORF", "DNG"):
        row = next(each for each in FORMATS if each.name == name)
        assert codec_of(f"a.{row.extensions[0]}", SAMPLES[name](1)[:32]) is row
    tiff = codec_of("a.jpg", SAMPLES["DNG"](1)[:32])
    assert tiff is not None
    assert tiff.name == "TIFF"


def test_a_file_that_is_no_photo_has_a_problem() -> None:
    """Neither name nor bytes known: a sentence, no exception."""
    assert registry.read_container(BytesSource(b"hello"), "a.txt").problem is not None
    assert registry.embedder_of(b"hello", "a.txt") is None
