"""Reading EXIF blocks: what each field says, and that no bytes do harm."""

import time
from datetime import datetime
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.metadata import exif
from tagline.metadata.values import ExifValues, TakenAt
from tagline.model import BytesSource

ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SLONG = 2, 3, 4, 5, 7, 9


def rationals(order, *pairs):
    """The bytes of a RATIONAL value."""
    return pack(order + "II" * len(pairs), *(n for pair in pairs for n in pair))


@pytest.mark.parametrize("order", ["<", ">"])
def test_fields_are_read_in_either_byte_order(tiff, order):
    """Every field comes out alike whichever byte order the block has."""
    block = tiff(
        {
            0x010E: (ASCII, "Grüße\0".encode()),
            0x010F: (ASCII, b"Maker  \0"),
            0x0110: (ASCII, b"Model"),
            0x0112: (SHORT, pack(order + "H", 6)),
            0x9C9C: (1, "Ça va".encode("utf-16-le") + b"\0\0"),
        },
        {
            0x9003: (ASCII, b"2024:02:29 23:59:58\0"),
            0x9291: (ASCII, b"07\0"),
            0x9011: (ASCII, b"-03:30\0"),
            0x9004: (ASCII, b"2024:03:01 00:00:00\0"),
            0x9286: (UNDEFINED, b"ASCII\0\0\0hello\0\0\0"),
            0xA002: (LONG, pack(order + "I", 4000)),
            0xA003: (SHORT, pack(order + "H", 3000)),
            0xA434: (ASCII, b"50mm f/1.8 \0"),
        },
        {
            1: (ASCII, b"S\0"),
            2: (RATIONAL, rationals(order, (33, 1), (30, 1), (0, 1))),
            3: (ASCII, b"E\0"),
            4: (RATIONAL, rationals(order, (151, 1), (0, 1), (36, 1))),
            5: (1, b"\1"),
            6: (RATIONAL, rationals(order, (25, 2))),
        },
        order=order,
    )
    found = exif.read(block)
    assert found.gps is not None
    assert found.gps.latitude == pytest.approx(-33.5)
    assert found.gps.longitude == pytest.approx(151.01)
    assert found.gps.altitude == -12.5
    assert (found.description, found.make, found.model) == ("Grüße", "Maker", "Model")
    assert (found.orientation, found.width, found.height) == (6, 4000, 3000)
    assert (found.user_comment, found.xp_comment) == ("hello", "Ça va")
    assert found.lens == "50mm f/1.8"
    assert found.taken_at == TakenAt(
        local=datetime(2024, 2, 29, 23, 59, 58, 70_000),
        offset_minutes=-210,
    )
    assert found.digitized_at == TakenAt(local=datetime(2024, 3, 1))


@pytest.mark.parametrize(
    "raw",
    [
        b"0000:00:00 00:00:00\0",
        b"    :  :     :  :  \0",
        b"2024:13:01 00:00:00\0",
        b"2024:02:30 00:00:00\0",
        b"2024:02:03 24:00:00\0",
        b"20240203 000000\0",
        b"2024:02:03\0",
        b"\0" * 20,
    ],
)
def test_what_is_no_date_is_none(tiff, raw):
    """A clock that was not set, or nonsense, gives no date."""
    assert exif.read(tiff({}, {0x9003: (ASCII, raw)})).taken_at is None


@pytest.mark.parametrize(
    ("raw", "minutes"),
    [
        (b"+09:00", 540),
        (b"Z", 0),
        (b"-0030", -30),
        (b"   :  ", None),
        (b"+99:99", None),
        (b"", None),
    ],
)
def test_offsets_are_minutes(tiff, raw, minutes):
    """An UTC offset is read in the forms that cameras write, and is none otherwise."""
    block = tiff({}, {0x9003: (ASCII, b"2024:02:03 04:05:06\0"), 0x9011: (ASCII, raw + b"\0")})
    taken = exif.read(block).taken_at
    assert taken is not None
    assert taken.offset_minutes == minutes


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({1: (ASCII, b"N\0"), 2: (RATIONAL, rationals(">", (91, 1)))}, "beyond the pole"),
        ({1: (ASCII, b"N\0"), 2: (RATIONAL, rationals(">", (9, 0)))}, "zero denominator"),
        ({1: (ASCII, b"\0\0"), 2: (RATIONAL, rationals(">", (9, 1)))}, "no hemisphere"),
        ({2: (RATIONAL, rationals(">", (9, 1)))}, "no hemisphere tag"),
        ({1: (ASCII, b"N\0"), 2: (SHORT, b"\0\1")}, "wrong type"),
    ],
)
def test_half_a_position_is_none(tiff, tags, why):
    """A latitude that cannot be trusted gives no position at all."""
    east = {3: (ASCII, b"E\0"), 4: (RATIONAL, rationals(">", (9, 1)))}
    assert exif.read(tiff({}, {}, {**east, **tags})).gps is None, why


def test_pointer_of_type_slong_is_followed(tiff):
    """A directory pointer written as SLONG leads as well as a LONG."""
    block = tiff({}, {0x9003: (ASCII, b"2024:02:03 04:05:06\0")}, pointer_kind=SLONG)
    assert exif.read(block).taken_at is not None


@pytest.mark.parametrize("orientation", [0, 9, 36865])
def test_orientation_is_one_of_eight(tiff, orientation):
    """A number that is no orientation is none."""
    assert exif.read(tiff({0x0112: (SHORT, pack(">H", orientation))})).orientation is None


@pytest.mark.parametrize("magic", [b"II*\0", b"IIRO", b"IIRS", b"IIU\0"])
def test_raw_files_built_on_tiff_are_read(tiff, magic):
    """Olympus and Panasonic files differ from TIFF in their magic number only."""
    block = tiff({0x010F: (ASCII, b"Maker\0")}, order="<")
    assert exif.read(magic + block[4:]).make == "Maker"


def test_bigtiff_is_read():
    """BigTIFF's wider counts and offsets are understood."""
    entry = pack("<HHQQ", 0x010E, ASCII, 12, 100)
    inline = pack("<HHQ8s", 0x010F, ASCII, 6, b"Maker\0")
    block = b"II+\0" + pack("<HHQ", 8, 0, 16) + pack("<Q", 2) + entry + inline + pack("<Q", 0)
    block = block.ljust(100, b"\0") + b"description\0"
    found = exif.read(block)
    assert (found.description, found.make) == ("description", "Maker")


def test_value_beyond_the_block_is_absent(tiff):
    """A value that runs past the end of the block is as if it were not there."""
    block = tiff({0x010E: (ASCII, b"a description\0"), 0x010F: (ASCII, b"ab\0")})
    assert exif.read(block[:-3]) == ExifValues(make="ab")


def test_directory_that_points_at_itself_ends(tiff):
    """A pointer in a circle is followed once."""
    block = tiff({0x8769: (LONG, pack(">I", 8)), 0x8825: (LONG, pack(">I", 8))})
    assert exif.read(block) == ExifValues()


class CountingSource:
    """A huge file that notes how much of it is fetched."""

    def __init__(self, head: bytes, size: int) -> None:
        self.head, self.size, self.fetched = head, size, 0

    def read_at(self, offset: int, length: int) -> bytes:
        self.fetched += length
        return self.head[offset : offset + length].ljust(min(length, 1 << 17), b"\0")


def test_of_a_large_file_little_is_fetched(tiff):
    """Of a file of gigabytes only the directory and the wanted values are read."""
    block = tiff({0x010E: (ASCII, b"a description\0"), 0x0111: (LONG, bytes(400_000))})
    source = CountingSource(block, 5 << 30)
    assert exif.read(source).description == "a description"
    assert source.fetched < 1000


def test_hostile_counts_cost_nothing():
    """Directories of the largest counts are done with at once."""
    entries = b"".join(pack(">HHII", 0x010E, 2, 0xFFFFFFF0, 8) for _ in range(5000))
    block = b"MM\0*" + pack(">I", 8) + b"\xff\xff" + entries
    source = CountingSource(block, 1 << 32)
    started = time.process_time()
    exif.read(block)
    exif.read(source)
    assert time.process_time() - started < 0.5


@given(st.binary(max_size=200), st.sampled_from([b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"II+\0"]))
@settings(max_examples=300)
def test_any_bytes_are_read(tail, head):
    """Whatever stands behind the header, the answer is values, the same from a file."""
    assert exif.read(head + tail) == exif.read(BytesSource(head + tail))


@given(st.data())
@settings(max_examples=300)
def test_any_damage_is_read(tiff, data):
    """A block with bytes overwritten anywhere gives values, never an exception."""
    block = bytearray(
        tiff(
            {0x010E: (ASCII, b"a description\0"), 0x0112: (SHORT, b"\0\6")},
            {0x9003: (ASCII, b"2024:02:03 04:05:06\0"), 0x9286: (UNDEFINED, b"UNICODE\0abcdef")},
            {1: (ASCII, b"N\0"), 2: (RATIONAL, rationals(">", (9, 1), (0, 1), (0, 1)))},
        )
    )
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(block) - 4))
        block[at : at + 2] = data.draw(st.binary(min_size=2, max_size=2))
    exif.read(bytes(block))
