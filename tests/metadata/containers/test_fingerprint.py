"""The recipe of the content fingerprint."""

from hashlib import blake2b
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.metadata.fingerprint import PARTS_LIMIT, PIECE_BYTES, WHOLE_LIMIT, fingerprint
from tagline.model import BytesSource
from tests.metadata.containers.samples_common import noise
from tests.metadata.containers.sources import CountingSource

DATA = noise(0, 200_000)


def recipe(run: bytes, person: bytes = b"tagline/image") -> str:
    """The recipe as the format's description words it, on the bytes themselves."""
    said = len(run).to_bytes(8, "little")
    if len(run) <= 32 * 1024:
        said += run
    else:
        for i in range(4):
            start = i * (len(run) - 2048) // 3
            said += run[start : start + 2048]
    return "1:" + blake2b(said, digest_size=16, person=person).hexdigest()


def test_a_known_value() -> None:
    """The fingerprint of given bytes never changes while its version is 1."""
    source = BytesSource(bytes(range(256)))
    assert fingerprint(source, [(16, 32)]) == "1:f5a5af2ce120ea676b81dba9773fc8ad"
    assert fingerprint(source, []) == "1:1c1ac20485386560a11e3078cc90de31"


@settings(max_examples=150, deadline=None)
@given(
    extents=st.lists(
        st.tuples(st.integers(-5, len(DATA) + 5), st.integers(-5, 60_000)), max_size=12
    )
)
def test_extents_are_one_run_of_bytes(extents: list[tuple[int, int]]) -> None:
    """Any extents, also overlapping or outside the file, count as the bytes that they hold."""
    run = b"".join(DATA[at : at + length] for at, length in extents if at >= 0 and length > 0)
    expected = recipe(run) if run else recipe(DATA, b"tagline/file")
    assert fingerprint(BytesSource(DATA), extents) == expected


@settings(max_examples=60, deadline=None)
@given(size=st.integers(0, 70_000), cuts=st.lists(st.integers(0, 70_000), max_size=20))
def test_cutting_extents_changes_nothing(size: int, cuts: list[int]) -> None:
    """The same bytes in more pieces, with other bytes between them, are the same photo."""
    image = DATA[:size]
    edges = sorted({0, size, *(cut for cut in cuts if cut < size)})
    parts = [image[a:b] for a, b in pairwise(edges)]
    data, extents = b"head", []
    for part in parts:
        extents.append((len(data), len(part)))
        data += part + b"between"
    if size:
        assert fingerprint(BytesSource(data), extents) == recipe(image)


@pytest.mark.parametrize("place", [0, PIECE_BYTES - 1, len(DATA) - 1, len(DATA) - PIECE_BYTES])
def test_a_changed_byte_at_either_end_shows(place: int) -> None:
    """The first and the last piece are in the fingerprint of a large image."""
    other = bytearray(DATA)
    other[place] ^= 1
    everything = [(0, len(DATA))]
    before = fingerprint(BytesSource(DATA), everything)
    assert fingerprint(BytesSource(bytes(other)), everything) != before


@pytest.mark.parametrize("length", [1, WHOLE_LIMIT - 1, WHOLE_LIMIT])
def test_every_byte_of_a_small_image_shows(length: int) -> None:
    """A small image counts as a whole, to its last byte."""
    other = bytearray(DATA[:length])
    other[length // 2] ^= 1
    before = fingerprint(BytesSource(DATA[:length]), [(0, length)])
    assert fingerprint(BytesSource(bytes(other)), [(0, length)]) != before


def test_the_length_shows() -> None:
    """Images that differ in length alone differ."""
    zeros = bytes(100_000)
    marks = {fingerprint(BytesSource(zeros), [(0, length)]) for length in range(90_000, 90_010)}
    assert len(marks) == 10


def test_a_large_file_costs_four_small_reads() -> None:
    """50 MB in one extent: four reads, 8 KiB."""
    source = CountingSource(DATA, 50_000_000)
    fingerprint(source, [(1000, 49_999_000)])
    assert (source.reads, source.read_bytes) == (4, 4 * PIECE_BYTES)


def test_pieces_that_lie_close_together_are_read_at_once() -> None:
    """An image in chunks with a little between them costs no read for each of them."""
    source = CountingSource(DATA)
    fingerprint(source, [(at, 90) for at in range(0, 190_000, 100)])
    assert source.reads == 4


def test_scattered_extents_cost_bounded_reads() -> None:
    """Thousands of tiny extents all over a file do not cost thousands of reads."""
    source = CountingSource(DATA, 2**31)
    fingerprint(source, [(at, 1) for at in range(0, 2**31, 2**17)])
    assert source.reads <= PARTS_LIMIT


def test_an_empty_file_has_a_fingerprint() -> None:
    """No bytes at all: a fingerprint all the same."""
    assert fingerprint(BytesSource(b""), []) == recipe(b"", b"tagline/file")
