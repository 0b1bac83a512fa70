"""What a sidecar says of itself: whose it is, and whether Tagline alone wrote it."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tagline.metadata import is_photo, photos_of_sidecar, sidecar_json, sidecar_xmp
from tagline.metadata.strays import fingerprint_in, is_own, name_aside, proper_name, suffix_of
from tagline.metadata.values import JsonSidecarValues

MARK = "1:5b0c5b0c5b0c5b0c5b0c5b0c5b0c5b0c"
OWN_JSON = sidecar_json.write(
    None, JsonSidecarValues(title="a.gif", description="x", fingerprint=MARK)
)
OWN_XMP = sidecar_xmp.write(None, description="x", fingerprint=MARK) or b""


@given(name=st.sampled_from(["a.json", "a.xmp", "a.JSON"]), data=st.binary())
@example(name="a.xmp", data=b"<x:xmpmeta ingerprint")
@example(name="a.json", data=b'{"tagline": {"fingerprint": 1}, "title": "x"}')
@example(name="a.json", data=b"[" * 100_000 + b"fingerprint")
def test_no_bytes_are_too_much(name, data):
    """Whatever a file holds, asking it raises nothing."""
    assert fingerprint_in(name, data) is None
    assert isinstance(is_own(name, data), bool)


@given(st.binary(max_size=40), st.integers(0, 400), st.sampled_from(["a.json", "a.xmp"]))
def test_a_damaged_sidecar_raises_nothing(noise, at, name):
    """Bytes put anywhere into a sidecar leave an answer of the right kind."""
    data = OWN_JSON if name == "a.json" else OWN_XMP
    damaged = data[:at] + noise + data[at:]
    assert isinstance(fingerprint_in(name, damaged), str | None)
    assert isinstance(is_own(name, damaged), bool)


def test_both_kinds_carry_the_fingerprint():
    """What Tagline writes tells whose it is."""
    assert fingerprint_in("a.json", OWN_JSON) == MARK
    assert fingerprint_in("a.xmp", OWN_XMP) == MARK


def test_what_another_program_added_makes_it_foreign():
    """Tagline's own file is one in which nobody has said more."""
    assert is_own("a.json", OWN_JSON)
    assert is_own("a.xmp", OWN_XMP)
    said = json.loads(OWN_JSON)
    assert not is_own("a.json", json.dumps({**said, "people": []}).encode())
    added = OWN_XMP.replace(
        b"</rdf:Description>",
        b'<h:history xmlns:h="http://darktable.sf.net/">1</h:history></rdf:Description>',
    )
    assert added != OWN_XMP
    assert not is_own("a.xmp", added)
    assert fingerprint_in("a.xmp", added) == MARK


@pytest.mark.parametrize("suffix", [".json", ".xmp"])
@pytest.mark.parametrize("number", [1, 2, 99])
def test_a_name_aside_is_no_photos_name(suffix, number):
    """A sidecar moved aside pairs with no photo, not even with that of the name it had."""
    aside = name_aside("IMG_1.gif", MARK, suffix, number)
    assert aside.startswith("IMG_1.gif.5b0c5b0c")
    assert suffix_of(aside) == suffix
    assert photos_of_sidecar(aside, ["IMG_1.gif", "IMG_1.dng", "IMG_1"], is_photo) == []
    assert photos_of_sidecar(proper_name("IMG_1.gif", suffix), ["IMG_1.gif"], is_photo) == [
        "IMG_1.gif"
    ]
