"""Editing EXIF blocks with minimal touch."""

from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.errors import EditRefused
from tagline.metadata import exif
from tagline.metadata.exif_edit import edit_block, fresh_block, is_fresh
from tagline.metadata.proof_exif import prove_block

ASCII, LONG, UNDEFINED = 2, 4, 7
ROOM = 65527
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=300
).filter(lambda words: words.strip() and words[0] not in "\ufeff\ufffe")


def sample(tiff, description=b"a camera's text\0", order=">", **extra):
    """A block as cameras write it, with a maker note."""
    tags = {
        0x010F: (ASCII, b"Maker Inc\0"),
        0x0110: (ASCII, b"Model\0"),
        0x0132: (ASCII, bytes(20)),
    }
    if description is not None:
        tags[0x010E] = (ASCII, description)
    return tiff(
        {**tags, **extra.get("ifd0", {})},
        {0x927C: (UNDEFINED, bytes(range(200))), 0x9003: (ASCII, b"2024:02:03 04:05:06\0")}
        | extra.get("exif", {}),
        order=order,
    )


def edited(block, text, **options):
    """The block with the text, proven."""
    new = edit_block(block, text, **{"room": ROOM, **options})
    prove_block(block, new, text)
    return new


def test_text_that_fits_takes_the_old_place(tiff):
    """A shorter text changes its own bytes and its entry, and not the length."""
    block = sample(tiff)
    new = edited(block, "short text")
    assert len(new) == len(block)
    assert exif.read(new).description == "short text"
    assert b"camera" not in new


def test_longer_text_is_appended_and_the_old_one_erased(tiff):
    """A longer text goes to the end; nothing of the old one is left behind."""
    block = sample(tiff)
    new = edited(block, "x" * 100)
    assert len(block) + 100 < len(new) <= len(block) + 104
    assert b"camera" not in new


def test_maker_note_stays_at_its_offset(tiff):
    """The maker note's bytes are where they were, since it addresses itself from the header."""
    block = sample(tiff, None)
    note = bytes(range(200))
    for text in ("a", "b" * 500, None):
        assert edited(block, text).index(note) == block.index(note)


def test_same_text_changes_nothing(tiff):
    """Writing what is there gives the very same bytes, padding and all."""
    block = sample(tiff, b"a text\0\0\0\0")
    assert edit_block(block, "a text", room=ROOM) is block


def test_removing_what_was_added_gives_back_the_block(tiff):
    """A text added to a block without one leaves no trace when it is removed."""
    block = sample(tiff, None)
    assert edited(edited(block, "added text"), None) == block


def test_removing_a_text_takes_out_its_entry(tiff):
    """After removal the tag is gone, not merely empty, and its bytes are zeros."""
    new = edited(sample(tiff), None)
    assert pack(">HH", 0x010E, ASCII) not in new
    assert b"camera" not in new
    assert exif.read(new).make == "Maker Inc"


def test_only_entry_is_emptied_instead_of_removed(tiff):
    """A directory may not be empty, so its only entry stays with an empty text."""
    block = tiff({0x010E: (ASCII, b"a text in here\0")})
    assert exif.read(edited(block, None)).description is None


@given(st.lists(st.one_of(st.none(), TEXTS), max_size=12), st.booleans(), st.sampled_from("<>"))
@settings(max_examples=100, deadline=None)
def test_many_edits_stay_small_and_proven(tiff, texts, has_text, order):
    """However often a block is edited, it holds one text's bytes more than at first at most."""
    block = first = sample(tiff, b"a camera's text\0" if has_text else None, order)
    for text in texts:
        block = edited(block, text)
        assert exif.read(block).description == text
        longest = max(len(t.encode()) for t in texts if t) if any(texts) else 0
        assert len(block) <= len(first) + longest + 80


@given(st.lists(st.one_of(st.none(), TEXTS), min_size=1, max_size=8))
@settings(max_examples=60)
def test_copies_follow_and_stay_small(tiff, texts):
    """UserComment and XPComment that hold the text follow it through every edit."""
    old = "the old text"
    block = sample(
        tiff,
        old.encode() + b"\0",
        ifd0={0x9C9C: (1, old.encode("utf-16-le") + b"\0\0")},
        exif={0x9286: (UNDEFINED, b"ASCII\0\0\0" + old.encode())},
    )
    first = block
    for text in texts:
        block = edited(block, text, old_text=old)
        found = exif.read(block)
        assert found.description == text
        if text is None or found.xp_comment is None:
            return
        assert (found.xp_comment, found.user_comment) == (text, text)
        old = text
        longest = max(len(t.encode("utf-16-le")) for t in texts if t)
        assert len(block) <= len(first) + 5 * longest + 100


def test_comment_with_other_words_stays(tiff):
    """A UserComment with words of its own is not the description, and is left alone."""
    block = sample(tiff, exif={0x9286: (UNDEFINED, b"ASCII\0\0\0my own words")})
    new = edited(block, "new text", old_text="a camera's text")
    assert exif.read(new).user_comment == "my own words"


def test_fixed_length_is_kept_or_refused(tiff):
    """A block that must not change length keeps it, uses its zero padding, or is refused."""
    block = sample(tiff)
    assert len(edited(block, "short", room=len(block))) == len(block)
    with pytest.raises(EditRefused, match="no room"):
        edit_block(block, "x" * 100, room=len(block))
    padded = block + bytes(2000)
    for text in ("x" * 100, "y" * 300, "z", None, "w" * 200):
        padded = edited(padded, text, room=len(padded))
        assert len(padded) == len(block) + 2000


def test_value_shared_with_another_tag_is_not_overwritten(tiff):
    """Where another tag's value overlaps the old text, the new one goes elsewhere."""
    block = bytearray(sample(tiff))
    at = block.index(b"a camera's text")
    model = block.index(pack(">HH", 0x0110, ASCII))
    block[model + 4 : model + 12] = pack(">II", 8, at + 2)
    new = edited(bytes(block), "short")
    assert exif.read(new).model == "camera's"


def test_thumbnail_past_the_end_keeps_its_last_byte(tiff):
    """A thumbnail that runs into what follows the block has the same bytes when that grows."""
    block = sample(
        tiff,
        ifd0={0x0201: (LONG, pack(">I", 100)), 0x0202: (LONG, bytes(4))},
    )
    length = pack(">HHI", 0x0202, LONG, 1)
    block = block.replace(length + bytes(4), length + pack(">I", len(block) - 100 + 1))
    new = edit_block(block, "x" * 99, room=ROOM, follow=b"\xd9 and more")
    assert new[: len(block) + 1].endswith(b"\xd9")
    prove_block(block, new, "x" * 99, rest=(b"\xd9 and more", b""))


def test_value_just_past_the_end_is_refused(tiff):
    """No block grows over the place that a broken value points to, which would make it valid."""
    block = sample(tiff)
    date = block.index(pack(">HHI", 0x9003, ASCII, 20)) + 8
    block = block[:date] + pack(">I", len(block) + 2) + block[date + 4 :]
    with pytest.raises(EditRefused, match="no room"):
        edit_block(block, "x" * 99, room=ROOM)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda _: b"", "no TIFF header"),
        (lambda b: b"XX" + b[2:], "no TIFF header"),
        (lambda b: b"II+\0" + b[4:], "no TIFF header"),
        (lambda b: b[:4] + b"\xff\xff\xff\0" + b[8:], "outside of it"),
        (lambda b: b[:60], "outside"),
        (lambda b: b.replace(b"\x01\x0f\0\2", b"\x01\x0e\0\2"), "twice"),
    ],
)
def test_damaged_blocks_are_refused(tiff, change, reason):
    """A block whose first directory cannot be trusted is not edited."""
    with pytest.raises(EditRefused, match=reason):
        edit_block(change(sample(tiff)), "text", room=ROOM)


@given(TEXTS)
def test_fresh_block_is_recognised(text):
    """What Tagline makes where there was nothing is known for its own, and nothing else is."""
    block = fresh_block(text)
    assert exif.read(block).description == text
    assert is_fresh(block) == (not text.endswith("\0"))
    assert not is_fresh(block + b"\0")


def test_foreign_block_is_not_taken_for_a_fresh_one(tiff):
    """A block with more in it than a description is never thrown away."""
    assert not is_fresh(sample(tiff))
    assert not is_fresh(b"garbage")


@pytest.mark.parametrize(
    ("tamper", "reason"),
    [
        (lambda b: b.replace(b"Maker Inc", b"Maker Ink"), "0x010f changed"),
        (lambda b: b.replace(bytes(range(50, 60)), bytes(10)), "0x927c changed"),
        (lambda b: b.replace(b"new text", b"New text"), "does not read back"),
        (lambda b: b[:-2], "changed|lost"),
        (lambda b: b"II*\0" + b[4:], "byte order|lost"),
    ],
)
def test_proof_sees_every_harm(tiff, tamper, reason):
    """A changed tag, a lost byte or another text does not pass the proof."""
    block = sample(tiff)
    new = edit_block(block, "new text", room=ROOM)
    with pytest.raises(EditRefused, match=f"^Nothing was written: proof: .*({reason})"):
        prove_block(block, tamper(new), "new text")


@given(st.data())
@settings(max_examples=300)
def test_no_single_byte_can_be_changed_unseen(tiff, data):
    """Outside of the description itself, not one byte of the block differs after the proof."""
    block = sample(tiff)
    new = bytearray(edit_block(block, "new text", room=ROOM))
    place = block.index(b"a camera's text")
    at = data.draw(st.integers(0, len(new) - 1).filter(lambda k: not place <= k < place + 16))
    entry = block.index(pack(">HH", 0x010E, ASCII))
    new[at] ^= data.draw(st.integers(1, 255))
    if entry <= at < entry + 12:
        return
    with pytest.raises(EditRefused):
        prove_block(block, bytes(new), "new text")


@given(st.data())
@settings(max_examples=200)
def test_damaged_block_is_edited_provably_or_refused(tiff, data):
    """Whatever is wrong with a block, its edit passes the proof or is refused."""
    block = bytearray(sample(tiff, order=data.draw(st.sampled_from("<>"))))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(block) - 4))
        block[at : at + 2] = data.draw(
            st.sampled_from([b"\0\0", b"\xff\xff", b"\0\x08", b"\1\x0e"])
        )
    text = data.draw(st.one_of(st.none(), TEXTS))
    try:
        edited(bytes(block), text)
    except EditRefused:
        return
