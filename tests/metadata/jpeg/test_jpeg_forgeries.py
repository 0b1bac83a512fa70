"""JPEGs that a writer gone wrong might make, whole and well-formed: the proof lets none pass."""

from struct import pack

import pytest

from tagline.errors import EditRefused
from tagline.metadata.exif_edit import edit_block, fresh_block
from tagline.metadata.jpeg_edit import embed
from tagline.metadata.proof import prove_jpeg
from tagline.metadata.proof_exif import prove_block
from tagline.metadata.proof_iptc import prove_app13
from tests.metadata.embed.samples_embed import camera_exif, noise, saved

TEXT = "a text"
MORE = camera_exif().tobytes().removeprefix(b"Exif\0\0")
BLOCK, OTHER = fresh_block(TEXT), fresh_block("b text")
BOTH = edit_block(MORE, TEXT, room=1000)


def jpeg_segment(marker: int, payload: bytes) -> bytes:
    """A marker segment."""
    return bytes((0xFF, marker)) + pack(">H", len(payload) + 2) + payload


JPEG_FORGERIES = {
    "EXIF with more": lambda own: jpeg_segment(0xE1, b"Exif\0\0" + MORE) + own[1],
    "EXIF with another text": lambda own: jpeg_segment(0xE1, b"Exif\0\0" + OTHER) + own[1],
    "EXIF with the text and more": lambda own: jpeg_segment(0xE1, b"Exif\0\0" + BOTH) + own[1],
    "two Exif segments": lambda own: own[0] + own[0] + own[1],
    "two XMP packets": lambda own: own[0] + own[1] + own[1],
    "no Exif segment": lambda own: own[1],
    "no XMP packet": lambda own: own[0],
    "XMP with more": lambda own: own[0] + _more(own[1]),
    "a comment that is new": lambda own: own[0] + own[1] + jpeg_segment(0xFE, b"hello"),
}


def _more(segment: bytes) -> bytes:
    packet = segment[4:].replace(b"</rdf:Desc", b"<dc:format>x</dc:format></rdf:Desc", 1)
    return jpeg_segment(0xE1, packet)


@pytest.mark.parametrize("forge", JPEG_FORGERIES.values(), ids=JPEG_FORGERIES)
def test_a_forged_jpeg_is_caught(forge):
    """A JPEG without metadata that gets other metadata than what was asked for."""
    before = saved(noise("RGB"), "JPEG")
    jfif = before[:20]
    exif = jpeg_segment(0xE1, b"Exif\0\0" + BLOCK)
    after = embed(before, TEXT, None)
    assert after.startswith(jfif + exif)
    prove_jpeg(before, after, TEXT)
    xmp = after[len(jfif + exif) : len(after) - len(before) + len(jfif)]
    with pytest.raises(EditRefused, match="proof"):
        prove_jpeg(before, jfif + forge((exif, xmp)) + before[len(jfif) :], TEXT)


def resource(identifier: int, data: bytes) -> bytes:
    """A Photoshop image resource."""
    return b"8BIM" + pack(">HHI", identifier, 0, len(data)) + data + bytes(len(data) % 2)


KEYWORDS = resource(0x0404, b"\x1c\x02\x19\0\3sea")
PHOTOSHOP_FORGERIES = {
    "a segment lost": (("one", "two"), ("one",)),
    "one of several changed": (("one", "two"), ("one", "tow")),
    "several in another order": (("one", "two"), ("two", "one")),
    "a segment more": (("one",), ("one", "one")),
    "a resource changed": (("one",), ("two",)),
}


@pytest.mark.parametrize(("old", "new"), PHOTOSHOP_FORGERIES.values(), ids=PHOTOSHOP_FORGERIES)
def test_forged_photoshop_segments_are_caught(old, new):
    """Image resources without IPTC are none of an edit's business."""
    plain = saved(noise("RGB"), "JPEG")

    def described(names):
        own = (resource(0x0BB7, name.encode()) for name in names)
        segments = (jpeg_segment(0xED, b"Photoshop 3.0\0" + raw) for raw in own)
        return embed(plain[:20] + b"".join(segments) + plain[20:], TEXT, None)

    before = embed(described(old), None, TEXT)
    prove_jpeg(before, described(old), TEXT)
    with pytest.raises(EditRefused, match="proof"):
        prove_jpeg(before, described(new), TEXT)


CAPTION = b"\x1c\x02\x78\0\6a text"
IPTC_FORGERIES = {
    "a resource lost": lambda _, iim: iim,
    "a resource more": lambda old, iim: old + iim + resource(0x0BB8, b"x"),
    "a resource of another name": lambda old, iim: old.replace(b"\x0b\xb7", b"\x0b\xb9") + iim,
    "a resource changed": lambda old, iim: old.replace(b"one", b"two") + iim,
    "the order changed": lambda old, iim: iim + old,
    "a data set lost": lambda old, _: old + resource(0x0404, CAPTION),
    "a data set more": lambda old, iim: old + resource(0x0404, iim[12:] + b"\x1c\x02\x5a\0\1x"),
    "a character set": lambda old, iim: old + resource(0x0404, b"\x1c\1\x5a\0\3\x1b.A" + iim[12:]),
    "two captions": lambda old, iim: old + resource(0x0404, iim[12:] + CAPTION),
    "no caption": lambda old, _: old + KEYWORDS,
}


@pytest.mark.parametrize("forge", IPTC_FORGERIES.values(), ids=IPTC_FORGERIES)
def test_forged_iptc_is_caught(forge):
    """Of IPTC and its neighbours nothing changes but the caption."""
    old = resource(0x0BB7, b"one")
    right = resource(0x0404, KEYWORDS[12:20] + CAPTION)
    prove_app13(old + KEYWORDS, old + right, TEXT)
    forged = forge(old, right)
    with pytest.raises(EditRefused, match="proof"):
        prove_app13(old + KEYWORDS, forged, TEXT)


def test_a_thumbnail_that_runs_out_of_its_block_is_compared():
    """Some cameras' thumbnails end behind the block: there too they are what they were."""
    entries = pack(">HHII", 0x0201, 4, 1, 70) + pack(">HHII", 0x0202, 4, 1, 20)
    ifd0 = pack(">H", 1) + pack(">HHI", 0x010E, 2, 4) + b"old\0" + pack(">I", 26)
    block = b"MM\0*" + pack(">I", 8) + ifd0 + pack(">H", 2) + entries + bytes(4)
    before = block.ljust(70, b"\0") + b"thumb"
    after = before.replace(b"old\0", b"new\0")
    rest = b"nail and more of it"
    prove_block(before, after, "new", rest=(rest, rest))
    with pytest.raises(EditRefused, match="thumbnail"):
        prove_block(before, after, "new", rest=(rest, rest.replace(b"nail", b"snail")))


def test_a_lost_end_of_a_block_is_caught():
    """Bytes at the end of a block that nothing claims may be a camera's: they stay."""
    before = fresh_block("some text of old") + b"camera"
    after = before.replace(b"some text of old", b"new" + bytes(13))
    prove_block(before, after, "new")
    for cut in (1, 6):
        with pytest.raises(EditRefused, match="end of the EXIF block"):
            prove_block(before, after[:-cut], "new")


def test_a_segment_that_moved_is_caught():
    """Readers look for Exif at the beginning; behind another segment some do not find it."""
    plain = saved(noise("RGB"), "JPEG")
    comment = jpeg_segment(0xFE, b"hello")
    old, new = (jpeg_segment(0xE1, b"Exif\0\0" + block) for block in (OTHER, BLOCK))
    before = plain[:20] + old + comment + plain[20:]
    after = embed(before, TEXT, "b text")
    prove_jpeg(before, after, TEXT)
    xmp = after[len(plain[:20] + new) : after.index(comment)]
    with pytest.raises(EditRefused, match="order of the segments"):
        prove_jpeg(before, plain[:20] + comment + new + xmp + plain[20:], TEXT)


def test_a_further_image_that_moved_is_caught():
    """Addresses of a multi-picture index count from itself: nothing new may come behind it."""
    plain = saved(noise("RGB"), "JPEG")
    size = 8 + 2 + 12 + 4 + 32
    offset = size + len(plain) - 20
    entries = bytes(16) + pack(">IIIHH", 0, len(plain), offset, 0, 0)
    index = b"MM\0*" + pack(">IHHHII", 8, 1, 0xB002, 7, 32, 26) + bytes(4) + entries
    assert len(index) == size
    mpf = jpeg_segment(0xE2, b"MPF\0" + index)
    before = plain[:20] + mpf + plain[20:] + plain
    after = embed(before, TEXT, None)
    prove_jpeg(before, after, TEXT)
    new = after[20 : after.index(mpf)]
    with pytest.raises(EditRefused, match="further image"):
        prove_jpeg(before, plain[:20] + mpf + new + before[20 + len(mpf) :], TEXT)
