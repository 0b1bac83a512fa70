"""Small blocks that claim to hold much: an edit takes little memory, whatever comes of it."""

import io
import tracemalloc

import pytest
from PIL import Image

from benchmarks import heavy
from tagline.errors import EditRefused
from tagline.metadata import chunk_edit, registry, sidecar_json, sidecar_xmp, xmp
from tagline.metadata.fields import describing

EDITS = (describing("a text", None),)
LIMIT_BYTES = 48 << 20


def peak_of(work) -> int:
    """The most bytes that Python's objects take while it works; that it refuses is as good."""
    tracemalloc.start()
    try:
        work()
    except EditRefused:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


@pytest.mark.parametrize(
    "name", ["a long namespace", "a long namespace for attributes", "a long path"]
)
def test_packets(name):
    """Of 60 kB, as a JPEG holds them: read, edited, and taken for a sidecar."""
    packet = heavy.PACKETS[f"XMP of {name}"](60_000)
    assert peak_of(lambda: xmp.read(packet)) < LIMIT_BYTES
    assert peak_of(lambda: chunk_edit.edit_xmp(packet, EDITS)) < LIMIT_BYTES
    assert peak_of(lambda: sidecar_xmp.write_fields(packet, EDITS, fingerprint="x")) < LIMIT_BYTES


@pytest.mark.parametrize("name", ["a long namespace", "a long namespace for attributes"])
def test_names_are_not_written_out_without_end(name):
    """A megabyte in which each of many names is half a megabyte long is never given to a parser."""
    packet = heavy.PACKETS[f"XMP of {name}"](1_000_000)
    assert xmp.read(packet) == xmp.XmpValues()
    with pytest.raises(EditRefused, match="too large"):
        chunk_edit.edit_xmp(packet, EDITS)


def test_a_usual_packet_of_many_names_is_read():
    """Ten thousand elements in namespaces of a usual length."""
    head = heavy.PACKET_HEAD.replace(b"urn:a", b"http://ns.example.org/a/usual/namespace/1.0/")
    packet = heavy.packet(b"<a:b>c</a:b>" * 10_000, head=head)
    assert xmp.read(packet).description == "w"


def test_directories_over_each_other():
    """A block of which every byte is in many directories."""
    block = heavy.ifds(65_000, 4000)
    assert peak_of(lambda: chunk_edit.edit_exif(block, EDITS)) < LIMIT_BYTES


@pytest.mark.parametrize("name", ["JSON of objects", "JSON of numbers", "JSON of brackets"])
def test_json(name):
    """Half a million values are no photo's sidecar."""
    data = heavy.SIDECARS[name][1]()
    assert peak_of(lambda: sidecar_json.read(data)) < LIMIT_BYTES
    assert sidecar_json.read(data) is None


def test_segments():
    """A JPEG of 40 MiB of application segments, in a copy of the file and little more."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, "JPEG")
    segments = heavy.segment(0xE2, bytes(65_533)) * 640
    data = b"\xff\xd8" + segments + buffer.getvalue()[2:]
    embed = registry.embedder_of(data, "a.jpg")
    assert embed is not None
    assert peak_of(lambda: embed(data, EDITS)) < len(data) + (8 << 20)
