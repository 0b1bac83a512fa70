"""TIFF: only the end grows, pages and images stay, and what is no photo for people is refused."""

from hashlib import md5
from struct import pack

import pytest

from tagline.errors import EditRefused
from tagline.metadata import iptc, tiff
from tagline.metadata.tiff_edit import embed
from tagline.metadata.tiff_survey import Survey
from tagline.model import BytesSource
from tests.metadata.embed.samples_embed import PICTURE, SAMPLES, make_tiff, pixels, shown

PLAIN = make_tiff()
CAPTION = b"\x1c\x02\x78\x00\x03old"
BYLINE = b"\x1c\x02\x50\x00\x02me"


def resource(identifier, data):
    """A Photoshop image resource."""
    raw = b"8BIM" + pack(">H", identifier) + b"\0\0" + pack(">I", len(data)) + data
    return raw + bytes(len(data) % 2)


def caption(data):
    """The IPTC caption as the reader finds it."""
    found = tiff.read(BytesSource(data)).iptc
    return found and iptc.read(found).description


def value(data, tag, directory="IFD0"):
    """A tag's value."""
    survey = Survey(data)
    found = survey.find((directory, tag))
    return found and survey.value(found)


def test_only_the_header_and_the_end_change():
    """Everything behind the header stays to the byte; IFD0's copy stands at an even offset."""
    for before in (PLAIN, PLAIN + b"x", make_tiff(pages=4)):
        after = embed(before, "text", None)
        assert after[:4] == before[:4]
        assert after[8 : len(before)] == before[8:]
        assert int.from_bytes(after[4:8], "little") >= len(before)
        assert int.from_bytes(after[4:8], "little") % 2 == 0


def test_pages_keep_their_chain():
    """Every page of a file is there, in order, its pixels the same."""
    before = make_tiff(pages=5)
    after = embed(before, "text", None)
    assert len(pixels(after)) == 5
    assert pixels(after) == pixels(before)


def test_a_text_that_fits_takes_the_old_place():
    """A shorter description is written over the old one, and nothing of that is left."""
    before = make_tiff({0x10E: (2, b"a description of some length\0")})
    packet = embed(before, "a description of some length", None)
    after = embed(packet, "short", "a description of some length")
    assert b"some length" not in after
    assert shown("tif", after) == {"exif": "short", "xmp": "short"}
    assert Survey(after).find(("IFD0", 0x10E)).start == Survey(before).find(("IFD0", 0x10E)).start


def test_a_shared_value_is_not_overwritten():
    """A description whose bytes are another tag's as well moves away, and leaves them."""
    before = bytearray(make_tiff({0x10E: (2, b"shared by two\0"), 0x10F: (2, b"shared by two\0")}))
    survey = Survey(bytes(before))
    description, make = (survey.find(("IFD0", tag)) for tag in (0x10E, 0x10F))
    before[make.position + 8 : make.position + 12] = pack("<I", description.start)
    after = embed(bytes(before), "new", None)
    assert value(after, 0x10F) == b"shared by two\0"
    assert shown("tif", after)["exif"] == "new"


def test_comments_follow():
    """XPComment and UserComment change where they held the old text, and are emptied with it."""
    words = "old words".encode("utf-16-le") + b"\0\0"
    head = make_tiff()
    exif_at = len(head)
    comment = b"ASCII\0\0\0old words"
    directory = pack("<HHHII", 1, 0x9286, 7, len(comment), exif_at + 18) + bytes(4)
    before = make_tiff(
        {0x9C9C: (1, words), 0x8769: (4, (exif_at + 46,)), 0x10E: (2, b"old words\0")}
    )
    moved = len(before)
    directory = pack("<HHHII", 1, 0x9286, 7, len(comment), moved + 18) + bytes(4) + comment
    before = before.replace(pack("<I", exif_at + 46), pack("<I", moved)) + directory
    after = embed(before, "newer words here", "old words")
    assert value(after, 0x9C9C).decode("utf-16-le") == "newer words here\0"
    assert value(after, 0x9286, "IFD0/8769") == b"ASCII\0\0\0newer words here"
    emptied = embed(after, None, "newer words here")
    assert not value(emptied, 0x9C9C).strip(b"\0")
    assert value(emptied, 0x9286, "IFD0/8769").rstrip(b"\0") == b"ASCII"
    kept = embed(before, "other", "not that")
    assert value(kept, 0x9C9C) == words


@pytest.mark.parametrize("kind", [1, 4, 7])
def test_the_iptc_tag_follows(kind):
    """The caption changes, the byline stays; LONG values are filled up with zeros."""
    iim = BYLINE + CAPTION
    padded = iim + bytes(-len(iim) % 4)
    raw = (
        padded
        if kind != 4
        else tuple(int.from_bytes(padded[k : k + 4], "little") for k in range(0, len(padded), 4))
    )
    before = make_tiff({0x83BB: (kind, raw if kind == 4 else iim)})
    after = embed(before, "näu and longer than before", "old")
    assert caption(after) == "näu and longer than before"
    assert BYLINE in value(after, 0x83BB)
    assert caption(embed(after, None, "näu and longer than before")) is None


def test_photoshops_iptc_and_digest_follow():
    """The caption in Photoshop's resources changes with its digest, other resources stay."""
    payload = resource(0x0404, CAPTION) + resource(0x0425, md5(CAPTION).digest())
    payload = resource(0x03ED, b"resolution") + payload
    before = make_tiff({0x8649: (1, payload)})
    after = embed(before, "new words", "old")
    found = tiff.read(BytesSource(after))
    assert caption(after) == "new words"
    assert found.iptc_digest == md5(found.iptc).digest()
    assert resource(0x03ED, b"resolution") in value(after, 0x8649)


def test_a_digest_of_the_iptc_tag_is_renewed():
    """Where Photoshop's resources hold the digest of the IPTC tag alone, it is right again."""
    before = make_tiff({0x83BB: (7, CAPTION), 0x8649: (7, resource(0x0425, md5(CAPTION).digest()))})
    found = tiff.read(BytesSource(embed(before, "new words", "old")))
    assert found.iptc_digest == md5(found.iptc).digest()


@pytest.mark.parametrize(
    "words",
    [
        b'<?xml version="1.0"?><OME xmlns="x"/>',
        b"ImageJ=1.53t\nimages=3\n",
        b'{"shape": [3, 4]}',
        b"Aperio Image Library v11",
        b"state.configPath='x'",
        b"SI.hFrames = 3\nSI.hRoi = 4\n",
        b"[{'a': 1}]",
    ],
)
def test_descriptions_for_programs_are_refused(words):
    """What programs keep in ImageDescription is neither replaced nor removed, nor imitated."""
    before = make_tiff({0x10E: (2, words + b"\0")})
    for text in ("text", None):
        with pytest.raises(EditRefused, match="data for programs"):
            embed(before, text, None)
    with pytest.raises(EditRefused, match="data of their own"):
        embed(PLAIN, words.decode(), None)


@pytest.mark.parametrize("words", [b"a < b", b"1=2", b"{ draft }", b"[left] Anna, [right] Otto"])
def test_descriptions_for_people_are_not(words):
    """A text with signs in it is a text."""
    before = make_tiff({0x10E: (2, words + b"\0")})
    assert shown("tif", embed(before, "text", None))["exif"] == "text"
    assert shown("tif", embed(PLAIN, words.decode(), None))["exif"] == words.decode()


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({0xC612: (1, b"\1\4\0\0")}, "RAW"),
        ({0x828E: (1, b"\0\1\1\2")}, "RAW"),
        ({0x9216: (1, b"\1\0\0\0")}, "RAW"),
        ({0x927C: (7, b"maker note")}, "RAW"),
        ({0x106: (3, (32803,))}, "RAW"),
        ({0x106: (3, (34892,))}, "RAW"),
        ({0x866C: (1, b"records")}, "scientific"),
        ({0xC696: (4, (1, 2))}, "scientific"),
        ({0xCD41: (7, b"jumbf")}, "Content Credentials"),
        ({0x10E: (4, (1, 2))}, "no text"),
        ({0x2BC: (4, (1, 2))}, "unknown type"),
        ({0x83BB: (4, (0x1C025000, 0x1C))}, "unknown order"),
        ({0x117: (4, (0,))}, "how long"),
        ({0x117: (4, (239,))}, "incomplete"),
        ({0x117: (4, (1 << 30,))}, "past the end"),
        ({0x117: (4, (120, 120))}, "unclear"),
        ({0x101: (3, (0,))}, "without a size"),
        ({0x8769: (4, (1 << 30,))}, "outside"),
        ({0x8769: (4, (244,))}, "overlap|outside|many|twice"),
        ({0x2BC: (1, b"no packet")}, "well formed"),
    ],
)
def test_what_is_unclear_is_refused(more, reason):
    """RAW and scientific files, seals, and whatever a reader might see otherwise."""
    with pytest.raises(EditRefused, match=reason):
        embed(make_tiff(more), "text", None)


def test_other_headers_are_refused():
    """BigTIFF, and RAW files with their own marks in the header."""
    for head in (b"II+\0", b"MM\0+", b"IIRO", b"IIU\0"):
        with pytest.raises(EditRefused, match="classic"):
            embed(head + PLAIN[4:], "text", None)
    with pytest.raises(EditRefused, match="RAW"):
        embed(PLAIN[:8] + b"CR\2\0" + PLAIN[12:], "text", None)


def test_pages_in_a_circle_or_twice_are_refused():
    """A chain of pages that leads back, or a tag twice, has no one reading."""
    first = int.from_bytes(PLAIN[4:8], "little")
    with pytest.raises(EditRefused, match="circle"):
        embed(PLAIN[:-4] + pack("<I", first), "text", None)
    twice = bytearray(PLAIN)
    twice[first + 14 : first + 16] = twice[first + 2 : first + 4]
    with pytest.raises(EditRefused, match="twice"):
        embed(bytes(twice), "text", None)


def test_a_thumbnail_in_a_subdirectory_stays():
    """The directory of a smaller copy, and its data, are where they were."""
    sub = make_tiff()
    plain = make_tiff({0x14A: (4, (1 << 20,))})
    at = len(plain)
    entries = {0x100: 20, 0x101: 12, 0x102: 8, 0x103: 1, 0x106: 1, 0x111: 8, 0x117: 240}
    raw = b"".join(pack("<HHII", tag, 4, 1, number) for tag, number in entries.items())
    before = plain.replace(pack("<I", 1 << 20), pack("<I", at)) + pack("<H", 7) + raw + bytes(4)
    after = embed(before, "text", None)
    assert after[8 : len(before)] == before[8:]
    assert Survey(after).images.count(("IFD0/014a", (8, 8 + 240))) == 1
    assert sub[8:248] == PICTURE


def test_samples_grow_at_their_end_only():
    """In every kind of TIFF without a description all bytes stay where they are."""
    for name, before in SAMPLES.items():
        if name.startswith("tif") and not any(shown("tif", before).values()):
            assert embed(before, "text", None)[8 : len(before)] == before[8:], name
