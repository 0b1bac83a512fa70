"""Files that a writer gone wrong might make, whole and well-formed: no proof lets one pass."""

import zlib
from struct import pack, unpack_from

import pytest

from tagline.errors import EditRefused
from tagline.metadata import png_edit, tiff_edit
from tagline.metadata.exif_edit import fresh_block
from tagline.metadata.field_types import FieldEdit
from tagline.metadata.fields import BY_NAME
from tagline.metadata.proof_png import prove_png, prove_png_fields
from tagline.metadata.proof_tiff import prove_tiff, prove_tiff_fields
from tagline.metadata.proof_webp import prove_webp
from tagline.metadata.xmp_edit import edit
from tests.metadata.embed.samples_embed import (
    EDITORS,
    SAMPLES,
    camera_exif,
    make_tiff,
)

TEXT = "a text"
MORE = camera_exif().tobytes().removeprefix(b"Exif\0\0")
OTHER = fresh_block("b text")


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Type and payload of each chunk."""
    found, at = [], 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    return found


def png_of(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """The file of these chunks, every checksum right."""
    raws = [
        len(d).to_bytes(4, "big") + k + d + zlib.crc32(k + d).to_bytes(4, "big") for k, d in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(raws)


def changed(kind: bytes, change):
    """A forgery that changes the payload of the chunks of a type."""
    return lambda chunks: [(k, change(d) if k == kind else d) for k, d in chunks]


def without(kind: bytes):
    """A forgery that drops the chunks of a type."""
    return lambda chunks: [(k, d) for k, d in chunks if k != kind]


def twice(kind: bytes):
    """A forgery that has the chunks of a type twice."""
    return lambda chunks: [(k, d) for k, d in chunks for _ in range(1 + (k == kind))]


def last(kind: bytes):
    """A forgery that puts the chunks of a type behind all others but the last."""

    def move(chunks):
        own = [each for each in chunks if each[0] == kind]
        rest = [each for each in chunks if each[0] != kind]
        return [*rest[:-1], *own, *rest[-1:]]

    return move


PNG_FORGERIES = {
    "two EXIF chunks": twice(b"eXIf"),
    "two XMP packets": twice(b"iTXt"),
    "EXIF lost": without(b"eXIf"),
    "EXIF with more": changed(b"eXIf", lambda _: MORE),
    "EXIF with another text": changed(b"eXIf", lambda _: OTHER),
    "EXIF behind the image": last(b"eXIf"),
    "XMP behind the image": last(b"iTXt"),
    "XMP with another text": changed(b"iTXt", lambda d: d.replace(TEXT.encode(), b"b text")),
    "XMP with more": changed(
        b"iTXt", lambda d: d.replace(b"</rdf:Desc", b"<dc:format>x</dc:format></rdf:Desc", 1)
    ),
    "another description lost": without(b"tEXt"),
    "another description changed": changed(b"tEXt", lambda d: d + b"!"),
    "one description more": twice(b"tEXt"),
    "the header lost": without(b"IHDR"),
}


@pytest.mark.parametrize("forge", PNG_FORGERIES.values(), ids=PNG_FORGERIES)
def test_a_forged_png_is_caught(forge):
    """A PNG whose checksums are right, but which is not the old one with the text."""
    chunks = png_chunks(SAMPLES["png RGB"])
    before = png_of([chunks[0], (b"tEXt", b"Description\0kept words"), *chunks[1:]])
    after = EDITORS["png"](before, TEXT, None)
    prove_png(before, after, TEXT)
    forged = png_of(forge(png_chunks(after)))
    assert forged != after
    with pytest.raises(EditRefused, match="proof"):
        prove_png(before, forged, TEXT)


def test_png_s_description_is_no_business_of_other_fields():
    """An edit of the rating leaves PNG's own text alone, and a proof that it did not is none."""
    chunks = png_chunks(SAMPLES["png RGB"])
    before = png_of([chunks[0], (b"tEXt", b"Description\0kept words"), *chunks[1:]])
    edits = (FieldEdit(field=BY_NAME["rating"], old=None, new=4),)
    after = png_edit.embed_fields(before, edits)
    prove_png_fields(before, after, edits)
    for forge in (changed(b"tEXt", lambda d: d + b"!"), without(b"tEXt"), twice(b"tEXt")):
        with pytest.raises(EditRefused, match="PNG text"):
            prove_png_fields(before, png_of(forge(png_chunks(after))), edits)


def test_another_program_s_description_is_not_passed_over():
    """A text in EXIF alone, with another one in an XMP packet that stayed, is no edit."""
    old = edit(None, "old words") or b""
    packet = (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + old)
    header, *rest = png_chunks(SAMPLES["png RGB"])
    forged = png_of([header, (b"eXIf", fresh_block(TEXT)), packet, *rest])
    with pytest.raises(EditRefused, match="another description"):
        prove_png(png_of([header, packet, *rest]), forged, TEXT)


def webp_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Code and payload of each chunk."""
    found, at = [], 12
    while at < len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        found.append((data[at : at + 4], data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    return found


def webp_of(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """The file of these chunks."""
    raws = [k + len(d).to_bytes(4, "little") + d + bytes(len(d) % 2) for k, d in chunks]
    body = b"WEBP" + b"".join(raws)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def header(flags: int, at: int = 0):
    """A forgery whose VP8X has these bits the other way round at this byte."""
    return changed(b"VP8X", lambda d: d[:at] + bytes([d[at] ^ flags]) + d[at + 1 :])


WEBP_FORGERIES = {
    "two EXIF chunks": twice(b"EXIF"),
    "two headers": twice(b"VP8X"),
    "EXIF lost": without(b"EXIF"),
    "EXIF with more": changed(b"EXIF", lambda _: MORE),
    "EXIF with another text": changed(b"EXIF", lambda _: OTHER),
    "the header lost": without(b"VP8X"),
    "the header last": lambda chunks: [*chunks[1:], chunks[0]],
    "no EXIF flag": header(0x08),
    "an XMP flag": header(0x04),
    "an alpha flag": header(0x10),
    "an animation flag": header(0x02),
    "reserved bits": header(0x01, 2),
    "another width": header(0x01, 4),
    "another height": header(0x01, 7),
    "XMP that nobody asked for": lambda chunks: [*chunks, (b"XMP ", b"<x/>")],
    "the image twice": twice(b"VP8 "),
}


@pytest.mark.parametrize("name", ["webp lossy RGB", "webp exif"])
@pytest.mark.parametrize("forge", WEBP_FORGERIES.values(), ids=WEBP_FORGERIES)
def test_a_forged_webp_is_caught(forge, name):
    """A WebP that is laid out well, but is not the old one with the text."""
    before = SAMPLES[name]
    after = EDITORS["webp"](before, TEXT, None)
    prove_webp(before, after, TEXT)
    forged = webp_of(forge(webp_chunks(after)))
    assert forged != after
    with pytest.raises(EditRefused, match="proof"):
        prove_webp(before, forged, TEXT)


def edited_tiff() -> tuple[bytes, bytes]:
    """A TIFF with values of many kinds, and the same with a text that it had not."""
    before = make_tiff(
        {
            0x10F: (2, b"Maker Inc\0"),
            0x110: (2, b"Maker Inc\0"),
            0x112: (3, (1,)),
            0x83BB: (7, b"\x1c\x02\x19\0\3sea"),
            0x8649: (7, b"8BIM\4\0\0\0\0\0\0\2ab"),
        },
        pages=2,
    )
    after = EDITORS["tif"](before, TEXT, None)
    prove_tiff(before, after, TEXT)
    return before, after


def entries(data: bytes) -> dict[int, int]:
    """Where each entry of the first directory stands, by its tag."""
    first = unpack_from("<I", data, 4)[0]
    count = unpack_from("<H", data, first)[0]
    places = [first + 2 + 12 * k for k in range(count)]
    return {unpack_from("<H", data, at)[0]: at for at in places}


def test_any_bit_of_a_new_directory_counts():
    """The copy of the first directory says what that said, or nothing passes."""
    before, after = edited_tiff()
    first = unpack_from("<I", after, 4)[0]
    assert first >= len(before)
    places = [first, first + 1]
    for tag, at in entries(after).items():
        # A SHORT leaves two of its four bytes empty; how long a packet's padding is says nothing.
        used = 10 if unpack_from("<HI", after, at + 2) == (3, 1) else 12
        places += range(at, at + used) if tag != 0x2BC else range(at, at + 4)
    for at in (*places, *range(places[-1] + 1, places[-1] + 5)):
        for bit in range(8):
            harmed = bytearray(after)
            harmed[at] ^= 1 << bit
            with pytest.raises(EditRefused):
                prove_tiff(before, bytes(harmed), TEXT)


def test_a_value_that_moved_is_caught():
    """A value that is the same elsewhere is not where others may have noted it."""
    before, after = edited_tiff()
    at = entries(after)
    harmed = bytearray(after)
    harmed[at[0x10F] + 8 : at[0x10F] + 12] = after[at[0x110] + 8 : at[0x110] + 12]
    with pytest.raises(EditRefused, match="moved"):
        prove_tiff(before, bytes(harmed), TEXT)


def test_a_forged_rating_is_caught():
    """Tags of other fields too say the new value, and stay where they were."""
    before = make_tiff({0x4746: (3, (2,))})
    edits = (FieldEdit(field=BY_NAME["rating"], old=2, new=4),)
    after = tiff_edit.embed_fields(before, edits)
    prove_tiff_fields(before, after, edits)
    at = entries(after)[0x4746]
    for raw in (pack("<HHIHH", 0x4746, 3, 1, 5, 0), pack("<HHIHH", 0x4747, 3, 1, 4, 0)):
        with pytest.raises(EditRefused, match="proof"):
            prove_tiff_fields(before, after[:at] + raw + after[at + 12 :], edits)


def test_a_lost_end_is_caught():
    """What stands at the end of a TIFF file, claimed by nobody, stays there to the last byte."""
    before = EDITORS["tif"](make_tiff(), "b text", None) + b"behind it all" * 9
    after = EDITORS["tif"](before, TEXT, "b text")
    prove_tiff(before, after, TEXT)
    end = after.index(b"behind it all")
    for keep in (0, 13, 100):
        with pytest.raises(EditRefused, match="end of the TIFF file"):
            prove_tiff(before, after[: end + keep], TEXT)


def test_a_text_in_the_place_of_another_value_is_caught():
    """A description that lies over a tag that says the same would be edited together with it."""
    before = make_tiff({0x10F: (2, TEXT.encode() + b"\0")})
    after = EDITORS["tif"](before, TEXT, None)
    at = entries(after)
    harmed = bytearray(after)
    harmed[at[0x10E] + 8 : at[0x10E] + 12] = after[at[0x10F] + 8 : at[0x10F] + 12]
    with pytest.raises(EditRefused, match="lies over another"):
        prove_tiff(before, bytes(harmed), TEXT)


@pytest.mark.parametrize("tag", [0x10F, 0x112, 0x83BB, 0x8649])
def test_a_lost_tag_is_caught(tag):
    """A new directory that is one entry short is no copy; neither of IPTC nor of anything else."""
    before, after = edited_tiff()
    first, at = unpack_from("<I", after, 4)[0], entries(after)
    end = max(at.values()) + 16
    raw = pack("<H", len(at) - 1) + after[first + 2 : at[tag]] + after[at[tag] + 12 : end]
    harmed = after[:first] + raw.ljust(end - first, b"\0") + after[end:]
    with pytest.raises(EditRefused, match="proof"):
        prove_tiff(before, harmed, TEXT)


def test_a_description_of_another_type_is_caught():
    """A text is of the type ASCII, or some readers show none."""
    before, after = edited_tiff()
    at = entries(after)[0x10E]
    for kind in (1, 6, 7, 129):
        harmed = after[: at + 2] + pack("<H", kind) + after[at + 4 :]
        with pytest.raises(EditRefused, match="proof"):
            prove_tiff(before, harmed, TEXT)
