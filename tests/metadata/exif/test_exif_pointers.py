"""What looks like an entry of a directory, against looking at every byte."""

from struct import unpack_from

from hypothesis import given
from hypothesis import strategies as st

from tagline.metadata.exif_ifd import TYPE_BYTES
from tagline.metadata.exif_pointers import Pointer, pointers

ENTRY = st.builds(
    lambda order, tag, kind, count, value: b"".join(
        number.to_bytes(size, order)
        for number, size in ((tag, 2), (kind, 2), (count, 4), (value, 4))
    ),
    st.sampled_from(("little", "big")),
    st.integers(0, 5),
    st.integers(0, 14),
    st.integers(0, 300),
    st.integers(0, 1 << 20),
)
BLOCK = st.lists(st.one_of(ENTRY, st.binary(max_size=3)), max_size=12).map(b"".join)


def looks_like_entry(block: bytes, at: int, order: str) -> Pointer | None:
    """The entry at one place, with its neighbours looked at."""
    tag, kind, count, value = unpack_from(f"{order}HHII", block, at)
    if not 1 <= kind <= 13:
        return None
    size = TYPE_BYTES[kind] * count
    if not count or (size <= 4 and kind not in (4, 9, 13)):
        return None
    for other in (at - 12, at + 12):
        if 0 <= other <= len(block) - 12:
            next_tag, next_kind, next_count, _ = unpack_from(f"{order}HHII", block, other)
            in_order = next_tag > tag if other > at else next_tag < tag
            if 1 <= next_kind <= 13 and 0 < next_count < 1 << 24 and in_order:
                return Pointer(at, size, value)
    return None


@given(BLOCK)
def test_every_place_behind_the_header_that_looks_like_an_entry_is_found(block: bytes) -> None:
    """In both byte orders, each in the order of the block."""
    places = [(order, at) for order in "<>" for at in range(8, len(block) - 11)]
    found = (looks_like_entry(block, at, order) for order, at in places)
    assert list(pointers(block)) == [pointer for pointer in found if pointer]
