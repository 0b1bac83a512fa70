"""Files made to cost much: as many and as large parts as a format holds. The limits hold."""

from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image

from tagline.errors import EditRefused
from tagline.library import PhotoWriter, Target
from tagline.metadata import (
    exif,
    iptc,
    photoshop,
    read_photo,
    sidecar_json,
    sidecar_xmp,
    why_incomplete,
    why_incomplete_sidecar,
    xmp,
)
from tagline.model import BytesSource, MetadataChange, Precondition
from tagline.storage import MemoryStorage
from tests.fuzz.fuzzing import within_limits

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

RESOURCE = b"8BIM\x04\x03\0\0\0\0\0\0"
PACKET_HEAD = (
    b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:a="urn:a">'
)
PACKET_TAIL = b'</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
SAID = (
    b'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">w</rdf:li></rdf:Alt></dc:description>'
)


def jpeg(segments: bytes = b"") -> bytes:
    """A small JPEG with these segments first."""
    target = BytesIO()
    Image.new("RGB", (64, 64)).save(target, "JPEG")
    return b"\xff\xd8" + segments + target.getvalue()[2:]


def segment(marker: int, payload: bytes) -> bytes:
    """A JPEG segment."""
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def ifd(entries: int, kind: int, items: int, at: int) -> bytes:
    """A TIFF block with one directory of equal entries that point at themselves."""
    entry = b"\x0e\x01" + kind.to_bytes(2, "little") + items.to_bytes(4, "little")
    table = entries.to_bytes(2, "little") + (entry + at.to_bytes(4, "little")) * entries
    return b"II*\0\x08\0\0\0" + table + (8).to_bytes(4, "little")


PHOTOS: dict[str, Callable[[], bytes]] = {
    "large Photoshop segments": lambda: jpeg(
        segment(0xED, (b"Photoshop 3.0\0" + RESOURCE).ljust(65533, b"\0")) * 1000
    ),
    "Photoshop segments of many resources": lambda: jpeg(
        segment(0xED, b"Photoshop 3.0\0" + RESOURCE * 5400) * 1000
    ),
    "comments": lambda: jpeg(segment(0xFE, b"") * 200_000),
    "large application segments": lambda: jpeg(segment(0xE1, bytes(65533)) * 1000),
    "fill bytes": lambda: jpeg(b"\xff" * 30_000_000),
    "junk between segments": lambda: jpeg(b"\0\xff" * 5_000_000),
    "no scan": lambda: jpeg()[:150] + segment(0xE2, bytes(65533)) * 800,
    "a scan of markers": lambda: jpeg()[:-2] + b"\xff\xc4\0\2" * 2_000_000,
    "a trailer of ends": lambda: jpeg() + b"\xff\xd9" * 5_000_000 + b"x",
    "Exif that points at itself": lambda: jpeg(
        segment(0xE1, b"Exif\0\0" + ifd(5000, 2, 60_000, 8))
    ),
    "PNG of tiny chunks": lambda: b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0tEXt\0\0\0\0" * 2_000_000,
    "WebP of tiny chunks": lambda: (
        b"RIFF" + (24_000_004).to_bytes(4, "little") + b"WEBP" + b"EXIF\0\0\0\0" * 3_000_000
    ),
    "TIFF of itself": lambda: ifd(60_000, 4, 1 << 24, 8) + bytes(20_000_000),
    "GIF of tiny blocks": lambda: b"GIF89a\1\0\1\0\0\0\0" + b"!\xfe\1x\0" * 4_000_000,
    "boxes": lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0\0\0\x08free" * 3_000_000,
}
PACKETS: dict[str, bytes] = {
    "elements": PACKET_HEAD + SAID + b"<a:b/>" * 500_000 + PACKET_TAIL,
    "elements up to the limit": PACKET_HEAD + SAID + b"<a:b/>" * 19_800 + PACKET_TAIL,
    "different elements": b"".join(
        (PACKET_HEAD, SAID, *(b"<a:b%d/>" % n for n in range(19_800)), PACKET_TAIL)
    ),
    "elements of text": PACKET_HEAD + SAID + b"<a:b>%s</a:b>" % (b"t" * 150) * 19_000 + PACKET_TAIL,
    "attributes": PACKET_HEAD[:-1]
    + b"".join(b' a:c%d="%d"' % (n, n) for n in range(19_000))
    + b">"
    + SAID
    + PACKET_TAIL,
    "descriptions": PACKET_HEAD + SAID * 6000 + PACKET_TAIL,
    "depth": PACKET_HEAD + SAID + b"<a:b>" * 500_000,
    "entities": b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + PACKET_HEAD,
    "text": PACKET_HEAD + SAID.replace(b">w<", b">" + b"w" * 4_000_000 + b"<") + PACKET_TAIL,
    "blanks": PACKET_HEAD + SAID + PACKET_TAIL[:-19] + b" " * 4_000_000 + PACKET_TAIL[-19:],
    "open tags": b"<" * 4_000_000,
}


@pytest.mark.parametrize("name", PHOTOS)
def test_a_hostile_photo_is_read_within_limits(name):
    """Reading takes less than a second and 100 MiB besides the file."""
    data = PHOTOS[name]()
    for file in ("a.jpg", "a.png", "a.tif", "a.heic", "a.nef"):
        reading = within_limits(name, lambda file=file: read_photo(BytesSource(data), file))
        assert reading.fingerprint


@pytest.mark.parametrize("name", PHOTOS)
def test_a_hostile_photo_is_judged_within_limits(name):
    """Whether a photo is all there takes less than a second and 100 MiB besides the file."""
    data = PHOTOS[name]()
    for file in ("a.jpg", "a.png", "a.tif", "a.heic", "a.nef"):
        within_limits(name, lambda file=file: why_incomplete(BytesSource(data), file))


def describe(name: str, files: dict[str, bytes]) -> None:
    """Describe the first file as the server does, but for the disk, or have it refused."""
    storage = MemoryStorage(files)
    target = Target(object_key=next(iter(files)))

    def work() -> None:
        try:
            PhotoWriter(storage).edit(target, MetadataChange(description="x"), Precondition())
        except EditRefused:
            return

    within_limits(name, work, copies=6 * sum(map(len, files.values())))


@pytest.mark.parametrize("name", PHOTOS)
def test_a_hostile_photo_is_edited_or_refused(name):
    """An edit ends soon, in success or not, in memory of a few times the file."""
    describe(name, {"a.jpg": PHOTOS[name]()})


@pytest.mark.parametrize("name", PACKETS)
def test_a_hostile_packet_is_read_and_edited_within_limits(name):
    """Reading a packet, editing it, and taking it for a sidecar keep the limits."""
    packet = PACKETS[name]
    within_limits(name, lambda: xmp.read(packet))
    within_limits(name, lambda: sidecar_xmp.read(packet))
    within_limits(name, lambda: why_incomplete_sidecar("a.xmp", packet))
    describe(name, {"a.gif": b"GIF89a", "a.gif.xmp": packet})
    if len(packet) < 65_000:
        embedded = jpeg(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet))
        describe(name, {"a.jpg": embedded})


@pytest.mark.parametrize(
    "data",
    [b"[" * 4_000_000, b'{"a":' * 800_000, b'{"title":"' + b"\\" * 4_000_000, b"1" * 4_000_000],
    ids=["arrays", "objects", "escapes", "digits"],
)
def test_a_hostile_json_sidecar_is_none(data):
    """JSON that is deep, endless or huge is no sidecar, and told so soon."""
    within_limits("json", lambda: sidecar_json.read(data))
    within_limits("json", lambda: why_incomplete_sidecar("a.json", data))


def test_hostile_blocks_are_read_within_limits():
    """EXIF, IPTC and Photoshop blocks of many parts are read soon."""
    for block in (ifd(5000, 2, 60_000, 8), ifd(65_535, 2, 65_535, 0)):
        within_limits("exif", lambda block=block: exif.read(block))
    within_limits("iptc", lambda: iptc.read(b"\x1c\x02\x78\0\0" * 2_000_000))
    within_limits("photoshop", lambda: photoshop.find_iptc(RESOURCE * 1_000_000))
