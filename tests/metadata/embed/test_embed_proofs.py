"""The proofs catch harm that a writer might do, wherever it is."""

import random

import pytest

from tagline.errors import EditRefused
from tagline.metadata.proof_png import prove_png
from tagline.metadata.proof_tiff import prove_tiff
from tagline.metadata.proof_webp import prove_webp
from tests.metadata.embed.samples_embed import EDITORS, make_tiff

PROOFS = {"png": prove_png, "webp": prove_webp, "tif": prove_tiff}
TEXT = "a text"


def proven(kind, before, after, text=TEXT):
    """Whether the proof lets a file pass."""
    try:
        PROOFS[kind](before, after, text)
    except EditRefused:
        return False
    return True


def test_a_flipped_byte_is_caught(sample):
    """Any byte of the old file that differs in the new one is found."""
    kind, before = sample
    after = EDITORS[kind](before, TEXT, None)
    assert proven(kind, before, after)
    end = {"tif": len(before), "png": len(after), "webp": after.find(b"EXIF")}[kind]
    for at in random.Random(5).sample(range(4, end), min(150, end - 4)):
        harmed = bytearray(after)
        harmed[at] ^= 0x55
        assert not proven(kind, before, bytes(harmed)), at


def test_lost_and_added_bytes_are_caught(sample):
    """A file cut short, or with something more at its end, is none to put in place."""
    kind, before = sample
    after = EDITORS[kind](before, TEXT, None)
    assert not proven(kind, before, after[:-2])
    if kind != "tif":
        assert not proven(kind, before, after + b"more")


def test_the_wrong_text_is_caught(sample):
    """The text has to be the one asked for, in each place; a removed one has to be gone."""
    kind, before = sample
    after = EDITORS[kind](before, TEXT, None)
    assert not proven(kind, before, after, "another text")
    assert not proven(kind, before, after, None)
    assert not proven(kind, before, before)
    assert not proven(kind, before, after.replace(TEXT.encode(), b"b text", 1))


def test_a_value_over_an_image_is_caught():
    """A description that was written into a strip, a page or another value does not pass."""
    before = make_tiff({0x10E: (2, b"some old words\0")}, pages=2)
    after = EDITORS["tif"](before, TEXT, "some old words")
    for at in (20, before.rindex(b"\x00\x01\x03\x00"), len(before) - 10):
        harmed = after[:at] + TEXT.encode() + after[at + len(TEXT) :]
        assert not proven("tif", before, harmed)


@pytest.mark.parametrize("kind", sorted(PROOFS))
def test_any_bytes_at_all_are_no_proof(kind, sample):
    """Files of another format do not pass, and do no harm to the proof."""
    if sample[0] != kind:
        with pytest.raises(EditRefused):
            PROOFS[kind](sample[1], sample[1], TEXT)
