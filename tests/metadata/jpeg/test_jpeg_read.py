"""Reading the metadata blocks of a JPEG."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.metadata import jpeg_read
from tagline.metadata.values import Container
from tagline.model import BytesSource

XMP = b"http://ns.adobe.com/xap/1.0/\0"
PHOTOSHOP = b"Photoshop 3.0\0"


def read(data: bytes) -> Container:
    """The container of a file in memory."""
    return jpeg_read.read(BytesSource(data))


def resource(identifier: int, data: bytes) -> bytes:
    """A Photoshop image resource."""
    head = b"8BIM" + identifier.to_bytes(2, "big") + b"\0\0" + len(data).to_bytes(4, "big")
    return head + data + b"\0" * (len(data) % 2)


def test_plain_file(jpeg):
    """A file without metadata has its size and one extent from the scan to its end."""
    data = jpeg()
    scan = data.index(b"\xff\xda")
    assert read(data) == Container(width=24, height=16, image_data=((scan, len(data) - scan),))


def test_blocks_are_cut_out(jpeg):
    """EXIF, XMP, IPTC and its digest come out without their segments' headers."""
    iim = b"\x1c\x02\x78\0\2hi"
    found = read(
        jpeg(
            (0xE1, b"Exif\0\0MM\0*"),
            (0xE1, XMP + b"<x/>"),
            (0xED, PHOTOSHOP + resource(0x0404, iim) + resource(0x0425, b"d" * 16)),
        )
    )
    assert (found.exif, found.xmp) == (b"MM\0*", b"<x/>")
    assert (found.iptc, found.iptc_digest) == (iim, b"d" * 16)
    assert found.problem is None


def test_first_of_several_wins(jpeg):
    """Of several Exif segments and XMP packets the first is read."""
    found = read(
        jpeg((0xE1, b"Exif\0\0A"), (0xE1, b"Exif\0\0B"), (0xE1, XMP + b"a"), (0xE1, XMP + b"b"))
    )
    assert (found.exif, found.xmp) == (b"A", b"a")


def test_resources_split_over_segments_are_joined(jpeg):
    """Photoshop cuts long resources over several segments, which are read as one."""
    whole = resource(0x0404, b"\x1c\x02\x78\0\2hi" + bytes(100))
    found = read(jpeg((0xED, PHOTOSHOP + whole[:40]), (0xED, PHOTOSHOP + whole[40:])))
    assert found.iptc == b"\x1c\x02\x78\0\2hi" + bytes(100)


def test_metadata_behind_the_head_is_found(jpeg):
    """What stands behind 64 KiB of other segments is found by fetching more."""
    filler = [(0xE2, b"ICC_PROFILE\0" + bytes(60_000))] * 3
    data = jpeg(*filler, (0xE1, b"Exif\0\0late"), (0xE1, XMP + b"x" * 50_000))
    found = read(data)
    assert found.exif == b"late"
    assert found.xmp == b"x" * 50_000
    assert (found.width, found.height) == (24, 16)
    scan = data.index(b"\xff\xda")
    assert found.image_data == ((scan, len(data) - scan),)


def test_little_is_fetched(jpeg):
    """Of a file of 200 MB one piece of 64 KiB is fetched."""
    data = jpeg((0xE1, b"Exif\0\0A"))

    class Source:
        size = 200_000_000
        fetched = 0

        def read_at(self, offset: int, length: int) -> bytes:
            self.fetched += length
            return data[offset : offset + length].ljust(length, b"\0")

    source = Source()
    assert jpeg_read.read(source).exif == b"A"
    assert source.fetched == jpeg_read.HEAD_BYTES


@pytest.mark.parametrize("marker", sorted(jpeg_read.SOF_MARKERS))
def test_every_kind_of_frame_gives_the_size(jpeg, marker):
    """All thirteen start-of-frame markers are known."""
    data = jpeg().replace(b"\xff\xc0", bytes((0xFF, marker)), 1)
    assert (read(data).width, read(data).height) == (24, 16)


def test_fill_bytes_are_no_fault(jpeg):
    """Some thousand 0xFF may stand ahead of a marker."""
    data = jpeg((0xE1, b"Exif\0\0A"))
    filled = data.replace(b"\xff\xe1", b"\xff" * 3000 + b"\xe1")
    assert read(filled).exif == b"A"
    assert read(filled).problem is None


def test_garbage_between_segments_is_a_problem_and_no_end(jpeg):
    """Bytes that belong to no segment are stepped over, and said."""
    data = jpeg((0xFE, b"comment"))
    at = data.index(b"\xff\xfe")
    found = read(data[:at] + b"garbage" + data[at:])
    assert found.width == 24
    assert found.image_data
    assert found.problem is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"\x89PNG",
        b"\xff\xd8",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xe1\0\0",
        b"\xff\xd8" + b"\xff" * 70_000,
        b"\xff\xd8" + bytes(70_000),
        b"\xff\xd8" + b"\xff\xe0\0\2" * 20_000,
    ],
)
def test_what_is_no_photo_has_a_problem(data):
    """Stubs and garbage give a sentence, and no image data."""
    found = read(data)
    assert found.problem
    assert found.image_data == ()


def test_cut_short(jpeg):
    """A file that ends inside a segment says so and gives what it has."""
    data = jpeg((0xE1, b"Exif\0\0" + bytes(200)))
    assert read(data[:100]).problem
    assert read(data[:100]).exif is not None


@given(st.data())
@settings(max_examples=300)
def test_any_damage_is_read(jpeg, data):
    """A file damaged anywhere gives a container in no time, never an exception."""
    raw = bytearray(jpeg((0xE1, b"Exif\0\0A"), (0xED, PHOTOSHOP + resource(0x0404, b"\x1c"))))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    started = time.process_time()
    read(bytes(raw))
    assert time.process_time() - started < 0.2


@pytest.mark.parametrize(("lines", "samples"), [(0, 24), (16, 0), (0, 0)])
def test_a_size_is_known_whole_or_not_at_all(jpeg, lines, samples):
    """A frame header without one of the two numbers gives neither (T.81, B.2.5: DNL)."""
    data = jpeg()
    at = data.index(bytes([0, 16, 0, 24]))
    changed = data[:at] + lines.to_bytes(2) + samples.to_bytes(2) + data[at + 4 :]
    found = read(changed)
    assert (found.width, found.height, found.problem) == (None, None, None)
    assert found.image_data
