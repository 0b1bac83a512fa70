"""Photos that say everything or nothing, and edits of them as the library makes them."""

import io
from collections.abc import Callable
from hashlib import md5
from struct import pack

import pytest
from PIL import Image

from tagline.metadata import (
    Edit,
    EditRequest,
    PhotoReading,
    SidecarFiles,
    accepted,
    edit_photo,
    edits_of,
    read_photo,
)
from tagline.metadata.edit import apply_to_sidecars
from tagline.model import BytesSource

XMP_ID = b"http://ns.adobe.com/xap/1.0/\0"
PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
 <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
   xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
   xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
   xmlns:MicrosoftPhoto="http://ns.microsoft.com/photo/1.0"
   xmlns:lr="http://ns.adobe.com/lightroom/1.0/" xmp:Rating="2" photoshop:City="Oslo"
   MicrosoftPhoto:Rating="25" exif:DateTimeOriginal="2001-02-03T04:05:06">
  <dc:title><rdf:Alt><rdf:li xml:lang="x-default">old title</rdf:li>
   <rdf:li xml:lang="fr">vieux titre</rdf:li></rdf:Alt></dc:title>
  <dc:subject>
   <rdf:Bag>
    <rdf:li>sea</rdf:li>
    <rdf:li>boats &amp; ships</rdf:li>
   </rdf:Bag>
  </dc:subject>
  <lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|sea</rdf:li>
   <rdf:li>Things|boats &amp; ships</rdf:li>
   <rdf:li>Places|land</rdf:li></rdf:Bag></lr:hierarchicalSubject>
 </rdf:Description>
</rdf:RDF></x:xmpmeta>
""".encode()
PACKET += b" " * 2000 + b'<?xpacket end="w"?>'


def data_set(number: int, value: bytes) -> bytes:
    """An IPTC data set of record 2."""
    return bytes((0x1C, 2, number)) + pack(">H", len(value)) + value


IIM = b"".join(
    data_set(number, value)
    for number, value in (
        *((0, b"\0\4"), (5, b"old title"), (25, b"sea"), (25, b"boats & ships")),
        *((55, b"20010203"), (60, b"040506"), (90, b"Oslo")),
    )
)


def app13(iim: bytes = IIM) -> bytes:
    """A Photoshop segment's payload with these data sets, and a digest that fits."""
    digest = b"8BIM\x04\x25\0\0" + pack(">I", 16) + md5(iim).digest()
    block = b"8BIM\x04\x04\0\0" + pack(">I", len(iim)) + iim + b"\0" * (len(iim) % 2)
    return b"Photoshop 3.0\0" + block + digest


def exif_block() -> bytes:
    """A block with Windows' tags, a rating, dates and a maker note; little-endian."""
    xp = {0x9C9B: "old title", 0x9C9E: "sea;boats & ships"}
    ifd0 = {tag: (1, text.encode("utf-16-le") + b"\0\0") for tag, text in xp.items()}
    ifd0 |= {0x010F: (2, b"Maker Inc\0"), 0x4746: (3, pack("<H", 2)), 0x4749: (3, pack("<H", 25))}
    exif = {0x9003: (2, b"2001:02:03 04:05:06\0"), 0x927C: (7, b"a maker note's bytes")}
    exif |= {0x9004: (2, b"2001:02:03 04:05:07\0")}
    ifd0[0x8769] = (4, bytes(4))
    at = 8 + len(_directory(8, ifd0))
    ifd0[0x8769] = (4, pack("<I", at))
    return b"II*\0" + pack("<I", 8) + _directory(8, ifd0) + _directory(at, exif)


def _directory(at: int, tags: dict[int, tuple[int, bytes]]) -> bytes:
    widths = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1}
    values_at = at + 2 + 12 * len(tags) + 4
    entries, values = b"", b""
    for tag, (kind, raw) in sorted(tags.items()):
        entries += pack("<HHI", tag, kind, len(raw) // widths[kind])
        if len(raw) <= 4:
            entries += raw.ljust(4, b"\0")
        else:
            entries += pack("<I", values_at + len(values))
            values += raw + b"\0" * (len(raw) % 2)
    return pack("<H", len(tags)) + entries + bytes(4) + values


def picture(kind: str, **options) -> bytes:
    """A small picture without metadata."""
    buffer = io.BytesIO()
    Image.new("RGB", (16, 12), "teal").save(buffer, kind, **options)
    return buffer.getvalue()


def jpeg(*segments: tuple[int, bytes]) -> bytes:
    """A JPEG with these segments behind its JFIF segment."""
    plain = picture("JPEG")
    end = 4 + int.from_bytes(plain[4:6], "big")
    raw = (bytes((0xFF, m)) + pack(">H", len(p) + 2) + p for m, p in segments)
    return plain[:end] + b"".join(raw) + plain[end:]


def full_jpeg() -> bytes:
    """A JPEG that says every field in every place that there is."""
    return jpeg((0xE1, b"Exif\0\0" + exif_block()), (0xE1, XMP_ID + PACKET), (0xED, app13()))


PHOTOS = {
    "plain.jpg": lambda: picture("JPEG"),
    "full.jpg": full_jpeg,
    "plain.png": lambda: picture("PNG"),
    "full.png": lambda: picture("PNG", exif=exif_block()),
    "plain.webp": lambda: picture("WEBP"),
    "full.webp": lambda: picture("WEBP", exif=exif_block(), xmp=PACKET),
    "plain.tif": lambda: picture("TIFF"),
    "plain.gif": lambda: picture("GIF"),
}

VALUES = {
    "description": ("Großmutter & Enkel", "another"),
    "title": ("Ein <Täufling>", "a much longer title than the one that was there before it"),
    "keywords": (("zwei ä", "sea"), ("one", "boats & ships", "x;y")),
    "rating": (5, 0),
    "taken_at": ("2019-07-05T10:00:00.25+02:00", "1931-12-31T23:59:59"),
}


class Desk:
    """A photo with its sidecars in memory, edited as the library edits it."""

    def __init__(self, name: str, data: bytes, sidecars: SidecarFiles | None = None) -> None:
        self.name = name
        self.data = data
        self.sidecars = sidecars or SidecarFiles()

    def read(self) -> PhotoReading:
        """What the photo and its sidecars say."""
        return read_photo(BytesSource(self.data), self.name, self.sidecars)

    def shown(self) -> dict[str, object]:
        """Every field by name."""
        return {name: found.value for name, found in self.read().found.items()}

    def edit(self, refusal: str | None = None, **wanted) -> Edit | None:
        """Make a change; None when there is nothing to do."""
        reading = self.read()
        edits = edits_of(reading, accepted(wanted))
        if not edits:
            return None
        edit = edit_photo(
            EditRequest(
                name=self.name,
                source=BytesSource(self.data),
                reading=reading,
                sidecars=self.sidecars,
                edits=edits,
                data=None if refusal else self.data,
                refusal=refusal,
            )
        )
        self.data = edit.photo or self.data
        self.sidecars = apply_to_sidecars(self.name, self.sidecars, edit.sidecars)
        return edit


@pytest.fixture(scope="session")
def make_desk() -> Callable[..., Desk]:
    """Puts a photo of ``PHOTOS`` on a desk."""

    def make(name: str, **options) -> Desk:
        return Desk(name, PHOTOS[name](), **options)

    return make


@pytest.fixture(scope="session")
def all_values() -> dict[str, tuple[object, object]]:
    """Two values of each field."""
    return VALUES


@pytest.fixture(params=PHOTOS)
def desk(request: pytest.FixtureRequest, make_desk) -> Desk:
    """Each photo in turn."""
    return make_desk(request.param)


@pytest.fixture(params=VALUES)
def field(request: pytest.FixtureRequest) -> str:
    """Each field in turn."""
    return request.param


@pytest.fixture
def values(field: str) -> tuple[object, object]:
    """Two values of the field."""
    return VALUES[field]
