"""Writing captions into IPTC: the text reads back, everything else stays."""

import random
from collections.abc import Callable
from hashlib import md5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.errors import EditRefused
from tagline.metadata import iptc, iptc_edit, photoshop
from tagline.metadata.iptc import CAPTION, CODED_CHARACTER_SET

Make = Callable[..., bytes]

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


def others(block: bytes) -> list[tuple[tuple[int, int], bytes]]:
    """Every data set but the caption and the character set."""
    kept = (CAPTION, CODED_CHARACTER_SET)
    return [(i.key, i.value) for i in iptc.data_sets(block).items if i.key not in kept]


def untouched(payload: bytes) -> list[bytes]:
    """Every resource but the IPTC and its digest, byte for byte."""
    found = photoshop.resources(payload)
    return [payload[b.start : b.end] for b in found.blocks if b.identifier not in (0x404, 0x425)]


@settings(max_examples=150, deadline=None)
@given(
    TEXT,
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 255), st.binary(max_size=9)), max_size=5),
    st.booleans(),
    st.binary(max_size=4),
)
def test_text_reads_back_and_the_rest_stays(
    iim: Make,
    resource: Make,
    text: str,
    items: list[tuple[int, int, bytes]],
    has_header: bool,
    data: bytes,
) -> None:
    """An edit is refused, or the caption reads back and every other data set and resource stays."""
    block = iim(*items)
    payload = resource(0x3ED, data, b"n") + resource(0x404, block) + resource(0x2710, data)
    payload = photoshop.HEADER * has_header + payload
    try:
        after = iptc_edit.edit_app13(payload, text)
    except EditRefused:
        return
    new = photoshop.find_iptc(after).iptc
    assert new is not None
    assert iptc.read(new).description == iptc.caption_bytes(text).decode()
    assert others(new) == others(block)
    assert untouched(after) == untouched(payload)
    assert iptc_edit.edit_app13(after, text) == after
    gone = photoshop.find_iptc(iptc_edit.edit_app13(after, None)).iptc
    assert gone is not None
    assert iptc.data_sets(gone).values_of(CAPTION) == ()
    assert others(gone) == others(block)


def test_the_caption_goes_where_its_number_belongs(iim: Make) -> None:
    """A new caption stands among its record's data sets in order, a new 1:90 in front."""
    block = iim((1, 0, b"\0\4"), (2, 0, b"\0\4"), (2, 25, b"key"), (2, 122, b"me"), (3, 1, b"x"))
    new = iptc_edit.edit_iim(block, "Grüße")
    keys = [item.key for item in iptc.data_sets(new).items]
    assert keys == [(1, 0), (1, 90), (2, 0), (2, 25), (2, 120), (2, 122), (3, 1)]


def test_ascii_needs_no_declaration(iim: Make) -> None:
    """A plain text adds no character set."""
    assert iptc_edit.edit_iim(iim((2, 5, b"t")), "plain") == iim((2, 5, b"t"), (2, 120, b"plain"))


@pytest.mark.parametrize(
    ("charset", "other", "accepted"),
    [
        (None, b"ascii", True),
        (None, "Grüße".encode(), True),
        (None, "Grüße".encode("latin-1"), False),
        (b"\x1b%G", b"ascii", True),
        (b"\x1b.A", b"ascii", True),
        (b"\x1b.A", "Grüße".encode("latin-1"), False),
        (b"\x1b.A", "Grüße".encode(), False),
    ],
)
def test_other_texts_are_never_reinterpreted(
    iim: Make, charset: bytes | None, other: bytes, accepted: bool
) -> None:
    """UTF-8 is declared only where every other text reads the same under it."""
    declared = [(1, 90, charset)] if charset else []
    block = iim(*declared, (2, 80, other))
    assert iptc.read(iptc_edit.edit_iim(block, "plain")).description == "plain"
    if accepted:
        new = iptc_edit.edit_iim(block, "日本")
        assert iptc.read(new).description == "日本"
        assert iptc.data_sets(new).values_of(CODED_CHARACTER_SET) == (b"\x1b%G",)
    else:
        with pytest.raises(EditRefused, match="character set"):
            iptc_edit.edit_iim(block, "日本")


def test_the_old_caption_s_own_encoding_is_no_obstacle(iim: Make) -> None:
    """A Latin-1 caption that is replaced anyway does not stand in the way of UTF-8."""
    new = iptc_edit.edit_iim(iim((2, 120, b"\xfc")), "日本")
    assert iptc.read(new).description == "日本"


@pytest.mark.parametrize("kind", ["right", "stale", "absent"])
def test_the_digest_is_renewed_only_where_it_was_right(
    iim: Make, resource: Make, kind: str
) -> None:
    """A digest that fitted fits again; a stale one stays stale; none is added."""
    block = iim((2, 120, b"old"), (2, 25, b"key"))
    digest = {"right": md5(block).digest(), "stale": b"s" * 16, "absent": b""}[kind]
    payload = (resource(0x425, digest) if digest else b"") + resource(0x404, block)
    found = photoshop.find_iptc(iptc_edit.edit_app13(payload, "new"))
    assert found.iptc is not None
    right = md5(found.iptc).digest()
    assert found.digest == {"right": right, "stale": b"s" * 16, "absent": None}[kind]


def test_a_long_text_is_cut_between_characters(iim: Make) -> None:
    """A caption holds what fits into 2,000 bytes and agrees with the whole text."""
    text = "ä日😀" * 400
    new = iptc_edit.edit_iim(iim((2, 5, b"t")), text)
    caption = iptc.read(new).description
    assert caption is not None
    assert len(caption.encode()) <= 2000
    assert iptc.agrees(caption, text)


def test_resources_without_iptc_stay(resource: Make) -> None:
    """Where there is no IPTC none is made, be the resources damaged or not."""
    for payload in (b"", resource(0x3ED, b"ab"), b"junk", resource(0x3ED, b"ab") + b"junk"):
        assert iptc_edit.edit_app13(payload, "text") == payload


def test_odd_padding_stays(iim: Make, resource: Make) -> None:
    """A block without its padding byte, and NULs behind the last, stay as they are."""
    odd = resource(0x3F3, b"odd")[:-1]
    payload = odd + resource(0x404, iim((2, 120, b"a"))) + odd + b"\0\0\0"
    after = iptc_edit.edit_app13(payload, "ab")
    assert after == odd + resource(0x404, iim((2, 120, b"ab"))) + odd + b"\0\0\0"


def test_extended_data_sets_stay(iim: Make) -> None:
    """A data set of extended length is kept byte for byte."""
    extended = b"\x1c\x08\x0a\x80\x02" + (3).to_bytes(2, "big") + b"abc"
    new = iptc_edit.edit_iim(iim((2, 5, b"t")) + extended, "c")
    assert new == iim((2, 5, b"t"), (2, 120, b"c")) + extended


@pytest.mark.parametrize(
    ("payload_of", "reason"),
    [
        (lambda r, i: r(0x404, i((2, 5, b"t"))) * 2, "more than one IPTC"),
        (lambda r, i: r(0x404, i((2, 120, b"t")) * 2), "more than one IPTC caption"),
        (lambda r, i: r(0x404, i((2, 5, b"t")) + b"junk"), "data sets are damaged"),
        (lambda r, i: r(0x404, i((2, 5, b"t"))) + b"junk and more junk", "resources are damaged"),
        (lambda r, i: r(0x404, i((1, 90, b"\x1b%G")) * 2), "character set"),
    ],
)
def test_what_cannot_be_edited_safely_is_refused(
    iim: Make, resource: Make, payload_of: Callable[[Make, Make], bytes], reason: str
) -> None:
    """Damaged or ambiguous IPTC is refused with a reason."""
    with pytest.raises(EditRefused, match=reason):
        iptc_edit.edit_app13(payload_of(resource, iim), "ü")


@pytest.mark.shared
def test_real_and_damaged_resources(corpus_app13: list[bytes]) -> None:
    """The corpus's APP13 segments, whole and damaged, are edited rightly or refused."""
    chance = random.Random(1729)
    edited = 0
    for round_number in range(40 * len(corpus_app13)):
        payload = corpus_app13[round_number % len(corpus_app13)]
        data = bytearray(payload)
        for _ in range(min(round_number // len(corpus_app13), 3)):
            at = chance.randrange(min(len(data), 600))
            data[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        before = bytes(data)
        block = photoshop.find_iptc(before).iptc
        try:
            after = iptc_edit.edit_app13(before, "Grüße")
        except EditRefused:
            continue
        new = photoshop.find_iptc(after).iptc
        assert untouched(after) == untouched(before)
        if block is not None and new is not None:
            edited += 1
            assert iptc.read(new).description == "Grüße"
            assert others(new) == others(block)
    assert edited > 10
