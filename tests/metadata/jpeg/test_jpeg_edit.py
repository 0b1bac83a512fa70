"""Writing a description into a JPEG and taking it out again."""

from struct import pack, unpack_from

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.errors import EditRefused
from tagline.metadata import exif, iptc, jpeg_read, xmp
from tagline.metadata.jpeg_edit import embed
from tagline.metadata.proof import prove_jpeg
from tagline.model import BytesSource

XMP = b"http://ns.adobe.com/xap/1.0/\0"
PHOTOSHOP = b"Photoshop 3.0\0"
TEXT = "Großmutter & Enkel <1932> 日本"
PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
    b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>'
)
TEXTS = st.text(
    st.characters(min_codepoint=32, exclude_categories=["Cs", "Cn"]), min_size=1, max_size=200
).filter(lambda t: t.strip() and t.isprintable())


def texts(data):
    """What EXIF, XMP and IPTC of a file say."""
    found = jpeg_read.read(BytesSource(data))
    return (
        exif.read(found.exif).description if found.exif else None,
        xmp.read(found.xmp).description if found.xmp else None,
        iptc.read(found.iptc).description if found.iptc else None,
    )


def iptc_payload(caption=b"old caption"):
    """A Photoshop segment with IPTC."""
    iim = b"\x1c\x02\x00\0\2\0\2" + b"\x1c\x02\x78" + pack(">H", len(caption)) + caption
    return PHOTOSHOP + b"8BIM\x04\x04\0\0" + pack(">I", len(iim)) + iim + b"\0" * (len(iim) % 2)


def test_file_without_metadata(jpeg):
    """A new Exif segment stands behind JFIF, a new XMP packet behind it; nothing else changes."""
    before = jpeg()
    after = embed(before, TEXT, None)
    assert texts(after) == (TEXT, TEXT, None)
    jfif = before.index(b"\xff\xdb")
    assert after[:jfif] == before[:jfif]
    assert after.endswith(before[jfif:])
    assert after[jfif : jfif + 2] == b"\xff\xe1"


@given(st.lists(st.one_of(st.none(), TEXTS), min_size=1, max_size=6))
@settings(max_examples=40)
def test_emptied_file_is_the_old_one_again(jpeg, sequence):
    """However a file without metadata was edited, once emptied it is byte for byte as before."""
    before = data = jpeg()
    old = None
    for text in sequence:
        data = embed(data, text, old)
        assert texts(data)[:2] == (text, text)
        old = text
    assert embed(data, None, old) == before


def test_all_three_places_are_brought_into_line(jpeg, exif_payload):
    """EXIF, XMP and IPTC that are there say the new text, and none after removal."""
    before = jpeg(
        (0xE1, exif_payload(description=b"old\0", note=b"note" * 9)),
        (0xE1, XMP + PACKET),
        (0xED, iptc_payload()),
    )
    after = embed(before, TEXT, "old")
    assert texts(after) == (TEXT, TEXT, TEXT)
    assert b'xmp:Rating="4"' in after
    assert texts(embed(after, None, TEXT)) == (None, None, None)


def test_same_text_gives_the_same_file(jpeg):
    """Writing what is there already gives the very same bytes."""
    data = embed(jpeg(), TEXT, None)
    assert embed(data, TEXT, TEXT) is data
    assert embed(jpeg(), None, None) == jpeg()


def test_many_edits_stay_small(jpeg, exif_payload):
    """A hundred edits leave a file no longer than its longest text asks for."""
    data = before = jpeg((0xE1, exif_payload(note=b"n" * 50)), (0xE1, XMP + PACKET))
    old = None
    for k in range(100):
        text = "words " * (1 + k * 7 % 40)
        data = embed(data, text, old)
        old = text
    assert len(data) < len(before) + 2 * 6 * 40 + 2500


def mpf_payload(order, first_size, second_at):
    """The index of a multi-picture file with two images (CIPA DC-007)."""
    entries = pack(order + "IIIHH", 0x030000, first_size, 0, 0, 0)
    entries += pack(order + "IIIHH", 0, 100, second_at, 0, 0)
    head = (b"II*\0" if order == "<" else b"MM\0*") + pack(order + "I", 8)
    tags = pack(order + "HHHI4s", 3, 0xB000, 7, 4, b"0100")
    tags += pack(order + "HHII", 0xB001, 4, 1, 2) + pack(order + "HHII", 0xB002, 7, 32, 50)
    return b"MPF\0" + head + tags + bytes(4) + entries


def multi_picture(jpeg, exif_payload, segments_behind=()):
    """A file with Exif, MPF and a second image behind the first."""
    second = jpeg(color=10)

    def build(second_at):
        return jpeg(
            (0xE1, exif_payload(description=b"old\0")),
            (0xE2, mpf_payload("<", 1, second_at)),
            *segments_behind,
            trailer=second,
        )

    draft = build(0)
    base = draft.index(b"MPF\0") + 4
    return build(len(draft) - len(second) - base)


def second_image(data):
    """The offset of the second image by the index."""
    base = data.index(b"MPF\0") + 4
    return base + unpack_from("<I", data, base + 50 + 16 + 8)[0]


def test_second_image_is_still_found(jpeg, exif_payload):
    """The addresses of a multi-picture file hold, since it grows ahead of them only."""
    before = multi_picture(jpeg, exif_payload)
    assert before[second_image(before) :][:3] == b"\xff\xd8\xff"
    after = embed(before, TEXT * 20, "old")
    assert after[second_image(after) :] == jpeg(color=10)
    assert texts(after)[:2] == (TEXT * 20, TEXT * 20)


def test_packet_behind_the_index_keeps_its_length(jpeg, exif_payload):
    """XMP behind the MPF index is edited within its padding, and refused when it would grow."""
    roomy = PACKET + b" " * 3000 + b'<?xpacket end="w"?>'
    packet = b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>' + roomy
    before = multi_picture(jpeg, exif_payload, [(0xE1, XMP + packet)])
    after = embed(before, TEXT, "old")
    assert after[second_image(after) :] == jpeg(color=10)
    tight = multi_picture(jpeg, exif_payload, [(0xE1, XMP + PACKET)])
    with pytest.raises(EditRefused, match="must not"):
        embed(tight, TEXT, "old")


@pytest.mark.parametrize(
    "trailer",
    [
        b"\0\0\0\x18ftypmp42" + b"video" * 500,
        b"\0\0\x30\x0a\x0e\0\0\0MotionPhoto_Data" + b"v" * 999 + b"SEFH" + bytes(24) + b"SEFT",
        b"\xff\xd8\xff\xe0" + b"gain map" * 100 + b"\xff\xd9",
    ],
    ids=["motion-photo", "samsung", "ultra-hdr"],
)
def test_what_follows_the_image_is_kept(jpeg, exif_payload, trailer):
    """Videos, Samsung's trailer and gain maps follow the image untouched."""
    container = PACKET.replace(
        b'xmp:Rating="4"',
        b'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MicroVideoOffset="%d"'
        % len(trailer),
    )
    before = jpeg((0xE1, exif_payload()), (0xE1, XMP + container), trailer=trailer)
    after = embed(before, TEXT, None)
    assert after.endswith(trailer)
    assert b'GCamera:MicroVideoOffset="%d"' % len(trailer) in after


def test_preview_addressed_behind_the_image(jpeg, exif_payload):
    """Where a maker note points behind the image, nothing ahead may change length."""
    preview = jpeg(color=50) + bytes(300)

    def build(address, **options):
        entries = pack(">HHII", 0x0088, 4, 1, address) + pack(">HHII", 0x0089, 4, 1, len(preview))
        note = pack(">H", 2) + entries + bytes(4)
        payload = exif_payload(note=note, description=b"a text of old\0", **options)
        return jpeg((0xE1, payload), *options_segments, trailer=preview)

    options_segments = []
    address = len(build(0)) - len(preview) - (build(0).index(b"MM\0*"))
    before = build(address)
    with pytest.raises(EditRefused, match="cannot be added"):
        embed(before, "short", None)
    options_segments.append((0xE1, XMP + PACKET + b" " * 2000 + b'<?xpacket end="w"?>'))
    address = len(build(0)) - len(preview) - (build(0).index(b"MM\0*"))
    before = build(address)
    after = embed(before, "short", None)
    assert len(after) == len(before)
    assert texts(after)[:2] == ("short", "short")
    with pytest.raises(EditRefused, match="no room"):
        embed(before, "x" * 500, None)


@pytest.mark.parametrize(
    ("segments", "trailer", "reason"),
    [
        ([(0xE1, b"Exif\0\0A"), (0xE1, b"Exif\0\0B")], b"", "more than one Exif"),
        ([(0xE1, b"Exif\0\xff" + bytes(30))], b"", "does not begin"),
        ([(0xE1, b"Exif\0\0" + bytes(30))], b"", "no TIFF header"),
        ([(0xE1, XMP + PACKET), (0xE1, XMP + PACKET)], b"", "more than one XMP"),
        ([(0xE1, XMP + PACKET.decode().encode("utf-16"))], b"", "UTF-8"),
        ([(0xE1, XMP + b"<broken")], b"", "XMP"),
        ([(0xED, iptc_payload()), (0xED, iptc_payload())], b"", "several Photoshop"),
        ([(0xEB, b"JP\0\1\0\0\0\1jumbc2pa")], b"", "Content Credentials"),
        ([], b"AXS!\1\0\0\1" + bytes(40) + b"AXS!" + bytes(8), "AFCP"),
    ],
)
def test_what_cannot_be_edited_safely_is_refused(jpeg, segments, trailer, reason):
    """Files with something that an edit would break or contradict go to sidecars whole."""
    with pytest.raises(EditRefused, match=reason):
        embed(jpeg(*segments, trailer=trailer), TEXT, None)


def test_broken_structure_is_refused(jpeg):
    """Garbage between segments, no image, a cut segment: not edited."""
    data = jpeg((0xFE, b"comment"))
    at = data.index(b"\xff\xfe")
    for broken in (data[:at] + b"x" + data[at:], data[: at + 6], b"", b"\xff\xd8\xff\xd9"):
        with pytest.raises(EditRefused):
            embed(broken, TEXT, None)


def test_text_too_long_for_a_segment_is_refused(jpeg, exif_payload):
    """What does not fit into 64 KiB is refused, not cut."""
    with pytest.raises(EditRefused):
        embed(jpeg((0xE1, exif_payload(note=b"n" * 40_000))), "ü" * 15_000, None)


def test_other_segments_and_fill_bytes_stay(jpeg, exif_payload):
    """Unknown segments, comments, ICC and fill bytes ahead of markers stay where they are."""
    data = jpeg(
        (0xE1, exif_payload()), (0xE2, b"ICC_PROFILE\0\1\1abc"), (0xE5, b"x"), (0xFE, b"hello")
    )
    data = data.replace(b"\xff\xe1", b"\xff\xff\xff\xe1")
    after = embed(data, TEXT, None)
    assert b"\xff\xff\xff\xe1" in after
    rest = data[data.index(b"\xff\xe2") :]
    assert after.endswith(rest)


@pytest.mark.parametrize(
    ("tamper", "reason"),
    [
        (lambda a: a[:-3] + b"\0\xff\xd9", "image data"),
        (lambda a: a + b"x", "image data"),
        (lambda a: a.replace(b"hello", b"hullo"), "segment"),
        (lambda a: a.replace(b'Rating="4"', b'Rating="5"'), "XMP property"),
        (lambda a: a.replace(b"keyword", b"kayward"), "IPTC data set"),
        (lambda a: a.replace(b"Maker Inc", b"Maker Ink"), "EXIF tag"),
        (lambda a: a.replace(b"new text\0", b"New text\0"), "read back from EXIF"),
        (lambda a: a.replace(b"new text</", b"New text</"), "read back from XMP"),
        (lambda a: a.replace(b"\xff\xfe\0\7hello", b""), "segment"),
    ],
)
def test_proof_sees_every_harm(jpeg, exif_payload, tamper, reason):
    """A change to anything but the description fails the proof, whoever made it."""
    iim = b"\x1c\x02\x19\0\7keyword\x1c\x02\x78\0\3old"
    app13 = PHOTOSHOP + b"8BIM\x04\x04\0\0" + pack(">I", len(iim)) + iim + b"\0" * (len(iim) % 2)
    before = jpeg(
        (0xE1, exif_payload(description=b"some text of old\0")),
        (0xE1, XMP + PACKET),
        (0xED, app13),
        (0xFE, b"hello"),
    )
    after = embed(before, "new text", None)
    prove_jpeg(before, after, "new text")
    harmed = tamper(after)
    assert harmed != after
    with pytest.raises(EditRefused, match=f"^Nothing was written: proof: .*{reason}"):
        prove_jpeg(before, harmed, "new text")


@given(st.data())
@settings(max_examples=150)
def test_damaged_files_are_edited_provably_or_refused(jpeg, exif_payload, data):
    """Of a damaged file the edit shows the text and passes the proof, or is refused."""
    raw = bytearray(
        jpeg((0xE1, exif_payload(note=b"n" * 40)), (0xE1, XMP + PACKET), (0xED, iptc_payload()))
    )
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    text = data.draw(st.one_of(st.none(), TEXTS))
    try:
        after = embed(bytes(raw), text, data.draw(st.sampled_from([None, "old caption"])))
    except EditRefused:
        return
    assert texts(after)[0] == text
    prove_jpeg(bytes(raw), after, text)
