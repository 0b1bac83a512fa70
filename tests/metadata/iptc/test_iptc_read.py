"""Reading Photoshop resources and IPTC data sets."""

from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.metadata import iptc, photoshop
from tagline.metadata.values import IptcValues

Make = Callable[..., bytes]


@pytest.mark.parametrize(
    ("charset", "caption", "text"),
    [
        (None, b"plain", "plain"),
        (None, "Grüße".encode(), "Grüße"),
        (None, "Grüße".encode("latin-1"), "Grüße"),
        (None, b"\x93quoted\x94", "“quoted”"),
        (None, b"\x81", "\x81"),
        (b"\x1b%G", "日本".encode(), "日本"),
        (b"\x1b%G", b"\xfc", "ü"),
        (b"\x1b.A", "é".encode("latin-1"), "é"),
        (b"\x1b.A", "é".encode(), "Ã©"),
        (None, b"padded\0\0", "padded"),
        (None, b"", None),
    ],
)
def test_captions_read_in_their_character_set(
    iim: Make, charset: bytes | None, caption: bytes, text: str | None
) -> None:
    """1:90 says the character set; without it valid UTF-8 is UTF-8, all else Windows-1252."""
    declared = [(1, 90, charset)] if charset else []
    assert iptc.read(iim(*declared, (2, 120, caption))).description == text


@pytest.mark.parametrize(
    ("date", "time", "expected"),
    [
        (b"20040713", b"101112+0230", (datetime(2004, 7, 13, 10, 11, 12), 150)),
        (b"20040713", b"101112-0500", (datetime(2004, 7, 13, 10, 11, 12), -300)),
        (b"20040713", b"101112", (datetime(2004, 7, 13, 10, 11, 12), None)),
        (b"20040713", b"", (datetime(2004, 7, 13), None)),
        (b"20040713", b"996112", (datetime(2004, 7, 13), None)),
        (b"20041313", b"101112", None),
        (b"20040000", b"", None),
        (b"", b"101112", None),
    ],
)
def test_dates(
    iim: Make, date: bytes, time: bytes, expected: tuple[datetime, int | None] | None
) -> None:
    """2:55 and 2:60 make a moment; a bad time is midnight, a bad date none."""
    taken = iptc.read(iim((2, 55, date), (2, 60, time))).taken_at
    assert (taken and (taken.local, taken.offset_minutes)) == expected


def test_extended_data_sets_are_read() -> None:
    """A length with its highest bit set says how many bytes hold the real one."""
    extended = b"\x1c\x02\x78\x80\x04" + (70_000).to_bytes(4, "big") + b"x" * 70_000
    assert iptc.read(extended).description == "x" * 70_000
    assert iptc.read(b"\x1c\x02\x78\xff\xff" + b"\0" * 40_000).description is None


def test_the_first_of_several_captions_counts(iim: Make) -> None:
    """A data set that may not repeat and does reads as its first."""
    assert iptc.read(iim((2, 120, b"one"), (2, 120, b"two"))).description == "one"


@pytest.mark.parametrize("characters", ["x", "ü", "日", "😀"])
def test_a_cut_caption_agrees(characters: str) -> None:
    """A caption cut to 2,000 bytes agrees with its text, and fits to the byte as far as it may."""
    text = characters * 2500
    cut = iptc.caption_bytes(text)
    assert 1996 < len(cut) <= 2000
    assert iptc.agrees(cut.decode(), text)
    assert not iptc.agrees(cut.decode()[:-9], text)
    assert not iptc.agrees(cut.decode(), "y" + text)
    assert iptc.agrees("short", "short")


def test_resources_are_found_with_and_without_header(resource: Make, iim: Make) -> None:
    """Names, odd lengths, strange signatures and missing padding do not hide the IPTC."""
    block = iim((2, 120, b"odd"))
    payload = (
        resource(0x3ED, b"abc", b"name")
        + resource(0x404, b"not ours", b"", b"MeSa")
        + resource(0x3F3, b"unpadded!")[:-1]
        + resource(0x404, block)
        + resource(0x425, b"d" * 16)
    )
    for data in (payload, photoshop.HEADER + payload):
        found = photoshop.find_iptc(data)
        assert (found.iptc, found.digest) == (block, b"d" * 16)
        assert photoshop.resources(data).whole
        assert [b.identifier for b in photoshop.resources(data).blocks][-1] == 0x425


def test_damaged_resources_end_the_list(resource: Make) -> None:
    """What runs past the end, or has no signature, is no block; padding is no damage."""
    good = resource(0x3ED, b"ab")
    assert photoshop.resources(good + b"\0\0\0").whole
    assert not photoshop.resources(good + b"junk and more junk").whole
    assert not photoshop.resources(good + resource(0x404, b"abcd")[:-2]).whole
    assert photoshop.find_iptc(b"").iptc is None
    assert photoshop.find_iptc(resource(0x425, b"short")).digest is None


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_give_values(data: bytes) -> None:
    """No bytes whatsoever make the readers raise."""
    for block in (data, b"\x1c\x02\x78" + data, b"\x1c\x02\x37\x00\x08" + data):
        assert isinstance(iptc.read(block), IptcValues)
    for payload in (data, b"8BIM\x04\x04" + data, photoshop.HEADER + b"8BIM" + data):
        photoshop.find_iptc(payload)
