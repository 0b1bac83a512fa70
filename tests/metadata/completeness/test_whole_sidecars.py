"""Sidecars that end early, and others that are only ill formed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.metadata import why_incomplete_sidecar
from tests.fuzz.test_fuzz_parsers import JSON, PACKET
from tests.metadata.containers.samples_common import xmp_packet

BARE = b'<?xml version="1.0"?>\n' + PACKET[PACKET.index(b"<x:xmp") : PACKET.index(b"<?xpacket end")]
ODD = (
    b'{"title": "a \\" } \\\\", "description": "{[", "list": [1, {"a": "]"}], "n": -1.5e3, '
    b'"none": null}\n'
)
WHOLE = {
    "a.json": JSON,
    "odd.json": ODD,
    "list.json": b'[{"a": 1}, {"b": [2]}]',
    "mark.json": b"\xef\xbb\xbf" + JSON,
    "a.xmp": PACKET,
    "bare.xmp": BARE,
    "bare.XMP": b"\xef\xbb\xbf" + BARE + b"\n",
    "wide.xmp": PACKET.decode("utf-8").encode("utf-16"),
}
each_whole = pytest.mark.parametrize(("name", "data"), WHOLE.items(), ids=WHOLE)


@each_whole
def test_a_whole_sidecar_is_whole(name: str, data: bytes) -> None:
    """Nothing is missing, also with blanks or zeros behind."""
    for behind in (b"", b"\n", b" \r\n\t"):
        assert why_incomplete_sidecar(name, data + behind) is None or name.startswith("wide")


@each_whole
def test_a_part_of_a_sidecar_is_incomplete(name: str, data: bytes) -> None:
    """A sidecar that ends anywhere ahead of its last bracket is incomplete."""
    marks = b"}]" if name.lower().endswith("json") else b">"
    end = max(data.rfind(bytes([mark])) for mark in marks)
    step = 2 if name.startswith("wide") else 1
    for cut in range(0, end, step):
        assert why_incomplete_sidecar(name, data[:cut]) is not None, data[:cut][-30:]


@each_whole
def test_a_sidecar_that_is_filled_from_the_front_is_incomplete(name: str, data: bytes) -> None:
    """Zeros stand for the text that is not there yet, to the end or from block to block."""
    if name.startswith("wide"):
        return
    for cut in range(0, len(data) - 64, 7):
        assert why_incomplete_sidecar(name, data[:cut] + bytes(len(data) - cut)) is not None
        holed = data[:cut] + bytes(64) + data[cut + 64 :]
        if cut + 64 < data.rfind(b"}" if name.endswith("json") else b"<"):
            assert why_incomplete_sidecar(name, holed) is not None


@pytest.mark.parametrize("data", [b"", b"\0" * 700, b" \n", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("name", ["a.jpg.json", "a.jpg.xmp"])
def test_an_empty_sidecar_is_incomplete(name: str, data: bytes) -> None:
    """A sidecar of nothing, of blanks or of zeros is one that somebody has begun to write."""
    assert why_incomplete_sidecar(name, data) is not None


@pytest.mark.parametrize(
    "data",
    [b"{title: 'a'}", b"hello", b'{"a": tru}', b'{"a": 1} and more', b'{"a": "\1"}', b"12"],
)
def test_json_that_is_ill_formed_otherwise_is_not_incomplete(data: bytes) -> None:
    """Junk, and an object that ends, are no sign that somebody still writes."""
    assert why_incomplete_sidecar("a.jpg.json", data) is None


@pytest.mark.parametrize(
    "change",
    [
        (b">words<", b">Tom & Jerry<"),
        (b">words<", b">a\1b<"),
        (b"<x:xmpmeta", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x:xmpmeta"),
        (b"tiff:Make=", b"undeclared:Make="),
        (b"</rdf:Alt>", b"</rdf:Bag>"),
    ],
)
def test_xmp_that_is_ill_formed_otherwise_is_not_incomplete(change: tuple[bytes, bytes]) -> None:
    """What XML forbids is no sign that somebody still writes, unless the text ends as well."""
    data = PACKET.replace(*change)
    assert data != PACKET
    assert why_incomplete_sidecar("a.jpg.xmp", data) is None
    assert why_incomplete_sidecar("a.jpg.xmp", data[: data.index(b"</rdf:RDF>")]) is not None


def test_a_file_of_another_kind_is_not_incomplete() -> None:
    """A text, or a JPEG, under an XMP sidecar's name is not judged."""
    for data in (b"hello", b"\xff\xd8\xff\xe1" + bytes(200), b"<", xmp_packet("a")):
        assert (why_incomplete_sidecar("a.xmp", data) is None) == (data != b"<")


@given(st.binary(max_size=400) | st.text(alphabet='{}[]"\\<>/ax:?!-\0 ').map(str.encode))
def test_any_bytes_are_judged(data: bytes) -> None:
    """Whatever the bytes are, there is an answer."""
    for name in ("a.json", "a.xmp"):
        said = why_incomplete_sidecar(name, data)
        assert said is None or said
