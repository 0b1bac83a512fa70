"""What holds of the writer of every format, on every kind of file."""

import pytest

from tagline.errors import EditRefused
from tagline.metadata import registry
from tagline.metadata.fingerprint import fingerprint
from tagline.model import BytesSource
from tests.metadata.embed.samples_embed import EDITORS, READERS, pixels, shown

TEXT = 'Großmutter & Enkel <1932> 日本 "quoted"\r\nsecond line'


def mark(kind, data):
    """The fingerprint of a file."""
    source = BytesSource(data)
    return fingerprint(source, READERS[kind](source).image_data)


def test_the_text_is_in_exif_and_xmp(sample):
    """EXIF and XMP (not WebP's) show the text; pixels and fingerprint are what they were."""
    kind, before = sample
    after = EDITORS[kind](before, TEXT, None)
    assert shown(kind, after) == {"exif": TEXT, "xmp": None if kind == "webp" else TEXT}
    assert pixels(after) == pixels(before)
    assert mark(kind, after) == mark(kind, before)


def test_the_same_text_again_changes_nothing(sample):
    """Writing what is there already gives back the very object that was given."""
    kind, before = sample
    after = EDITORS[kind](before, TEXT, None)
    assert EDITORS[kind](after, TEXT, TEXT) is after
    assert EDITORS[kind](after, TEXT, None) is after


def test_a_removed_text_leaves_no_trace(sample):
    """A file whose only description Tagline made is, emptied, what it was to the byte."""
    kind, before = sample
    if any(shown(kind, before).values()) or b"Maker Inc" in before:
        pytest.skip("metadata of another program is in the file, and stays")
    embed = EDITORS[kind]
    assert embed(embed(before, TEXT, None), None, TEXT) == before
    longer = embed(embed(before, TEXT, None), "word " * 900, TEXT)
    assert embed(longer, None, "word " * 900) == before
    assert embed(before, None, None) is before


def test_a_removed_text_is_gone_everywhere(sample):
    """After removal no place shows a text, and a second removal changes nothing."""
    kind, before = sample
    embed = EDITORS[kind]
    emptied = embed(embed(before, TEXT, None), "", TEXT)
    assert shown(kind, emptied) == {"exif": None, "xmp": None}
    assert pixels(emptied) == pixels(before)
    assert embed(emptied, None, None) is emptied


def test_many_edits_stay_small(sample):
    """A file edited forty times is hardly longer than after one edit with the longest text."""
    kind, before = sample
    embed = EDITORS[kind]
    data, old = before, None
    for k in range(40):
        text = "word " * (k * 37 % 200) + str(k)
        data, old = embed(data, text, old), text
    assert len(data) <= len(embed(before, "word " * 200, None)) + 1200
    assert pixels(data) == pixels(before)


def test_a_text_that_xml_cannot_hold_is_refused(sample):
    """A control character cannot stand in XMP, so a file that gets XMP is left alone."""
    kind, before = sample
    if kind == "webp":
        after = EDITORS[kind](before, "bell \a", None)
        assert shown(kind, after)["exif"] == "bell \a"
        return
    with pytest.raises(EditRefused, match="U\\+0007"):
        EDITORS[kind](before, "bell \a", None)


@pytest.mark.parametrize("kind", sorted(EDITORS))
def test_anything_else_is_refused(kind):
    """What is no such file at all is refused, however short."""
    for data in (
        b"",
        b"II*\0",
        b"RIFF\0\0\0\0WEBP",
        b"\x89PNG\r\n\x1a\n",
        bytes(300),
        b"MM\0*" * 9,
    ):
        with pytest.raises(EditRefused):
            EDITORS[kind](data, TEXT, None)


def test_every_cut_file_is_refused_or_whole(sample):
    """A file that ends early is refused, unless what was cut off were trailing bytes."""
    kind, before = sample
    whole = pixels(before)
    for length in range(0, len(before), max(1, len(before) // 23)):
        try:
            after = EDITORS[kind](before[:length], TEXT, None)
        except EditRefused:
            continue
        assert pixels(after) == whole


@pytest.mark.parametrize("kind", sorted(EDITORS))
def test_the_registry_knows_the_writers(kind):
    """The row of each format names its writer."""
    row = registry.format_of(f"photo.{kind}")
    assert row is not None
    assert row.embed is not None
    assert row.embed.__module__ == EDITORS[kind].__module__
