"""Real JPEGs damaged at random: reading answers at once, an edit is proven or refused."""

import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagline.errors import EditRefused
from tagline.metadata import exif, jpeg_read
from tagline.metadata.jpeg_edit import embed
from tagline.metadata.proof import prove_jpeg
from tagline.metadata.values import ExifValues
from tagline.model import BytesSource

pytestmark = pytest.mark.shared

MAX_FILE_BYTES = 200_000
SPECIAL = (
    *(b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0", b"\xff\xff", b"\0\1"),
    *(b"\x87\x69", b"\x69\x87", b"\x01\x0e", b"\x0e\x01", b"\xff\xd8\xff", b"Exif\0\0"),
)
KEPT = ("make", "model", "lens", "orientation", "taken_at", "digitized_at", "gps")
TEXTS = st.one_of(st.none(), st.just("x"), st.integers(1, 60).map(lambda n: "Ünïcode " * n))
MANY = int(os.environ.get("TAGLINE_EXAMPLES", "50000"))
FUZZ = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.fixture(scope="module")
def originals(corpus):
    """The head of every real JPEG."""
    files = [path for path in corpus if path.suffix.lower() == ".jpg"]
    return [path.read_bytes()[:MAX_FILE_BYTES] for path in files]


def damaged(data, originals):
    """A real file with some bytes overwritten, taken out or put in, most of them in its EXIF."""
    raw = bytearray(data.draw(st.sampled_from(originals)))
    block = max(raw.find(b"Exif\0\0"), 0)
    for _ in range(data.draw(st.integers(1, 8))):
        far = data.draw(st.booleans())
        at = data.draw(st.integers(0, min(len(raw), 66_000) if far else 3000))
        at = min(at if far else at + block, len(raw))
        new = data.draw(st.one_of(st.sampled_from(SPECIAL), st.binary(min_size=1, max_size=8)))
        taken = data.draw(st.sampled_from([len(new), len(new), 0, len(new) + 5]))
        raw[at : at + taken] = new
    return bytes(raw)


def read(data):
    """The EXIF values of a file; it has to take less than a second."""
    started = time.process_time()
    container = jpeg_read.read(BytesSource(data))
    values = exif.read(container.exif) if container.exif else ExifValues()
    assert time.process_time() - started < 1
    return values


def check(data, originals):
    """Reading answers; an edit keeps every other field and is proven, or is refused."""
    before = damaged(data, originals)
    was = read(before)
    text = data.draw(TEXTS)
    old_text = data.draw(st.sampled_from([None, was.description, was.user_comment]))
    try:
        after = embed(before, text, old_text)
    except EditRefused:
        return
    prove_jpeg(before, after, text)
    now = read(after)
    assert now.description == text
    assert [getattr(now, name) for name in KEPT] == [getattr(was, name) for name in KEPT]


@given(st.data())
@settings(FUZZ, max_examples=250)
def test_damaged_real_files(originals, data):
    """Whatever is done to a real file, reading answers and an edit is proven or refused."""
    check(data, originals)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@given(st.data())
@settings(FUZZ, max_examples=MANY)
def test_damaged_real_files_at_length(originals, data):
    """The same, for as long as it takes to be sure."""
    check(data, originals)
