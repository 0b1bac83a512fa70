"""Damaged files: an edit keeps the image and shows the text, or is refused; at once, either way."""

import os
import time
import warnings
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tagline.errors import EditRefused
from tagline.metadata import xmp_compare
from tagline.metadata.xmp_packet import TOOLKIT
from tagline.model import BytesSource
from tests.metadata.embed.samples_embed import EDITORS, READERS, SAMPLES, kind_of, pixels, shown

MANY = int(os.environ.get("TAGLINE_EXAMPLES", "50000"))
FUZZ = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
TEXTS = st.one_of(st.none(), st.just("x"), st.integers(1, 90).map(lambda n: "Ünïcode " * n))
MAX_FILE_BYTES = 20_000
MAX_PIXELS = 1_000_000
SPECIAL = (
    *(b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0", b"\xff\xff", b"\1\0", b"\0\1", b"\4\0\1\0\0\0"),
    *(b"\x0e\x01", b"\x11\x01", b"\x17\x01", b"\x44\x01", b"\x4a\x01", b"\x69\x87", b"\xbc\x02"),
    *(b"\xbb\x83", b"\x49\x86", b"EXIF", b"XMP ", b"VP8X", b"eXIf", b"iTXt", b"Exif\0\0"),
)


def described():
    """Format and bytes of each small sample, as it is and with a description."""
    found = []
    for name, data in SAMPLES.items():
        if len(data) <= MAX_FILE_BYTES:
            kind = kind_of(name)
            found += [(kind, data), (kind, EDITORS[kind](data, "some words here", None))]
    return found


FILES = described()


def with_checksums(data):
    """A PNG whose checksums fit again, so that the damage is not found by them."""
    raw, at = bytearray(data), 8
    while at + 12 <= len(raw):
        end = at + 8 + int.from_bytes(raw[at : at + 4], "big")
        if end + 4 > len(raw):
            break
        raw[end : end + 4] = zlib.crc32(raw[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(raw)


def places(kind, raw):
    """Where a format's structure is, so that damage is done there."""
    if kind == "tif":
        first = int.from_bytes(raw[4:8], "little" if raw[:1] == b"I" else "big")
        return st.one_of(
            st.integers(4, 8),
            st.integers(0, 200).map(lambda n: min(first + n, len(raw))),
            st.integers(0, len(raw)),
        )
    return st.one_of(
        st.integers(0, min(120, len(raw))),
        st.integers(0, min(1900, len(raw))).map(lambda n: len(raw) - n),
        st.integers(0, len(raw)),
    )


def damaged(data, kind, raw):
    """The file with some bytes overwritten, taken out or put in."""
    raw = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(places(kind, raw))
        new = data.draw(
            st.one_of(
                st.sampled_from(SPECIAL),
                st.binary(min_size=1, max_size=4),
                st.integers(0, len(raw) + 20).map(lambda n: n.to_bytes(4, "little")),
            )
        )
        taken = data.draw(st.sampled_from([len(new), len(new), len(new), 0, len(new) + 3]))
        raw[at : at + taken] = new
    return with_checksums(raw) if kind == "png" else bytes(raw)


def decoded(data):
    """The pixels by Pillow; None where it cannot tell them."""
    try:
        return pixels(data)
    except Exception:  # noqa: BLE001 -- Pillow raises what it likes on damaged files
        return None


def check(data):
    """An edit keeps every pixel that could be seen, and shows the text, or is refused."""
    kind, raw = data.draw(st.sampled_from(FILES))
    before = damaged(data, kind, raw)
    text = data.draw(TEXTS)
    started = time.process_time()
    try:
        after = EDITORS[kind](before, text, data.draw(st.sampled_from([None, "some words here"])))
    except EditRefused:
        return
    finally:
        assert time.process_time() - started < 1
    found = shown(kind, after)
    assert found["exif"] == text
    was = READERS[kind](BytesSource(before)).xmp
    if kind != "tif" and was is not None and not xmp_compare.toolkit(was).startswith(TOOLKIT):
        assert READERS[kind](BytesSource(after)).xmp == was  # another program's
    else:
        assert found["xmp"] == (None if kind == "webp" and was is None else text)
    seen = decoded(before)
    if seen is not None:
        assert decoded(after) == seen


@pytest.fixture(autouse=True, scope="module")
def _small_images_only():
    """Pillow refuses images whose damaged size would take long to decode."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, MAX_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield
    Image.MAX_IMAGE_PIXELS = limit


@given(st.data())
@settings(FUZZ, max_examples=300)
def test_damaged_files(data):
    """Whatever is done to a file, an edit harms no pixel and is proven, or is refused."""
    check(data)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@given(st.data())
@settings(FUZZ, max_examples=MANY)
def test_damaged_files_at_length(data):
    """The same, for as long as it takes to be sure."""
    check(data)
