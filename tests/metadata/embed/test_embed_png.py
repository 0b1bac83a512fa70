"""PNG: chunks, their order and checksums, and the texts of PNG's own."""

import zlib

import pytest

from tagline.errors import EditRefused
from tagline.metadata.png_edit import embed
from tests.metadata.embed.samples_embed import SAMPLES, camera_exif, noise, saved, shown

PLAIN = SAMPLES["png RGB"]
AHEAD = PLAIN.index(b"IDAT") - 4


def kinds(data):
    """Types of all chunks, each of them whole and with the right checksum."""
    found, at = [], 8
    while at < len(data) and found[-1:] != [b"IEND"]:
        size = int.from_bytes(data[at : at + 4], "big")
        body = data[at + 4 : at + 8 + size]
        assert zlib.crc32(body) == int.from_bytes(data[at + 8 + size : at + 12 + size], "big")
        found.append(body[:4])
        at += 12 + size
    return found


def with_chunks(*chunks, at=AHEAD):
    """A PNG with these chunks ahead of its image data."""
    return PLAIN[:at] + b"".join(chunks) + PLAIN[at:]


def test_new_chunks_stand_ahead_of_the_image():
    """EXIF and XMP come before the first image data, and every checksum is right."""
    found = kinds(embed(PLAIN, "text", None))
    assert found.index(b"eXIf") < found.index(b"iTXt") < found.index(b"IDAT")


def test_an_animation_keeps_its_order():
    """APNG's control chunks follow the new ones and stay together with their frames."""
    before = SAMPLES["png animated"]
    after = embed(before, "text", None)
    assert [k for k in kinds(after) if k not in (b"eXIf", b"iTXt")] == kinds(before)
    assert kinds(after).index(b"eXIf") < kinds(after).index(b"acTL")


def test_other_chunks_and_the_trailer_stay(png_chunk):
    """Chunks that nobody knows, and whatever follows the end, are kept to the byte."""
    odd = png_chunk(b"prVt", b"private" * 9)
    before = with_chunks(odd) + b"behind the end"
    after = embed(before, "text", None)
    assert odd in after
    assert after.endswith(b"behind the end")


def test_nothing_comes_between_apples_offsets_and_the_image(png_chunk):
    """Apple's iDOT counts bytes from itself to the image data: new chunks go ahead of it."""
    found = kinds(embed(with_chunks(png_chunk(b"iDOT", bytes(28))), "text", None))
    assert found.index(b"iTXt") < found.index(b"iDOT")
    block = camera_exif().tobytes()[6:]
    behind = with_chunks(png_chunk(b"iDOT", bytes(28)), png_chunk(b"eXIf", block))
    with pytest.raises(EditRefused, match="iDOT"):
        embed(behind, "text", None)


def test_an_exif_prefix_stays(png_chunk):
    """A block that begins as in a JPEG goes on doing so."""
    before = with_chunks(png_chunk(b"eXIf", camera_exif().tobytes()))
    after = embed(before, "text", None)
    assert b"eXIfExif\0\0" in after
    assert shown("png", after)["exif"] == "text"


def test_a_compressed_packet_is_written_plain(png_chunk):
    """XMP in a compressed chunk is edited, and uncompressed then, with its language kept."""
    made = embed(PLAIN, "old words", None)
    at = made.index(b"<?xpacket")
    packet = made[at : made.index(b'<?xpacket end="w"?>') + 19]
    squeezed = b"XML:com.adobe.xmp\0\1\0en\0\0" + zlib.compress(packet)
    after = embed(with_chunks(png_chunk(b"iTXt", squeezed)), "new words", None)
    assert b"XML:com.adobe.xmp\0\0\0en\0\0<?xpacket" in after
    assert shown("png", after)["xmp"] == "new words"


@pytest.mark.parametrize("keyword", [b"exif", b"APP1", b"xmp", b"iptc", b"8bim"])
def test_legacy_profiles_are_refused(png_chunk, keyword):
    """Metadata in ImageMagick's raw profiles would contradict what is written: a sidecar."""
    chunk = png_chunk(b"zTXt", b"Raw profile type " + keyword + b"\0\0" + zlib.compress(b"x"))
    with pytest.raises(EditRefused, match="raw profile"):
        embed(with_chunks(chunk), "text", None)


def test_a_colour_profile_in_the_old_way_is_none_of_these(png_chunk):
    """A raw profile with colours stays, and does not stand in the way."""
    chunk = png_chunk(b"tEXt", b"Raw profile type icc\0\n")
    assert chunk in embed(with_chunks(chunk), "text", None)


@pytest.mark.parametrize(
    ("kind", "middle", "codec"),
    [(b"tEXt", b"", "latin-1"), (b"iTXt", b"\0\0en\0Beschreibung\0", "utf-8")],
)
def test_a_text_description_follows(png_chunk, kind, middle, codec):
    """PNG's own Description is brought into line where it held the old text, and goes with it."""

    def chunk(words, kind=kind, middle=middle, codec=codec):
        return png_chunk(kind, b"Description\0" + middle + words.encode(codec))

    before = with_chunks(chunk("älter"))
    assert chunk("neuer ß") in embed(before, "neuer ß", "älter")
    wide = chunk("日本", b"iTXt", middle or b"\0\0\0\0", "utf-8")
    assert wide in embed(before, "日本", "älter")
    assert b"Description\0" not in embed(embed(before, "x", None), None, "älter")
    assert chunk("älter") in embed(before, "other", "not that")


def test_a_compressed_description_follows(png_chunk):
    """A Description in a zTXt chunk is read, and written plain."""
    chunk = png_chunk(b"zTXt", b"Description\0\0" + zlib.compress("älter".encode("latin-1")))
    after = embed(with_chunks(chunk), "neu", "älter")
    assert png_chunk(b"iTXt", b"Description\0\0\0\0\0neu") in after
    damaged = png_chunk(b"zTXt", b"Description\0\0no such data")
    with pytest.raises(EditRefused, match="compressed"):
        embed(with_chunks(damaged), "neu", "älter")


def test_what_is_unclear_is_refused(png_chunk):
    """Two blocks of a kind, a seal, a wrong checksum, or no image: not touched."""
    block = png_chunk(b"eXIf", camera_exif().tobytes()[6:])
    packet = png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x/>")
    words = png_chunk(b"tEXt", b"Description\0many")
    for before, reason in (
        (with_chunks(block, block), "EXIF chunk"),
        (with_chunks(packet, packet), "XMP packet"),
        (with_chunks(png_chunk(b"caBX", b"jumb")), "Content Credentials"),
        (with_chunks(png_chunk(b"dSIG", b"sign")), "signature"),
        (with_chunks(png_chunk(b"tEXt", b"XML:com.adobe.xmp\0<x/>")), "raw profile"),
        (with_chunks(*[words] * 12), "too many"),
        (PLAIN[:40] + b"\xff" + PLAIN[41:], "checksum|middle"),
        (PLAIN.replace(b"IHDR", b"CgBI", 1), "checksum"),
        (PLAIN[:AHEAD] + png_chunk(b"IEND", b""), "no image"),
        (with_chunks(png_chunk(b"eXIf", b"no block")), "TIFF header"),
    ):
        with pytest.raises(EditRefused, match=reason):
            embed(before, "text", None)


def test_a_maker_note_stays_where_it_was():
    """In a camera's block every byte keeps its offset."""
    before = saved(noise("L"), "PNG", exif=camera_exif())
    after = embed(before, "text", None)
    blocks = [data[data.index(b"eXIf") + 4 :] for data in (before, after)]
    assert blocks[0].index(b"notenote") == blocks[1].index(b"notenote")
